"""What is measured: name, kind, direction, and exactly which births are counted."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from typing import Any, Literal, Self

from qi_equity import _validate
from qi_equity._result import check_header, header
from qi_equity.errors import DataError, InputTypeError, OptionError

__all__ = ["Measure"]

Kind = Literal["proportion", "rate", "count", "mean", "between"]
Better = Literal["lower", "higher"]
Counts = Literal["woman", "baby"]
EthnicityOf = Literal["mother", "baby"]

KINDS: tuple[Kind, ...] = ("proportion", "rate", "count", "mean", "between")
BETTER: tuple[Better | None, ...] = ("lower", "higher", None)
COUNTS: tuple[Counts, ...] = ("woman", "baby")
ETHNICITY_OF: tuple[EthnicityOf, ...] = ("mother", "baby")

_USUAL_UNIT = {"proportion": "%", "rate": "per 1000", "count": "", "mean": "", "between": ""}
_TEXTS = ("unit", "definition", "numerator", "denominator", "source", "unconfirmed")


@dataclass(frozen=True, slots=True, eq=False)
class Measure:
    """A measure of care or outcome, and how to read it.

    Parameters
    ----------
    name : str
        Name for titles and tables.
    kind : {"proportion", "rate", "count", "mean", "between"}
        ``proportion``: events among births, at most one each; ``rate``: events per exposure, of which each
        unit may have several; ``count``: events of equal opportunity; ``mean``: measurements; ``between``:
        births or days between events.
    better : {"lower", "higher", None}
        Which direction is improvement. None where neither is: more cases found is not more illness.
    unit : str, optional
        Unit in text and figures. Default: ``"%"`` for a proportion, ``"per 1000"`` for a rate, else none.
    multiplier : float, optional
        What values are multiplied by in text and figures, > 0; results hold unscaled values. Default: what
        the unit says (100 for ``%``, 1000 for ``per 1000``), else 1.
    target : float, optional
        Target on the unscaled scale: 0.03, not 3 %.
    counts : {"woman", "baby"}
        Who is counted: with twins, one woman or two babies.
    definition, numerator, denominator, source : str
        What is measured, who is counted above and below the line, and where that is laid down.
    ethnicity_of : {"mother", "baby"}
        Whose ethnicity defines the groups. Rates by the mother's and by the baby's do not belong together.
    unconfirmed : str
        Parts of the definition for which no primary source was read; empty when there are none.

    Raises
    ------
    OptionError
        If a value is not allowed, or unit and multiplier contradict each other.
    InputTypeError
        If a text is not text or a number not a number.

    Examples
    --------
    >>> import qi_equity as qe
    >>> booked = qe.Measure("Booked by 10 weeks", "proportion", "higher", target=0.9)
    >>> booked.unit, booked.multiplier
    ('%', 100.0)
    """

    name: str
    kind: Kind
    better: Better | None
    _: KW_ONLY
    # None stands for "as usual for the kind" and is replaced on creation, so readers always find a value.
    unit: str = None  # type: ignore[assignment]
    multiplier: float = None  # type: ignore[assignment]
    target: float | None = None
    counts: Counts = "woman"
    definition: str = ""
    numerator: str = ""
    denominator: str = ""
    source: str = ""
    ethnicity_of: EthnicityOf = "mother"
    unconfirmed: str = ""

    def __post_init__(self) -> None:
        _validate.one_of("kind", self.kind, KINDS)
        _validate.one_of("better", self.better, BETTER)
        _validate.one_of("counts", self.counts, COUNTS)
        _validate.one_of("ethnicity_of", self.ethnicity_of, ETHNICITY_OF)
        if self.unit is None:
            object.__setattr__(self, "unit", _USUAL_UNIT[self.kind])
        for argument in ("name", *_TEXTS):
            _text(argument, getattr(self, argument))
        if not self.name.strip():
            raise OptionError(f"name={self.name!r} is empty; give the measure a name.")
        object.__setattr__(self, "multiplier", _multiplier(self.unit, self.multiplier))
        if self.target is not None:
            object.__setattr__(self, "target", _target(self.kind, self.target))

    def to_dict(self) -> dict[str, Any]:
        """Give the measure as a dictionary that JSON can hold.

        Returns
        -------
        dict
            Versioned; :meth:`from_dict` reads it.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.Measure("Epidurals", "count", None).to_dict()["kind"]
        'count'
        """
        return header("Measure", 1) | {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the measure that :meth:`to_dict` described.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned.

        Returns
        -------
        Measure
            Equal to the original.

        Raises
        ------
        DataError
            If the data are not those of a measure.

        Examples
        --------
        >>> import qi_equity as qe
        >>> measure = qe.measures["pph_1500"]
        >>> qe.Measure.from_dict(measure.to_dict()).equals(measure)
        True
        """
        check_header(data, "Measure", 1)
        given = {k: v for k, v in data.items() if k not in header("Measure", 1)}
        wanted = [f.name for f in fields(cls)]
        if set(given) != set(wanted):
            absent, unknown = [n for n in wanted if n not in given], [n for n in given if n not in wanted]
            raise DataError(
                f"These are not the data of a measure: absent are {absent}, unknown are {unknown}. "
                "Give what to_dict() of a measure returned."
            )
        return cls(**given)

    def equals(self, other: object) -> bool:
        """Say whether another measure is the same in every part.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` is a measure and all its parts are equal.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.measures["pph_1500"].equals(qe.measures["pph_1000"])
        False
        """
        return isinstance(other, Measure) and self.to_dict() == other.to_dict()


def _text(argument: str, value: object) -> None:
    if not isinstance(value, str):
        raise InputTypeError(f"{argument}={value!r} is of type {type(value).__name__}; give text.")


def _multiplier(unit: str, multiplier: float | None) -> float:
    """Take the multiplier from the unit where it says one, and refuse two that contradict each other."""
    per = re.match(r"per\s+(\d[\d,\s]*)", unit)
    said = 100.0 if unit == "%" else float(re.sub(r"\D", "", per[1])) if per else None
    if multiplier is None:
        return _validate.number("multiplier", 1.0 if said is None else said, above=0)
    given = _validate.number("multiplier", multiplier, above=0)
    if said is not None and given != said:
        raise OptionError(
            f"unit={unit!r} and multiplier={multiplier!r} contradict each other: this unit needs {said:g}. "
            "Give only the unit, or a unit that fits."
        )
    return given


def _target(kind: Kind, target: object) -> float:
    match kind:
        case "mean":
            return _validate.number("target", target)
        case "proportion":
            value = _validate.number("target", target)
            if not 0 <= value <= 1:
                raise OptionError(
                    f"target={target!r} is not allowed for a proportion; give a number >= 0 and <= 1, "
                    "unscaled (0.03 for 3 %)."
                )
            return value
        case _:
            return _validate.number("target", target, at_least=0)
