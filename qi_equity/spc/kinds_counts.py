"""Charts of counted events: p, np, u, c, and Laney's p' and u'."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from qi_equity import _validate
from qi_equity.spc.kind import TAIL, Constants, Distribution, Kind, Plots, check_ranges, check_tail

LaneySpread = Literal["mean", "screened"]


class Counted(Kind):
    """Events, or events among births."""

    __slots__ = ()

    limits: Literal["exact", "classical", "laney"]
    tail: float
    counts_as: ClassVar[Distribution]
    least: ClassVar[float] = 0.0

    @property
    def kind(self) -> str:
        """Name of the kind: Laney's charts have names of their own."""
        return self.label + "p" if self.limits == "laney" else self.label

    @property
    def distribution(self) -> Distribution:
        """The distribution of the counts; Laney's charts have none, and points are taken as normal."""
        return "normal" if self.limits == "laney" else self.counts_as

    @property
    def is_counted(self) -> bool:
        """Whether points are events among births."""
        return True

    def _check_tail(self) -> None:
        found = check_tail(self.tail, used=self.limits == "exact", where="limits='exact'")
        object.__setattr__(self, "tail", found)


@dataclass(frozen=True, slots=True)
class P(Counted):
    """A p chart: events among births, each birth having the event or not.

    Parameters
    ----------
    limits : {"exact", "classical", "laney"}
        ``"exact"``: a point signals when its binomial tail probability under the centre line is below
        ``tail``; the limit is drawn half-way between the last count that does not signal and the first that
        does.
        ``"classical"``: the textbook's three standard errors, clipped to [0, 1].
        ``"laney"``: Laney's p' chart, standard errors times the spread between neighbouring periods; for
        large denominators whose rates vary more than a binomial.

    spread : {"mean", "screened"}
        For Laney's chart: the plain mean of the moving ranges of the standardised points, or after one
        screening.
    constants : {"exact", "mdc", "qicharts2"}
        For Laney's chart: as in :class:`Individuals`.
    tail : float
        For exact limits: probability of one side below which a count signals, > 0 and at most 0.02. Default:
        that beyond three sigma. False alarms of groups of any size can be made as rare in time by each
        having its own.

    Raises
    ------
    InputTypeError
        If ``tail`` is no number.
    OptionError
        If an option is none of these, or says something of other limits than those chosen.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.2.
    .. [2] Laney DB. Improved control charts for attributes. Quality Engineering 2002;14:531-537.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.P(limits="classical")
    P(limits='classical', spread='mean', constants='exact', tail=0.00135)
    """

    limits: Literal["exact", "classical", "laney"] = "exact"
    spread: LaneySpread = "mean"
    constants: Constants = "exact"
    tail: float = TAIL
    label: ClassVar[str] = "p"
    title: ClassVar[str] = "p chart"
    fits: ClassVar[tuple[str, ...]] = ("proportion",)
    counts_as: ClassVar[Distribution] = "binomial"
    ceiling: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("exact", "classical", "laney"))
        check_ranges(self.spread, self.constants, used=self.limits == "laney", where="limits='laney'")
        self._check_tail()


@dataclass(frozen=True, slots=True)
class U(Counted):
    """A u chart: events per unit of exposure, where one birth may count more than once.

    Parameters
    ----------
    limits : {"exact", "classical", "laney"}
        As in :class:`P`, with the Poisson distribution; lower limits are clipped at 0.

    spread, constants : str
        For Laney's chart, as in :class:`P`.
    tail : float
        For exact limits, as in :class:`P`.

    Raises
    ------
    InputTypeError
        If ``tail`` is no number.
    OptionError
        If an option is none of these, or says something of other limits than those chosen.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.
    .. [2] Laney DB. Improved control charts for attributes. Quality Engineering 2002;14:531-537.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.U()
    U(limits='exact', spread='mean', constants='exact', tail=0.00135)
    """

    limits: Literal["exact", "classical", "laney"] = "exact"
    spread: LaneySpread = "mean"
    constants: Constants = "exact"
    tail: float = TAIL
    label: ClassVar[str] = "u"
    title: ClassVar[str] = "u chart"
    fits: ClassVar[tuple[str, ...]] = ("rate",)
    counts_as: ClassVar[Distribution] = "poisson"

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("exact", "classical", "laney"))
        check_ranges(self.spread, self.constants, used=self.limits == "laney", where="limits='laney'")
        self._check_tail()


@dataclass(frozen=True, slots=True)
class NP(Counted):
    """An np chart: the number of births with the event; centre line and limits vary with the births.

    Parameters
    ----------
    limits : {"exact", "classical"}
        As in :class:`P`.
    tail : float
        For exact limits, as in :class:`P`.

    Raises
    ------
    InputTypeError
        If ``tail`` is no number.
    OptionError
        If ``limits`` is neither, or ``tail`` not allowed or not for these limits.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.2.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.NP()
    NP(limits='exact', tail=0.00135)
    """

    limits: Literal["exact", "classical"] = "exact"
    tail: float = TAIL
    label: ClassVar[str] = "np"
    title: ClassVar[str] = "np chart"
    fits: ClassVar[tuple[str, ...]] = ("proportion",)
    counts_as: ClassVar[Distribution] = "binomial"
    plots: ClassVar[Plots] = "events"

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("exact", "classical"))
        self._check_tail()


@dataclass(frozen=True, slots=True)
class C(Counted):
    """A c chart: events in periods of equal opportunity.

    Parameters
    ----------
    limits : {"exact", "classical"}
        As in :class:`P`, with the Poisson distribution; classical lower limits are clipped at 0.
    tail : float
        For exact limits, as in :class:`P`.

    Raises
    ------
    InputTypeError
        If ``tail`` is no number.
    OptionError
        If ``limits`` is neither, or ``tail`` not allowed or not for these limits.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.C()
    C(limits='exact', tail=0.00135)
    """

    limits: Literal["exact", "classical"] = "exact"
    tail: float = TAIL
    label: ClassVar[str] = "c"
    title: ClassVar[str] = "c chart"
    fits: ClassVar[tuple[str, ...]] = ("count",)
    counts_as: ClassVar[Distribution] = "poisson"

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("exact", "classical"))
        self._check_tail()
