"""Statistical process control for quality improvement, stratified by ethnicity.

Did our change shift the outcome, for whom, and did the gap close? Births (or any events) go in, one run or
control chart for each group comes out, with its signals and with what it cannot show.

>>> import qi_equity as qe
>>> qe.measures["pph_1500"].better
'lower'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from qi_equity._version import __version__

if TYPE_CHECKING:
    from qi_equity import datasets as datasets
    from qi_equity import pdsa as pdsa
    from qi_equity.change.evaluate import evaluate_change as evaluate_change
    from qi_equity.change.model import ChangeModel as ChangeModel
    from qi_equity.change.pooling.pool import pool_sites as pool_sites
    from qi_equity.change.pooling.result import PooledEffect as PooledEffect
    from qi_equity.change.result import ChangeEvaluation as ChangeEvaluation
    from qi_equity.change.sensitivity.result import Sensitivity as Sensitivity
    from qi_equity.data.catalogue import measures as measures
    from qi_equity.data.counts import from_counts as from_counts
    from qi_equity.data.disclosure.audit import DisclosureAudit as DisclosureAudit
    from qi_equity.data.disclosure.audit import audit_disclosure as audit_disclosure
    from qi_equity.data.disclosure.rule import SuppressionRule as SuppressionRule
    from qi_equity.data.ethnicity import resolve_ethnicity as resolve_ethnicity
    from qi_equity.data.events import between_events as between_events
    from qi_equity.data.measure import Measure as Measure
    from qi_equity.data.recorded import RecordedChanges as RecordedChanges
    from qi_equity.data.recorded_cycles import RecordedCycles as RecordedCycles
    from qi_equity.data.records import from_records as from_records
    from qi_equity.data.reference import Reference as Reference
    from qi_equity.data.scheme import Scheme as Scheme
    from qi_equity.data.series import StratifiedSeries as StratifiedSeries
    from qi_equity.data.standardised import StandardisedRates as StandardisedRates
    from qi_equity.equity.comparison.compare import GroupComparison as GroupComparison
    from qi_equity.equity.comparison.compare import compare_groups as compare_groups
    from qi_equity.equity.gap_chart.gap_chart import GapChart as GapChart
    from qi_equity.equity.gap_chart.gap_chart import gap_chart as gap_chart
    from qi_equity.equity.gaps import GapTable as GapTable
    from qi_equity.equity.gaps import gaps as gaps
    from qi_equity.equity.inequality.catalogue import inequality_measures as inequality_measures
    from qi_equity.equity.inequality.inequality import InequalityTable as InequalityTable
    from qi_equity.equity.inequality.inequality import inequality as inequality
    from qi_equity.equity.rates import RateTable as RateTable
    from qi_equity.equity.rates import rates as rates
    from qi_equity.errors import ColumnError as ColumnError
    from qi_equity.errors import DataError as DataError
    from qi_equity.errors import InputTypeError as InputTypeError
    from qi_equity.errors import OptionError as OptionError
    from qi_equity.errors import QiEquityError as QiEquityError
    from qi_equity.formulas.evaluation_power import evaluation_power as evaluation_power
    from qi_equity.formulas.evaluation_power import gap_change_power as gap_change_power
    from qi_equity.formulas.evaluation_power import periods_needed as periods_needed
    from qi_equity.formulas.evaluation_power import smallest_evaluated_ratio as smallest_evaluated_ratio
    from qi_equity.planning.design_advice import DesignAdvice as DesignAdvice
    from qi_equity.planning.detection import detection_table as detection_table
    from qi_equity.planning.detection_table import DetectionTable as DetectionTable
    from qi_equity.planning.false_signals.expect import FalseSignals as FalseSignals
    from qi_equity.planning.false_signals.expect import false_signals as false_signals
    from qi_equity.planning.months import births_to_detect as births_to_detect
    from qi_equity.planning.months import months_to_detect as months_to_detect
    from qi_equity.planning.months import smallest_change_to_detect as smallest_change_to_detect
    from qi_equity.planning.run_length.result import RunLength as RunLength
    from qi_equity.planning.run_length.run import run_length as run_length
    from qi_equity.planning.suggest import suggest_design as suggest_design
    from qi_equity.plot.completeness import plot_completeness as plot_completeness
    from qi_equity.spc.chart import ControlChart as ControlChart
    from qi_equity.spc.control import control_chart as control_chart
    from qi_equity.spc.expected_signals import false_signal_probability as false_signal_probability
    from qi_equity.spc.kinds_between import G as G
    from qi_equity.spc.kinds_between import T as T
    from qi_equity.spc.kinds_counts import NP as NP
    from qi_equity.spc.kinds_counts import C as C
    from qi_equity.spc.kinds_counts import P as P
    from qi_equity.spc.kinds_counts import U as U
    from qi_equity.spc.kinds_measurements import Individuals as Individuals
    from qi_equity.spc.kinds_measurements import IPrime as IPrime
    from qi_equity.spc.kinds_measurements import MovingRange as MovingRange
    from qi_equity.spc.kinds_measurements import R as R
    from qi_equity.spc.kinds_measurements import S as S
    from qi_equity.spc.kinds_measurements import Xbar as Xbar
    from qi_equity.spc.kinds_weighted import BernoulliCusum as BernoulliCusum
    from qi_equity.spc.kinds_weighted import CountCusum as CountCusum
    from qi_equity.spc.kinds_weighted import Cusum as Cusum
    from qi_equity.spc.kinds_weighted import Ewma as Ewma
    from qi_equity.spc.kinds_weighted import RiskAdjustedCusum as RiskAdjustedCusum
    from qi_equity.spc.kinds_weighted import Vlad as Vlad
    from qi_equity.spc.rule_sets import rule_sets as rule_sets
    from qi_equity.spc.rules import RuleSet as RuleSet
    from qi_equity.spc.run_chart import run_chart as run_chart
    from qi_equity.spc.suggest import suggest_phases as suggest_phases

# Where each public name lives. Names load on first use, so importing the package costs next to nothing.
_HOMES = {
    "Measure": "data.measure",
    "measures": "data.catalogue",
    "Scheme": "data.scheme",
    "resolve_ethnicity": "data.ethnicity",
    "from_records": "data.records",
    "from_counts": "data.counts",
    "between_events": "data.events",
    "StratifiedSeries": "data.series",
    "false_signal_probability": "spc.expected_signals",
    "run_chart": "spc.run_chart",
    "control_chart": "spc.control",
    "suggest_phases": "spc.suggest",
    "ControlChart": "spc.chart",
    "RuleSet": "spc.rules",
    "rule_sets": "spc.rule_sets",
    "C": "spc.kinds_counts",
    "NP": "spc.kinds_counts",
    "P": "spc.kinds_counts",
    "U": "spc.kinds_counts",
    "Individuals": "spc.kinds_measurements",
    "IPrime": "spc.kinds_measurements",
    "MovingRange": "spc.kinds_measurements",
    "R": "spc.kinds_measurements",
    "S": "spc.kinds_measurements",
    "Xbar": "spc.kinds_measurements",
    "G": "spc.kinds_between",
    "T": "spc.kinds_between",
    "BernoulliCusum": "spc.kinds_weighted",
    "CountCusum": "spc.kinds_weighted",
    "Cusum": "spc.kinds_weighted",
    "Ewma": "spc.kinds_weighted",
    "RiskAdjustedCusum": "spc.kinds_weighted",
    "Vlad": "spc.kinds_weighted",
    "rates": "equity.rates",
    "RateTable": "equity.rates",
    "StandardisedRates": "data.standardised",
    "gaps": "equity.gaps",
    "GapTable": "equity.gaps",
    "gap_chart": "equity.gap_chart.gap_chart",
    "GapChart": "equity.gap_chart.gap_chart",
    "inequality": "equity.inequality.inequality",
    "InequalityTable": "equity.inequality.inequality",
    "inequality_measures": "equity.inequality.catalogue",
    "plot_completeness": "plot.completeness",
    "compare_groups": "equity.comparison.compare",
    "GroupComparison": "equity.comparison.compare",
    "run_length": "planning.run_length.run",
    "RunLength": "planning.run_length.result",
    "false_signals": "planning.false_signals.expect",
    "FalseSignals": "planning.false_signals.expect",
    "months_to_detect": "planning.months",
    "births_to_detect": "planning.months",
    "smallest_change_to_detect": "planning.months",
    "evaluation_power": "formulas.evaluation_power",
    "gap_change_power": "formulas.evaluation_power",
    "periods_needed": "formulas.evaluation_power",
    "smallest_evaluated_ratio": "formulas.evaluation_power",
    "detection_table": "planning.detection",
    "DetectionTable": "planning.detection_table",
    "suggest_design": "planning.suggest",
    "DesignAdvice": "planning.design_advice",
    "evaluate_change": "change.evaluate",
    "ChangeEvaluation": "change.result",
    "ChangeModel": "change.model",
    "Sensitivity": "change.sensitivity.result",
    "pool_sites": "change.pooling.pool",
    "PooledEffect": "change.pooling.result",
    "Reference": "data.reference",
    "RecordedChanges": "data.recorded",
    "RecordedCycles": "data.recorded_cycles",
    "SuppressionRule": "data.disclosure.rule",
    "audit_disclosure": "data.disclosure.audit",
    "DisclosureAudit": "data.disclosure.audit",
    "QiEquityError": "errors",
    "OptionError": "errors",
    "InputTypeError": "errors",
    "ColumnError": "errors",
    "DataError": "errors",
}

# Parts that have public names of their own.
_PARTS = ("datasets", "pdsa")

__all__ = [
    "NP",
    "BernoulliCusum",
    "C",
    "ChangeEvaluation",
    "ChangeModel",
    "ColumnError",
    "ControlChart",
    "CountCusum",
    "Cusum",
    "DataError",
    "DesignAdvice",
    "DetectionTable",
    "DisclosureAudit",
    "Ewma",
    "FalseSignals",
    "G",
    "GapChart",
    "GapTable",
    "GroupComparison",
    "IPrime",
    "Individuals",
    "InequalityTable",
    "InputTypeError",
    "Measure",
    "MovingRange",
    "OptionError",
    "P",
    "PooledEffect",
    "QiEquityError",
    "R",
    "RateTable",
    "RecordedChanges",
    "RecordedCycles",
    "Reference",
    "RiskAdjustedCusum",
    "RuleSet",
    "RunLength",
    "S",
    "Scheme",
    "Sensitivity",
    "StandardisedRates",
    "StratifiedSeries",
    "SuppressionRule",
    "T",
    "U",
    "Vlad",
    "Xbar",
    "__version__",
    "audit_disclosure",
    "between_events",
    "births_to_detect",
    "compare_groups",
    "control_chart",
    "datasets",
    "detection_table",
    "evaluate_change",
    "evaluation_power",
    "false_signal_probability",
    "false_signals",
    "from_counts",
    "from_records",
    "gap_change_power",
    "gap_chart",
    "gaps",
    "inequality",
    "inequality_measures",
    "measures",
    "months_to_detect",
    "pdsa",
    "periods_needed",
    "plot_completeness",
    "pool_sites",
    "rates",
    "resolve_ethnicity",
    "rule_sets",
    "run_chart",
    "run_length",
    "smallest_change_to_detect",
    "smallest_evaluated_ratio",
    "suggest_design",
    "suggest_phases",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name in _PARTS:
        return importlib.import_module(f"qi_equity.{name}")
    if name not in _HOMES:
        raise AttributeError(f"module 'qi_equity' has no attribute {name!r}; it has: {', '.join(__all__)}")
    value = getattr(importlib.import_module(f"qi_equity.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
