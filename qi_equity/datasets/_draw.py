"""Draw births, one block of days at a time, so that memory stays near the size of the result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity.datasets import _calibration as calibration
from qi_equity.datasets._calibration import GROUPS, KNOWN, Floats
from qi_equity.datasets._plan import EVENTS, Plan, Settings, upper_quantile

Array = NDArray[Any]
Columns = dict[str, Array]

COLUMNS = (
    "woman", "site", "date", "ethnicity", "imd_quintile", "parity", "plurality", "gestation_days", "liveborn",
    "vaginal", "blood_loss_ml", "apgar_5min", "gdm_at_risk", "depression_positive", *EVENTS, "synthetic",
)  # fmt: skip
TERM_DAYS = 259
STILLBORN_DAYS = (168, 294)
# Not recorded or not applicable, while drawing; a true null in the frame.
_NULL = -1
_BLOOD_LOSS_STEP, _BLOOD_LOSS_MOST = 50, 8000
_NEVER_NULL = ("woman", "imd_quintile", "parity", "plurality", "gestation_days")
# How far sites differ in size, and in the mix of groups: larger is more alike.
_ALIKE_IN_SIZE, _ALIKE_IN_MIX = 20.0, 15.0


def draw(plan: Plan, settings: Settings) -> pd.DataFrame:
    """Draw the records of ``settings.n`` births, in order of date."""
    rng = np.random.default_rng(settings.seed)
    site_shares = _site_shares(rng, len(settings.sites))
    blocks: list[Columns] = []
    next_woman = 1
    for b, rows in enumerate(rng.multinomial(settings.n, plan.days / plan.days.sum())):
        block = _block(rng, plan, b, int(rows), site_shares)
        block["woman"] += np.int32(next_woman)
        next_woman = int(block["woman"].max(initial=next_woman - 1)) + 1
        blocks.append(block)
    return _frame(blocks, settings)


@dataclass(frozen=True, slots=True, eq=False)
class _Dice:
    """Draws for women (or babies) whose groups are known, at the rates of one block."""

    rng: np.random.Generator
    rates: dict[str, Floats]
    unrecorded: dict[str, float]
    group: Array

    def chance(self, share: float | Array) -> Array:
        return self.rng.random(len(self.group), dtype=np.float32) < share

    def event(self, name: str, applies: Array | bool = True) -> Array:
        happened = self.chance(self.rates[name].astype(np.float32)[self.group])
        return np.where(applies, happened, _NULL).astype(np.int8)

    def pick(self, shares: Floats) -> Array:
        """Draw an item for everyone from the shares of their group, shape (groups, items)."""
        edges = np.cumsum(shares, axis=1)
        edges[:, -1] = 1.0
        steps = (edges + np.arange(len(GROUPS))[:, None]).ravel()
        found = np.searchsorted(steps, self.rng.random(len(self.group)) + self.group, side="right")
        # A draw next to 1 can round up into the next group.
        last = shares.shape[1] - 1
        return np.asarray(np.minimum(found - self.group.astype(np.int64) * (last + 1), last))

    def lose(self, field: str, columns: Columns) -> Columns:
        """Leave the columns that are read from one field without a record, for the same people."""
        gone = self.chance(self.unrecorded[field])
        return {name: np.where(gone, values.dtype.type(_NULL), values) for name, values in columns.items()}


def _site_shares(rng: np.random.Generator, n_sites: int) -> Floats:
    """Draw where the births of each group happen; over all sites the groups keep their shares."""
    size = rng.dirichlet(np.full(n_sites, _ALIKE_IN_SIZE))
    return np.asarray(rng.dirichlet(_ALIKE_IN_MIX * n_sites * size, len(GROUPS)), dtype=np.float64)


def _block(rng: np.random.Generator, plan: Plan, b: int, rows: int, site_shares: Floats) -> Columns:
    twins = calibration.scalar("twins")
    pairs = min(int(rng.binomial(round(rows / (1 + twins)), twins)), rows // 2)
    women = rows - pairs
    plurality = np.ones(women, dtype=np.int8)
    plurality[rng.choice(women, pairs, replace=False, shuffle=False)] = 2
    row = np.repeat(np.arange(women, dtype=np.int32), plurality)

    group = np.searchsorted(np.cumsum(plan.shares[b])[:-1], rng.random(women), side="right").astype(np.int8)
    rates = {name: rate[b] for name, rate in plan.recorded.items()}
    unrecorded = {field: float(share[b]) for field, share in plan.unrecorded.items()}
    dice = _Dice(rng, rates, unrecorded, group)
    mothers = {"date": plan.start[b] + np.sort(rng.integers(0, plan.days[b], women)), "plurality": plurality}
    mothers |= _setting(dice, site_shares) | _blood_loss(dice) | _diabetes(dice) | _depression(dice)
    mothers |= dice.lose("smoking_at_delivery", {"smoking_at_delivery": dice.event("smoking_at_delivery")})
    columns = {name: values[row] for name, values in mothers.items()}
    return {"woman": row} | columns | _babies(_Dice(rng, rates, unrecorded, group[row]), columns)


def _setting(dice: _Dice, site_shares: Floats) -> Columns:
    women = len(dice.group)
    return {
        "site": dice.pick(site_shares).astype(np.int16),
        "ethnicity": dice.pick(calibration.within_group("code")[1]).astype(np.int8),
        "ethnicity_known": dice.group < KNOWN,
        "imd_quintile": dice.pick(calibration.within_group("imd_quintile")[1]).astype(np.int8) + np.int8(1),
        "parity": dice.pick(calibration.within_group("parity")[1]).astype(np.int8),
        "vaginal": dice.chance(calibration.scalar("vaginal")),
        # Replaced for single babies, whose gestation depends on whether they were born preterm.
        "gestation_days": np.clip(dice.rng.normal(252, 14, women), 168, 285).astype(np.int16),
    }


def _blood_loss(dice: _Dice) -> Columns:
    """Draw log-normal losses, of which the group's share reach 1500 ml, noted in steps of 50 ml."""
    reaches = upper_quantile(dice.rates["pph_1500"]).astype(np.float32)[dice.group]
    beyond = dice.rng.standard_normal(len(dice.group), dtype=np.float32) - reaches
    loss = 1500 * np.exp(np.float32(calibration.scalar("blood_loss_sigma")) * beyond)
    steps = np.clip(loss // _BLOOD_LOSS_STEP, 1, _BLOOD_LOSS_MOST // _BLOOD_LOSS_STEP).astype(np.int16)
    columns = dice.lose("pph_1500", {"blood_loss_ml": steps * np.int16(_BLOOD_LOSS_STEP)})
    recorded = columns["blood_loss_ml"] != _NULL
    for ml in (1500, 1000):
        columns[f"pph_{ml}"] = np.where(recorded, columns["blood_loss_ml"] >= ml, _NULL).astype(np.int8)
    return columns


def _diabetes(dice: _Dice) -> Columns:
    at_risk = dice.event("gdm_at_risk")
    screened = dice.event("gdm_screened", at_risk == 1)
    found = dice.chance((dice.rates["gdm_diagnosed"] / _screened_share(dice)).astype(np.float32)[dice.group])
    fields = {"gdm_screened": screened, "gdm_diagnosed": (found & (screened == 1)).astype(np.int8)}
    return {"gdm_at_risk": at_risk == 1} | dice.lose("gdm_screened", fields)


def _screened_share(dice: _Dice) -> Floats:
    return dice.rates["gdm_at_risk"] * dice.rates["gdm_screened"]


def _depression(dice: _Dice) -> Columns:
    asked = dice.event("depression_asked")
    positive = dice.event("depression_positive", asked == 1)
    referred = dice.event("depression_referred", positive == 1)
    seen = dice.event("depression_seen", referred == 1)
    fields = {"asked": asked, "positive": positive, "referred": referred, "seen": seen}
    return dice.lose("depression_asked", {f"depression_{name}": values for name, values in fields.items()})


def _babies(dice: _Dice, mothers: Columns) -> Columns:
    single = mothers["plurality"] == 1
    stillborn = dice.event("stillbirth") == 1
    live = ~stillborn
    preterm = dice.event("preterm_birth", single & live)
    gestation = _gestation(dice.rng, mothers["gestation_days"], single, stillborn, preterm == 1)
    at_term = single & (gestation >= TERM_DAYS)
    low, with_score = dice.chance(dice.rates["apgar_below_7"].astype(np.float32)[dice.group]), live
    score = np.where(low, 7, 4) * np.sqrt(dice.rng.random(len(single), dtype=np.float32)) + np.where(
        low, 0, 7
    )
    apgar = dice.lose("apgar_below_7", {"apgar_5min": np.where(with_score, score, _NULL).astype(np.int8)})[
        "apgar_5min"
    ]
    tear = {"tear_3_4": dice.event("tear_3_4", at_term & mothers["vaginal"])}
    feed = {"first_feed_breast_milk": dice.event("first_feed_breast_milk", live)}
    return {
        "gestation_days": gestation,
        "liveborn": live,
        "stillbirth": stillborn,
        "preterm_birth": preterm,
        "neonatal_death": dice.event("neonatal_death", live),
        "apgar_5min": apgar,
        "apgar_below_7": np.where(at_term & (apgar != _NULL), apgar < 7, _NULL).astype(np.int8),
        **dice.lose("tear_3_4", tear),
        **dice.lose("first_feed_breast_milk", feed),
    }


def _gestation(
    rng: np.random.Generator, of_twins: Array, single: Array, stillborn: Array, preterm: Array
) -> Array:
    """Give days of gestation that agree with what was drawn; the shapes of the distributions are assumed."""
    n = len(single)
    early = TERM_DAYS - 1 - np.minimum(rng.exponential(20, n), TERM_DAYS - 1 - 154)
    term = np.clip(np.rint(rng.normal(280, 8, n)), TERM_DAYS, 301)
    days = np.where(preterm, np.ceil(early), term)
    days = np.where(stillborn, rng.integers(STILLBORN_DAYS[0], STILLBORN_DAYS[1] + 1, n), days)
    return np.where(single, days, of_twins).astype(np.int16)


def _frame(blocks: list[Columns], settings: Settings) -> pd.DataFrame:
    columns: dict[str, Any] = {}
    for name in COLUMNS[:-1]:
        # Each block's part is given up as it is joined, so that the data are never held twice.
        joined = np.concatenate([block.pop(name) for block in blocks])
        columns[name] = _column(name, joined, settings)
    columns["synthetic"] = np.ones(settings.n, dtype=np.bool_)
    return pd.DataFrame(columns, copy=False)


def _column(name: str, values: Array, settings: Settings) -> Any:
    if name == "site":
        return pd.Categorical.from_codes(values, categories=pd.Index(settings.sites))
    if name == "ethnicity":
        codes = [c for c in calibration.within_group("code")[0] if c != "null"]
        return pd.Categorical.from_codes(
            np.where(values == len(codes), _NULL, values), categories=pd.Index(codes)
        )
    if name == "date":
        return values.astype("datetime64[us]")
    if name in _NEVER_NULL or values.dtype == np.bool_:
        return values
    if name in ("blood_loss_ml", "apgar_5min"):
        return pd.arrays.IntegerArray(values, values == _NULL)
    return pd.arrays.BooleanArray(values == 1, values == _NULL)
