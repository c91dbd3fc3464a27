"""An evaluation in the words of a figure: title, verdicts, what could have been shown, footnotes."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from qi_equity.change.text import phrase, rounded_up
from qi_equity.plot import _result_words as result_words
from qi_equity.plot import _words
from qi_equity.plot._gap_words import ORIENTATION, reference_words
from qi_equity.plot._kinds import plain_unit
from qi_equity.plot._text import number
from qi_equity.spc.words import and_list, period, plural

if TYPE_CHECKING:
    from qi_equity.change.result import ChangeEvaluation
    from qi_equity.data.measure import Measure
    from qi_equity.data.series import StratifiedSeries

_NOT_SEEN = ("not yet visible", "no meaningful change")


def changed(evaluation: ChangeEvaluation) -> str:
    """Name the changes by their dates: "the change of 2024-01"."""
    dates = np.sort(evaluation.groups["at"].dropna().unique())
    when = [period(evaluation.series, np.datetime64(date)) for date in dates]
    if len(when) > 3:
        return f"the changes of {when[0]} to {when[-1]}"
    return f"the change of {when[0]}" if len(when) == 1 else f"the changes of {and_list(when)}"


def compared_with(evaluation: ChangeEvaluation) -> str:
    """Name what the groups are compared with."""
    name = evaluation.options["reference"]["name"]
    gaps = evaluation.gaps
    return reference_words(
        evaluation.series, name, gaps.loc[gaps["verdict"] != "is the reference", "reference"]
    )


def names_of(evaluation: ChangeEvaluation) -> list[str]:
    """Name the strata: people by group, with further strata, and the site where there are several."""
    return [
        " · ".join(result_words.title_of_group(evaluation.series, word) for word in name.split(" · "))
        for name in _words.stratum_names(evaluation.series.cells.strata)
    ]


def verdicts_of(rows: pd.DataFrame, better: str | None) -> list[str]:
    """Say what was seen in a stratum: one text a change."""
    texts = [phrase(row, better) for row in rows.itertuples()]
    return [_capital(texts[0])] if len(texts) == 1 else _by_change(texts)


def _by_change(texts: Sequence[str]) -> list[str]:
    return [f"Change {k}: {text}" for k, text in enumerate(texts, start=1)]


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:]


def counts_of(rows: pd.DataFrame, measure: Measure) -> str:
    """Say the rates and counts before and after each change, in the unit of the axis."""
    if rows["at"].isna().all():
        return ""
    parts = [f"before {_counts(rows.iloc[0], 'before', measure)}"]
    several = len(rows) > 1
    for row in (row for _, row in rows.iterrows() if pd.notna(row["at"])):
        which = f" change {row['change']}" if several else ""
        parts.append(f"after{which} {_counts(row, 'after', measure)}")
    return f"{_capital('; '.join(parts))}."


def _counts(row: pd.Series[Any], when: str, measure: Measure) -> str:
    events, births, rate = (float(row[f"{name}_{when}"]) for name in ("events", "births", "rate"))
    if np.isnan(rate):
        return "no births" if births == 0 else "not known"
    value = rate * measure.multiplier
    told = number(value, int(np.clip(2 - np.floor(np.log10(max(abs(value), 0.01))), 0, 2)))
    if measure.kind == "count":
        return told
    mean = measure.kind == "mean"
    counts = result_words.counts_text(np.nan if mean else events, births, what="values" if mean else "births")
    return f"{told} ({counts})" if counts else told


def could_show(rows: pd.DataFrame, evaluation: ChangeEvaluation) -> str:
    """Say which changes these births could have shown, and what is still needed where none is visible."""
    way = str(evaluation.method["orientation"])
    there = rows[rows["at"].notna()]
    texts = [_could(row, way) + _needed(row, evaluation.series) for row in there.itertuples()]
    return " ".join(texts if len(rows) == 1 else _by_change([t[:1].lower() + t[1:] for t in texts]))


def _could(row: Any, way: str) -> str:
    ratio = float(row.smallest_detectable)
    if np.isnan(ratio):
        none = "With 80 % power these births could not have shown any change"
        return f"{none}." if row.verdict in _NOT_SEEN else f"{none}: take its size with care."
    if way == "reversed":
        return f"Could have shown a rise of {_percent(1 / ratio - 1)} or more."
    what = " in births without the event" if way == "without the event" else ""
    return (
        f"Could have shown a {'fall' if ratio < 1 else 'rise'} of {_percent(abs(1 - ratio))} or more{what}."
    )


def _needed(row: Any, series: StratifiedSeries) -> str:
    births, periods = float(row.births_needed), float(row.periods_needed)
    if row.verdict != "not yet visible" or np.isnan(periods) or periods <= 0:
        return ""
    if np.isinf(periods):
        return " More births after cannot help: too few before."
    every = plural(rounded_up(float(np.ceil(periods))), str(series.every).replace("-", " "))
    if series.measure.kind != "proportion":
        return f" A meaningful one needs about {every} more."
    return f" A meaningful one needs about {plural(rounded_up(births), 'birth')} more ({every})."


def _percent(share: float) -> str:
    return f"{number(100 * share, 0)}\u00a0%"


def warnings_of(rows: pd.DataFrame) -> list[str]:
    """Say what else the reader of a panel must know."""
    words = []
    for row in rows.itertuples():
        which = f"change {row.change}: " if len(rows) > 1 else ""
        if str(row.family_verdict) != str(row.verdict):
            words.append(f"{which}allowing for all comparisons together: {row.family_verdict}")
        if row.exploratory:
            words.append(f"{which}exploratory: not named in the aim")
        if row.arrived in ("no", "cannot tell"):
            arrived = "did not arrive here" if row.arrived == "no" else "may not have arrived here"
            words.append(f"{which}the change {arrived}")
    return list(dict.fromkeys(words))


def notes_of(evaluation: ChangeEvaluation, order: str, said: Sequence[str]) -> list[str]:
    """Give the footnotes."""
    notes = evaluation.notes
    general = notes[notes["group"].isna() & (notes["site"].isna() if "site" in notes else True)]
    lines = [*said, ORIENTATION.get(str(evaluation.method["orientation"]), "")]
    lines += notes.loc[notes["code"] == "repeated_reading", "text"].tolist()
    lines += [
        "The figure does not say what caused a change. Not yet visible is not the same as no difference."
    ]
    return result_words.footnotes_of(evaluation.series, general, order, [line for line in lines if line])


def against_text(evaluation: ChangeEvaluation) -> str:
    """Name the reference with its reason."""
    reason = evaluation.options["reference"]["reason"]
    why = f"because: {reason}" if reason else "for which no reason was given"
    return f"Compared with {compared_with(evaluation)}, {why}."


def model_text(evaluation: ChangeEvaluation) -> str:
    """Name the model: "level+trend, with a season of 1 harmonic"."""
    name, harmonics = str(evaluation.method["model"]), int(evaluation.options["seasonal"])
    return f"{name}, with a season of {plural(harmonics, 'harmonic')}" if harmonics else name


def subtitle_of(evaluation: ChangeEvaluation) -> str:
    """Give unit and span of time."""
    series = evaluation.series
    return result_words.subtitle_of_series(series, f"{plain_unit(series.measure)}, by {series.every}")


def description_of(evaluation: ChangeEvaluation, rows: Sequence[int], names: Sequence[str]) -> str:
    """Describe a figure for those who do not see it: the sentence, then each stratum and its gaps."""
    told, gaps = evaluation.alt_text(), evaluation.gaps
    changes, scales = len(told) // len(names), gaps["scale"].nunique()
    times = evaluation.series.measure.multiplier
    lines = [evaluation.sentence()]
    for row in rows:
        part = gaps.iloc[row * changes * scales : (row + 1) * changes * scales]
        for k in range(changes):
            which = f", change {k + 1}" if changes > 1 else ""
            moves = [
                f"Gap as a {gap.scale} {_gap_text(gap, times if gap.scale == 'difference' else 1.0)}"
                for gap in part[part["change"] == k + 1].itertuples()
                if gap.scale != "odds ratio" and gap.verdict != "is the reference"
            ]
            lines.append(
                ". ".join([f"{names[row]}{which}: {told['text'].iloc[row * changes + k]}", *moves]) + "."
            )
    return "\n".join(lines)


def _gap_text(gap: Any, times: float) -> str:
    if np.isnan(gap.gap_change):
        return f"not known: {gap.verdict}"
    decimals = 1 if gap.scale == "difference" else 2
    before, after = (number(v * times, decimals) for v in (gap.gap_before, gap.gap_after))
    return f"{before} before, {after} after: {gap.verdict}"
