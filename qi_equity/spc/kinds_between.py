"""Charts of rare events: the births or days between one and the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from qi_equity import _validate
from qi_equity.spc.kind import Constants, Distribution, Kind, Plots, check_ranges


@dataclass(frozen=True, slots=True)
class G(Kind):
    """A g chart: births (or whole days) from each event to the next.

    Parameters
    ----------
    limits : {"probability", "classical"}
        ``"probability"``: a gap signals when its tail probability under the geometric distribution is below
        0.00135; the centre line is the median of that distribution.
        ``"classical"``: mean plus and minus three standard deviations, about the median of the gaps. Its
        upper limit gives a false signal on 1.8 % of points.
    smallest : {1, 0}
        The smallest gap there can be: 1 where the birth with the event is counted, as
        :func:`~qi_equity.between_events` does; 0 where only the births between are.

    Raises
    ------
    OptionError
        If an option is none of these.

    References
    ----------
    .. [1] Benneyan JC. Number-between g-type statistical quality control charts for monitoring adverse
       events. Health Care Management Science 2001;4:305-318.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.G()
    G(limits='probability', smallest=1)
    """

    limits: Literal["probability", "classical"] = "probability"
    smallest: Literal[0, 1] = 1
    label: ClassVar[str] = "g"
    title: ClassVar[str] = "g chart (gaps between events)"
    fits: ClassVar[tuple[str, ...]] = ("between",)
    plots: ClassVar[Plots] = "gap"

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("probability", "classical"))
        object.__setattr__(self, "smallest", _validate.one_of("smallest", self.smallest, (1, 0)))

    @property
    def floor(self) -> float:
        """The smallest gap there can be.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.G(smallest=0).floor
        0.0
        """
        return float(self.smallest)

    @property
    def distribution(self) -> Distribution:
        """Geometric: each birth has the event or not.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.G().distribution
        'geometric'
        """
        return "geometric"


@dataclass(frozen=True, slots=True)
class T(Kind):
    """A t chart: time from each event to the next.

    Parameters
    ----------
    limits : {"weibull", "exponential", "transform"}
        ``"weibull"`` and ``"exponential"``: the distribution is fitted to the baseline by maximum likelihood,
        and a point signals when its tail probability is below 0.00135. ``"transform"``: limits of an i chart
        of the times to the power 1/3.6, put back.
    spread : {"mean", "screened"}
        For the transformed times: the plain mean of their moving ranges, or after one screening.
    constants : {"exact", "mdc", "qicharts2"}
        For the transformed times: as in :class:`Individuals`.

    Raises
    ------
    OptionError
        If an option is none of these, or says something of the transformed times for other limits.

    References
    ----------
    .. [1] Nelson LS. A control chart for parts-per-million nonconforming items. Journal of Quality
       Technology 1994;26:239-240.
    .. [2] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.5.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.T(limits="exponential")
    T(limits='exponential', spread='mean', constants='exact')
    """

    limits: Literal["weibull", "exponential", "transform"] = "exponential"
    spread: Literal["mean", "screened"] = "mean"
    constants: Constants = "exact"
    label: ClassVar[str] = "t"
    title: ClassVar[str] = "t chart (time between events)"
    fits: ClassVar[tuple[str, ...]] = ("between",)
    plots: ClassVar[Plots] = "gap"
    least: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("weibull", "exponential", "transform"))
        used = self.limits == "transform"
        check_ranges(self.spread, self.constants, used=used, where="limits='transform'")

    @property
    def distribution(self) -> Distribution:
        """Weibull (of shape 1 if exponential); the transformed times are taken as normal.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.T(limits="transform").distribution
        'normal'
        """
        return "normal" if self.limits == "transform" else "weibull"
