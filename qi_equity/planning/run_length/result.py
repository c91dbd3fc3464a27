"""RunLength: how many points a chart takes to signal."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

import pandas as pd

from qi_equity.planning.result import PlanningResult
from qi_equity.planning.run_length import text

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["RunLength"]


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class RunLength(PlanningResult):
    """How many points a chart takes to signal; what :func:`run_length` gives.

    ``table`` has one row for each stratum (of a chart) and change or shift:

    - the strata; ``kind`` of the chart; ``change`` (rate after over that before) of charts of counts, or
      ``shift`` (in standard errors) of charts of normal points; ``unit``: what a point is ("point", a
      period, "event" or "birth");
    - ``mean, median, lower, upper``: points to the first signal on average, and within which 50, 5 and 95 %
      of charts have signalled; infinite where that never comes, NaN where nothing can be said (``notes`` say
      why);
    - ``mean_months``: the mean in months, NaN where there is no time;
    - ``standard_error`` of the mean from simulation, 0 where there was none; ``how``: "exact", "quadrature",
      "lattice", "drawn lines" or "simulation", whose errors ``method["errors"]`` states.

    Parameters
    ----------
    series : StratifiedSeries or None
        What the chart is of; None for one that is only planned.
    options : mapping
        The arguments, as they were read.
    method : mapping
        What was done.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.run_length("western_electric", shift=[0, 1]).table["mean"].round(2).tolist()
    [91.75, 9.28]
    """

    TABLES: ClassVar[tuple[str, ...]] = ("table", "chances", "curve")

    @property
    def title(self) -> str:
        """What the result is of.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.run_length("shewhart").title
        "Run length, kind 'i', rules 'shewhart'"
        """
        return text.title(self)

    @property
    def chances(self) -> pd.DataFrame:
        """Chance of a signal within so many points, made afresh.

        One row for each row of ``table`` and number of points.

        Strata, ``kind, change, shift, unit, points, chance`` and its ``standard_error`` where it was drawn or
        simulated.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.run_length("shewhart", within=[12, 24]).chances["chance"].round(3).tolist()
        [0.032, 0.063]
        """
        return self._frames["chances"].copy()

    @property
    def curve(self) -> pd.DataFrame:
        """Points within which a signal comes with each chance from 0.01 to 0.99, made afresh.

        Strata, ``kind, change, shift, unit, chance, points``.

        Examples
        --------
        >>> import qi_equity as qe
        >>> curve = qe.run_length("shewhart").curve
        >>> curve.loc[curve["chance"] == 0.5, "points"].tolist()
        [257.0]
        """
        return self._frames["curve"].copy()

    def alt_text(self) -> str:
        """Describe the figure in words: when a signal comes in 5 %, half and 95 % of charts.

        Returns
        -------
        str
            From the same numbers as the table.

        Examples
        --------
        >>> import qi_equity as qe
        >>> print(qe.run_length("shewhart", shift=2).alt_text())
        Run length, kind 'i', rules 'shewhart'. A shift of 2 standard errors: 5 % of charts within 1 point,
        ...
        """
        return text.alt_text(self)

    def plot(self, *, order: str | Sequence[str] = "alphabetical", colours: str = "accessible") -> Figure:
        """Draw the chance of a signal against points; see :mod:`qi_equity.plot.run_length`.

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
        >>> import qi_equity as qe
        >>> type(qe.run_length("shewhart", shift=[0, 1]).plot()).__name__
        'Figure'
        """
        from qi_equity.plot.run_length import plot_run_length

        return plot_run_length(self, order=order, colours=colours)
