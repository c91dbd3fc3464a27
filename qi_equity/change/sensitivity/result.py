"""Sensitivity: whether each verdict stands, and what else could have made it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from qi_equity import _result
from qi_equity.change.result import ChangeEvaluation
from qi_equity.change.sensitivity import text
from qi_equity.errors import DataError
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Sensitivity"]

_FORMAT = 1
_TABLES = ("table", "placebo", "fake_dates", "checks")


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class Sensitivity:
    """Whether each verdict stands under other models and at fake dates, and what else moved at the same date.

    What :meth:`ChangeEvaluation.sensitivity` returns. Nothing here says what caused a change.

    Parameters
    ----------
    evaluation : ChangeEvaluation
        What was asked about.
    method : mapping
        What was done.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births")
    >>> qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity()
    <Sensitivity 'Postpartum haemorrhage of 1500 ml or more': 1 stratum, 12 analyses, 6 checks, ... notes>
    """

    evaluation: ChangeEvaluation
    method: Mapping[str, Any]
    _table: pd.DataFrame
    _placebo: pd.DataFrame
    _fake_dates: pd.DataFrame
    _checks: pd.DataFrame
    _notes: pd.DataFrame

    def __post_init__(self) -> None:
        object.__setattr__(self, "method", MappingProxyType(dict(self.method)))

    @property
    def table(self) -> pd.DataFrame:
        """The change by every analysis: one row a stratum, change and analysis.

        Returns
        -------
        pandas.DataFrame
            Strata (text; "All" in a column that was standardised for), ``change, at, analysis``; ``ratio``
            (after against before, adverse) with ``ratio_lower, ratio_upper``, ``p``, ``verdict``; ``stands``:
            "yes" (the verdict that was evaluated), "weaker" (no longer visible), "stronger" (visible only
            here), "no" (another verdict), "cannot tell"; ``reason`` why there is no number, else empty.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> table = qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().table
        >>> table.loc[table["analysis"] == "rho 0.6", ["verdict", "stands"]].values.tolist()
        [['improved', 'yes']]
        """
        return self._table.copy()

    @property
    def placebo(self) -> pd.DataFrame:
        """How large a change looks where nothing was done: one row a stratum, kind and model; may be empty.

        Returns
        -------
        pandas.DataFrame
            Strata (text), ``kind`` ("time", or "space" with several sites), ``analysis`` (the model),
            ``before, after`` (periods compared on each side), ``fakes`` (fake dates, or other sites),
            ``as_large`` (of these, how many look as large as the real change in the same windows), ``share``,
            ``told_apart`` (how many would be called a change), ``p`` and ``smallest_p`` (in space only: rank
            among the sites, and what it is at least), ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2022-01", periods=36, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9, 8] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> placebo = qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().placebo
        >>> placebo.loc[0, ["before", "after", "fakes", "as_large"]].tolist()
        [8, 8, 9, 0]
        """
        return self._placebo.copy()

    @property
    def fake_dates(self) -> pd.DataFrame:
        """Every fake date: one row a stratum, model and date; may be empty.

        Returns
        -------
        pandas.DataFrame
            Strata (text), ``analysis`` (the model), ``at`` (first period after the fake date), ``ratio`` with
            ``ratio_lower, ratio_upper``, ``told_apart``, ``as_large``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2022-01", periods=36, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9, 8] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> dates = qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().fake_dates
        >>> str(dates.loc[0, "at"].date()), bool(dates.loc[0, "told_apart"])
        ('2022-09-01', False)
        """
        return self._fake_dates.copy()

    @property
    def checks(self) -> pd.DataFrame:
        """What else moved at the date of the change: one row a check, stratum (or place) and change.

        Returns
        -------
        pandas.DataFrame
            Strata (text; no group for what is of a place), ``change, at, check``; ``before, after`` (shares,
            or births a period), ``ratio`` (after over before), ``p`` (Holm over the strata; for the start
            after the worst periods: the chance of such a rank), ``jumped`` ("yes", "drifted", "no", "cannot
            tell"), ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": [70, 80] * 12})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> checks = qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().checks
        >>> checks.set_index("check").loc["births a period", ["after", "jumped"]].astype(str).tolist()
        ['75.0', 'no']
        """
        return self._checks.copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> notes = qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().notes
        >>> "fake_dates_overlap" in notes["code"].tolist()
        True
        """
        return self._notes.copy()

    def sentence(self) -> str:
        """Say in words whether each verdict stands, where it does not, and what else moved.

        Returns
        -------
        str
            From the same numbers as the tables; it does not say what caused anything.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().sentence()[43:84]
        '"improved" for All: it stands in 8 of 9 o'
        """
        return text.sentence(self)

    def plot(
        self,
        *,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
    ) -> Figure:
        """Draw the change by every analysis with its interval, one panel a stratum.

        Parameters
        ----------
        order : {"alphabetical", "declared"} or sequence of str
            How the groups are ordered; the reason stands in the footnote.
        columns : int, optional
            Panels in a row, 1 to 3. Default: at most 2.
        colours : {"accessible", "making_data_count"}
            Palette; groups have no colours of their own.

        Returns
        -------
        matplotlib.figure.Figure
            The figure; its label is the description in words.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> type(qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().plot()).__name__
        'Figure'
        """
        from qi_equity.plot.sensitivity import plot_sensitivity

        return plot_sensitivity(self, order=order, columns=columns, colours=colours)

    def to_dict(self) -> dict[str, Any]:
        """Turn the result into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the evaluation, the tables, the method and the notes.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity().to_dict()["type"]
        'Sensitivity'
        """
        return {
            **_result.header("Sensitivity", _FORMAT),
            "evaluation": self.evaluation.to_dict(),
            "method": _result.to_json(dict(self.method)),
            "tables": {name: _result.to_json(getattr(self, f"_{name}")) for name in _TABLES},
            "notes": _result.to_json(self._notes),
        }

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Sensitivity:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        Sensitivity
            Equal to the original.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> from qi_equity.change.sensitivity.result import Sensitivity
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> found = qe.evaluate_change(series, "2024-01", reference=0.05).sensitivity()
        >>> Sensitivity.from_dict(found.to_dict()).equals(found)
        True
        """
        _result.check_header(data, "Sensitivity", _FORMAT)
        try:
            return cls(
                evaluation=ChangeEvaluation.from_dict(data["evaluation"]),
                method=_result.from_json(data["method"]),
                **{f"_{name}": _result.frame_from_json(data["tables"][name]) for name in _TABLES},
                _notes=_result.notes([_result.frame_from_json(data["notes"])]),
            )
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
            raise DataError(
                f"These are not the data of a Sensitivity ({type(error).__name__}: {error}). "
                "Give what to_dict() of one returned."
            ) from error

    def equals(self, other: object) -> bool:
        """Say whether another result holds the same evaluation, tables, method and notes.

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
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months, "pph": [9] * 12 + [4] * 12, "births": 75})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference=0.05)
        >>> evaluation.sensitivity().equals(evaluation.sensitivity(leave_out=2))
        False
        """
        return isinstance(other, Sensitivity) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        analyses, checks = self._table["analysis"].nunique(), self._checks["check"].nunique()
        count = len(self.evaluation.series.cells.strata)
        strata = plural(count, "stratum", "strata")
        return (
            f"<Sensitivity {self.evaluation.series.measure.name!r}: {strata}, "
            f"{analyses} analyses, {checks} checks, {len(self._notes)} notes>"
        )

    def _repr_html_(self) -> str:
        parts = [f"<h4>{escape(self.evaluation.series.measure.name)}: does the verdict stand?</h4>"]
        parts.append(f"<p>{escape(self.sentence())}</p>")
        for name, what in zip(_TABLES, ("analyses", "placebos", "fake dates", "checks"), strict=True):
            if name != "fake_dates":
                parts.append(_result.frame_html(getattr(self, f"_{name}"), what))
        parts.append(f"<p><b>Notes: {len(self._notes)}</b></p>")
        parts.append(_result.frame_html(self._notes.drop(columns="code"), "notes"))
        return f"<div>{''.join(parts)}</div>"
