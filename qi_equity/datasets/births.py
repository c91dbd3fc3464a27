"""Synthetic births, one row a birth, with a known truth beside them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from qi_equity import _validate
from qi_equity._version import __version__
from qi_equity.datasets import _calibration as calibration
from qi_equity.datasets import _plan as plan
from qi_equity.datasets._draw import TERM_DAYS, draw
from qi_equity.datasets._options import site_names, whole_number
from qi_equity.datasets._truth import truth
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["SyntheticBirths", "births"]

SOURCE = (
    "Synthetic: drawn at random, no real patients. Rates and shares rest on the figures listed in .basis."
)

_FEWEST, _MOST = 1_000, 10_000_000
_FEWEST_MONTHS, _MOST_MONTHS = 2, 600


@dataclass(frozen=True, slots=True, eq=False)
class SyntheticBirths:
    """Synthetic births with the truth they were drawn from; what :func:`births` returns.

    Attributes
    ----------
    records : pandas.DataFrame
        One row a birth, in order of date; the columns are listed in :func:`births`. It is the frame itself,
        not a copy, because it can be large. ``records.attrs["synthetic"]`` and the column ``synthetic`` are
        True.
    truth : pandas.DataFrame
        One row a measure and group (and one for all groups together): ``group, measure, planted, change_date,
        rate_before, rate_after, relative_change, caused_change, recorded_rate_before, recorded_rate_after,
        expected_births_before, expected_births_after``. Rates are fractions of the births the measure applies
        to. ``relative_change`` is what happened to the true rate, ``caused_change`` the part that the change
        made at ``change_date`` caused: 0 for all that only looks like a change. ``recorded_rate_*`` are the
        rates to be expected among recorded births; they differ from the true ones only for
        ``change="recording"``. ``expected_births_*`` count all births the measure applies to, recorded or
        not: for ``depression_referred`` and ``depression_seen`` they exceed the rows of :meth:`records_for`
        by the share of women not recorded as asked about depression, of whom nobody can say whether the
        measure applies. Worked out from the rates, never from the records.
    basis : pandas.DataFrame
        What each number rests on: ``quantity, item, group, value, mark, rests_on``; ``mark`` is published
        (for that very group), computed (from published or quoted figures), definition or assumed. A figure
        published for other people than those it is used for here is marked assumed.
    source : str
        Says that the data are synthetic.
    method : dict
        The arguments, and the version of the library: the same again give the same data.

    Examples
    --------
    >>> import qi_equity as qe
    >>> made = qe.datasets.births(2000, change="helps-majority", seed=1)
    >>> made.source[:9]
    'Synthetic'
    >>> t = made.truth.query("measure == 'pph_1500' and group in ['Black', 'White']")
    >>> t.set_index("group")["caused_change"].round(2).to_dict()
    {'Black': 0.0, 'White': -0.3}
    """

    records: pd.DataFrame
    truth: pd.DataFrame
    basis: pd.DataFrame
    source: str
    method: dict[str, Any]

    def records_for(self, measure: str) -> pd.DataFrame:
        """Give the births that a measure is about, recorded or not.

        In ``records`` an event is null where it was not recorded and where it does not apply. Here only
        births are left to which it applies, so that a null means unrecorded. (Of a woman without a record of
        being asked about depression nobody can say whether a referral applies: she is left out there.)

        Parameters
        ----------
        measure : str
            Id of a measure, such as ``"preterm_birth"``.

        Returns
        -------
        pandas.DataFrame
            Rows of ``records``.

        Raises
        ------
        OptionError
            If there is no such measure in the records.

        Examples
        --------
        >>> import qi_equity as qe
        >>> made = qe.datasets.births(2000)
        >>> bool(made.records_for("preterm_birth")["plurality"].eq(1).all())
        True
        """
        _validate.one_of("measure", measure, plan.EVENTS)
        records = self.records
        single, live = records["plurality"] == 1, records["liveborn"]
        term = single & (records["gestation_days"] >= TERM_DAYS)
        applies = {
            "preterm_birth": single & live,
            "neonatal_death": live,
            "first_feed_breast_milk": live,
            "apgar_below_7": term & live,
            "tear_3_4": term & records["vaginal"],
            "gdm_screened": records["gdm_at_risk"],
            "depression_referred": records["depression_positive"].fillna(False),
            "depression_seen": records["depression_referred"].fillna(False),
        }
        return records[applies[measure].astype(bool)] if measure in applies else records

    def equals(self, other: object) -> bool:
        """Say whether another set of births is the same in every record.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` holds the same records, truth and arguments.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.datasets.births(1000, seed=7).equals(qe.datasets.births(1000, seed=7))
        True
        """
        return (
            isinstance(other, SyntheticBirths)
            and self.method == other.method
            and self.records.equals(other.records)
            and self.truth.equals(other.truth)
        )

    def __repr__(self) -> str:
        """Say what was made, never the rows."""
        made = {k: v for k, v in self.method.items() if k not in ("library", "sites", "synthetic")}
        return f"SyntheticBirths({', '.join(f'{k}={v!r}' for k, v in made.items())}): {self.source}"


def births(
    n: int = 20_000,
    *,
    sites: int | Sequence[str] = 3,
    start: str | date = "2022-01-01",
    months: int = 36,
    measure: str = "pph_1500",
    change: str | None = None,
    change_date: str | date | None = None,
    effect: float | None = None,
    seed: int = 0,
) -> SyntheticBirths:
    """Draw synthetic births with known rates for every ethnic group, and plant a change in one measure.

    Synthetic: no row is a real woman. Rates and shares of groups are calibrated to published English figures
    as far as there are any; ``basis`` says which, and what is assumed. All sites have the same rates and
    differ in size, in the mix of groups and in how often ethnicity is unknown. Given the group, outcomes do
    not depend on deprivation, parity or site, nor on each other beyond what their definitions require.

    Parameters
    ----------
    n : int
        Number of births (rows), 1,000 to 10,000,000. Twins are two rows of one woman and date.
    sites : int or sequence of str
        How many sites, or their names.
    start : str or datetime.date
        First month, as an ISO date ("2022-01-01" or "2022-01").
    months : int
        Number of months, 2 to 600.
    measure : str
        Id of the measure that the change acts on. ``pph_1500`` and ``pph_1000`` are read from one blood loss,
        so the other follows; ``gdm_diagnosed`` follows ``gdm_screened``.
    change : str, optional
        What is planted. Changes made at ``change_date``: "helps-all"; "helps-majority" (only the largest
        group gains); "closes-gap" (the known groups come nearer to the rate of the best of them). What only
        looks like a change: "season" (a yearly wave, at its worst three months before the date and best three
        months after: it looks like a change when the months around the date are compared, such as the three
        before with the three after; whole years before and after, as with the default dates, show next to
        none, and neither does ``truth``); "trend" (steady improvement from the first month on, nothing done);
        "case-mix" (the groups' shares drift, no group's rate changes); "recording" (events were missed or not
        recorded until the date, so the recorded rate rises while the true one stays).
    change_date : str or datetime.date, optional
        The date on which the change was made, or with which it will be credited. Default: two thirds into the
        months, at the start of a month.
    effect : float, optional
        Size of the change, above 0. Relative fall of the adverse rate ("helps-all", "helps-majority", default
        0.3; over the whole time in "trend", default 0.4); share of the gap that closes ("closes-gap", default
        1); height of the wave as a share of the rate ("season", default 0.3); share of all births that moves
        from the largest group to the one whose rate differs most ("case-mix", default 0.3: far more than the
        2.5 points a year seen in England); share of events missed before ("recording", default 0.3). Adverse
        is the event where fewer is better, its absence where more is better.
    seed : int
        Seed of the random numbers. The same arguments give the same data.

    Returns
    -------
    SyntheticBirths
        With ``records, truth, basis, source, method``. Columns of ``records``: ``woman`` (number), ``site``,
        ``date``, ``ethnicity`` (the mother's raw code of the scheme "nhs-2001", some with a local second
        character, ``Z``, ``99``, blank or null), ``imd_quintile`` (1 = most deprived), ``parity``,
        ``plurality``, ``gestation_days``, ``liveborn``, ``vaginal``, ``blood_loss_ml``, ``apgar_5min``,
        ``gdm_at_risk``, ``depression_positive``, then one boolean column for each measure, named by its id
        (null: not recorded, or not applicable; see :meth:`SyntheticBirths.records_for`), then ``synthetic``.

    Raises
    ------
    OptionError
        If a value is not allowed.
    InputTypeError
        If an argument is of a kind that cannot be used.

    References
    ----------
    The column ``rests_on`` of ``basis`` names the source of every figure.

    Examples
    --------
    >>> import qi_equity as qe
    >>> made = qe.datasets.births(5000, change="closes-gap", seed=3)
    >>> made.records.shape, bool(made.records["synthetic"].all())
    ((5000, 30), True)
    """
    settings = _check(n, sites, start, months, measure, change, change_date, effect, seed)
    planned = plan.make_plan(settings)
    records = draw(planned, settings)
    records.attrs.update(synthetic=True, source=SOURCE)
    return SyntheticBirths(
        records, truth(planned, settings), calibration.basis().copy(), SOURCE, _method(settings)
    )


def _check(
    n: int,
    sites: int | Sequence[str],
    start: str | date,
    months: int,
    measure: str,
    change: str | None,
    change_date: str | date | None,
    effect: float | None,
    seed: int,
) -> plan.Settings:
    n = whole_number("n", n, _FEWEST, _MOST)
    months = whole_number("months", months, _FEWEST_MONTHS, _MOST_MONTHS)
    first = _day("start", start)
    if first != first.astype("datetime64[M]"):
        raise OptionError(f"start={start!r} is not the first of a month; give a date such as '2022-01-01'.")
    _validate.one_of("measure", measure, plan.TARGETS)
    month = first.astype("datetime64[M]")
    default = (month + max(1, round(months * 2 / 3))).astype("datetime64[D]")
    changed = default if change_date is None else _day("change_date", change_date)
    end = (month + months).astype("datetime64[D]")
    if not first < changed < end:
        raise OptionError(
            f"change_date={str(changed)!r} is not inside the months; give a date after {first}, before {end}."
        )
    return plan.Settings(
        n, site_names(sites), first, months, measure, change, changed,
        _effect(change, effect, measure), _validate.whole_number("seed", seed),
    )  # fmt: skip


def _effect(change: str | None, effect: float | None, measure: str) -> float:
    if change is None:
        if effect is not None:
            raise OptionError(
                f"effect={effect!r} needs a change; give change as one of {', '.join(plan.CHANGES)}."
            )
        return 0.0
    _validate.one_of("change", change, plan.CHANGES)
    recorded = calibration.unrecorded()
    if change == "recording" and plan.FIELD.get(measure, measure) not in recorded:
        can = [t for t in plan.TARGETS if plan.FIELD.get(t, t) in recorded]
        raise OptionError(
            f"change='recording' cannot be planted in measure={measure!r}, which is always recorded here; "
            f"use one of {', '.join(can)}."
        )
    default, most = plan.EFFECT[change]
    return default if effect is None else _validate.number("effect", effect, above=0, at_most=most)


def _day(argument: str, value: str | date) -> np.datetime64:
    if not isinstance(value, str | date):
        raise InputTypeError(
            f"{argument}={value!r} is of type {type(value).__name__}; give a date or ISO text."
        )
    text = value if isinstance(value, str) else value.isoformat()[:10]
    try:
        # Words such as "today" would be read too, and give other data tomorrow.
        return np.datetime64(text if text[:1].isdigit() else "unreadable", "D")
    except ValueError:
        raise OptionError(
            f"{argument}={value!r} is not a date; give ISO text such as '2022-01-31'."
        ) from None


def _method(settings: plan.Settings) -> dict[str, Any]:
    return {
        "synthetic": True,
        "n": settings.n,
        "sites": settings.sites,
        "start": str(settings.start),
        "months": settings.months,
        "measure": settings.measure,
        "change": settings.change,
        "change_date": str(settings.change_date),
        "effect": settings.effect if settings.change else None,
        "seed": settings.seed,
        "library": f"qi_equity {__version__}",
    }
