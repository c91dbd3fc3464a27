"""How often a synthetic network tells which change helps, which helps the majority only, which does nothing.

Run: ``OMP_NUM_THREADS=1 python benchmarks/best_practice.py --seeds 100``, about four seconds a seed on one
core. For every seed the network of :func:`qi_equity.datasets.network` is drawn, each of its three ideas is
evaluated at the days on which the sites implemented it, and the changes are pooled over the sites, for all
births together and for each group. Said of an idea, by its pooled ratio:

- "effect": "improved" of all births together;
- "effect, held": the same of at least one group, held together against chance over the groups (Holm);
- a row a group: its verdicts. Of the idea that does nothing 2.5 % "improved" are to be expected of each;
- "gap narrowed": of a known group, with all others, on the scale that is named.

It fails if the idea that does nothing is given an effect in more than 5 % of the seeds.
"""

from __future__ import annotations

import argparse
import sys
import time
from concurrent.futures import ProcessPoolExecutor

import pandas as pd

import qi_equity as qe

MOST = 0.05
IDEAS = {"weigh-and-call": "pph_1000", "text-reminder": "gdm_screened", "signs-poster": "preterm_birth"}
NOTHING = "signs-poster"
ALL = "All groups"
UNKNOWN = ("Not stated", "Not known", "Missing")


def evaluate(seed: int) -> pd.DataFrame:
    """Draw a network, and give every pooled verdict on every idea."""
    began = time.perf_counter()
    made = qe.datasets.network(seed=seed)
    drawn = time.perf_counter()
    parts = []
    for idea, measure in IDEAS.items():
        series, at = made.series[measure], made.network.phases(measure, idea=idea)
        pooled = qe.pool_sites(qe.evaluate_change(series, at, reference="rest"))
        total = qe.pool_sites(qe.evaluate_change(series.total(), at, reference="rest"))
        found = pd.concat([pooled.groups, total.groups])
        parts.append(found[found["scale"] == "ratio"].assign(what="change", idea=idea))
        parts.append(pooled.gaps.assign(what="gap", idea=idea, family_verdict=""))
    took = {"seconds_drawing": drawn - began, "seconds_evaluating": time.perf_counter() - drawn}
    columns = ["what", "idea", "group", "scale", "verdict", "family_verdict"]
    return pd.concat(parts)[columns].assign(seed=seed, **took)


def table(rows: pd.DataFrame) -> str:
    """Write the share of seeds, in percent, of each verdict on each idea and group."""
    changes = rows[rows["what"] == "change"]
    gaps = rows[(rows["what"] == "gap") & (rows["scale"] != "odds ratio")]
    lines = ["", "| idea | group | improved | held | no meaningful change | not yet visible | worsened |"]
    for (idea, group), part in changes.groupby(["idea", "group"], sort=False):
        held = _share(part["family_verdict"] == "improved")
        shares = [
            _share(part["verdict"] == word)
            for word in ("improved", "no meaningful change", "not yet visible", "worsened")
        ]
        lines.append(f"| {idea} | {group} | {' | '.join([shares[0], held, *shares[1:]])} |")
    lines += ["", "| idea | group with all others | scale | narrowed | widened | not yet visible |"]
    for (idea, group, scale), part in gaps.groupby(["idea", "group", "scale"], sort=False):
        if group not in UNKNOWN:
            shares = [_share(part["verdict"] == word) for word in ("narrowed", "widened", "not yet visible")]
            lines.append(f"| {idea} | {group} | {scale} | {' | '.join(shares)} |")
    return "\n".join(lines)


def _share(which: pd.Series) -> str:
    return f"{100 * which.mean():.0f}"


def effects(rows: pd.DataFrame) -> pd.DataFrame:
    """Say of every seed and idea whether it is given an effect."""
    changes = rows[(rows["what"] == "change") & ~rows["group"].isin(UNKNOWN)]
    total = changes[changes["group"] == ALL].set_index(["seed", "idea"])["verdict"] == "improved"
    groups = changes[changes["group"] != ALL]
    held = (groups["family_verdict"] == "improved").groupby([groups["seed"], groups["idea"]]).any()
    one = (groups["verdict"] == "improved").groupby([groups["seed"], groups["idea"]]).any()
    return pd.DataFrame({"effect": total, "effect, held": held, "any group improved": one})


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seeds", type=int, default=100)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=1)
    options = parser.parse_args()
    seeds = range(options.first, options.first + options.seeds)
    with ProcessPoolExecutor(options.processes) as pool:
        rows = pd.concat(list(pool.map(evaluate, seeds)), ignore_index=True)
    said = effects(rows)
    print(table(rows))
    print((100 * said.groupby("idea").mean()).round(1).to_string())
    print(rows.groupby("seed")[["seconds_drawing", "seconds_evaluating"]].first().mean().round(2).to_string())
    if said.loc[(slice(None), NOTHING), "effect"].mean() > MOST:
        sys.exit(f"{NOTHING} is given an effect in more than {MOST:.0%} of the seeds")


if __name__ == "__main__":
    main()
