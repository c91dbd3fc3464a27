"""The tables of an evaluation, and what they were made from."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import pandas as pd

from qi_equity.change.study import Study, make_study
from qi_equity.data.reference import Reference
from qi_equity.data.series import StratifiedSeries

__all__ = ["EvaluationFrames"]


@dataclass(frozen=True, slots=True, eq=False, repr=False)
class EvaluationFrames:
    """What an evaluation holds, and its frames; see :class:`ChangeEvaluation`."""

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
            change, NaT where none is recorded); ``events, births, unrecorded`` and ``rate``, each ``_before``
            and ``_after``, as measured; ``difference, ratio, odds_ratio`` (after against before, adverse),
            each with ``_lower`` and ``_upper``; ``p``, ``family_p`` (Holm, over the strata that the aim
            declares); ``smallest_detectable`` (the ratio nearest to 1 that these births could have shown
            with 80 % power, NaN where none); ``verdict``, ``family_verdict``, ``beyond_trend``
            (yes, no, cannot tell: does the step stand apart from trend and season?), ``arrived`` (did the
            uptake rise? yes, no, cannot tell, not given); ``births_needed, periods_needed`` (still needed to
            show a meaningful change with 80 % power; 0 where there are enough, infinite where the births
            before are too few, NaN where it is visible already, where another change came since, where a
            model with a trend or season would take more than 120 periods, and for means); ``exploratory``;
            ``dispersion, df, estimator``.

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
            The strata, ``reference, change, at, scale`` (difference, ratio and, for proportions, odds ratio);
            ``gap_before`` (as it would have been without the change: with a level model, as it was),
            ``gap_after``, ``gap_change`` (difference of the differences, ratio of the ratios), each with
            ``_lower`` and ``_upper``; ``verdict``. A positive difference and a ratio above 1 are worse for
            the group.

        Examples
        --------
        >>> import pandas as pd, qi_equity as qe
        >>> months = [*pd.period_range("2023-01", periods=24, freq="M").astype(str)]
        >>> rows = pd.DataFrame({"month": months * 2, "group": ["Black"] * 24 + ["White"] * 24,
        ...                      "pph": [9] * 12 + [4] * 12 + [15] * 24, "births": [75] * 24 + [300] * 24})
        >>> series = qe.from_counts(rows, qe.measures["pph_1500"], period="month", numerator="pph",
        ...                         denominator="births", group="group")
        >>> evaluation = qe.evaluate_change(series, "2024-01", reference="White")
        >>> evaluation.gaps.loc[1, ["gap_before", "gap_after"]].astype(float).round(2).tolist()
        [2.4, 1.07]
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
            ``measure``, strata, ``change, at, rate_before, rate_after, ratio`` with its interval,
            ``verdict, smallest_detectable``. "worsened" is harm; "not yet visible" is no proof of safety.

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

    def counterfactual(self) -> pd.DataFrame:
        """Give observed points beside the fitted line and the line as it would have been without the change.

        Returns
        -------
        pandas.DataFrame
            One row a stratum and period: strata, ``period, segment`` (0 before the first change; -1 left
            out), ``numerator, denominator, observed``, then ``fitted`` and ``counterfactual``, each with
            ``_lower`` and ``_upper``; rates as measured. The counterfactual is that without any change, NaN
            before the first.

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
            Strata, ``term, estimate, se, lower, upper, df, dispersion``; ``term`` as in
            ``method["terms"]``. Of adverse log odds, log rates, or means. NaN where the regression has no
            solution.

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
        ['step 1', np.float64(-0.88...)]
        """
        from qi_equity.change.terms import terms_frame

        return terms_frame(self)
