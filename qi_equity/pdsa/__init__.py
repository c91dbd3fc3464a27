"""PDSA cycles and the learning network: what was tried, predicted and learned, tied to the charts.

>>> from qi_equity import pdsa
>>> pdsa.Network(name="A network", sites=[pdsa.Site(name="North")]).sites[0].name
'North'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qi_equity.pdsa.calls.result import Review as Review
    from qi_equity.pdsa.calls.review import review as review
    from qi_equity.pdsa.change_package.package import best_practice as best_practice
    from qi_equity.pdsa.change_package.result import BestPractice as BestPractice
    from qi_equity.pdsa.checklists.progress import progress_scale as progress_scale
    from qi_equity.pdsa.checklists.quality import Quality as Quality
    from qi_equity.pdsa.checklists.quality import quality as quality
    from qi_equity.pdsa.records.base import Record as Record
    from qi_equity.pdsa.records.base import Stamp as Stamp
    from qi_equity.pdsa.records.charter import Aim as Aim
    from qi_equity.pdsa.records.charter import ChangeIdea as ChangeIdea
    from qi_equity.pdsa.records.charter import Driver as Driver
    from qi_equity.pdsa.records.charter import MeasureUse as MeasureUse
    from qi_equity.pdsa.records.cycle import Cycle as Cycle
    from qi_equity.pdsa.records.equity import Equity as Equity
    from qi_equity.pdsa.records.events import ActionPeriod as ActionPeriod
    from qi_equity.pdsa.records.events import Meeting as Meeting
    from qi_equity.pdsa.records.events import Progress as Progress
    from qi_equity.pdsa.records.network import Network as Network
    from qi_equity.pdsa.records.network import Site as Site
    from qi_equity.pdsa.records.part import Part as Part
    from qi_equity.pdsa.records.party import Party as Party
    from qi_equity.pdsa.records.project import Project as Project
    from qi_equity.pdsa.records.steps import Act as Act
    from qi_equity.pdsa.records.steps import Do as Do
    from qi_equity.pdsa.records.steps import HarmCheck as HarmCheck
    from qi_equity.pdsa.records.steps import Plan as Plan
    from qi_equity.pdsa.records.steps import Prediction as Prediction
    from qi_equity.pdsa.records.steps import Reached as Reached
    from qi_equity.pdsa.records.steps import Result as Result
    from qi_equity.pdsa.records.steps import ScaleOfTest as ScaleOfTest
    from qi_equity.pdsa.records.steps import Study as Study
    from qi_equity.pdsa.records.steps import Task as Task
    from qi_equity.pdsa.reporting.drivers_dot import drivers_dot as drivers_dot
    from qi_equity.pdsa.reporting.squire import Squire as Squire
    from qi_equity.pdsa.reporting.squire import squire as squire
    from qi_equity.pdsa.store.errors import StaleRecordError as StaleRecordError
    from qi_equity.pdsa.store.errors import StoreError as StoreError
    from qi_equity.pdsa.store.opening import open as open
    from qi_equity.pdsa.store.store import Store as Store
    from qi_equity.plot.drivers import plot_drivers as plot_drivers
    from qi_equity.plot.gantt import plot_gantt as plot_gantt
    from qi_equity.plot.ramp import plot_ramp as plot_ramp

# Where each public name lives. Names load on first use, so importing the package costs next to nothing.
_HOMES = {
    "Network": "pdsa.records.network",
    "Site": "pdsa.records.network",
    "Project": "pdsa.records.project",
    "Aim": "pdsa.records.charter",
    "Driver": "pdsa.records.charter",
    "ChangeIdea": "pdsa.records.charter",
    "MeasureUse": "pdsa.records.charter",
    "Cycle": "pdsa.records.cycle",
    "Plan": "pdsa.records.steps",
    "Prediction": "pdsa.records.steps",
    "Task": "pdsa.records.steps",
    "ScaleOfTest": "pdsa.records.steps",
    "Do": "pdsa.records.steps",
    "Reached": "pdsa.records.steps",
    "Study": "pdsa.records.steps",
    "Result": "pdsa.records.steps",
    "HarmCheck": "pdsa.records.steps",
    "Act": "pdsa.records.steps",
    "Equity": "pdsa.records.equity",
    "Party": "pdsa.records.party",
    "Meeting": "pdsa.records.events",
    "ActionPeriod": "pdsa.records.events",
    "Progress": "pdsa.records.events",
    "Part": "pdsa.records.part",
    "Record": "pdsa.records.base",
    "Stamp": "pdsa.records.base",
    "open": "pdsa.store.opening",
    "Store": "pdsa.store.store",
    "StoreError": "pdsa.store.errors",
    "StaleRecordError": "pdsa.store.errors",
    "quality": "pdsa.checklists.quality",
    "Quality": "pdsa.checklists.quality",
    "progress_scale": "pdsa.checklists.progress",
    "review": "pdsa.calls.review",
    "Review": "pdsa.calls.result",
    "best_practice": "pdsa.change_package.package",
    "BestPractice": "pdsa.change_package.result",
    "drivers_dot": "pdsa.reporting.drivers_dot",
    "plot_ramp": "plot.ramp",
    "plot_gantt": "plot.gantt",
    "plot_drivers": "plot.drivers",
    "squire": "pdsa.reporting.squire",
    "Squire": "pdsa.reporting.squire",
}

__all__ = [
    "Act",
    "ActionPeriod",
    "Aim",
    "BestPractice",
    "ChangeIdea",
    "Cycle",
    "Do",
    "Driver",
    "Equity",
    "HarmCheck",
    "MeasureUse",
    "Meeting",
    "Network",
    "Part",
    "Party",
    "Plan",
    "Prediction",
    "Progress",
    "Project",
    "Quality",
    "Reached",
    "Record",
    "Result",
    "Review",
    "ScaleOfTest",
    "Site",
    "Squire",
    "StaleRecordError",
    "Stamp",
    "Store",
    "StoreError",
    "Study",
    "Task",
    "best_practice",
    "drivers_dot",
    "open",
    "plot_drivers",
    "plot_gantt",
    "plot_ramp",
    "progress_scale",
    "quality",
    "review",
    "squire",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(
            f"module 'qi_equity.pdsa' has no attribute {name!r}; it has: {', '.join(__all__)}"
        )
    value = getattr(importlib.import_module(f"qi_equity.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
