"""What a kind of chart reads besides the values, and how a series comes by it."""

from __future__ import annotations

from collections.abc import Mapping

from qi_equity.spc.kinds import Spec
from qi_equity.spc.kinds_measurements import IPrime, R, S, Xbar
from qi_equity.spc.kinds_weighted import RiskAdjustedCusum, Vlad

_SIZES = {"denominator": "sizes of the subgroups: denominator= of from_counts, or records"}
_SDS = {"sd": "standard deviations within the subgroups: sd= of from_counts, or records"}
_RANGES = {"range": "ranges of the subgroups: range= of from_counts, or records"}
_EXPECTED = {"expected": "expected probabilities: expected= of from_records or between_events"}


def needs(spec: Spec) -> Mapping[str, str]:
    """Blocks of the data that the kind cannot do without, and where each comes from."""
    match spec:
        case Xbar(spread="s") | S():
            return _SIZES | _SDS
        case Xbar() | R():
            return _SIZES | _RANGES
        case IPrime():
            return _SIZES
        case RiskAdjustedCusum() | Vlad():
            return _EXPECTED
        case _:
            return {}
