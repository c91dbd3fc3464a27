"""SuppressionRule: which counts may not be shown, and how the others are."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import KW_ONLY, dataclass, fields
from importlib import resources
from typing import Any, Self

import numpy as np

from qi_equity import _validate
from qi_equity._result import check_header, header
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.formulas.suppression import rounded

__all__ = ["SuppressionRule"]

_FORMAT = 1
_USUAL_PROTECT = 3


@dataclass(frozen=True, slots=True, eq=False)
class SuppressionRule:
    """A rule by which small counts are withheld before anything is published.

    Parameters
    ----------
    name : str
        Name for notes and methods.
    largest : int
        Counts of 1 to this are protected; 0: nothing is.
    mark : str or int
        What stands in place of a protected count: ``"*"``, it is withheld; or one of the protected numbers,
        such as 5 for 1 to 7.
    rounding : int, optional
        Other counts are shown to the nearest multiple of this, halves up. Default: as they are.
    zeros : bool
        Whether 0 is shown; otherwise it is protected as 1 is.
    protect : int, optional
        Fewest whole numbers that an outsider may be left with for a protected count, by all that is published
        together. Default: 3, or all protected numbers where they are fewer.
    secondary : bool
        Whether further counts may be withheld to that end. Without it, what fails is refused.
    minimum_denominator : int
        Where there are fewer births than this, all counts of the cell are withheld. Default: 0.
    version, source : str
        Edition of the rule and where it is laid down.

    Raises
    ------
    OptionError
        If a value is not allowed, or the rule contradicts itself.
    InputTypeError
        If a value is of a wrong type.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.SuppressionRule("ours", 4, mark="*", protect=3).smallest
    1
    """

    name: str
    largest: int
    _: KW_ONLY
    mark: str | int = "*"
    rounding: int | None = None
    zeros: bool = True
    # None stands for the usual number and is replaced on creation.
    protect: int = None  # type: ignore[assignment]
    secondary: bool = True
    minimum_denominator: int = 0
    version: str = ""
    source: str = ""

    def __post_init__(self) -> None:
        for argument in ("name", "version", "source"):
            if not isinstance(getattr(self, argument), str):
                found = getattr(self, argument)
                raise InputTypeError(f"{argument}={found!r} is of type {type(found).__name__}; give text.")
        if not self.name.strip():
            raise OptionError(f"name={self.name!r} is empty; give the rule a name.")
        for argument in ("zeros", "secondary"):
            _validate.one_of(argument, getattr(self, argument), (True, False))
        for argument in ("largest", "minimum_denominator"):
            object.__setattr__(self, argument, _validate.whole_number(argument, getattr(self, argument)))
        usual = min(_USUAL_PROTECT, self._numbers()) if self.protect is None else self.protect
        object.__setattr__(
            self, "protect", self.check_protect(_validate.whole_number("protect", usual, at_least=1))
        )
        if not self.protects and not self.zeros:
            raise OptionError("zeros=False needs protected counts; give largest of 1 or more.")
        self._check_mark()
        self._check_rounding()

    @classmethod
    def load(cls, name: str) -> Self:
        """Load a rule that comes with the library.

        Parameters
        ----------
        name : {"nhs-england", "dqmi", "strict-10", "none"}
            ``nhs-england``: 1 to 7 are shown as 5, other counts to the nearest 5. ``dqmi``: 1 to 7 are
            withheld, other counts to the nearest 5, nothing of fewer than 25 births. ``strict-10``: 1 to 9
            are withheld, other counts shown. ``none``: all is shown.

        Returns
        -------
        SuppressionRule

        Raises
        ------
        OptionError
            If there is no such rule.

        Examples
        --------
        >>> import qi_equity as qe
        >>> rule = qe.SuppressionRule.load("nhs-england")
        >>> rule.largest, rule.mark, rule.rounding
        (7, 5, 5)
        """
        folder = resources.files(__package__) / "rules"
        names = sorted(f.name.removesuffix(".json") for f in folder.iterdir() if f.name.endswith(".json"))
        wanted = _validate.one_of("rule", name, names)
        return cls(**json.loads((folder / f"{wanted}.json").read_text(encoding="utf-8")))

    @property
    def protects(self) -> bool:
        """Whether any count is protected.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.SuppressionRule.load("none").protects
        False
        """
        return self.largest > 0

    @property
    def smallest(self) -> int:
        """The smallest protected count: 1, or 0 where zeros are not shown.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.SuppressionRule("ours", 4, zeros=False).smallest
        0
        """
        return 1 if self.zeros else 0

    @property
    def shows_a_number(self) -> bool:
        """Whether a number stands in place of a protected count.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.SuppressionRule.load("dqmi").shows_a_number
        False
        """
        return not isinstance(self.mark, str)

    def to_dict(self) -> dict[str, Any]:
        """Give the rule as a dictionary that JSON can hold.

        Returns
        -------
        dict
            Versioned; :meth:`from_dict` reads it.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.SuppressionRule.load("strict-10").to_dict()["largest"]
        9
        """
        return header("SuppressionRule", _FORMAT) | {f.name: getattr(self, f.name) for f in fields(self)}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> Self:
        """Make the rule that :meth:`to_dict` described.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned.

        Returns
        -------
        SuppressionRule
            Equal to the original.

        Raises
        ------
        DataError
            If the data are not those of a rule.

        Examples
        --------
        >>> import qi_equity as qe
        >>> rule = qe.SuppressionRule.load("dqmi")
        >>> qe.SuppressionRule.from_dict(rule.to_dict()).equals(rule)
        True
        """
        check_header(data, "SuppressionRule", _FORMAT)
        given = {k: v for k, v in data.items() if k not in header("SuppressionRule", _FORMAT)}
        wanted = [f.name for f in fields(cls)]
        if set(given) != set(wanted):
            absent, unknown = [n for n in wanted if n not in given], [n for n in given if n not in wanted]
            raise DataError(
                f"These are not the data of a rule: absent are {absent}, unknown are {unknown}. "
                "Give what to_dict() of a rule returned."
            )
        return cls(**given)

    def equals(self, other: object) -> bool:
        """Say whether another rule is the same in every part.

        Parameters
        ----------
        other : object
            What to compare with.

        Returns
        -------
        bool
            True if ``other`` is a rule and all its parts are equal.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.SuppressionRule.load("dqmi").equals(qe.SuppressionRule.load("none"))
        False
        """
        return isinstance(other, SuppressionRule) and self.to_dict() == other.to_dict()

    def text(self) -> str:
        """Say the rule in one sentence.

        Returns
        -------
        str
            For notes.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.SuppressionRule.load("nhs-england").text()
        'Rule nhs-england: counts of 1 to 7 are shown as 5, others to the nearest 5.'
        """
        if not self.protects and not self.minimum_denominator:
            shown = "as they are" if self.rounding is None else f"to the nearest {self.rounding}"
            return f"Rule {self.name}: all counts are shown {shown}."
        how = f"shown as {self.mark}" if self.shows_a_number else "withheld"
        others = "as they are" if self.rounding is None else f"to the nearest {self.rounding}"
        small = (
            f"counts of {self.smallest} to {self.largest} are {how}, others " if self.protects else "counts "
        )
        few = self.minimum_denominator
        less = f"; nothing is shown of fewer than {few} births" if few else ""
        return f"Rule {self.name}: {small}{'' if self.protects else 'are shown '}{others}{less}."

    def check_protect(self, protect: int) -> int:
        """Return the fewest whole numbers an outsider may be left with, if the rule can leave so many.

        Parameters
        ----------
        protect : int
            The number, >= 1.

        Returns
        -------
        int

        Raises
        ------
        OptionError
            If it is more than the rule protects: an outsider knows at least that a count is protected.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.SuppressionRule.load("dqmi").check_protect(7)
        7
        """
        if protect > self._numbers():
            raise OptionError(
                f"protect={protect} cannot be kept by rule {self.name!r}: an outsider knows that a protected "
                f"count is {self.smallest} to {self.largest}; give at most {self._numbers()}, or a larger "
                "largest."
            )
        return protect

    def _numbers(self) -> int:
        return self.largest - self.smallest + 1 if self.protects else 1

    def _check_mark(self) -> None:
        if isinstance(self.mark, str):
            if not self.mark.strip():
                raise OptionError(f"mark={self.mark!r} is empty; give '*' or a number.")
            return
        mark = _validate.whole_number("mark", self.mark)
        if not max(self.smallest, 1) <= mark <= self.largest:
            raise OptionError(
                f"mark={self.mark!r} is none of the counts it stands for; give one of 1 to {self.largest}, "
                "or '*'."
            )
        object.__setattr__(self, "mark", mark)

    def _check_rounding(self) -> None:
        if self.rounding is None:
            return
        base = _validate.whole_number("rounding", self.rounding, at_least=1)
        object.__setattr__(self, "rounding", base)
        next_ = float(rounded(np.array([self.largest + 1.0]), base)[0][0])
        least = float(self.mark) if isinstance(self.mark, int) else 1.0
        if self.protects and next_ < least:
            raise OptionError(
                f"rounding={base} shows {self.largest + 1} as {next_:g}, less than what stands for smaller "
                f"counts; give a rounding of at most {2 * self.largest + 2}, or a smaller mark."
            )
