"""StratifiedSeries: counts by site, group and period, with the operations that sum or select them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Literal, Self

import pandas as pd

from qi_equity import _result, _validate
from qi_equity.data import completeness as _completeness
from qi_equity.data import periods as _periods
from qi_equity.data import regroup, selecting
from qi_equity.data import show as _show
from qi_equity.data.cells import Cells
from qi_equity.data.disclosure import apply as _apply
from qi_equity.data.disclosure import summed
from qi_equity.data.disclosure.margins import Key, Published
from qi_equity.data.disclosure.rule import SuppressionRule
from qi_equity.data.measure import Measure
from qi_equity.data.scheme import Scheme
from qi_equity.errors import DataError, InputTypeError

if TYPE_CHECKING:
    from qi_equity.data._standard import Standard
    from qi_equity.data.spans import Over
    from qi_equity.data.standardised import StandardisedRates

__all__ = ["StratifiedSeries", "check_series"]

_FORMAT = 2
_NEW_IN_FORMAT_2 = ("range", "expected", "cases")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class StratifiedSeries:
    """Counts (or values) of one measure by site, group and period, for all strata at once.

    Made by ``from_records``, ``from_counts`` and ``between_events``. Every declared group is present in
    declared order, those without births and those of women of unknown ethnicity too. Methods give new series.

    Parameters
    ----------
    measure : Measure
        What is measured.
    scheme : Scheme or None
        Where the groups come from; None for groups of the user's own.
    grouping : str or None
        The grouping of the scheme; None without a scheme, or when the groups were summed.
    every : {"day", "week", "month", "quarter", "year", "financial-year"}
        Length of a period.
    window : int
        Periods that one row covers; with more than 1, neighbouring rows share births.
    cells : Cells
        Counts as blocks of shape (strata, periods).
    method : mapping
        What was done to get here.
    published : Published, optional
        The margins published with a disclosed series; dropped where they do not belong to these cells.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> births = pd.DataFrame({"month": ["2024-01", "2024-02"], "pph": [3, 1], "births": [80, 75]})
    >>> series = qe.from_counts(
    ...     births, qe.measures["pph_1500"], period="month", numerator="pph", denominator="births"
    ... )
    >>> series.data["value"].round(4).tolist()
    [0.0375, 0.0133]
    """

    measure: Measure
    scheme: Scheme | None
    grouping: str | None
    every: str
    window: int
    cells: Cells
    method: Mapping[str, Any]
    _notes: pd.DataFrame
    published: Published | None = None

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", MappingProxyType(dict(self.method)))
        if self.published is not None and self.published.cells is not self.cells:
            object.__setattr__(self, "published", None)

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must know: columns ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "n": [3]})
        >>> series = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> series.notes.empty
        True
        """
        return self._notes.copy()

    @property
    def data(self) -> pd.DataFrame:
        """The series as a tidy frame, made afresh: changing it does not change the series.

        Returns
        -------
        pandas.DataFrame
            One row a stratum and period, with columns ``site`` (if any), ``group``, further strata,
            ``period`` (its first day; for times between events the date of the event), ``numerator``,
            ``denominator``, ``unrecorded`` (births whose outcome was not recorded), ``value`` (unscaled),
            ``sd``, ``status`` (observed, missing, suppressed, provisional). What is not known is NaN.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "n": [3]})
        >>> qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n").data
          group     period  numerator  denominator  unrecorded  value  sd    status
        0   All 2024-01-01        3.0          NaN         NaN    3.0 NaN  observed
        """
        return self.cells.frame()

    @property
    def sites(self) -> tuple[str, ...]:
        """Labels of the sites, in order; empty without sites.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"unit": ["North"], "month": ["2024-01"], "n": [3]})
        >>> count = qe.Measure("Calls", "count", None)
        >>> qe.from_counts(rows, count, period="month", numerator="n", site="unit").sites
        ('North',)
        """
        strata = self.cells.strata
        return tuple(strata["site"].cat.categories) if "site" in strata else ()

    @property
    def groups(self) -> tuple[str, ...]:
        """Labels of the groups, in declared order.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "n": [3]})
        >>> qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n").groups
        ('All',)
        """
        return tuple(self.cells.strata["group"].cat.categories)

    @property
    def periods(self) -> tuple[str, ...]:
        """Labels of the periods, in order; for times between events those of all the events.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [3, 5]})
        >>> qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n").periods
        ('2024-01', '2024-02')
        """
        every: Any = self.every
        return tuple(_periods.labels(self.cells.dates, every))

    def total(self) -> StratifiedSeries:
        """Sum over the groups, those with unknown ethnicity too; sites and further strata stay.

        Returns
        -------
        StratifiedSeries
            With the one group "All groups". Counts are summed, never rates averaged; means and standard
            deviations are combined exactly. A sum with a suppressed part is suppressed; missing parts are
            left out, which ``notes`` says.

        Raises
        ------
        OptionError
            If groups overlap (a woman would count more than once), or for times between events.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "area": ["East", "West"], "n": [3, 5]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", group="area")
        >>> series.total().data["numerator"].tolist()
        [8.0]
        """
        return summed.published_sum(self, {"step": "total"}, lambda: regroup.total(self))

    def pool(self, over: str | Sequence[str] = "site") -> StratifiedSeries:
        """Sum over sites, or over further strata; the groups stay.

        Parameters
        ----------
        over : str or sequence of str
            "site", or columns named in ``by=``.

        Returns
        -------
        StratifiedSeries
            Without those columns; the sums follow the rules of :meth:`total`.

        Raises
        ------
        OptionError
            If there is no such column, or for times between events.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"] * 2, "unit": ["North", "South"], "n": [3, 5]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="month", numerator="n", site="unit")
        >>> series.pool("site").data["numerator"].tolist()
        [8.0]
        """
        step = {"step": "pool", "over": list(_validate.names("over", over))}
        return summed.published_sum(self, step, lambda: regroup.pool(self, over))

    def collapse(self, grouping: str) -> StratifiedSeries:
        """Sum the groups into those of a coarser grouping of the scheme.

        Parameters
        ----------
        grouping : str
            One of ``series.scheme.groupings`` into which the present groups nest.

        Returns
        -------
        StratifiedSeries
            The sums follow the rules of :meth:`total`.

        Raises
        ------
        OptionError
            If the groups do not nest in that grouping, overlap or belong to no scheme, or for times between
            events.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "code": ["H", "J"], "x": [1, 2], "n": [30, 50]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "code"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], scheme="nhs-2001", **columns)
        >>> series.collapse("broad").select(group="Asian").data["denominator"].tolist()
        [80.0]
        """
        step = {"step": "collapse", "from": self.grouping, "to": grouping}
        return summed.published_sum(self, step, lambda: regroup.collapse(self, grouping))

    def resample(self, every: str) -> StratifiedSeries:
        """Sum periods into longer ones.

        Parameters
        ----------
        every : {"day", "week", "month", "quarter", "year", "financial-year"}
            Length of the new periods, in which the present ones must nest (weeks nest in nothing longer).

        Returns
        -------
        StratifiedSeries
            The sums follow the rules of :meth:`total`; ``notes`` names a first or last period that the data
            cover in part. Of overlapping windows those are kept that are exactly one new period.

        Raises
        ------
        OptionError
            If the periods do not nest, no window is exactly one new period, or for times between events.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02", "2024-03"], "n": [3, 5, 4]})
        >>> series = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> series.resample("quarter").data["numerator"].tolist()
        [12.0]
        """
        step = {"step": "resample", "from": self.every, "to": every}
        return summed.published_sum(self, step, lambda: regroup.resample(self, every))

    def select(
        self,
        *,
        group: str | Sequence[str] | None = None,
        site: str | Sequence[str] | None = None,
        start: str | date | None = None,
        end: str | date | None = None,
        where: Mapping[str, str | Sequence[str]] | None = None,
    ) -> StratifiedSeries:
        """Keep some groups, sites, further strata or periods.

        Parameters
        ----------
        group, site : str or sequence of str, optional
            Labels to keep. Default: all.
        start, end : str or date, optional
            Keep the periods from the one that holds ``start`` to the one that holds ``end``.
        where : mapping, optional
            Labels to keep of further strata: ``{"imd_quintile": ["1", "2"]}``.

        Returns
        -------
        StratifiedSeries
            In the same order as before.

        Raises
        ------
        OptionError
            If a label does not exist (the nearest is offered), a date cannot be read, or nothing is left.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [3, 5]})
        >>> series = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> series.select(start="2024-02-15").periods
        ('2024-02',)
        """
        chosen = selecting.select(self, group, site, start, end, where)
        asked = {"group": group, "site": site, "start": start, "end": end, "where": where}
        return summed.selected(self, chosen, asked)

    def completeness(
        self, *, by_period: bool = True, unknown: str | Sequence[str] | None = None
    ) -> pd.DataFrame:
        """Give the share of births with a known ethnic group.

        Parameters
        ----------
        by_period : bool
            One row for each period, or one for all periods together: then of those in which every group (of
            the site and further strata) that ever reports is reported, so that all groups count alike.
        unknown : str or sequence of str, optional
            Groups of women whose ethnicity is not known. Default: those of the scheme.

        Returns
        -------
        pandas.DataFrame
            Columns ``site`` (if any), further strata, ``period`` (NaT for all periods), ``births`` (with
            recorded outcome or without), ``known, not_stated, not_known, missing`` (shares, in [0, 1]) and
            ``n_known, n_not_stated, n_not_known, n_missing`` (births), ``n_periods`` (periods counted; for
            one period 1, or 0 if no group is reported). NaN where not reported, suppressed or not in the
            scheme; unknown groups of other names are under ``not_known``.

        Raises
        ------
        OptionError
            If the groups belong to no scheme and ``unknown`` is not given, the groups overlap, there are no
            births to count, or with ``by_period=False`` for overlapping windows.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "code": ["A", "Z"], "x": [1, 0], "n": [90, 10]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "code"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], scheme="nhs-2001", **columns)
        >>> series.completeness()[["births", "known", "not_stated"]].values.tolist()
        [[100.0, 0.9, 0.1]]
        """
        return _completeness.completeness(self, by_period, unknown)

    def unknown_bounds(self, *, unknown: str | Sequence[str] | None = None) -> pd.DataFrame:
        r"""Give the lowest and highest rate each group can have, whoever of the unknown women are in it.

        With :math:`x` events among the :math:`n` births of a group and :math:`x_u` among the :math:`n_u`
        births to women of unknown ethnicity, over the same periods:

        .. math:: \frac{x}{n + n_u - x_u} \le \text{rate} \le \frac{x + x_u}{n + x_u}

        The lowest is reached when just the unknown women without an event are in the group, the highest when
        just those with one are. A period counts for a group if it is reported and so is every unknown group
        (of the site and further strata) that ever reports; a suppressed count is reported; its sum is NaN.

        Parameters
        ----------
        unknown : str or sequence of str, optional
            Groups of women whose ethnicity is not known. Default: those of the scheme.

        Returns
        -------
        pandas.DataFrame
            One row for each known group (by site and further strata): ``events``, ``births``,
            ``unknown_events``, ``unknown_births``, ``rate_none`` (none of the unknown are in the group),
            ``rate_all`` (all are), ``lowest``, ``highest``, ``n_periods`` (periods counted); proportions in
            [0, 1], NaN where not known or suppressed. Births whose outcome was not recorded are in none of
            these.

        Raises
        ------
        OptionError
            If the measure is not a proportion, the groups belong to no scheme and ``unknown`` is not given,
            or groups or windows overlap.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 2, "code": ["K", "Z"], "x": [4, 2], "n": [90, 10]})
        >>> columns = {"period": "m", "numerator": "x", "denominator": "n", "group": "code"}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], scheme="nhs-2001", **columns)
        >>> series.unknown_bounds().loc[0, ["rate_none", "lowest", "highest"]].astype(float).round(4).tolist()
        [0.0444, 0.0408, 0.0652]
        """
        return _completeness.unknown_bounds(self, unknown)

    def standardise(
        self,
        by: str | Sequence[str],
        *,
        standard: Standard = "all",
        method: Literal["direct", "indirect"] = "direct",
        interval: Literal["dobson", "gamma", "ohid", "exact"] | None = None,
        over: Over = "period",
        merge: bool = False,
        confidence: float = 0.95,
    ) -> StandardisedRates:
        """Give the rates there would be with the case-mix of a standard.

        So that a change of who comes is not read as a change of care. With ``by="group"`` it is the total
        over a fixed mix of groups.

        Parameters
        ----------
        by : str or sequence of str
            Columns of the case-mix: some of those named in ``by=`` when the series was made, or "group".
        standard : str, mapping or pandas.DataFrame
            "all" (all groups over all periods) or one group, over all periods; or weights (for ``indirect``
            rates) by label, of several columns by tuple of labels; or a frame with the columns of the
            case-mix, ``denominator`` and, for ``indirect``, ``numerator``. Each label once.
        method : {"direct", "indirect"}
            ``direct``: the group's own rates, weighted by the standard's births. ``indirect``: events
            observed against those expected at the standard's rates, where a group is too small for rates of
            its own.
        interval : {"dobson", "gamma", "ohid", "exact"}, optional
            For ``direct`` "dobson" (OHID's, from 10 events) or "gamma" (of any number); for ``indirect``
            "ohid" (exact below 10 events, then Byar's) or "exact". Default: the first.
        over : {"period", "all"} or phases
            Spans of time: each period, all together, or dates where a new span starts.
        merge : bool
            Take the strata of the case-mix that some group lacks in some span together, with the smallest of
            the others if need be, alike for all. Only for ``direct``.
        confidence : float
            Level of confidence, in (0, 1).

        Returns
        -------
        StandardisedRates
            One row a stratum (without the case-mix) and span. Where a group lacks a stratum that the standard
            has there is no direct rate: ``reason`` and ``notes`` say so.

        Raises
        ------
        OptionError
            If an option is not allowed, the measure is neither a proportion nor a rate, the standard does not
            fit, or groups or windows that would be summed overlap.
        ColumnError, InputTypeError
            If the standard lacks a column or does not hold numbers.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame(
        ...     {
        ...         "month": ["2024-01"] * 2 + ["2024-02"] * 2,
        ...         "age": ["<35", "35+"] * 2,
        ...         "pph": [27, 18, 18, 36],
        ...         "births": [900, 300, 600, 600],
        ...     }
        ... )
        >>> columns = {"period": "month", "numerator": "pph", "denominator": "births", "by": ["age"]}
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], **columns)
        >>> series.standardise("age").table[["crude", "standardised"]].round(5).values.tolist()
        [[0.0375, 0.04125], [0.045, 0.04125]]
        """
        from qi_equity.data.standardise import standardise

        return standardise(self, by, standard, method, interval, over, merge, confidence)

    def disclose(
        self,
        rule: SuppressionRule | str,
        *,
        margins: str | Sequence[str] | None = None,
        protect: int | None = None,
    ) -> StratifiedSeries:
        """Give the series as it may leave: small counts withheld, so that nobody can work them out.

        Protected counts are withheld or marked and others rounded, as the rule says. Then everything that is
        published together, the series and its margins, is attacked as an outsider would, and more is withheld
        until each protected count is left with enough possible whole numbers, as little as can be found.
        Values come from the disclosed counts. Zeros are shown and never withheld for the sake of others.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or the name of one that :meth:`SuppressionRule.load` knows.
        margins : str or sequence of str, optional
            Sums that are published together with the series, in all combinations: "total" (over groups),
            "site" and further columns (pooled), groupings of the scheme, longer periods such as "year", and
            "all" (all periods together). Default: the total, and sums over sites and further columns.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        StratifiedSeries
            What is withheld is NaN with status "suppressed"; this series is not changed. ``total()``,
            ``pool()``, ``collapse()`` and ``resample()`` of it give the published margin where it was named,
            else the sum of the disclosed counts, which a withheld part withholds. ``method`` and ``notes``
            say what was done, and what the rule by itself would have left.

        Raises
        ------
        OptionError
            If the rule cannot be kept; for times between events, unless nothing is protected; for windows
            that overlap, margins that do not exist, or a series disclosed already.
        DataError
            If a count is no whole number.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 3, "area": ["A", "B", "C"], "n": [3, 40, 90]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="m", numerator="n", group="area")
        >>> series.disclose("strict-10").data[["numerator", "status"]].values.tolist()
        [[nan, 'suppressed'], [nan, 'suppressed'], [90.0, 'observed']]
        """
        return _apply.disclose(self, rule, margins, protect)

    @property
    def margins(self) -> pd.DataFrame:
        """The margins published with a disclosed series, as one tidy frame; empty of any other series.

        Returns
        -------
        pandas.DataFrame
            ``margin`` (such as "total + site"), then the columns of :attr:`data`; a column summed over holds
            "All".

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"m": ["2024-01"] * 3, "area": ["A", "B", "C"], "n": [3, 40, 90]})
        >>> calls = qe.Measure("Calls", "count", None)
        >>> series = qe.from_counts(rows, calls, period="m", numerator="n", group="area")
        >>> series.disclose("strict-10").margins[["margin", "group", "numerator"]].values.tolist()
        [['total', 'All groups', 133.0]]
        """
        published = self.published or Published(self.cells, Key(), ())
        return published.frame()

    def to_dict(self) -> dict[str, Any]:
        """Give the series as a dictionary that JSON can hold.

        Returns
        -------
        dict
            Versioned; :meth:`from_dict` reads it and gives back the same numbers.

        Examples
        --------
        >>> import json, pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "n": [3]})
        >>> series = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> json.loads(json.dumps(series.to_dict()))["type"]
        'StratifiedSeries'
        """
        margins = {} if self.published is None else {"published": self.published.to_dict()}
        return {
            **_result.header("StratifiedSeries", _FORMAT),
            "measure": self.measure.to_dict(),
            "scheme": None if self.scheme is None else self.scheme.to_dict(),
            "grouping": self.grouping,
            "every": self.every,
            "window": self.window,
            "cells": self.cells.to_dict(),
            "method": _result.to_json(self.method),
            "notes": _result.to_json(self.notes),
            **margins,
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the series that :meth:`to_dict` described.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, also after JSON.

        Returns
        -------
        StratifiedSeries
            Equal to the original.

        Raises
        ------
        DataError
            If the data are not those of a series.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "n": [3]})
        >>> series = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> qe.StratifiedSeries.from_dict(series.to_dict()).equals(series)
        True
        """
        data = _in_present_format(data)
        _result.check_header(data, "StratifiedSeries", _FORMAT)
        try:
            measure, cells = Measure.from_dict(data["measure"]), Cells.from_dict(data["cells"])
            margins = data.get("published")
            return cls(
                measure=measure,
                scheme=None if data["scheme"] is None else Scheme.from_dict(data["scheme"]),
                grouping=data["grouping"],
                every=_periods.check_every(data["every"]),
                window=_validate.whole_number("window", data["window"], at_least=1),
                cells=cells,
                method=_result.from_json(data["method"]),
                _notes=_result.notes([_result.from_json(data["notes"])]),
                published=None if margins is None else Published.from_dict(margins, cells),
            )
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"These are not the data of a series ({type(error).__name__}: {error}). "
                "Give what to_dict() of a series returned."
            ) from error

    def equals(self, other: object) -> bool:
        """Say whether another series is the same in every part: measure, groups, numbers, method and notes.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` is a series and all its parts are equal (NaN equals NaN).

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> rows = pd.DataFrame({"month": ["2024-01"], "n": [3]})
        >>> series = qe.from_counts(rows, qe.Measure("Calls", "count", None), period="month", numerator="n")
        >>> series.equals(series.total())
        False
        """
        if not isinstance(other, StratifiedSeries) or not self.cells.equals(other.cells):
            return False
        if (self.published or other.published) and not (
            self.published is not None and self.published.equals(other.published)
        ):
            return False
        mine, theirs = (replace(s, cells=s.cells.take(slice(0), slice(0))).to_dict() for s in (self, other))
        return mine == theirs

    def __repr__(self) -> str:
        return _show.series_text(self)

    def _repr_html_(self) -> str:
        return _show.series_html(self)


def _in_present_format(data: Any) -> Any:
    """Turn what format 1 saved into format 2; it knew no ranges and nothing that was expected."""
    if not isinstance(data, Mapping) or (data.get("type"), data.get("format")) != ("StratifiedSeries", 1):
        return data
    cells = data.get("cells")
    added = {"cells": dict.fromkeys(_NEW_IN_FORMAT_2) | dict(cells)} if isinstance(cells, Mapping) else {}
    return {**data, **added, "format": _FORMAT}


def check_series(series: object) -> StratifiedSeries:
    """Return the series, or say what to make one with.

    Raises
    ------
    InputTypeError
        If it is something else.
    """
    if not isinstance(series, StratifiedSeries):
        raise InputTypeError(
            f"series is of type {type(series).__name__}; make a StratifiedSeries with from_records, "
            "from_counts or between_events."
        )
    return series
