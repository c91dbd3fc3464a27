"""The measures of inequality that there are: what each is, and for which groups and measures it is valid."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Literal

import pandas as pd

from qi_equity import _validate
from qi_equity.data.measure import Measure
from qi_equity.errors import OptionError

__all__ = ["CATALOGUE", "InequalityMeasure", "choose", "inequality_measures"]

_WHO = "Schlotheuber, Hosseinpoor 2022, Int J Environ Res Public Health 19:3697"

Unit = Literal["of the measure", "of the measure, squared", ""]
Valid = Literal["any groups", "ordered groups"]
Needs = Literal["", "direction", "reference", "proportion"]


@dataclass(frozen=True, slots=True)
class InequalityMeasure:
    """One measure of inequality.

    Parameters
    ----------
    id, name, formula : str
        Short code (that of the WHO toolkit, in small letters), full name, and definition: ``y`` is the value
        of a group, ``p`` its share of births, ``mu`` the mean weighted by births, ``r = y / mu``, ``R`` the
        rank at the middle of the group.
    unit : {"of the measure", "of the measure, squared", ""}
        Unit of the result, which is never multiplied.
    scale : {"absolute", "relative"}
        Whether it is about differences or about ratios.
    weighted : bool
        Whether groups count by their births.
    valid : {"any groups", "ordered groups"}
        What it may be asked of.
    default_for : tuple of str
        Given without being asked for: "unordered" groups, "ordered" groups, or both.
    needs : {"", "direction", "reference", "proportion"}
        What the series or call must have: a direction in which the measure is better, a reference that is
        named, values from 0 to 1.
    never_negative : bool
        Whether it is 0 (a ratio: 1) for groups that are alike and above it otherwise, so that chance alone
        lifts it.
    source : str
        Where it is defined.

    Examples
    --------
    >>> CATALOGUE["ti"].name
    'Theil index'
    """

    id: str
    name: str
    formula: str
    unit: Unit
    scale: Literal["absolute", "relative"]
    weighted: bool
    valid: Valid = "any groups"
    default_for: tuple[str, ...] = ("unordered",)
    needs: Needs = ""
    never_negative: bool = True
    source: str = _WHO


_BOTH: tuple[str, ...] = ("unordered", "ordered")
_ORDERED: tuple[str, ...] = ("ordered",)
_ASKED: tuple[str, ...] = ()
_WAGSTAFF = "Wagstaff 2005, Health Econ 14:429"
_ERREYGERS = "Erreygers 2009, J Health Econ 28:504"
_OHID = "Low, Low 2006, BMJ 332:967 (least squares, as OHID uses it)"

_ALL = (
    InequalityMeasure("d", "Difference", "y1 - y2", "of the measure", "absolute", False, default_for=_BOTH),
    InequalityMeasure("r", "Ratio", "y1 / y2", "", "relative", False, default_for=_BOTH),
    InequalityMeasure(
        "bgv", "Between-group variance", "sum p (y - mu)^2", "of the measure, squared", "absolute", True
    ),
    InequalityMeasure(
        "bgsd", "Between-group standard deviation", "sqrt(BGV)", "of the measure", "absolute", True
    ),
    InequalityMeasure("cov", "Coefficient of variation", "BGSD / mu", "", "relative", True),
    InequalityMeasure(
        "mdmu", "Mean difference from mean, unweighted", "mean |y - mu|", "of the measure", "absolute", False
    ),
    InequalityMeasure(
        "mdmw", "Mean difference from mean, weighted", "sum p |y - mu|", "of the measure", "absolute", True
    ),
    InequalityMeasure(
        "mdbu",
        "Mean difference from best, unweighted",
        "mean |y - y_best|",
        "of the measure",
        "absolute",
        False,
        needs="direction",
    ),
    InequalityMeasure(
        "mdbw",
        "Mean difference from best, weighted",
        "sum p |y - y_best|",
        "of the measure",
        "absolute",
        True,
        needs="direction",
    ),
    InequalityMeasure(
        "mdru",
        "Mean difference from reference, unweighted",
        "mean |y - y_ref|",
        "of the measure",
        "absolute",
        False,
        needs="reference",
    ),
    InequalityMeasure(
        "mdrw",
        "Mean difference from reference, weighted",
        "sum p |y - y_ref|",
        "of the measure",
        "absolute",
        True,
        needs="reference",
    ),
    InequalityMeasure("idisu", "Index of disparity, unweighted", "mean |y - mu| / mu", "", "relative", False),
    InequalityMeasure("idisw", "Index of disparity, weighted", "sum p |y - mu| / mu", "", "relative", True),
    InequalityMeasure("ti", "Theil index", "sum p r ln r", "", "relative", True),
    InequalityMeasure("mld", "Mean log deviation", "-sum p ln r", "", "relative", True),
    InequalityMeasure(
        "par",
        "Population attributable risk",
        "y_ref - mu",
        "of the measure",
        "absolute",
        True,
        default_for=_BOTH,
        needs="direction",
        never_negative=False,
    ),
    InequalityMeasure(
        "paf",
        "Population attributable fraction",
        "(y_ref - mu) / mu",
        "",
        "relative",
        True,
        default_for=_BOTH,
        needs="direction",
        never_negative=False,
    ),
    InequalityMeasure(
        "aci",
        "Absolute concentration index",
        "2 sum p y (R - 1/2)",
        "of the measure",
        "absolute",
        True,
        valid="ordered groups",
        default_for=_ORDERED,
        never_negative=False,
    ),
    InequalityMeasure(
        "rci",
        "Relative concentration index",
        "ACI / mu",
        "",
        "relative",
        True,
        valid="ordered groups",
        default_for=_ORDERED,
        never_negative=False,
    ),
    InequalityMeasure(
        "rci_wagstaff",
        "Concentration index, Wagstaff",
        "RCI / (1 - mu)",
        "",
        "relative",
        True,
        valid="ordered groups",
        default_for=_ORDERED,
        never_negative=False,
        needs="proportion",
        source=_WAGSTAFF,
    ),
    InequalityMeasure(
        "rci_erreygers",
        "Concentration index, Erreygers",
        "4 ACI",
        "",
        "absolute",
        True,
        valid="ordered groups",
        default_for=_ORDERED,
        never_negative=False,
        needs="proportion",
        source=_ERREYGERS,
    ),
    InequalityMeasure(
        "sii",
        "Slope index of inequality",
        "fit at rank 1 less fit at rank 0",
        "of the measure",
        "absolute",
        True,
        valid="ordered groups",
        default_for=_ORDERED,
        never_negative=False,
    ),
    InequalityMeasure(
        "rii",
        "Relative index of inequality",
        "fit at rank 1 over fit at rank 0",
        "",
        "relative",
        True,
        valid="ordered groups",
        default_for=_ORDERED,
        never_negative=False,
    ),
    InequalityMeasure(
        "sii_linear",
        "Slope index of inequality, linear",
        "straight line at rank 1 less at rank 0",
        "of the measure",
        "absolute",
        True,
        valid="ordered groups",
        default_for=_ASKED,
        never_negative=False,
        source=_OHID,
    ),
    InequalityMeasure(
        "rii_linear",
        "Relative index of inequality, linear",
        "straight line at rank 1 over at rank 0",
        "",
        "relative",
        True,
        valid="ordered groups",
        default_for=_ASKED,
        never_negative=False,
        source=_OHID,
    ),
)

CATALOGUE = {m.id: m for m in _ALL}


def inequality_measures() -> pd.DataFrame:
    """List the measures of inequality.

    Returns
    -------
    pandas.DataFrame
        One row a measure: ``id, name, formula, unit, scale, weighted, valid, default_for, needs,
        never_negative, source``.

    Examples
    --------
    >>> measures = inequality_measures().set_index("id")
    >>> measures.loc["mld", ["name", "formula", "valid"]].tolist()
    ['Mean log deviation', '-sum p ln r', 'any groups']
    """
    return pd.DataFrame([asdict(m) for m in _ALL]).assign(
        default_for=[" and ".join(m.default_for) for m in _ALL]
    )


def choose(
    measures: object, measure: Measure, *, ordered: bool, named: bool
) -> tuple[InequalityMeasure, ...]:
    """Give the measures asked for, or those that suit the groups.

    Parameters
    ----------
    measures : str, sequence of str or None
        Ids; None for the usual ones.
    measure : Measure
        What the series measures.
    ordered : bool
        Whether the order of the groups has a meaning.
    named : bool
        Whether a reference is named.

    Raises
    ------
    OptionError
        If one is unknown, or not valid for these groups or this measure.
    """
    if measures is None:
        kind = "ordered" if ordered else "unordered"
        wanted = tuple(m for m in _ALL if kind in m.default_for)
        return tuple(m for m in wanted if not _why_not(m, measure, ordered, named))
    ids = _validate.names("measures", measures)
    chosen = tuple(CATALOGUE[_validate.one_of("measures", i, tuple(CATALOGUE))] for i in ids)
    for m in chosen:
        if why := _why_not(m, measure, ordered, named):
            raise OptionError(f"measures={m.id!r} ({m.name}) is not possible: {why}.")
    if not chosen:
        raise OptionError(f"measures={measures!r} names none; give some of {', '.join(CATALOGUE)}.")
    return chosen


def _why_not(m: InequalityMeasure, measure: Measure, ordered: bool, named: bool) -> str:
    """Say why a measure cannot be had; empty if it can."""
    if m.valid == "ordered groups" and not ordered:
        return (
            "it ranks the groups from the most to the least disadvantaged, and these groups have no order; "
            "use measures for any groups (d, r, bgv, mdmw, ti, mld, ...), or an ordered scheme such as that "
            "of deprivation"
        )
    if m.needs == "direction" and measure.better is None and not named:
        return (
            f"{measure.name!r} has no direction, so no group is the best; name a reference, or use measures "
            "without a best group (bgv, mdmw, ti, ...)"
        )
    if m.needs == "direction" and m.id.startswith("mdb") and measure.better is None:
        return f"{measure.name!r} has no direction, so no group is the best; use mdru or mdrw"
    if m.needs == "reference" and not named:
        return "it needs a reference: name a group, or use mdbu or mdbw, which compare with the best one"
    if m.needs == "proportion" and measure.kind != "proportion":
        return f"it is for proportions, and {measure.name!r} is a {measure.kind}; use aci or rci"
    return ""
