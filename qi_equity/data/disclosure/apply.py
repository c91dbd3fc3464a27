"""The series, and the margins published with it, as they may leave."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity import _result, _validate
from qi_equity._result import Severity
from qi_equity.data.cells import MISSING, SUPPRESSED, Bools, Cells, value_of
from qi_equity.data.disclosure.facts import (
    DENOMINATOR,
    NUMERATOR,
    UNRECORDED,
    Facts,
    check_counts,
    counts_of,
    facts,
)
from qi_equity.data.disclosure.margins import Key, Published, View, keys, refuse, views
from qi_equity.data.disclosure.protect import Decision, decide
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.errors import InputTypeError
from qi_equity.formulas.suppression import rounded

if TYPE_CHECKING:
    from qi_equity.data.series import StratifiedSeries

# Notes that speak of periods and groups, never of numbers of women.
_SAFE_NOTES = ("partly_missing", "suppressed_in_sum", "partial_period", "never_reported", "collapsed_in_part")
_DATES = re.compile(r"\b\d{4}(-\d{2}){0,2}( Q[1-4])?\b")


_OPEN = "Nothing is withheld: not for publication."
_EMPTY = "The series holds no counts: there is nothing to withhold."


def disclose(
    series: StratifiedSeries,
    rule: SuppressionRule | str,
    margins: str | Sequence[str] | None = None,
    protect: int | None = None,
) -> StratifiedSeries:
    """Withhold and round the counts of a series and of the margins published with it."""
    chosen = as_rule(rule)
    needed = _needed(chosen, protect)
    if not (chosen.protects or chosen.rounding or chosen.minimum_denominator):
        return _as_it_is(series, "not_disclosed", "warning", f"{chosen.text()} {_OPEN}")
    refuse(series, f"disclose({chosen.name!r})")
    wanted, held = keys(series, margins), counts_of(series)
    check_counts(series, held)
    if not held:
        return _as_it_is(series, "disclosed", "info", f"{chosen.text()} {_EMPTY}")
    all_views = views(series, wanted)
    found = facts(series, all_views, chosen)
    decision = decide(found, chosen, needed)
    cells = [
        _cells(v, view, found, decision, chosen, series.measure.kind) for v, view in enumerate(all_views)
    ]
    told = _told(found, decision, chosen, needed, wanted)
    return replace(
        series,
        cells=cells[0],
        method={**series.method, "disclosed": told},
        _notes=_result.notes([_kept(series.notes), *_notes(chosen, told)]),
        published=Published(cells[0], Key(), tuple(zip(wanted, cells, strict=True))),
    )


def as_rule(rule: SuppressionRule | str) -> SuppressionRule:
    """Take a rule, or load it by its name.

    Raises
    ------
    InputTypeError
        If it is neither.
    OptionError
        If there is no rule of that name.
    """
    if isinstance(rule, str):
        return SuppressionRule.load(rule)
    if not isinstance(rule, SuppressionRule):
        raise InputTypeError(
            f"rule={rule!r} is of type {type(rule).__name__}; give a SuppressionRule or the name of one."
        )
    return rule


def _needed(rule: SuppressionRule, protect: int | None) -> int:
    """Take the fewest whole numbers from the rule, or check those asked for."""
    if protect is None:
        return rule.protect
    return rule.check_protect(_validate.whole_number("protect", protect, at_least=1))


def _as_it_is(series: StratifiedSeries, code: str, severity: Severity, text: str) -> StratifiedSeries:
    """Give the series as it is, with a note that nothing was withheld."""
    notes = _result.notes([series.notes, _result.note(code, severity, text)])
    return replace(series, _notes=notes, published=None)


def _cells(v: int, view: View, found: Facts, decision: Decision, rule: SuppressionRule, kind: str) -> Cells:
    """Give the cells of one margin as they are published."""
    cells = view.cells
    withheld = decision.hidden | decision.by_births | found.excluded & (found.entries.counts > 0)
    if not rule.shows_a_number:
        withheld = withheld | found.entries.protected
    gone = {q: found.where(withheld, q, v, cells) for q in (NUMERATOR, DENOMINATOR, UNRECORDED)}
    small = {q: found.where(found.entries.protected, q, v, cells) for q in gone}
    blocks = {q: _shown(getattr(cells, q), gone[q], small[q], rule) for q in gone}
    without = (
        gone[DENOMINATOR] | small[DENOMINATOR] if kind == "mean" else gone[NUMERATOR] | gone[DENOMINATOR]
    )
    status = np.where(without & (cells.status != MISSING), SUPPRESSED, cells.status).astype(np.int8)
    if kind == "mean":
        value, sd = (np.where(without, np.nan, b) for b in (cells.value, cells.sd))
    else:
        value = value_of(kind, blocks[NUMERATOR], blocks[DENOMINATOR])
        sd = np.full(status.shape, np.nan)
    unknown = np.full((1, 1), np.nan)
    return Cells(
        cells.strata,
        cells.periods,
        **blocks,
        value=value,
        sd=sd,
        status=status,
        range=unknown,
        expected=unknown,
    )


def _shown(count: Any, gone: Bools, small: Bools, rule: SuppressionRule) -> Any:
    """Give counts as the rule shows them, NaN where withheld."""
    shown = count if rule.rounding is None else rounded(count, rule.rounding)[0]
    if isinstance(rule.mark, int):
        shown = np.where(small, float(rule.mark), shown)
    return np.where(gone, np.nan, shown)


def _told(
    found: Facts, decision: Decision, rule: SuppressionRule, protect: int, wanted: Sequence[Key]
) -> dict[str, Any]:
    """Say for ``method`` what was done."""
    # Of a count withheld without a word of why, nothing may say that it is a small one: not even a sum.
    said = found.entries.protected & ~decision.hidden
    return {
        "rule": rule.name,
        "version": rule.version,
        "text": rule.text(),
        "rounding": rule.rounding,
        "mark": rule.mark,
        "margins": [key.text() for key in wanted[1:]],
        "protect": protect,
        "n_counts": len(said),
        "n_protected": int(said.sum()),
        "n_withheld_further": int((decision.hidden | (decision.by_births & ~said)).sum()),
        # How many, or how few numbers, would tell what is withheld for their sake: 1 + 2 = 3 leaves two.
        "rule_leaves_fewer": bool(decision.hidden.any()),
        "attack": "bounds, linear and integer programming over all counts published together (HiGHS)",
    }


def _notes(rule: SuppressionRule, told: dict[str, Any]) -> list[pd.DataFrame]:
    shown = f"shown as {rule.mark}" if rule.shows_a_number else "withheld"
    size, further = told["n_counts"], told["n_withheld_further"]
    together = "; ".join(told["margins"]) or "nothing"
    what = (
        f"{rule.text()} Of {size} counts {told['n_protected']} are {shown} by it"
        f"{f' and {further} more are withheld, so that those cannot be worked out' if further else ''}. "
        f"Published together with this series: {together}. Other sums are of disclosed counts."
    )
    notes = [_result.note("disclosed", "info", what)]
    if rule.rounding is not None or rule.shows_a_number:
        text = (
            "Counts are rounded or stand for several, and rates, intervals and limits come from them: small "
            "differences are not real, and chart limits and rules assume exact counts."
        )
        notes.append(_result.note("rounded_counts", "caution", text))
    if told["rule_leaves_fewer"]:
        text = (
            f"Rule {rule.name} by itself would leave an outsider fewer than {told['protect']} whole numbers "
            "for some protected count."
        )
        notes.append(_result.note("rule_leaves_fewer", "info", text))
    return notes


def _kept(notes: pd.DataFrame) -> pd.DataFrame:
    """Keep the notes that state no number of women: those known not to, and those without a number."""
    bare = notes["text"].fillna("").str.replace(_DATES, "", regex=True)
    safe = notes["code"].isin(_SAFE_NOTES) | ~bare.str.contains(r"\d", regex=True)
    dropped = sorted(set(notes.loc[~safe, "code"]))
    if not dropped:
        return notes
    text = f"Notes that state numbers are withheld: {', '.join(dropped)}."
    return _result.notes([notes[safe], _result.note("notes_withheld", "info", text)])
