"""How often the change package tells which change helps, which helps the majority only, which does nothing.

Run: ``OMP_NUM_THREADS=1 python benchmarks/best_practice.py --seeds 100``, about six seconds a seed on one
core. For every seed the network of :func:`qi_equity.datasets.network` is drawn, each of its three ideas is
evaluated at the days on which the sites implemented it, and :func:`qi_equity.pdsa.best_practice` makes the
list. Printed in percent of the seeds:

- for each idea how often it stands on each rung of the ladder, what is said of all births together, and of
  the gap;
- for each idea and group what is said of the group, and of its gap with all others. Nothing is planted for
  "signs-poster", and for "text-reminder" in any group but the largest: there "improved" is false.

It fails if the idea that does nothing is among those with an effect in more than 5 % of the seeds, or if the
one that helps the majority only is said to narrow the gap in more than 5 %.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import pandas as pd

import qi_equity as qe
from qi_equity import pdsa

MOST = 0.05
IDEAS = {"weigh-and-call": "pph_1000", "text-reminder": "gdm_screened", "signs-poster": "preterm_birth"}
NARROWS = "gap-narrowing shown"
AN_EFFECT = ("pooled effect", NARROWS)


def make_list(seed: int) -> tuple[pd.DataFrame, pd.DataFrame, float]:
    """Draw a network, evaluate its ideas, and give the rows of the list and how many seconds all took."""
    began = time.perf_counter()
    made = qe.datasets.network(seed=seed)
    evaluations = {
        code: qe.evaluate_change(
            made.series[measure], made.network.phases(measure, idea=code), reference="rest"
        )
        for code, measure in IDEAS.items()
    }
    found = pdsa.best_practice(made.network, evaluations)
    ideas = found.ideas[found.ideas["code"].isin(IDEAS)].assign(seed=seed)
    groups = found.groups[found.groups["code"].isin(IDEAS)].assign(seed=seed)
    return ideas, groups, time.perf_counter() - began


def shares(rows: pd.DataFrame, by: list[str], what: str) -> str:
    """Write in percent of the seeds how often each word is said."""
    counted = rows.groupby(by, sort=False, observed=True)[what].value_counts(normalize=True)
    return (100 * counted).round(1).unstack(fill_value=0.0).to_string()


def verdict(ideas: pd.DataFrame) -> list[str]:
    """Tell what is wrong more often than it may be."""
    strength = ideas.set_index("code")["strength"]
    nothing = strength["signs-poster"].isin(AN_EFFECT).mean()
    majority = (strength["text-reminder"] == NARROWS).mean()
    helps = strength["weigh-and-call"].isin(AN_EFFECT).mean()
    print(f"helps all: an effect in {helps:.1%}; majority only: gap narrowed in {majority:.1%}; "
          f"nothing: an effect in {nothing:.1%} of the seeds")  # fmt: skip
    found = {"signs-poster is given an effect": nothing, "text-reminder is said to narrow the gap": majority}
    return [f"{told} in {share:.1%} of the seeds" for told, share in found.items() if share > MOST]


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    with ProcessPoolExecutor(options.processes) as pool:
        ideas, groups, seconds = zip(*pool.map(make_list, seeds), strict=True)
    every_idea, every_group = pd.concat(ideas, ignore_index=True), pd.concat(groups, ignore_index=True)
    for what in ("strength", "state", "gap_state"):
        print(shares(every_idea, ["code"], what), end="\n\n")
    for what in ("state", "gap_state"):
        print(shares(every_group, ["code", "group"], what), end="\n\n")
    print(f"{sum(seconds) / len(seconds):.1f} seconds a seed")
    wrong = verdict(every_idea)
    if wrong:
        sys.exit("; ".join(wrong))


if __name__ == "__main__":
    main()
