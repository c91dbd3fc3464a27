"""Which interval belongs to which kind of measure, by name; the first of each is the default."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial

from qi_equity._validate import one_of
from qi_equity.errors import OptionError
from qi_equity.formulas import (
    difference_intervals,
    mean_intervals,
    odds_ratio_intervals,
    proportion_intervals,
    rate_difference_intervals,
    rate_intervals,
    ratio_intervals,
)
from qi_equity.formulas.interval import Interval

Function = Callable[..., Interval]
Names = Mapping[str, Mapping[str, Function]]

_RATES: Mapping[str, Function] = {
    "mid-p": rate_intervals.mid_p_rate_interval,
    "exact": rate_intervals.exact_rate_interval,
    "byar": rate_intervals.byar_rate_interval,
    "ohid": rate_intervals.ohid_rate_interval,
}
_RATE_DIFFERENCES: Mapping[str, Function] = {
    "mid-p": partial(rate_difference_intervals.rate_difference, limits="mid-p"),
    "exact": partial(rate_difference_intervals.rate_difference, limits="exact"),
    "byar": partial(rate_difference_intervals.rate_difference, limits="byar"),
    "score": rate_difference_intervals.score_rate_difference,
}
_RATE_RATIOS: Mapping[str, Function] = {
    "mid-p": ratio_intervals.mid_p_rate_ratio,
    "exact": ratio_intervals.exact_rate_ratio,
}

INTERVALS: Names = {
    "proportion": {
        "wilson": proportion_intervals.wilson_interval,
        "jeffreys": proportion_intervals.jeffreys_interval,
        "clopper-pearson": proportion_intervals.clopper_pearson_interval,
    },
    "rate": _RATES,
    "count": _RATES,
    "mean": {"t": mean_intervals.mean_interval},
}
DIFFERENCES: Names = {
    "proportion": {
        "newcombe": difference_intervals.newcombe_difference,
        "miettinen-nurminen": difference_intervals.miettinen_nurminen_difference,
        "agresti-caffo": difference_intervals.agresti_caffo_difference,
    },
    "rate": _RATE_DIFFERENCES,
    "count": _RATE_DIFFERENCES,
    "mean": {"welch": mean_intervals.mean_difference},
}
RATIOS: Names = {
    "proportion": {
        "score": ratio_intervals.score_risk_ratio,
        "log-adjusted": ratio_intervals.log_adjusted_risk_ratio,
    },
    "rate": _RATE_RATIOS,
    "count": _RATE_RATIOS,
    "mean": {"fieller": mean_intervals.mean_ratio},
}
ODDS_RATIOS: Names = {
    "proportion": {
        "score": odds_ratio_intervals.score_odds_ratio,
        "log-adjusted": odds_ratio_intervals.log_adjusted_odds_ratio,
    },
}


def default_name(kind: str) -> str:
    """Name the interval of a rate that a kind of measure has by default."""
    return next(iter(INTERVALS[kind]))


def chosen(argument: str, name: object, known: Names, kind: str) -> str | None:
    """Give the name of the interval asked for, or the default; None where the kind has none.

    Raises
    ------
    OptionError
        If the name is not one of those for this kind of measure.
    """
    allowed = tuple(known.get(kind, {}))
    if not allowed:
        if name is not None:
            raise OptionError(
                f"{argument}={name!r} is not allowed: a measure of kind {kind!r} has none; leave it out."
            )
        return None
    return allowed[0] if name is None else one_of(argument, name, allowed)
