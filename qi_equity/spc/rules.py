"""Rules as data: sets of single tests, named, versioned and cited."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc.single_tests import (
    TESTS,
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RunsCount,
    RunsMethod,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
    parameters,
)

__all__ = [
    "TESTS",
    "Alternating",
    "BeyondLimits",
    "Crossings",
    "FourInFive",
    "LongestRun",
    "Outside",
    "RuleSet",
    "RunsCount",
    "RunsMethod",
    "Shift",
    "Test",
    "Trend",
    "TwoInThree",
    "Within",
    "parameters",
]


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A named, versioned and cited set of tests.

    Two sets are put together with ``+``.

    Parameters
    ----------
    name, version, citation : str
        What it is called, which wording it follows, and where that stands.
    tests : tuple
        Tests of :mod:`qi_equity.spc.rules`, each at most once; none for a chart that is only looked at.

    Raises
    ------
    InputTypeError
        If something is not of its type.
    OptionError
        If a test is there twice, or longest run and crossings differ in their method.

    Examples
    --------
    >>> import qi_equity as qe
    >>> from qi_equity.spc.rules import BeyondLimits, Shift
    >>> ours = qe.RuleSet("our trust", "1", "local agreement", (BeyondLimits(), Shift(length=8)))
    >>> ours.names
    ('beyond_limits', 'shift')
    """

    name: str
    version: str
    citation: str
    tests: tuple[Test, ...]

    def __post_init__(self) -> None:
        for argument in ("name", "version", "citation"):
            if not isinstance(getattr(self, argument), str):
                raise InputTypeError(f"{argument}={getattr(self, argument)!r} is not text.")
        if not isinstance(self.tests, tuple) or not all(isinstance(t, Test) for t in self.tests):
            raise InputTypeError(
                f"tests={self.tests!r} is not a tuple of tests; use those of qi_equity.spc.rules: "
                f"{', '.join(t.__name__ for t in TESTS.values())}."
            )
        if len(set(self.names)) < len(self.tests):
            raise OptionError(f"tests={self.names!r} is not allowed; give each test only once.")
        if len({t.method for t in self.tests if isinstance(t, LongestRun | Crossings)}) > 1:
            raise OptionError(
                f"tests={self.tests!r} is not allowed; longest_run and crossings are judged together, so "
                "give both the same method."
            )

    @property
    def names(self) -> tuple[str, ...]:
        """Names of the tests, in their order.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.rule_sets["anhoej"].names
        ('longest_run', 'crossings')
        """
        return tuple(t.name for t in self.tests)

    @property
    def runs_method(self) -> RunsMethod:
        """Method of the limits of longest run and crossings; Anhøj's where neither is tested.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.rule_sets["anhoej_best_box"].runs_method
        'best_box'
        """
        methods = [t.method for t in self.tests if isinstance(t, LongestRun | Crossings)]
        return methods[0] if methods else "anhoej"

    def __add__(self, other: RuleSet) -> RuleSet:
        """Put two sets together; a test that is in both must have the same parameters."""
        if not isinstance(other, RuleSet):
            raise InputTypeError(
                f"{other!r} is of type {type(other).__name__}; add another RuleSet, such as "
                "qe.rule_sets['shewhart']."
            )
        differing = [
            _difference(self, one, other, two)
            for one in self.tests
            for two in other.tests
            if one.name == two.name and one != two
        ]
        if differing:
            raise OptionError(
                f"rules='{self.name}+{other.name}' is not allowed; {'; '.join(differing)}. Make a RuleSet of "
                "the tests that you want, each once."
            )
        return RuleSet(
            f"{self.name}+{other.name}",
            f"{self.version}+{other.version}",
            f"{self.citation} {other.citation}",
            tuple(dict.fromkeys(self.tests + other.tests)),
        )

    def to_dict(self) -> dict[str, Any]:
        """Turn the set into JSON.

        Returns
        -------
        dict
            Name, version, citation and each test with its parameters.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.rule_sets["shewhart"].to_dict()["tests"]
        [{'test': 'beyond_limits'}]
        """
        tests = [{"test": t.name, **parameters(t)} for t in self.tests]
        return {"name": self.name, "version": self.version, "citation": self.citation, "tests": tests}

    @classmethod
    def from_dict(cls, data: Mapping[str, Any]) -> RuleSet:
        """Read what :meth:`to_dict` wrote.

        Parameters
        ----------
        data : mapping
            What :meth:`to_dict` returned.

        Returns
        -------
        RuleSet
            The same set.

        Raises
        ------
        OptionError
            If it holds a test that is not known, or is not what :meth:`to_dict` returned.

        Examples
        --------
        >>> import qi_equity as qe
        >>> anhoej = qe.rule_sets["anhoej"]
        >>> qe.RuleSet.from_dict(anhoej.to_dict()) == anhoej
        True
        """
        try:
            made = []
            for test in data["tests"]:
                name = _validate.one_of("test", test["test"], tuple(TESTS))
                made.append(TESTS[name](**{k: v for k, v in test.items() if k != "test"}))
            return cls(data["name"], data["version"], data["citation"], tuple(made))
        except OptionError:
            raise
        except (AttributeError, LookupError, TypeError, ValueError) as error:
            raise OptionError(
                f"These are not the data of a set of rules ({type(error).__name__}: {error}). "
                "Give what to_dict() of a RuleSet returned."
            ) from error


def _difference(first: RuleSet, one: Test, second: RuleSet, two: Test) -> str:
    """Say in which parameters a test differs between two sets."""
    here, there = parameters(one), parameters(two)
    differing = [name for name in here if here[name] != there[name]]
    said = (
        f"{', '.join(f'{name} {values[name]!r}' for name in differing)} in {rules.name!r}"
        for rules, values in ((first, here), (second, there))
    )
    return f"{one.name!r} is in both with different parameters: {', '.join(said)}"
