"""ChangeEvaluation: what happened after a change, for whom, and to which gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import pandas as pd

from qi_equity import _result
from qi_equity.change import saved, text
from qi_equity.change.study import Study, make_study
from qi_equity.data.reference import Reference
from qi_equity.data.series import StratifiedSeries

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qi_equity.change.sensitivity.result import Sensitivity

__all__ = ["ChangeEvaluation"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChangeEvaluation:
    """What happened after a change, for each group and each gap; what :func:`evaluate_change` returns.

    Changes are reckoned on the adverse outcome, so that a difference below 0 and a ratio below 1 are always
    improvements; rates and counts are as measured. All values are unscaled.

    Parameters
    ----------
    series : StratifiedSeries
        The outcome.
    options : mapping
        The arguments, as they were read.
    method : mapping
        What was done: model and terms, estimator, dates of the changes with their reasons, reference with its
        reason, what the model leaves out, version of the library.
    balancing_series : tuple of StratifiedSeries
        Measures that were checked for harm.
    process_series : StratifiedSeries or None
        The uptake of the change.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
    >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
    ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
    >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group")
    >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
    >>> evaluation
    <ChangeEvaluation 'Blood loss of 1500 ml or more': 2 strata, 1 change, ... notes>
    """

    series: StratifiedSeries
    options: Mapping[str, Any]
    method: Mapping[str, Any]
    balancing_series: tuple[StratifiedSeries, ...]
    process_series: StratifiedSeries | None
    _groups: pd.DataFrame
    _gaps: pd.DataFrame
    _homogeneity: pd.DataFrame
    _balancing: pd.DataFrame
    _process: pd.DataFrame
    _notes: pd.DataFrame

    def __post_init__(self) -> None:
        for name in ("options", "method"):
            object.__setattr__(self, name, MappingProxyType(dict(getattr(self, name))))

    @property
    def study(self) -> Study:
        """The arrays that the evaluation is reckoned from, laid out anew.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.study.events.shape
        (2, 24)
        """
        reference = Reference(**self.options["reference"])
        return make_study(self.series, self.options["at"], reference, self.options["phase_in"])

    @property
    def groups(self) -> pd.DataFrame:
        """What happened to each stratum: one row a stratum and change.

        Returns
        -------
        pandas.DataFrame
            ``site`` (if any), ``group``, further strata, ``change`` (from 1), ``at`` (first period with the
            change); ``events, births, unrecorded`` and ``rate``, each ``_before`` and ``_after``, as measured;
            ``difference, ratio, odds_ratio`` (after against before, adverse), each with ``_lower`` and
            ``_upper``; ``p``, ``family_p`` (Holm, over the strata that the aim declares); ``smallest_detectable``
            (the smallest ratio that these births could have shown with 80 % power, NaN where none);
            ``verdict``, ``family_verdict``, ``beyond_trend`` (yes, no, cannot tell: does the step stand apart
            from trend and season?), ``arrived`` (did the uptake rise? yes, no, cannot tell, not given);
            ``births_needed, periods_needed`` (still needed to show a meaningful change; infinite where the
            births before are too few); ``exploratory``; ``dispersion, df, estimator``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.groups.loc[0, ["verdict", "family_verdict", "estimator"]].tolist()
        ['improved', 'improved', 'quasi-binomial']
        """
        return self._groups.copy()

    @property
    def gaps(self) -> pd.DataFrame:
        """What happened to each gap: one row a stratum, change and scale.

        Returns
        -------
        pandas.DataFrame
            The strata, ``reference, change, at, scale`` (difference, ratio, odds ratio); ``gap_before`` (as it
            would have been without the change: with a level model, as it was), ``gap_after``, ``gap_change``
            (difference of the differences, ratio of the ratios), each with ``_lower`` and ``_upper``;
            ``verdict``. A positive difference and a ratio above 1 are worse for the group.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.gaps.loc[1, ["scale", "gap_before", "gap_after", "verdict"]].round(2).tolist()
        ['ratio', 2.4, 1.07, 'narrowed']
        """
        return self._gaps.copy()

    @property
    def homogeneity(self) -> pd.DataFrame:
        """Whether the changes of all groups of a place are the same: Cochran's Q of the log ratios.

        Returns
        -------
        pandas.DataFrame
            Place (site and further strata), ``change, groups, q, df, p``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> bool(evaluation.homogeneity.loc[0, "p"] < 0.01)
        True
        """
        return self._homogeneity.copy()

    @property
    def balancing(self) -> pd.DataFrame:
        """What happened to the balancing measures: one row a measure, stratum and change; may be empty.

        Returns
        -------
        pandas.DataFrame
            ``measure``, strata, ``change, at, rate_before, rate_after, ratio`` with its interval, ``verdict``,
            ``smallest_detectable``. "worsened" is harm; "not yet visible" is no proof of safety.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> len(evaluation.balancing)
        0
        """
        return self._balancing.copy()

    @property
    def process(self) -> pd.DataFrame:
        """Whether the change arrived: its uptake by stratum and change; may be empty.

        Returns
        -------
        pandas.DataFrame
            Strata, ``change, at, rate_before, rate_after, ratio`` with its interval, ``verdict, arrived``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> len(evaluation.process)
        0
        """
        return self._process.copy()

    @property
    def notes(self) -> pd.DataFrame:
        """What the reader must be told: ``code, severity, site, group``, further strata, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> "reference_had_the_change" in evaluation.notes["code"].tolist()
        True
        """
        return self._notes.copy()

    def sentence(self) -> str:
        """Say in words what was seen, for whom, of which gaps, and what could not be seen.

        Returns
        -------
        str
            From the same numbers as the tables; it does not say what caused anything.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.sentence()[:80]
        'Blood loss of 1500 ml or more, after the change of 2024-01: lower than before; b'
        """
        return text.sentence(self)

    def sensitivity(
        self,
        *,
        leave_out: int = 3,
        standardise: str | Sequence[str] | None = None,
        placebo: bool = True,
    ) -> Sensitivity:
        """Ask whether each verdict stands under other models, without the first months, and at fake dates.

        Parameters
        ----------
        leave_out : int
            Periods after the change to leave out in one of the analyses.
        standardise : str or sequence of str, optional
            Further strata whose mix is held fixed in one of the analyses.
        placebo : bool
            Whether to run placebos in time and in space.

        Returns
        -------
        Sensitivity
            ``table``, ``placebo``, ``checks``, ``sentence()``.

        Raises
        ------
        OptionError
            If an option is not allowed.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> sorted(evaluation.sensitivity().table["analysis"].unique())[:2]
        ['level', 'rho 0.0']
        """
        from qi_equity.change.sensitivity.run import run_sensitivity

        return run_sensitivity(self, leave_out=leave_out, standardise=standardise, placebo=placebo)

    def counterfactual(self) -> pd.DataFrame:
        """Give observed points beside the fitted line and the line that there would have been without the change.

        Returns
        -------
        pandas.DataFrame
            One row a stratum and period: strata, ``period, segment`` (0 before the first change; -1 left out),
            ``numerator, denominator, observed``, then ``fitted`` and ``counterfactual``, each with ``_lower``
            and ``_upper``; rates as measured. The counterfactual is that without any change, NaN before the
            first.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.counterfactual().loc[23, ["fitted", "counterfactual"]].round(3).tolist()
        [0.053, 0.12]
        """
        from qi_equity.change.counterfactual import counterfactual_frame

        return counterfactual_frame(self)

    def terms(self) -> pd.DataFrame:
        """Give the coefficients of the regression of every stratum, on the scale of the link.

        Returns
        -------
        pandas.DataFrame
            Strata, ``term, estimate, se, lower, upper, df, dispersion``; ``term`` as in ``method["terms"]``. Of
            adverse log odds, log rates, or means. NaN where the regression has no solution.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.terms().loc[1, ["term", "estimate"]].tolist()
        ['step 1', -0.88...]
        """
        from qi_equity.change.terms import terms_frame

        return terms_frame(self)

    def plot(
        self,
        *,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
    ) -> Figure:
        """Draw observed points with fitted and counterfactual lines by group; see :mod:`qi_equity.plot.change`.

        Parameters
        ----------
        order : str or sequence of str
            How the groups are ordered.
        columns : int, optional
            Panels in a row.
        colours : str
            Palette.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> type(evaluation.plot()).__name__
        'Figure'
        """
        from qi_equity.plot.change import plot_change

        return plot_change(self, order=order, columns=columns, colours=colours)

    def plot_effects(
        self, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible"
    ) -> Figure:
        """Draw the change of each group and gap, as ratio and difference; see :mod:`qi_equity.plot.change`.

        Parameters
        ----------
        order : str or sequence of str
            How the groups are ordered.
        colours : str
            Palette.

        Returns
        -------
        matplotlib.figure.Figure
            The figure.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> type(evaluation.plot_effects()).__name__
        'Figure'
        """
        from qi_equity.plot.change import plot_effects

        return plot_effects(self, order=order, colours=colours)

    def alt_text(self) -> pd.DataFrame:
        """Describe each stratum in words, for those who do not see the figures.

        Returns
        -------
        pandas.DataFrame
            Strata, ``change``, ``text``.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.alt_text().loc[0, "text"][:58]
        '12 % before, 5.33 % after, ratio 0.44 (0.29 to 0.68): lowe'
        """
        keys = [*self.series.cells.strata.columns, "change"]
        texts = [text.row_text(self, row) for row in self._groups.itertuples()]
        return self._groups[keys].assign(text=pd.Series(texts, dtype="str"))

    def disclose(self, rule: Any, *, margins: Any = None, protect: int | None = None) -> ChangeEvaluation:
        """Give the evaluation as it may leave: made anew from the counts that the rule lets out.

        Parameters
        ----------
        rule : SuppressionRule or str
            The rule, or its name. It is applied to every period.
        margins : optional
            Sums that are published with the series; see :meth:`StratifiedSeries.disclose`.
        protect : int, optional
            Fewest whole numbers an outsider may be left with for a protected count. Default: the rule's.

        Returns
        -------
        ChangeEvaluation
            Reckoned from the disclosed periods only.

        Raises
        ------
        OptionError
            If the rule cannot be kept.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.disclose("dqmi").groups["events_before"].tolist()
        [..., ...]
        """
        from qi_equity.change.evaluate import evaluated

        def out(series: StratifiedSeries) -> StratifiedSeries:
            return series.disclose(rule, margins=margins, protect=protect)

        uptake = None if self.process_series is None else out(self.process_series)
        return evaluated(out(self.series), self.options, tuple(map(out, self.balancing_series)), uptake)

    def to_dict(self) -> dict[str, Any]:
        """Turn the evaluation into JSON; :meth:`from_dict` gives it back without computing anything anew.

        Returns
        -------
        dict
            Versioned; holds the series, the options, the tables, the method and the notes.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.to_dict()["type"]
        'ChangeEvaluation'
        """
        return saved.to_dict(self)

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> ChangeEvaluation:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned, possibly through JSON.

        Returns
        -------
        ChangeEvaluation
            Equal to the original.

        Raises
        ------
        DataError
            If the data hold something else, or a format that this version does not read.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> qe.ChangeEvaluation.from_dict(evaluation.to_dict()).equals(evaluation)
        True
        """
        return saved.from_dict(cls, data)

    def equals(self, other: object) -> bool:
        """Say whether another evaluation holds the same data, options, tables, method and notes.

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
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.equals(qe.evaluate_change(series, "2024-02", reference="White"))
        False
        """
        return isinstance(other, ChangeEvaluation) and self.to_dict() == other.to_dict()

    def __repr__(self) -> str:
        strata, changes = len(self.series.cells.strata), int(self._groups["change"].max())
        return (
            f"<ChangeEvaluation {self.series.measure.name!r}: {strata} strata, {changes} change"
            f"{'s' if changes > 1 else ''}, {len(self._notes)} notes>"
        )

    def _repr_html_(self) -> str:
        parts = [f"<h4>{escape(self.series.measure.name)}: evaluation of a change</h4>"]
        parts.append(f"<p>{escape(self.sentence())}</p>")
        parts.append(_result.frame_html(self._groups, "one row a stratum and change"))
        parts.append(_result.frame_html(self._gaps, "one row a gap, change and scale"))
        parts.append(f"<p><b>Notes: {len(self._notes)}</b></p>")
        parts.append(_result.frame_html(self._notes.drop(columns="code"), "no note"))
        return f"<div>{''.join(parts)}</div>"
