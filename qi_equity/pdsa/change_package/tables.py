"""The two tables of a change package: one row an idea, and one row an idea and group."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change.verdicts import IMPROVED, NARROWED, NOT_VISIBLE, WIDENED, WORSENED
from qi_equity.pdsa.change_package.effects import DIFFERENCE, PooledIdea
from qi_equity.pdsa.change_package.facts import ALL, HARM, NOT_CHECKED, join
from qi_equity.pdsa.change_package.judged import Judged
from qi_equity.pdsa.change_package.ladder import LADDER, rung

__all__ = ["GROUP_COLUMNS", "IDEA_COLUMNS", "NOT_EVALUATED", "group_table", "idea_table"]

NOT_EVALUATED = "not evaluated"
_MEANT = 2
_NOTHING = {"state": NOT_VISIBLE, "sites_pooled": 0}
_IS_REFERENCE = "is the reference"
_SHOWN = (IMPROVED, WORSENED, "fell", "rose", "no meaningful change")
_EFFECT = (
    "effect", "lower", "upper", "prediction_lower", "prediction_upper", "difference", "difference_lower",
    "difference_upper", "p", "adjusted_p",
)  # fmt: skip
_GAP = (
    "gap_change", "gap_lower", "gap_upper", "gap_difference", "gap_difference_lower", "gap_difference_upper",
    "gap_p",
)  # fmt: skip
_HARM = tuple(f"harm_{found.replace(' ', '_')}" for found in HARM)

GROUP_COLUMNS = {
    "code": "str", "group": "str", **dict.fromkeys(_EFFECT, "float64"), "sites_pooled": "int64",
    "state": "str", "reference": "str", **dict.fromkeys(_GAP, "float64"), "gap_state": "str", "harm": "str",
    "predicted": "bool", "reached": "float64", "tested": "bool", "known": "bool",
}  # fmt: skip

IDEA_COLUMNS = {
    "code": "str", "name": "str", "strength": "str", "measure": "str", "sites": "int64", "site_names": "str",
    "cycles": "int64", "people_reached": "float64", "people_planned": "float64", "scale": "str",
    "adopt": "int64", "adapt": "int64", "abandon": "int64", "expand": "int64",
    **dict.fromkeys(_EFFECT, "float64"), "sites_pooled": "int64", "state": "str", "improved_in": "str",
    "worsened_in": "str", "sites_evaluated": "int64", "replicated": "int64", "gap_group": "str",
    "reference": "str", **dict.fromkeys(_GAP, "float64"), "gap_state": "str", "gaps_narrowed": "str",
    "gaps_widened": "str", **dict.fromkeys(_HARM, "str"), "not_tested_for": "str",
}  # fmt: skip


def group_table(facts: pd.DataFrame, pooled: Mapping[str, PooledIdea], judged: Judged) -> pd.DataFrame:
    """Lay out one row an idea and group, without that of all together."""
    facts = facts[facts["group"] != ALL]
    parts = [_group_part(code, pooled[code], judged[code]) for code in pooled]
    blank = pd.DataFrame(
        columns=["code", "group", *_EFFECT, "sites_pooled", "state", "reference", *_GAP, "gap_state"]
    )
    effects = pd.concat(parts) if parts else blank
    table = facts.merge(effects.astype({"code": "str", "group": "str"}), on=["code", "group"], how="left")
    for column in ("state", "gap_state"):
        table[column] = table[column].fillna(NOT_EVALUATED)
    table["reference"] = table["reference"].fillna("")
    table["sites_pooled"] = table["sites_pooled"].fillna(0)
    table["tested"] = table["predicted"] | table["met"] | table["state"].isin(_SHOWN)
    return table.reindex(columns=list(GROUP_COLUMNS)).astype(GROUP_COLUMNS)


def idea_table(
    facts: pd.DataFrame,
    harm: pd.DataFrame,
    groups: pd.DataFrame,
    pooled: Mapping[str, PooledIdea],
    judged: Judged,
) -> pd.DataFrame:
    """Lay out one row an idea, the strongest evidence first, then in the order of the records."""
    rows = []
    for fact in facts.to_dict("records"):
        code = fact["code"]
        own = groups[groups["code"] == code]
        row: dict[str, Any] = {
            **dict.fromkeys(_EFFECT + _GAP, np.nan),
            **{str(k): v for k, v in fact.items()},
            **_harm_words(harm[harm["code"] == code]),
        }
        row |= {"not_tested_for": join(own.loc[own["known"] & ~own["tested"], "group"])}
        row |= _found(own, pooled.get(code), judged.get(code))
        rows.append(row | {"strength": _strength(row, own)})
    table = pd.DataFrame(rows, columns=list(IDEA_COLUMNS)).astype(IDEA_COLUMNS)
    order = table["strength"].map(LADDER.index).to_numpy(dtype=np.int64)
    return table.iloc[np.argsort(-order, kind="stable")].reset_index(drop=True)


def _group_part(code: str, idea: PooledIdea, judged: tuple[pd.DataFrame, ...]) -> pd.DataFrame:
    _, groups, gaps = judged
    part = _effect_columns(groups, idea.groups)
    gap = _gap_columns(gaps, idea.gaps)
    return pd.DataFrame({"code": code, "group": groups["group"].astype("str")}).join(part).join(gap)


def _effect_columns(judged: pd.DataFrame, scales: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of an effect: the ratio and the difference."""
    plain = _differences(judged, scales)
    ends = ["lower", "upper", "prediction_lower", "prediction_upper", "p", "adjusted_p", "state"]
    return judged[ends].assign(
        effect=judged["estimate"],
        sites_pooled=judged["sites"],
        difference=plain["estimate"],
        difference_lower=plain["lower"],
        difference_upper=plain["upper"],
    )


def _gap_columns(judged: pd.DataFrame, scales: pd.DataFrame) -> pd.DataFrame:
    """Name the columns of a gap: how its ratio and its difference changed."""
    plain = _differences(judged, scales)
    return pd.DataFrame(
        {
            "reference": judged["reference"].where(judged["state"] != _IS_REFERENCE, ""),
            "gap_change": judged["gap_change"],
            "gap_lower": judged["gap_change_lower"],
            "gap_upper": judged["gap_change_upper"],
            "gap_difference": plain["gap_change"],
            "gap_difference_lower": plain["gap_change_lower"],
            "gap_difference_upper": plain["gap_change_upper"],
            "gap_p": judged["adjusted_p"],
            "gap_state": [_on_both(*both) for both in zip(judged["state"], plain["verdict"], strict=True)],
        }
    )


def _differences(judged: pd.DataFrame, scales: pd.DataFrame) -> pd.DataFrame:
    """Give the rows on the scale of differences; empty ones where a model of counts has none."""
    return scales[scales["scale"] == DIFFERENCE].reset_index(drop=True).reindex(judged.index)


def _on_both(ratio: str, difference: str) -> str:
    """Say so where a gap that moved as a ratio moved the other way as a difference."""
    apart = (ratio, difference) in ((NARROWED, WIDENED), (WIDENED, NARROWED))
    return f"{ratio} as a ratio, {difference} as a difference" if apart else ratio


def _harm_words(harm: pd.DataFrame) -> dict[str, str]:
    """Name the groups of each finding; that of all together stands where something was found in it."""
    named = harm[harm["known"] | (harm["harm"] != NOT_CHECKED)]
    return {
        column: join(named.loc[named["harm"] == found, "group"])
        for column, found in zip(_HARM, HARM, strict=True)
    }


def _found(own: pd.DataFrame, idea: PooledIdea | None, judged: Any) -> dict[str, Any]:
    """Tell what was found of an idea: overall, in whom, and of which gaps."""
    if idea is None:
        blank = dict.fromkeys(
            (
                "measure",
                "improved_in",
                "worsened_in",
                "gap_group",
                "reference",
                "gaps_narrowed",
                "gaps_widened",
            ),
            "",
        )
        none = dict.fromkeys(("sites_pooled", "sites_evaluated", "replicated"), 0)
        return blank | none | {"better": None, "state": NOT_EVALUATED, "gap_state": NOT_EVALUATED}
    measure, ratios = idea.by_group.evaluation.series.measure, idea.directions
    table = _effect_columns(judged[0], idea.together) if len(judged[0]) else pd.DataFrame([_NOTHING])
    together: dict[Any, Any] = table.iloc[0].to_dict()
    return {
        "measure": measure.name,
        "better": measure.better,
        **together,
        "improved_in": join(own.loc[own["state"] == IMPROVED, "group"]),
        "worsened_in": join(own.loc[own["state"] == WORSENED, "group"]),
        "sites_evaluated": len(ratios),
        "replicated": _same(ratios, measure.better),
        **_clearest_gap(own),
        "gaps_narrowed": join(own.loc[own["gap_state"] == NARROWED, "group"]),
        "gaps_widened": join(own.loc[own["gap_state"] == WIDENED, "group"]),
    }


def _same(ratios: Any, better: str | None) -> int:
    """Count the sites in the better direction; of a measure without one, those in the commoner one."""
    fell, rose = int((ratios < 1).sum()), int((ratios > 1).sum())
    return max(fell, rose) if better is None else fell


def _clearest_gap(own: pd.DataFrame) -> dict[str, Any]:
    """Give the gap with the smallest adjusted p-value, whichever way it moved."""
    known = own[own["gap_p"].notna()]
    if known.empty:
        return {"gap_group": "", "reference": "", "gap_state": NOT_VISIBLE}
    row = known.sort_values("gap_p", kind="stable").iloc[0]
    return {"gap_group": row["group"], **{c: row[c] for c in ("reference", "gap_state", *_GAP)}}


def _strength(row: Mapping[str, Any], own: pd.DataFrame) -> str:
    enough = own["sites_pooled"] >= _MEANT
    improved = bool((enough & (own["state"] == IMPROVED)).any())
    narrowed = enough & (own["gap_state"] == NARROWED) & (own["state"] != WORSENED)
    return rung(
        tested=bool(row["cycles"] or row["state"] != NOT_EVALUATED),
        sites=row["sites_evaluated"] if row["better"] else 0,
        same=row["replicated"],
        helps=improved or (row["state"] == IMPROVED and row["sites_pooled"] >= _MEANT),
        worsened=row["state"] == WORSENED,
        narrowed=bool(narrowed.any()),
        widened=bool(row["gaps_widened"]),
    )
