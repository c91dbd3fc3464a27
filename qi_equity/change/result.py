"""ChangeEvaluation: what happened after a change, for whom, and to which gaps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from qi_equity import _result
from qi_equity.change import saved, text
from qi_equity.change.frames import EvaluationFrames
from qi_equity.change.sentence import sentence
from qi_equity.data.series import StratifiedSeries
from qi_equity.spc.words import plural

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from qi_equity.change.sensitivity.result import Sensitivity
    from qi_equity.data.recorded_cycles import RecordedCycles

__all__ = ["ChangeEvaluation"]

# Columns of the groups in a notebook; the rest is in .groups.
_SHOWN = (
    "rate_before",
    "rate_after",
    "ratio",
    "ratio_lower",
    "ratio_upper",
    "verdict",
    "family_verdict",
    "beyond_trend",
    "births_needed",
)


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class ChangeEvaluation(EvaluationFrames):
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
    <ChangeEvaluation 'Postpartum haemorrhage of 1500 ml or more': 2 strata, 1 change, ... notes>
    """

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
        >>> print(evaluation.sentence())
        Postpartum haemorrhage of 1500 ml or more, after the change of 2024-01. Black: lower than before;
        beyond the earlier trend. White: no meaningful change. Gap to White: narrowed for Black.
        """
        return sentence(self)

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
            Periods after the change to leave out in one of the analyses; 0 for none.
        standardise : str or sequence of str, optional
            Columns of the strata (further ones, ``"group"`` or ``"site"``) whose mix is held as it was before
            the change in one of the analyses; the rows are those of the strata taken together.
        placebo : bool
            Whether to run placebos in time and in space.

        Returns
        -------
        Sensitivity
            ``table``, ``placebo``, ``fake_dates``, ``checks``, ``notes``, ``sentence()``, ``plot()``.

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
        ['as evaluated', 'level']
        """
        from qi_equity.change.sensitivity.run import run_sensitivity

        return run_sensitivity(self, leave_out=leave_out, standardise=standardise, placebo=placebo)

    def plot(
        self,
        *,
        order: str | Sequence[str] = "alphabetical",
        columns: int | None = None,
        colours: str = "accessible",
        cycles: RecordedCycles | None = None,
    ) -> Figure:
        """Draw observed points with fitted and counterfactual lines; see :mod:`qi_equity.plot.change`.

        Parameters
        ----------
        order : str or sequence of str
            How the groups are ordered.
        columns : int, optional
            Panels in a row.
        colours : str
            Palette.
        cycles : RecordedCycles, optional
            What holds PDSA cycles, such as a project: they are marked under the points of each group.

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

        return plot_change(self, order=order, columns=columns, colours=colours, cycles=cycles)

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
        >>> evaluation.alt_text().loc[1, "text"]
        '50 per 1000 before, 50 per 1000 after, ratio 1.00 (0.81 to 1.24): no meaningful change'
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
        told = (
            plural(strata, "stratum", "strata"),
            plural(changes, "change"),
            plural(len(self._notes), "note"),
        )
        return f"<ChangeEvaluation {self.series.measure.name!r}: {', '.join(told)}>"

    def _repr_html_(self) -> str:
        parts = [f"<h4>{escape(self.series.measure.name)}: evaluation of a change</h4>"]
        parts.append(f"<p>{escape(self.sentence())}</p>")
        keys = [*self.series.cells.strata.columns, "change", "at"]
        parts.append(_result.frame_html(self._groups[[*keys, *_SHOWN]], "one row a stratum and change"))
        shown = [c for c in self._gaps.columns if not c.startswith(("gap_before_", "gap_after_"))]
        parts.append(_result.frame_html(self._gaps[shown], "one row a gap, change and scale"))
        parts.append(f"<p><b>Notes: {len(self._notes)}</b></p>")
        parts.append(_result.frame_html(self._notes.drop(columns="code"), "no note"))
        return f"<div>{''.join(parts)}</div>"
