"""What the library says of simulated networks, set against what is true of them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np
import pandas as pd
from _networks import MONTHS_A_YEAR, Floats, Networks, Scenario, draw
from numpy.typing import NDArray

from qi_equity.change.effects import change_effects
from qi_equity.change.estimate import SCALES, Effects
from qi_equity.change.gap_effects import GapEffects, gap_effects
from qi_equity.change.judge import Judgement, judge, trend_model
from qi_equity.change.model import ChangeModel
from qi_equity.formulas.interval import Interval

CONFIDENCE, MEANINGFUL = 0.95, 0.75
LEVEL = ChangeModel()
AT_ONCE = 2000
NARROWED = ("narrowed", "narrowed because the reference worsened", "narrowed because the group worsened")
KINDS = ("strata", "gaps", "networks")
TINY = 1e-12


def evaluate(scenario: Scenario, networks: Networks) -> tuple[Effects, Effects, Judgement]:
    """Evaluate networks as `evaluate_change` does: the changes, the steps beyond the trend, the verdicts."""
    count = len(networks.events)
    parts = []
    against = trend_model(LEVEL, 0, scenario.before, MONTHS_A_YEAR)
    for model, harmonics in ((LEVEL, 0), against):
        design = scenario.design(count, model, harmonics)
        parts.append(
            change_effects(networks.events, networks.births, design, family="binomial", confidence=CONFIDENCE)
        )
    own, step = parts
    return own, step, judge(own, step, np.ones(1, dtype=bool), MEANINGFUL, CONFIDENCE)


def gaps_of(scenario: Scenario, own: Effects) -> tuple[dict[str, GapEffects], Floats]:
    """Give the changes of the gaps, and which strata they are of: the references have none."""
    strata = np.flatnonzero(scenario.reference != np.arange(len(scenario.reference)))
    group, reference = (own.take((slice(None), which)) for which in (strata, scenario.reference[strata]))
    return gap_effects(group, reference, MEANINGFUL), strata


def holds(interval: Interval, truth: Floats) -> NDArray[np.bool_]:
    """Tell which intervals hold the truth; none does where there is none."""
    lower, upper = (getattr(interval, end)[..., 0] for end in ("lower", "upper"))
    return np.asarray((lower <= truth + TINY) & (truth - TINY <= upper))


def true_changes(networks: Networks) -> dict[str, Floats]:
    """Give the true change of each stratum on each scale."""
    before, after = networks.before, networks.after
    odds = after / (1 - after) / (before / (1 - before))
    return {"difference": after - before, "ratio": after / before, "odds_ratio": odds}


def tally(scenario: Scenario, count: int, seed: int) -> dict[str, pd.DataFrame]:
    """Draw and judge networks; give shares: one row a stratum, one a gap, and one for the whole network."""
    rng = np.random.default_rng([seed, *scenario.key])
    sums: dict[str, Any] = dict.fromkeys(KINDS, 0)
    for size in portions(count):
        networks = draw(scenario, size, rng)
        own, step, found = evaluate(scenario, networks)
        truth = true_changes(networks)
        parts = (
            _of_strata(scenario, own, step, found, truth),
            _of_gaps(scenario, own, truth),
            _of_networks(scenario, found),
        )
        sums = {kind: sums[kind] + part * (size / count) for kind, part in zip(KINDS, parts, strict=True)}
    return {kind: described(scenario, shares, kind) for kind, shares in sums.items()}


def portions(count: int) -> Iterator[int]:
    for start in range(0, count, AT_ONCE):
        yield min(AT_ONCE, count - start)


def _of_strata(
    scenario: Scenario, own: Effects, step: Effects, found: Judgement, truth: dict[str, Floats]
) -> pd.DataFrame:
    said = {name: getattr(found, name)[..., 0] for name in ("verdict", "family_verdict", "beyond_trend")}
    improved, beyond = said["verdict"] == "improved", said["beyond_trend"] == "yes"
    modelled = ~step.exact[..., 0] & np.isfinite(step.ratio.lower[..., 0])
    effect = np.broadcast_to(scenario.ratios, improved.shape)
    told = {f"covers_{scale}": holds(getattr(own, scale), truth[scale]) for scale in SCALES} | {
        "covers_effect": holds(own.ratio, effect),
        "step": modelled,
        "step_covers": modelled & holds(step.ratio, effect),
        "none": np.isnan(own.ratio.lower[..., 0]),
        "exact": own.exact[..., 0],
        "improved": improved,
        "worsened": said["verdict"] == "worsened",
        "improved_beyond": improved & beyond,
        "family_improved": said["family_verdict"] == "improved",
    }
    return pd.DataFrame({name: which.mean(axis=0) for name, which in told.items()})


def _of_gaps(scenario: Scenario, own: Effects, truth: dict[str, Floats]) -> pd.DataFrame:
    found, strata = gaps_of(scenario, own)
    reference = scenario.reference[strata]
    frame = {}
    for scale, gap in found.items():
        mine, theirs = truth[scale][:, strata], truth[scale][:, reference]
        change = mine - theirs if scale == "difference" else mine / theirs
        said = gap.verdict[..., 0]
        told = {
            "covers": holds(gap.change, change),
            "none": np.isnan(gap.change.lower[..., 0]),
            "narrowed": np.isin(said, NARROWED),
            "levelled": said == NARROWED[1],
            "widened": said == "widened",
        }
        frame |= {f"{name}_{scale}": which.mean(axis=0) for name, which in told.items()}
    return pd.DataFrame(frame)


def _of_networks(scenario: Scenario, found: Judgement) -> pd.DataFrame:
    """Give the share of networks in which a stratum that did not improve is said to have, in the family."""
    idle = scenario.ratios >= 1
    wrong = (found.family_verdict[..., 0] == "improved") & idle
    marginal = (found.verdict[..., 0] == "improved") & idle
    return pd.DataFrame({"any_family": [wrong.any(axis=1).mean()], "any": [marginal.any(axis=1).mean()]})


def described(scenario: Scenario, frame: pd.DataFrame, of: str) -> pd.DataFrame:
    """Put before each row what it was drawn from; ``of`` is "strata", "gaps" or "networks"."""
    every = np.arange(len(scenario.monthly))
    rows = {"strata": every, "gaps": every[scenario.reference != every], "networks": every[-1:]}[of]
    least = scenario.least_expected[rows]
    if of == "gaps":
        least = np.minimum(least, scenario.least_expected[scenario.reference[rows]])
    head = {
        "scenario": str(scenario),
        "noise": scenario.name,
        "effect": scenario.effect,
        "rates": scenario.rates,
        "window": f"{scenario.before}+{scenario.after}",
        "sites": scenario.sites,
        "births": scenario.monthly[rows],
        "ratio": scenario.ratios[rows],
        "expected": least,
    }
    return pd.concat([pd.DataFrame(head), frame], axis=1)
