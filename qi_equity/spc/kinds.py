"""All kinds of chart by name, and which of them fits a measure."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import fields
from typing import Any, Literal

from qi_equity import _validate
from qi_equity.data.measure import Measure
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc.kinds_between import G, T
from qi_equity.spc.kinds_counts import NP, C, P, U
from qi_equity.spc.kinds_measurements import Individuals, IPrime, MovingRange, R, Run, S, Xbar
from qi_equity.spc.kinds_weighted import (
    BernoulliCusum,
    CountCusum,
    Cusum,
    Ewma,
    RiskAdjustedCusum,
    Vlad,
)

Given = (
    P
    | NP
    | U
    | C
    | Individuals
    | MovingRange
    | IPrime
    | Xbar
    | S
    | R
    | G
    | T
    | Ewma
    | Cusum
    | CountCusum
    | BernoulliCusum
    | RiskAdjustedCusum
    | Vlad
)
"""A specification that ``control_chart`` takes."""

Spec = Given | Run

Name = Literal[
    "auto",
    "i",
    "mr",
    "xbar",
    "s",
    "r",
    "ip",
    "p",
    "np",
    "c",
    "u",
    "pp",
    "up",
    "g",
    "t",
    "ewma",
    "cusum",
    "bernoulli_cusum",
    "risk_adjusted_cusum",
    "vlad",
]

DEFAULTS: Mapping[str, Given] = {
    "i": Individuals(),
    "mr": MovingRange(),
    "xbar": Xbar(),
    "s": S(),
    "r": R(),
    "ip": IPrime(),
    "p": P(),
    "np": NP(),
    "c": C(),
    "u": U(),
    "pp": P(limits="laney"),
    "up": U(limits="laney"),
    "g": G(),
    "t": T(),
    "ewma": Ewma(),
    "cusum": Cusum(),
    "bernoulli_cusum": BernoulliCusum(),
    "risk_adjusted_cusum": RiskAdjustedCusum(),
    "vlad": Vlad(),
}

KINDS = ("run", *DEFAULTS)
"""Names of all kinds of chart."""

# A CUSUM of counts needs no normal approximation.
_SUITED: Mapping[tuple[str, str], Given] = {("cusum", kind): CountCusum() for kind in CountCusum.fits}

_CLASSES: dict[str, type[Spec]] = {
    made.__name__: made
    for made in (*dict.fromkeys(type(spec) for spec in DEFAULTS.values()), CountCusum, Run)
}


def resolve_kind(kind: object, measure: Measure) -> Given | None:
    """Turn a name or a specification into a specification that fits the measure; None for "auto".

    Raises
    ------
    InputTypeError
        If ``kind`` is neither a name nor a specification.
    OptionError
        If it does not exist or does not fit the measure.
    """
    if isinstance(kind, str):
        name = _validate.one_of("kind", kind, ("auto", *DEFAULTS))
        if name == "auto":
            return None
        spec: Given = _SUITED.get((name, measure.kind), DEFAULTS[name])
        if name == "g" and measure.unit == "days":
            spec = G(smallest=0)
    elif isinstance(kind, Given):
        spec = kind
    else:
        raise InputTypeError(
            f"kind={kind!r} is of type {type(kind).__name__}; give a name "
            f"({', '.join(map(repr, ('auto', *DEFAULTS)))}) or a specification such as P() or Ewma()."
        )
    if measure.kind not in spec.fits:
        able = [name for name, other in DEFAULTS.items() if measure.kind in other.fits]
        raise OptionError(
            f"kind={kind!r} draws measures of kind {' or '.join(spec.fits)}; {measure.name!r} is of kind "
            f"{measure.kind!r}. Use kind='auto' or one of {', '.join(map(repr, able))}."
        )
    return spec


def specification(spec: Spec) -> dict[str, Any]:
    """Write a specification as plain values: its kind, its class and its parameters."""
    parameters = {f.name: getattr(spec, f.name) for f in fields(spec)}
    return {"kind": spec.kind, "spec": type(spec).__name__, **parameters}


def from_specification(data: Mapping[str, Any]) -> Spec:
    """Read what :func:`specification` wrote."""
    name = _validate.one_of("spec", data["spec"], tuple(_CLASSES))
    return _CLASSES[name](**{k: v for k, v in data.items() if k not in ("kind", "spec")})
