"""What a group is compared with: another group, everyone else, the best group, or a target."""

from __future__ import annotations

import numbers
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result, _validate
from qi_equity.data import regroup
from qi_equity.data.cells import MISSING, OBSERVED, Bools, Cells, Floats, Ints, sum_strata, sum_used
from qi_equity.data.series import StratifiedSeries
from qi_equity.data.spans import Spans
from qi_equity.data.unknown import is_unknown
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["Against", "Reference", "compare_with", "orientation", "resolve"]

REST, BEST, TARGET = "rest", "best", "target"
_WORDS = (REST, BEST, TARGET)
_SMALLEST_BEST = 100
_BLOCKS = ("numerator", "denominator", "value", "sd")
_OVERLAP = (
    "A woman can be in several groups of this scheme, also in the group and in the reference; the intervals "
    "assume that the two share nobody and are not exact."
)
_REST_IN_PART = "In {} of {} spans a part of everyone else was missing: the reference is what was reported."
_REST_KNOWN = "Everyone else is everyone whose group is known; women of unknown group are not in it."


@dataclass(frozen=True, slots=True)
class Reference:
    """What each group is compared with, and why.

    Parameters
    ----------
    name : str or float
        A group; ``"rest"``: everyone else whose group is known; ``"best"``: the group with the best rate
        among those of a minimum size, over all spans together; ``"target"``: the target of the measure; or a
        number: a target of your own, unscaled (0.03, not 3 %).
    reason : str
        Why, for the reader of the result.
    minimum : int
        Fewest births (or values) that a group must have over all spans to be the best, >= 1.

    Raises
    ------
    OptionError
        If a value is not allowed.
    InputTypeError
        If the name is neither text nor a number, or the reason not text.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.Reference("rest", reason="makes no group the norm").name
    'rest'
    """

    name: str | float
    reason: str = ""
    minimum: int = _SMALLEST_BEST

    def __post_init__(self) -> None:
        if isinstance(self.name, str):
            if not self.name.strip():
                raise OptionError(
                    "reference='' is empty; give a group, 'rest', 'best', 'target' or a number."
                )
        elif isinstance(self.name, bool) or not isinstance(self.name, numbers.Real):
            raise InputTypeError(
                f"reference={self.name!r} is of type {type(self.name).__name__}; give a group, 'rest', "
                "'best', 'target', a number, or a Reference of one of them."
            )
        else:
            object.__setattr__(self, "name", _validate.number("reference", self.name))
        if not isinstance(self.reason, str):
            raise InputTypeError(
                f"reason={self.reason!r} is of type {type(self.reason).__name__}; give text."
            )
        object.__setattr__(self, "minimum", _validate.whole_number("minimum", self.minimum, at_least=1))

    def to_dict(self) -> dict[str, Any]:
        """Give the reference as a dictionary that JSON can hold.

        Returns
        -------
        dict
            ``name, reason, minimum``: the arguments.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Reference(0.03, reason="national ambition").to_dict()
        {'name': 0.03, 'reason': 'national ambition', 'minimum': 100}
        """
        return {"name": self.name, "reason": self.reason, "minimum": self.minimum}


@dataclass(frozen=True, slots=True, eq=False)
class Against:
    """The reference of every stratum and span, in the order of the strata; arrays of shape (S, K).

    Parameters
    ----------
    numerator, denominator, value, sd : ndarray of float
        Of the reference; NaN where not known. A target has a value only.
    status : ndarray of int8
        Index into ``STATUSES``.
    n_periods : ndarray of int
        Periods that the reference reports, of several groups the most that one of them does; 0 of a target.
    names : tuple of str, of length S
        What each stratum is compared with: a group, "everyone else", or "target".
    is_reference : ndarray of bool, shape (S,)
        Strata that are the reference themselves, so that they have no gap.
    exact : bool
        Whether it is a target, which has no sampling error.
    reason : str
        Why this reference.
    notes : pandas.DataFrame
        What the reader must know of the choice.
    method : mapping
        The choice, for the method of the result.
    """

    numerator: Floats
    denominator: Floats
    value: Floats
    sd: Floats
    status: NDArray[np.int8]
    n_periods: Ints
    names: tuple[str, ...]
    is_reference: Bools
    exact: bool
    reason: str
    notes: pd.DataFrame
    method: Mapping[str, Any]


def orientation(measure: Any) -> str:
    """Say on which outcome gaps are reckoned, so that a positive gap is worse for the group.

    ``"as measured"``; ``"without the event"`` (the rate of births without it) for a proportion of which more
    is better; ``"reversed"`` (reference less or over group) for other measures of which more is better.
    """
    if measure.better != "higher":
        return "as measured"
    return "without the event" if measure.kind == "proportion" else "reversed"


def resolve(reference: object, series: StratifiedSeries) -> Reference:
    """Read the argument ``reference`` of a function.

    Raises
    ------
    OptionError
        Names what is not allowed for this series, and what is.
    InputTypeError
        If it is neither text, a number nor a Reference.
    """
    given = reference if isinstance(reference, Reference) else Reference(reference)  # type: ignore[arg-type]
    if isinstance(given.name, str):
        _validate.one_of("reference", given.name, (*series.groups, *_WORDS))
    if given.name == TARGET and TARGET not in series.groups and series.measure.target is None:
        raise OptionError(
            f"reference='target' is not possible: {series.measure.name!r} has no target; give a number, "
            "unscaled (0.03 for 3 %), or a measure with a target."
        )
    if given.name == REST and REST not in series.groups:
        regroup.refuse_overlap(series, "reference='rest'")
    if given.name == BEST and BEST not in series.groups:
        _check_best(series)
    if isinstance(given.name, float) and series.measure.kind == "proportion" and not 0 <= given.name <= 1:
        raise OptionError(
            f"reference={given.name!r} is not a proportion; give a number from 0 to 1, unscaled (0.03 for "
            "3 %)."
        )
    return given


def compare_with(spans: Spans, reference: Reference, *, best_of: Spans | None = None) -> Against:
    """Find the counts that each stratum is compared with, span by span.

    Parameters
    ----------
    spans : Spans
        Counts of S strata in K spans.
    reference : Reference
        As :func:`resolve` gives it.
    best_of : Spans, optional
        Counts of the same strata by which the best group is chosen, such as those before a change. Default:
        the spans themselves.

    Returns
    -------
    Against

    Raises
    ------
    OptionError
        If the groups of a site have different spans, or no group is large enough to be the best.
    """
    places = regroup.distinct(spans.cells.strata.drop(columns="group"))[0]
    _check_same_spans(spans, places)
    if reference.name in spans.series.groups:
        return _named(spans, reference, places, [reference.name] * len(places), [])
    if reference.name == REST:
        return _rest(spans, reference, places)
    if reference.name == BEST:
        names, notes = _best(best_of or spans, reference, places)
        return _named(spans, reference, places, names, notes)
    return _target(spans, reference)


def _check_best(series: StratifiedSeries) -> None:
    if series.measure.better is None:
        raise OptionError(
            f"reference='best' is not possible: {series.measure.name!r} has no direction, so no group is "
            "better than another; name a group, or use 'rest'."
        )
    if series.measure.kind == "count":
        raise OptionError(
            "reference='best' is not possible for counts: without births the larger group has more events; "
            "give a denominator, name a group, or use 'rest'."
        )


def _check_same_spans(spans: Spans, places: Ints) -> None:
    """Refuse spans that differ between the groups of a site: their gap would be one of time too."""
    first = np.unique(places, return_index=True)[1][places]
    differs = (spans.start != spans.start[first]) | (spans.end != spans.end[first])
    both_absent = np.isnat(spans.start) & np.isnat(spans.start[first])
    if (differs & ~both_absent).any():
        raise OptionError(
            "over= gives the groups of a site different spans, which cannot be compared; give all groups of "
            "a site the same dates."
        )


def _named(
    spans: Spans, reference: Reference, places: Ints, names: list[Any], notes: list[pd.DataFrame]
) -> Against:
    """Compare with one group of each place."""
    group = np.asarray(spans.cells.strata["group"].astype("str"))
    is_reference = group == np.asarray(names, dtype=str)
    row_of = np.full(int(places.max(initial=-1)) + 1, -1, dtype=np.int64)
    row_of[places[is_reference]] = np.flatnonzero(is_reference)
    row = row_of[places]
    there = (row >= 0)[:, None]
    blocks = {n: np.where(there, getattr(spans.cells, n)[row], np.nan) for n in _BLOCKS}
    status = np.where(there, spans.cells.status[row], MISSING).astype(np.int8)
    told = np.where(there, spans.n_periods[row], 0)
    if _overlapping(spans):
        notes = [*notes, _result.note("groups_overlap", "caution", _OVERLAP)]
    return _against(spans, reference, blocks, status, told, tuple(map(str, names)), is_reference, notes)


def _rest(spans: Spans, reference: Reference, places: Ints) -> Against:
    """Compare with all other groups of the place whose group is known, summed."""
    known = ~is_unknown(spans.series)
    pairs = (places[:, None] == places) & known
    np.fill_diagonal(pairs, False)
    stratum, other = np.nonzero(pairs)
    strata = spans.cells.strata
    others, partly = sum_strata(spans.cells.take(other), stratum, strata, spans.series.measure.kind)
    told = np.zeros(spans.n_periods.shape, dtype=np.int64)
    np.maximum.at(told, stratum, spans.n_periods[other])
    blocks = {n: getattr(others, n) for n in _BLOCKS}
    alone = ~pairs.any(axis=1)
    status = np.where(alone[:, None], MISSING, others.status).astype(np.int8)
    nobody = np.zeros(len(places), dtype=np.bool_)
    names = ("everyone else",) * len(places)
    notes = [] if known.all() else [_result.note("rest_is_of_known_group", "info", _REST_KNOWN)]
    lacks = np.asarray(partly.any(axis=1))
    texts = [_REST_IN_PART.format(n, partly.shape[1]) for n in partly[lacks].sum(axis=1)]
    notes.append(_result.note("rest_in_part", "caution", texts, strata.loc[lacks]))
    return _against(spans, reference, blocks, status, told, names, nobody, notes)


def _best(spans: Spans, reference: Reference, places: Ints) -> tuple[list[str], list[pd.DataFrame]]:
    """Choose the group of each place with the best rate over all spans, among those large enough."""
    whole = _all_spans(spans)
    size, value = whole.denominator[:, 0], whole.value[:, 0]
    able = (size >= reference.minimum) & np.isfinite(value) & ~is_unknown(spans.series)
    cost = value if spans.series.measure.better == "lower" else -value
    order = np.lexsort((-np.nan_to_num(size), np.where(able, cost, np.inf), ~able, places))
    first = order[np.unique(places[order], return_index=True)[1]]
    if not able[first].all():
        raise OptionError(
            f"reference='best' is not possible: no group has {reference.minimum} births or more in "
            f"{int((~able[first]).sum())} of {len(first)} places; use Reference('best', minimum=...) with "
            "fewer, pool the sites, or name a group."
        )
    group = np.asarray(spans.cells.strata["group"].astype("str"))
    names = group[first][places]
    text = (
        f"The reference is the best of the groups with at least {reference.minimum} births. The best of "
        "several looks better than it is (the luckiest is chosen), so gaps against it are somewhat too large."
    )
    return names.tolist(), [_result.note("best_is_selected", "caution", text)]


def _all_spans(spans: Spans) -> Cells:
    used = np.ones(spans.cells.status.shape, dtype=np.bool_)
    return sum_used(spans.cells, used, spans.series.measure.kind)


def _target(spans: Spans, reference: Reference) -> Against:
    """Compare with a number."""
    shape = spans.cells.status.shape
    own = spans.series.measure.target if reference.name == TARGET else reference.name
    nothing = np.full(shape, np.nan)
    blocks = dict.fromkeys(_BLOCKS, nothing) | {"value": np.full(shape, own, dtype=np.float64)}
    status = np.full(shape, OBSERVED, dtype=np.int8)
    nobody, none = np.zeros(shape[0], dtype=np.bool_), np.zeros(shape, dtype=np.int64)
    return _against(spans, reference, blocks, status, none, ("target",) * shape[0], nobody, [], exact=True)


def _against(
    spans: Spans,
    reference: Reference,
    blocks: Mapping[str, Floats],
    status: NDArray[np.int8],
    n_periods: Ints,
    names: tuple[str, ...],
    is_reference: Bools,
    notes: list[pd.DataFrame],
    *,
    exact: bool = False,
) -> Against:
    said = {"reference": reference.to_dict(), "compared_with": sorted(set(names))}
    return Against(
        **blocks,
        status=status,
        n_periods=n_periods,
        names=names,
        is_reference=is_reference,
        exact=exact,
        reason=reference.reason,
        notes=_result.notes(notes),
        method=said,
    )


def _overlapping(spans: Spans) -> bool:
    return spans.series.scheme is not None and spans.series.scheme.overlapping
