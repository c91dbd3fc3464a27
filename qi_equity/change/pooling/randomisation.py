"""Would other start dates of the same sites have shown as much? A randomisation test."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity.change.pooling.layout import Layout, layout_of
from qi_equity.change.pooling.one_stage import family_of
from qi_equity.change.pooling.stepped_wedge import (
    check_staggered,
    period_effects,
    sides_by_time,
    without_change,
)
from qi_equity.change.result import ChangeEvaluation
from qi_equity.change.study import REVERSED, Study
from qi_equity.data.cells import Floats, Ints
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["RandomisationTest", "randomisation_test"]

_NOTE = (
    "Valid only where it was drawn by lot which site starts when. The smallest p that {} can give is {:.3g}."
)


@dataclass(frozen=True, slots=True, eq=False)
class RandomisationTest:
    """Whether other start dates of the same sites would have shown as much.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a group: group, further strata, ``statistic`` (the step in one Newton step from no change: a
        logarithm, adverse), ``p`` (two-sided; NaN where there is nothing to test).
    assignments : int
        Number of distinct ways to give these start dates to these sites.
    drawn : int
        How many of them were looked at, the real one among them; all, where there are few enough.
    smallest_p : float
        Smallest p that can come out.
    note : str
        When it is valid.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> start = {"A": 6, "B": 12, "C": 18}
    >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, 6 - 3 * (m >= start[s]), 60)
    ...         for m in range(24) for s in "ABC"]
    >>> frame = pd.DataFrame(rows, columns=["month", "site", "pph", "births"])
    >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", site="site")
    >>> at = pd.DataFrame({"site": ["A", "B", "C"], "start": ["2023-07", "2024-01", "2024-07"]})
    >>> found = randomisation_test(qe.evaluate_change(series, at, reference=0.1))
    >>> found.assignments, found.table["p"].round(3).tolist()
    (6, [0.167])
    """

    table: pd.DataFrame
    assignments: int
    drawn: int
    smallest_p: float
    note: str

    def equals(self, other: object) -> bool:
        """Say whether another test holds the same numbers and words.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if all is the same; NaN equals NaN.

        Examples
        --------
        >>> import pandas as pd
        >>> table = pd.DataFrame({"group": ["Black"], "statistic": [-0.5], "p": [0.1]})
        >>> one = RandomisationTest(table, 10, 10, 0.1, "")
        >>> one.equals(RandomisationTest(table, 10, 10, 0.1, "")), one.equals("other")
        (True, False)
        """
        names = ("assignments", "drawn", "smallest_p", "note")
        return (
            isinstance(other, RandomisationTest)
            and self.table.equals(other.table)
            and all(getattr(self, name) == getattr(other, name) for name in names)
        )


def randomisation_test(
    evaluation: ChangeEvaluation, *, draws: int = 2000, seed: int = 0
) -> RandomisationTest:
    r"""Test the change of each group by giving the start dates to the sites in all other ways.

    Without a change, counts are independent of who starts when, if that was drawn by lot. The statistic is
    the step of the stepped-wedge model in one Newton step from the model without a change,

    .. math:: b = \frac{A' (x - \hat\mu)}{A' M A}, \qquad
              M = W - W Z (Z' W Z)^{-1} Z' W

    with effects of sites and periods Z, weights W (variances over the dispersion of each site), and A telling
    who has started; p is the share of assignments with :math:`|b|` at least as large. Neither independence of
    months nor equal changes in all sites is needed for it to be valid.

    Parameters
    ----------
    evaluation : ChangeEvaluation
        Of one change that sites start at different times.
    draws : int
        Assignments to look at where there are more: the real one and random ones.
    seed : int
        Seed of the draws.

    Returns
    -------
    RandomisationTest
        ``table, assignments, drawn, smallest_p, note``.

    Raises
    ------
    InputTypeError
        If it is no evaluation.
    OptionError
        If the series has no sites, all start together, groups of a site start at different times, or the
        measure is a mean.

    References
    ----------
    .. [1] Edgington, Onghena. Randomization Tests, 4th ed. Chapman and Hall, 2007.
    .. [2] Wang, De Gruttola. The use of permutation tests for the analysis of parallel and stepped-wedge
       cluster-randomized trials. Statistics in Medicine 2017;36:2831-2843.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> start = {"A": 6, "B": 12, "C": 18}
    >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, 6 - 3 * (m >= start[s]), 60)
    ...         for m in range(24) for s in "ABC"]
    >>> frame = pd.DataFrame(rows, columns=["month", "site", "pph", "births"])
    >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", site="site")
    >>> at = pd.DataFrame({"site": ["A", "B", "C"], "start": ["2023-07", "2024-01", "2024-07"]})
    >>> randomisation_test(qe.evaluate_change(series, at, reference=0.1)).smallest_p
    0.16666666666666666
    """
    if not isinstance(evaluation, ChangeEvaluation):
        raise InputTypeError(
            f"evaluation is of type {type(evaluation).__name__}; give what evaluate_change() returned."
        )
    most = _validate.whole_number("draws", draws, at_least=1)
    rng = np.random.default_rng(_validate.whole_number("seed", seed))
    study = evaluation.study
    layout = layout_of(study)
    check_staggered(study, layout)
    # Whoever has started counts as started from that period on, also while the change was coming in.
    (events, births), _, _ = sides_by_time(study, layout, np.zeros(study.events.shape, dtype=np.int64))
    orders, number = assignments(_starts_of_sites(study, layout), most, rng)
    b = steps(study, events, births, orders)
    size = np.abs(b)
    with np.errstate(invalid="ignore"):
        p = np.where(np.isnan(b[:, 0]), np.nan, (size >= size[:, :1] * (1 - 1e-9)).mean(axis=1))
    way = -1.0 if study.way == REVERSED else 1.0
    smallest = 1 / min(number, len(orders))
    what = f"{number} ways to give these dates to these sites" if len(orders) == number else f"{most} draws"
    return RandomisationTest(
        layout.groups.assign(statistic=way * b[:, 0], p=p),
        number,
        len(orders),
        smallest,
        _NOTE.format(what, smallest),
    )


def _starts_of_sites(study: Study, layout: Layout) -> Floats:
    """Give the start of each site; never starting is -1."""
    starts = np.nan_to_num(layout.spread(study.schedule.starts)[:, 0], nan=-1.0)
    there = layout.row >= 0
    first = starts[there.argmax(axis=0), np.arange(there.shape[1])]
    if ((starts != first) & there).any():
        raise OptionError(
            "randomisation_test() gives start dates to whole sites, and groups of one site start at "
            "different times here; evaluate the groups one by one with series.select(group=...)."
        )
    return np.asarray(first)


def assignments(starts: Floats, most: int, rng: np.random.Generator) -> tuple[Floats, int]:
    """Give the starts of the sites under distinct assignments, the real one first, and how many there are.

    All of them where there are at most ``most``; else the real one and random ones.
    """
    kinds, counts = np.unique(starts, return_counts=True)
    number = math.factorial(len(starts)) // math.prod(math.factorial(int(k)) for k in counts)
    if number > most:
        drawn = [rng.permutation(starts) for _ in range(most - 1)]
        return np.array([starts, *drawn]), number
    found = kinds[_arrangements(counts)]
    real = (found == starts).all(axis=1)
    return np.concatenate([found[real], found[~real]]), number


def _arrangements(counts: Ints) -> Ints:
    """Give all distinct arrangements of kinds of which there are so many each, one a row."""
    made, left = np.zeros((1, 0), dtype=np.int64), counts[None]
    for _ in range(int(counts.sum())):
        row, kind = np.nonzero(left > 0)
        made = np.concatenate([made[row], kind[:, None]], axis=1)
        left = left[row] - (kind[:, None] == np.arange(len(counts)))
    return made


def steps(study: Study, events: Floats, births: Floats, orders: Floats) -> Floats:
    """Give the step of each group (G) under each assignment (P), shape (G, P); NaN where there is none."""
    family = family_of(study)
    time = np.arange(events.shape[-1])
    after = ((orders[..., None] >= 0) & (time >= orders[..., None])).astype(np.float64)
    block = period_effects(events, births, family)
    mean, dispersion = without_change(events, births, block, family)
    variance = births * mean * (1 - mean) if family == "binomial" else births * mean
    known = np.isfinite(variance) & ~np.isnan(events)
    weight = np.where(known, variance / dispersion[..., None], 0.0)
    residual = np.where(known, (events - births * mean) / dispersion[..., None], 0.0)
    shared = (block[..., None] == np.arange(block.max() + 1)).astype(np.float64)
    # Weighted sums over each site and each period effect, of the weights and of who has started.
    by_site, by_block = weight.sum(axis=-1), np.einsum("glt,gtb->glb", weight, shared)
    moments = np.block(
        [
            [by_site[:, :, None] * np.eye(by_site.shape[1]), by_block],
            [np.swapaxes(by_block, 1, 2), by_block.sum(axis=1)[:, :, None] * np.eye(shared.shape[2])],
        ]
    )
    started = np.concatenate(
        [np.einsum("glt,plt->gpl", weight, after), np.einsum("glt,plt,gtb->gpb", weight, after, shared)],
        axis=-1,
    )
    inverse = np.linalg.pinv(moments, hermitian=True)
    known_by = np.einsum("gpi,gij,gpj->gp", started, inverse, started)
    information = np.einsum("glt,plt->gp", weight, after) - known_by
    score = np.einsum("glt,plt->gp", residual, after)
    told = information > 1e-9 * np.maximum(weight.sum(axis=(1, 2))[:, None], 1e-300)
    return np.where(told, score / np.where(told, information, 1.0), np.where(told[:, :1], 0.0, np.nan))
