"""The effect of a change idea, pooled over sites: overall, for each group, and of each gap."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change.evaluate import evaluate_change
from qi_equity.change.model import ChangeModel
from qi_equity.change.pooling.pool import pool_sites
from qi_equity.change.pooling.result import PooledEffect
from qi_equity.change.result import ChangeEvaluation
from qi_equity.data.series import StratifiedSeries
from qi_equity.pdsa.change_package.mix import mix_ratios, p_held, pooled_ratio

__all__ = ["DIFFERENCE", "ODDS", "RATIO", "PooledIdea", "changes_of", "pool_idea"]

RATIO, ODDS, DIFFERENCE = "ratio", "odds ratio", "difference"
_FIRST = 1

_OVERLAP = "No effect overall: a woman may be in several groups, and a sum would count her more than once."
_APART = "Left out of the effect overall, because the change came to groups at different times: {}."
_NOBODY = "No effect overall: at the sites where the change was made, no group had it everywhere."
_SOME = "The effect overall is that of the groups that had the change at every site of it: {}."
_MIX = (
    "The mix of groups changed, which alone would give a ratio of {:.2f} over all groups together; with the "
    "mix as it was before, the ratio is {:.2f}. What is said of all together holds both ways, or is not said."
)
_TOLD = 0.01
_ROUNDING = 1e-9


@dataclass(frozen=True, slots=True, eq=False)
class PooledIdea:
    """What was pooled of an idea.

    Parameters
    ----------
    by_group : PooledEffect
        By group, with gaps.
    overall : PooledEffect or None
        Of the groups together; None where there is none.
    said : list of str
        What must be told of the effect overall.
    mix : pandas.Series
        The ratio overall that the changed mix of groups alone would give, by site.
    """

    by_group: PooledEffect
    overall: PooledEffect | None
    said: list[str]
    mix: pd.Series

    @property
    def together(self) -> pd.DataFrame:
        """The effect overall: one row a scale, or none; ``p`` of the ratio holds with the mix held, too."""
        if self.overall is None:
            return pd.DataFrame()
        table, normal = _first(self.overall.groups), self.overall.options["interval"] == "z"
        confidence = self.overall.evaluation.options["confidence"]
        p = [
            p_held(row, self.mix_alone, confidence, normal=normal) if row["scale"] == RATIO else row["p"]
            for row in table.to_dict("records")
        ]
        return table.assign(p=p)

    @property
    def mix_alone(self) -> float:
        """What the changed mix of groups alone would give as the ratio overall; NaN where it is not known."""
        sites = self._overall_sites()
        return pooled_ratio(
            self.mix.reindex(sites["site"].astype("str")).to_numpy(np.float64),
            sites["weight"].to_numpy(np.float64),
        )

    @property
    def groups(self) -> pd.DataFrame:
        """The effects by group: one row a group and scale."""
        return _first(self.by_group.groups)

    @property
    def gaps(self) -> pd.DataFrame:
        """The gaps: one row a group and scale."""
        return _first(self.by_group.gaps)

    @property
    def directions(self) -> np.ndarray[Any, np.dtype[np.float64]]:
        """Ratios overall of the sites that have one; 1 where the mix of groups decides the direction."""
        rows = self._overall_sites().dropna(subset="estimate")
        ratios = rows["estimate"].to_numpy(np.float64)
        mix = self.mix.reindex(rows["site"].astype("str")).fillna(1.0).to_numpy(np.float64)
        held = ratios / mix
        decided = np.isclose(held, 1, rtol=_ROUNDING, atol=0) | ((ratios < 1) != (held < 1))
        return np.where(decided, 1.0, ratios)

    def _overall_sites(self) -> pd.DataFrame:
        if self.overall is None:
            return pd.DataFrame({"site": [], "estimate": [], "weight": []})
        sites = self.overall.sites
        ratio = (sites["what"] == "change") & (sites["scale"] == RATIO)
        return sites[ratio & (sites["change"] == _FIRST)]

    @property
    def changed_again(self) -> bool:
        """Whether further changes are evaluated, such as a stop; they are in none of these numbers."""
        return bool((self.by_group.groups["change"] > _FIRST).any())


def pool_idea(evaluation: ChangeEvaluation, method: str, interval: str) -> PooledIdea:
    """Pool the first change of each stratum, by group and over the groups together."""
    by_group = pool_sites(evaluation, method=method, interval=interval)
    series, at, said = _together(evaluation)
    if series is None:
        return PooledIdea(by_group, None, said, pd.Series(dtype="float64"))
    options = evaluation.options
    total = evaluate_change(
        series.total(),
        at,
        # No gap is asked for: over all groups together there is nobody else.
        reference="rest",
        model=ChangeModel(**options["model"]),
        seasonal=options["seasonal"],
        phase_in=options["phase_in"],
        meaningful=options["meaningful"],
        confidence=options["confidence"],
    )
    rows = evaluation.groups.astype({"site": "str", "group": "str"})
    counted = rows["site"].isin(at["site"]) & rows["group"].isin(series.groups) & (rows["change"] == _FIRST)
    mix = mix_ratios(rows[counted], evaluation.method["orientation"])
    idea = PooledIdea(by_group, pool_sites(total, method=method, interval=interval), said, mix)
    alone, ratio = idea.mix_alone, idea.together.set_index("scale")["estimate"][RATIO]
    if abs(np.log(alone)) > _TOLD:
        said.append(_MIX.format(alone, ratio / alone))
    return idea


def _first(table: pd.DataFrame) -> pd.DataFrame:
    return table[table["change"] == _FIRST].reset_index(drop=True)


def _together(evaluation: ChangeEvaluation) -> tuple[StratifiedSeries | None, pd.DataFrame, list[str]]:
    """Give the series of those who had the change together, when each site made it, and what to tell.

    At each site all groups together must have had it at the same time: otherwise part of them would still be
    in the time before.
    """
    series = evaluation.series
    if series.scheme is not None and series.scheme.overlapping:
        return None, pd.DataFrame(), [_OVERLAP]
    changes = changes_of(evaluation)
    times = changes.groupby(["site", "group"])["start"].agg(tuple)
    kinds = pd.Series(times.index.get_level_values("site"))[
        ~times.reset_index().duplicated(["site", "start"])
    ]
    apart = [site for site in series.sites if (kinds == site).sum() > 1]
    said = [_APART.format(", ".join(apart))] if apart else []
    changes = changes[~changes["site"].isin(apart)]
    strata = series.cells.strata.astype("str")
    here = strata[strata["site"].isin(changes["site"])].merge(
        changes[["site", "group"]].drop_duplicates(), how="left", indicator="had"
    )
    without = set(here.loc[here["had"] == "left_only", "group"])
    groups = [group for group in series.groups if group in set(here["group"]) - without]
    if not groups:
        return None, pd.DataFrame(), [*said, _NOBODY]
    if without:
        said.append(_SOME.format(", ".join(groups)))
        series = series.select(group=groups)
    at = changes[changes["group"].isin(groups)].drop_duplicates(["site", "phase"])
    return series, at[["site", "start", "label", "reason"]].reset_index(drop=True), said


def changes_of(evaluation: ChangeEvaluation) -> pd.DataFrame:
    """Give the changes of an evaluation, one row a site, group and change."""
    table: pd.DataFrame = evaluation.method["changes"]
    return table.astype({"site": "str", "group": "str"})
