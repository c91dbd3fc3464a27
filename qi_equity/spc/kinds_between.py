"""Charts of rare events: the births or days between one and the next."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from qi_equity import _validate
from qi_equity.spc.kind import TAIL, Constants, Distribution, Kind, Plots, check_ranges, check_tail


@dataclass(frozen=True, slots=True)
class G(Kind):
    """A g chart: births (or whole days) from each event to the next.

    Parameters
    ----------
    limits : {"probability", "classical"}
        ``"probability"``: a gap signals when its tail probability under the geometric distribution is below
        ``tail``; the centre line is the median of that distribution.
        ``"classical"``: mean plus and minus three standard deviations, about the median of the gaps. Its
        upper limit gives a false signal on 1.8 % of points.
    smallest : {1, 0}
        The smallest gap there can be: 1 where the birth with the event is counted, as
        :func:`~qi_equity.between_events` does; 0 where only the births between are.
    tail : float
        For probability limits: probability of one side below which a gap signals, > 0 and at most 0.02.
        Default: that beyond three sigma.

    Raises
    ------
    InputTypeError
        If ``tail`` is no number.
    OptionError
        If an option is none of these, or ``tail`` not for these limits.

    References
    ----------
    .. [1] Benneyan JC. Number-between g-type statistical quality control charts for monitoring adverse
       events. Health Care Management Science 2001;4:305-318.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.G()
    G(limits='probability', smallest=1, tail=0.00135)
    """

    limits: Literal["probability", "classical"] = "probability"
    smallest: Literal[0, 1] = 1
    tail: float = TAIL
    label: ClassVar[str] = "g"
    title: ClassVar[str] = "g chart (gaps between events)"
    fits: ClassVar[tuple[str, ...]] = ("between",)
    plots: ClassVar[Plots] = "gap"

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("probability", "classical"))
        object.__setattr__(self, "smallest", _validate.one_of("smallest", self.smallest, (1, 0)))
        found = check_tail(self.tail, used=self.limits == "probability", where="limits='probability'")
        object.__setattr__(self, "tail", found)

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
        and a point signals when its tail probability is below ``tail``. ``"transform"``: limits of an i chart
        of the times to the power 1/3.6, put back.
    spread : {"mean", "screened"}
        For the transformed times: the plain mean of their moving ranges, or after one screening.
    constants : {"exact", "mdc", "qicharts2"}
        For the transformed times: as in :class:`Individuals`.
    tail : float
        For the fitted distributions: probability of one side below which a time signals, > 0 and at most
        0.02. Default: that beyond three sigma.

    Raises
    ------
    InputTypeError
        If ``tail`` is no number.
    OptionError
        If an option is none of these, or says something of other limits than those chosen.

    References
    ----------
    .. [1] Nelson LS. A control chart for parts-per-million nonconforming items. Journal of Quality
       Technology 1994;26:239-240.
    .. [2] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.5.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.T(limits="exponential")
    T(limits='exponential', spread='mean', constants='exact', tail=0.00135)
    """

    limits: Literal["weibull", "exponential", "transform"] = "exponential"
    spread: Literal["mean", "screened"] = "mean"
    constants: Constants = "exact"
    tail: float = TAIL
    label: ClassVar[str] = "t"
    title: ClassVar[str] = "t chart (time between events)"
    fits: ClassVar[tuple[str, ...]] = ("between",)
    plots: ClassVar[Plots] = "gap"
    least: ClassVar[float] = 0.0

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("weibull", "exponential", "transform"))
        used = self.limits == "transform"
        check_ranges(self.spread, self.constants, used=used, where="limits='transform'")
        found = check_tail(self.tail, used=not used, where="limits='exponential' or 'weibull'")
        object.__setattr__(self, "tail", found)

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
