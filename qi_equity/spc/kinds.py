"""The kinds of chart: small frozen specifications of which lines are drawn."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

import numpy as np

from qi_equity import _validate
from qi_equity.data.measure import Measure
from qi_equity.errors import InputTypeError, OptionError


@dataclass(frozen=True, slots=True)
class P:
    """A p chart: events among births, each birth having the event or not.

    Parameters
    ----------
    limits : {"exact", "classical"}
        ``"exact"``: a point signals when its binomial tail probability under the centre line is below
        0.00135; the limit is drawn half-way between the last count that does not signal and the first that
        does.
        ``"classical"``: the textbook's three standard errors, clipped to [0, 1].

    Raises
    ------
    OptionError
        If ``limits`` is neither.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.2.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.P(limits="classical")
    P(limits='classical')
    """

    limits: Literal["exact", "classical"] = "exact"
    kind: ClassVar[str] = "p"
    ceiling: ClassVar[float] = 1.0

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("exact", "classical"))


@dataclass(frozen=True, slots=True)
class U:
    """A u chart: events per unit of exposure, where one birth may count more than once.

    Parameters
    ----------
    limits : {"exact", "classical"}
        As in :class:`P`, with the Poisson distribution; classical lower limits are clipped at 0.

    Raises
    ------
    OptionError
        If ``limits`` is neither.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.U()
    U(limits='exact')
    """

    limits: Literal["exact", "classical"] = "exact"
    kind: ClassVar[str] = "u"
    ceiling: ClassVar[float] = np.inf

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("exact", "classical"))


@dataclass(frozen=True, slots=True)
class C:
    """A c chart: events in periods of equal opportunity.

    Parameters
    ----------
    limits : {"exact", "classical"}
        As in :class:`P`, with the Poisson distribution; classical lower limits are clipped at 0.

    Raises
    ------
    OptionError
        If ``limits`` is neither.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 7.3.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.C()
    C(limits='exact')
    """

    limits: Literal["exact", "classical"] = "exact"
    kind: ClassVar[str] = "c"
    ceiling: ClassVar[float] = np.inf

    def __post_init__(self) -> None:
        _validate.one_of("limits", self.limits, ("exact", "classical"))


@dataclass(frozen=True, slots=True)
class Individuals:
    """An i chart (XmR): single values, spread from the moving range. Limits are never clipped.

    Parameters
    ----------
    spread : {"mean", "screened", "median"}
        Plain mean moving range, mean after one screening at its own upper limit, or median. Screening and the
        the median make less of the baseline's own special causes, but their limits give false signals more
        often: within 24 points of a stable process in 10 % and 13 % of charts instead of 6 %.
    constants : {"exact", "mdc", "qicharts2"}
        ``"exact"`` 3/d2 = 2.6587, ``"mdc"`` 2.66 (Making Data Count), ``"qicharts2"`` 3/1.128.

    Raises
    ------
    OptionError
        If an option is none of these.

    References
    ----------
    .. [1] Montgomery, Introduction to Statistical Quality Control, 6th ed., section 6.4.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.Individuals(constants="mdc")
    Individuals(spread='mean', constants='mdc')
    """

    spread: Literal["mean", "screened", "median"] = "mean"
    constants: Literal["exact", "mdc", "qicharts2"] = "exact"
    kind: ClassVar[str] = "i"
    ceiling: ClassVar[float] = np.inf

    def __post_init__(self) -> None:
        _validate.one_of("spread", self.spread, ("mean", "screened", "median"))
        _validate.one_of("constants", self.constants, ("exact", "mdc", "qicharts2"))


@dataclass(frozen=True, slots=True)
class Run:
    """A run chart: the median, and no limits."""

    kind: ClassVar[str] = "run"
    ceiling: ClassVar[float] = np.inf


Spec = P | U | C | Individuals | Run

_BY_NAME: dict[str, P | U | C | Individuals] = {"i": Individuals(), "p": P(), "u": U(), "c": C()}
_AUTO = {"proportion": "p", "rate": "u", "count": "c", "mean": "i"}
_KINDS_OF_MEASURE = {"p": ("proportion",), "u": ("rate",), "c": ("count",)}


def resolve_kind(kind: object, measure: Measure) -> P | U | C | Individuals:
    """Turn a name or a specification into a specification that fits the measure.

    Raises
    ------
    InputTypeError
        If ``kind`` is neither a name nor a specification.
    OptionError
        If it does not exist or does not fit the measure.
    """
    if measure.kind == "between":
        raise OptionError(
            f"kind={kind!r} is not offered for the measure {measure.name!r}, which counts births or days "
            "between events; use run_chart."
        )
    if isinstance(kind, str):
        name = _validate.one_of("kind", kind, ("auto", *_BY_NAME))
        spec = _BY_NAME[_AUTO[measure.kind] if name == "auto" else name]
    elif isinstance(kind, P | U | C | Individuals):
        spec = kind
    else:
        raise InputTypeError(
            f"kind={kind!r} is of type {type(kind).__name__}; give a name ('auto', 'i', 'p', 'u', 'c') "
            "or one of P(), U(), C(), Individuals()."
        )
    fits = _KINDS_OF_MEASURE.get(spec.kind)
    if fits is not None and measure.kind not in fits:
        raise OptionError(
            f"kind={kind!r} draws measures of kind {' or '.join(fits)}; {measure.name!r} is of kind "
            f"{measure.kind!r}. Use kind='auto' ({_AUTO[measure.kind]!r}) or 'i'."
        )
    return spec


_SPECS: dict[str, type[Spec]] = {"run": Run, "i": Individuals, "p": P, "u": U, "c": C}


def specification(spec: Spec) -> dict[str, Any]:
    """Write a specification as plain values: its kind and its parameters."""
    return {"kind": spec.kind, **{f.name: getattr(spec, f.name) for f in fields(spec)}}


def from_specification(data: Mapping[str, Any]) -> Spec:
    """Read what :func:`specification` wrote."""
    kind = _validate.one_of("kind", data["kind"], tuple(_SPECS))
    return _SPECS[kind](**{k: v for k, v in data.items() if k != "kind"})
