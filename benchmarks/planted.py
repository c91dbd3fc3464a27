"""Verdicts beside the truth of the synthetic births, of which it is known what changed and for whom.

Run: ``python benchmarks/planted.py --seeds 200 --first 1000 --processes 2``; with ``--write`` it puts the
table where docs/methods/calibration.md includes it. One site of about 5,000 births a year, and a network of
six sites taken together; births by broad ethnic group, 24 months before the change and 12 after it. A verdict
contradicts the truth if it says

- "improved" or "worsened" of a group whose true rate did not move that way,
- "no meaningful change" of one whose true rate moved by more than is meaningful,
- "improved" beyond the trend where nothing but the earlier trend went on.

What was recorded differently is no change of the rate: "worsened" contradicts it unless the notes say
that recording moved. Planned power is that of the true change at the true baseline rate and
the births expected, never that of the births or rates drawn.
"""

from __future__ import annotations

import argparse
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd

import qi_equity as qe
from qi_equity.formulas.detectable_change import power_of_change

TABLE = Path(__file__).parents[1] / "docs" / "methods" / "_calibration" / "planted.md"
CHANGES = (None, "helps-all", "helps-majority", "closes-gap", "season", "trend", "case-mix", "recording")
BIRTHS = {"one site": (15_000, 1), "network": (90_000, 6)}
MEASURE = "pph_1000"
CHANGED_ON = "2024-01"
MEANINGFUL = 0.75
PLANNED = 0.9
# Of whom the aim speaks: women whose group is not known are not among them.
UNKNOWN = ("Not stated", "Not known", "Missing")


def evaluate(setting: str, change: str | None, seed: int) -> pd.DataFrame:
    """Draw births, evaluate the change at its date, and set each verdict beside the truth."""
    births, sites = BIRTHS[setting]
    made = qe.datasets.births(births, sites=sites, change=change, measure=MEASURE, seed=seed)
    series = qe.from_records(
        made.records, qe.measures[MEASURE], date="date", event=MEASURE, ethnicity="ethnicity"
    )
    evaluation = qe.evaluate_change(
        series, CHANGED_ON, reference="rest", seasonal=1 if change == "season" else 0
    )
    truth = made.truth[made.truth["measure"] == MEASURE].set_index("group")
    found = evaluation.groups.set_index("group")
    found = found.loc[~found.index.isin(UNKNOWN)].copy()
    found["true_ratio"] = (1 + truth["relative_change"]).reindex(found.index)
    found["caused"] = (truth["caused_change"] != 0).reindex(found.index)
    before, after = (truth[f"expected_births_{w}"].reindex(found.index) for w in ("before", "after"))
    rate = truth["rate_before"].reindex(found.index)
    found["planned"] = power_of_change(rate, found["true_ratio"], before, after)
    found["recording_moved"] = _recording(evaluation, found.index)
    return found.assign(setting=setting, change=str(change), seed=seed).reset_index()


def _recording(evaluation: qe.ChangeEvaluation, groups: pd.Index) -> pd.Series:
    """Say of which groups the notes tell that recording moved at the date."""
    notes = evaluation.notes
    moved = notes.loc[notes["code"] == "recording_moved", "group"]
    return pd.Series(groups.isin(moved), index=groups)


def judge(rows: pd.DataFrame) -> pd.DataFrame:
    """Say of each verdict whether it contradicts the truth, or names it."""
    ratio, verdict = rows["true_ratio"], rows["verdict"]
    better, worse = verdict == "improved", verdict == "worsened"
    still = verdict == "no meaningful change"
    moved = (ratio < MEANINGFUL) | (ratio > 1 / MEANINGFUL)
    only_trend = (rows["change"] == "trend") & better & (rows["beyond_trend"] == "yes")
    wrong = (better & (ratio >= 1)) | (worse & (ratio <= 1) & ~rows["recording_moved"]) | (still & moved)
    planned = rows["caused"] & (rows["planned"] >= PLANNED)
    return rows.assign(contradicts=wrong | only_trend, planned_for=planned, named=planned & better)


def table(rows: pd.DataFrame) -> str:
    """Write one row a setting and change."""
    lines = ["| | planted | verdicts | contradict (%) | planned power >= 90 % | named (%) | improved (%) "
             "| not yet visible (%) |", "|" + "---|" * 8]  # fmt: skip
    for (setting, change), part in rows.groupby(["setting", "change"], sort=False):
        planned = int(part["planned_for"].sum())
        named = f"{100 * part['named'].sum() / planned:.1f}" if planned else ""
        shares = [100 * (part["verdict"] == word).mean() for word in ("improved", "not yet visible")]
        lines.append(
            f"| {setting} | {change} | {len(part)} | {100 * part['contradicts'].mean():.1f} | {planned} "
            f"| {named} | {shares[0]:.1f} | {shares[1]:.1f} |"
        )
    return "\n".join(lines) + "\n"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=200)
    parser.add_argument("--first", type=int, required=True)
    parser.add_argument("--processes", type=int, default=1)
    parser.add_argument("--write", action="store_true")
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    parts = []
    with ProcessPoolExecutor(options.processes) as pool:
        for setting in BIRTHS:
            for change in CHANGES:
                parts += list(pool.map(partial(evaluate, setting, change), seeds, chunksize=10))
    rows = judge(pd.concat(parts, ignore_index=True))
    wrong, named = rows["contradicts"].mean(), rows["named"].sum() / rows["planned_for"].sum()
    found = table(rows) + (
        f"\n{options.seeds} seeds from {options.first}; in all {100 * wrong:.2f} % of {len(rows):,} verdicts "
        f"contradict the truth, and {100 * named:.1f} % of the changes with a planned power of 90 % or more "
        f"are named. The standard error of 5 % of 1,000 is {100 * np.sqrt(0.05 * 0.95 / 1000):.1f}.\n"
    )
    print(found)
    if options.write:
        TABLE.write_text(found, encoding="utf-8")


if __name__ == "__main__":
    main()
