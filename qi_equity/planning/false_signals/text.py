"""False signals of all that is shown, in words and notes."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import pandas as pd

from qi_equity._result import note
from qi_equity.data.cells import Bools
from qi_equity.spc.chance import KNOWN, PARTLY
from qi_equity.spc.chart import ControlChart
from qi_equity.spc.words import and_list, plural

__all__ = ["NO_LIMITS", "TOO_LOW", "TUNED", "no_tail", "notes_of", "sentence", "title"]

TUNED = "limits alone, tuned"
NO_LIMITS = "A run chart has no limits, which these rules need; give control_chart(series) in its place."
TOO_LOW = "Not even limits at a tail of 1e-10 hold this level; show fewer charts, or ask for a higher level."

Frames = Mapping[str, pd.DataFrame]


def no_tail(kinds: Sequence[str]) -> str:
    """Say why limits of these kinds are not tuned."""
    if "run" in kinds:
        return "A run chart has no limits that could be tuned; give control_chart(series) in its place."
    names = and_list([repr(kind) for kind in kinds])
    return (
        f"No tail probability makes the limits of {names} charts, but a multiple of sigma or a threshold: "
        "widen that, or draw counts as p, u, c or g charts and times as t charts."
    )


def title(frames: Frames) -> str:
    """Name the measures and count the charts."""
    measures = and_list(frames["by_measure"]["measure"].tolist())
    return f"{measures}: false signals to expect of {plural(len(frames['table']), 'chart')}"


def sentence(frames: Frames, level: float) -> str:
    """Say how many false signals to expect, and what would hold them at the level."""
    total, measures = frames["totals"].iloc[0], len(frames["by_measure"])
    holds = _what_holds(frames["rules"], level)
    chance = f"about {_percent(total['chance_any'])}"
    if total["charts"] == 1:
        return (
            f"If nothing had changed, the chart shown would still signal with a chance of {chance}. {holds}"
        )
    of = "" if measures == 1 else f", of {measures} measures,"
    return (
        f"If nothing had changed anywhere, about {_number(total['expected'])} of the "
        f"{total['charts']:,.0f} charts shown{of} would still signal at least once; the chance that any "
        f"does is {chance}. {holds}"
    )


def _what_holds(rules: pd.DataFrame, level: float) -> str:
    sets, limits = rules.iloc[:-1], rules.iloc[-1]
    names = [repr(name) for name in sets.loc[sets["holds"], "rules"].tolist()]
    at = f"at {_percent(level)} or less"
    first = f"Of the rules compared, {and_list(names or ['none'])} would keep that {at}"
    if not limits["holds"]:
        return f"{first}."
    so = "so would limits alone" if names else "limits alone would"
    return f"{first}; {so}, drawn with kind={limits['kind']}."


def notes_of(
    charts: Sequence[ControlChart], frames: Frames, silent: Bools, level: float
) -> list[pd.DataFrame]:
    """Give all notes."""
    return [
        _too_many(frames, level),
        _independence(charts),
        _twice(frames["table"]),
        _known_lines(frames["table"]),
        _costs(frames["rules"], len(frames["table"]), level),
        _not_reckoned(frames["rules"]),
        *_not_yet_visible(charts, frames["table"], silent),
    ]


def _too_many(frames: Frames, level: float) -> pd.DataFrame:
    row = frames["rules"].iloc[0]
    text = (
        f"{sentence(frames, level)} One signal among so many charts is a reason to look, not a finding."
        if not row["holds"]
        else sentence(frames, level)
    )
    return note("expected_false_signals", "info" if row["holds"] else "caution", text)


def _independence(charts: Sequence[ControlChart]) -> pd.DataFrame:
    overlap = [
        c.series.measure.name for c in charts if c.series.scheme is not None and c.series.scheme.overlapping
    ]
    text = (
        "The chance of any false signal takes the charts as independent. Where they are not (groups that "
        "overlap, a total beside its parts, several measures of the same births) it lies between the largest "
        "chance of a single chart and the number expected, which holds whatever the dependence."
    )
    if overlap:
        text += f" Here a woman can be in several groups ({and_list(list(dict.fromkeys(overlap)))})."
    return note("independence_assumed", "caution" if overlap else "info", text)


def _twice(table: pd.DataFrame) -> pd.DataFrame:
    """Say where a measure is on several of the charts given: signals are then often of the same births."""
    number = table.groupby("measure", sort=False)["chart"].nunique()
    texts = [
        f"{name} is shown {n} times: its false signals are counted once for each, and often come together."
        for name, n in number[number > 1].items()
    ]
    return note("measure_shown_twice", "caution", texts, _of_all(texts))


def _known_lines(table: pd.DataFrame) -> pd.DataFrame:
    known = int(table["how"].isin((KNOWN, PARTLY)).sum())
    texts = [
        f"{plural(known, 'chart')} of counts: lines are taken as known. With lines from the same points they "
        "signal less often, down to about half, and with lines from a few points before them more often "
        "(qe.run_length with baseline=)."
    ][: min(known, 1)]
    return note("known_lines", "info", texts, _of_all(texts))


def _costs(rules: pd.DataFrame, charts: int, level: float) -> pd.DataFrame:
    """Say that fewer false signals cost detection, and who could then not be seen."""
    told = [
        f"with {row['rules']!r} {_unable(row)}"
        for _, row in rules[rules["holds"]].iterrows()
        if row["cannot_signal"] or row["cannot_signal_improvement"]
    ]
    text = (
        "Fewer false signals cost detection: true changes show later, or not at all. "
        "qe.detection_table(series) says how long each group would wait; compare rules there before "
        "choosing."
    )
    if told:
        text += (
            f" Of {plural(charts, 'chart')}, at a level of {_percent(level)}: {'; '.join(told)}. What they "
            "do not show is not yet visible, which does not mean that nothing changed."
        )
    return note("fewer_signals_cost_detection", "caution", text)


def _unable(row: pd.Series) -> str:
    none, worse = int(row["cannot_signal"]), int(row["cannot_signal_improvement"])
    return f"{none:,} could not signal at all, and {worse:,} not an improvement"


def _not_reckoned(rules: pd.DataFrame) -> pd.DataFrame:
    texts = [f"{row['rules']}: {row['reason']}" for row in rules[rules["reason"] != ""].to_dict("records")]
    return note("not_reckoned", "caution", texts, _of_all(texts))


def _not_yet_visible(
    charts: Sequence[ControlChart], table: pd.DataFrame, silent: Bools
) -> list[pd.DataFrame]:
    """Name the strata whose chart cannot signal at all, as shown."""
    parts = []
    for number, chart in enumerate(charts, 1):
        rows = table[(table["chart"] == number).to_numpy() & silent]
        texts = [
            f"Not yet visible: the chart of {row['measure']} in phase {row['phase']} "
            f"({plural(row['n_points'], 'point')}) cannot signal at all, so that no signal does not mean "
            "that nothing changed."
            for row in rows.to_dict("records")
        ]
        parts.append(note("not_yet_visible", "warning", texts, rows[list(chart.strata.columns)]))
    return parts


def _of_all(texts: Sequence[str]) -> pd.DataFrame:
    """Make room for notes of no stratum, some or none."""
    return pd.DataFrame(index=range(len(texts)))


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 10 else f"{value:.2g}"


def _percent(share: float) -> str:
    """Write a chance so that neither 0 nor 1 is said of what is neither."""
    if share > 0.995:
        return "100 %" if share == 1 else "more than 99 %"
    return f"{100 * share:.0f} %" if share >= 0.01 or not share else f"{100 * share:.1g} %"
