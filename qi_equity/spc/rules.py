"""Rules as data: small frozen tests with their parameters, and named, versioned, cited sets of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, fields
from typing import Any, ClassVar, Literal

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError

_TIES = ("break", "skip")


@dataclass(frozen=True, slots=True)
class BeyondLimits:
    """A point strictly outside the limits.

    Examples
    --------
    >>> from qi_equity.spc.rules import BeyondLimits
    >>> BeyondLimits().needs_limits
    True
    """

    name: ClassVar[str] = "beyond_limits"
    needs_limits: ClassVar[bool] = True
    is_runs_test: ClassVar[bool] = False


@dataclass(frozen=True, slots=True)
class LongestRun:
    """A run on one side of the centre line longer than round(log2 n) + 3, n = points not on the line.

    Examples
    --------
    >>> from qi_equity.spc.rules import LongestRun
    >>> LongestRun().name
    'longest_run'
    """

    name: ClassVar[str] = "longest_run"
    needs_limits: ClassVar[bool] = False
    is_runs_test: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Crossings:
    """Fewer crossings of the centre line than the 5 % quantile of Binomial(n - 1, 1/2).

    Examples
    --------
    >>> from qi_equity.spc.rules import Crossings
    >>> Crossings().name
    'crossings'
    """

    name: ClassVar[str] = "crossings"
    needs_limits: ClassVar[bool] = False
    is_runs_test: ClassVar[bool] = True


@dataclass(frozen=True, slots=True)
class Shift:
    """``length`` or more consecutive points on one side of the centre line.

    Parameters
    ----------
    length : int
        Number of points, at least 2.
    ties, missing : {"break", "skip"}
        Whether a point on the line, or a missing one, ends the run or is passed over.

    Examples
    --------
    >>> from qi_equity.spc.rules import Shift
    >>> Shift(length=8).length
    8
    """

    length: int = 7
    ties: Literal["break", "skip"] = "break"
    missing: Literal["break", "skip"] = "break"
    name: ClassVar[str] = "shift"
    needs_limits: ClassVar[bool] = False
    is_runs_test: ClassVar[bool] = True

    def __post_init__(self) -> None:
        _validate.whole_number("length", self.length, at_least=2)
        _validate.one_of("ties", self.ties, _TIES)
        _validate.one_of("missing", self.missing, _TIES)


@dataclass(frozen=True, slots=True)
class Trend:
    """``length`` or more consecutive points each above (or each below) the one before.

    Parameters
    ----------
    length : int
        Number of points (one more than the number of steps), at least 3.
    ties : {"break", "skip"}
        Whether an equal neighbour ends the trend or is passed over. A missing point always ends it.

    Examples
    --------
    >>> from qi_equity.spc.rules import Trend
    >>> Trend(length=6).length
    6
    """

    length: int = 7
    ties: Literal["break", "skip"] = "break"
    name: ClassVar[str] = "trend"
    needs_limits: ClassVar[bool] = False
    is_runs_test: ClassVar[bool] = False

    def __post_init__(self) -> None:
        _validate.whole_number("length", self.length, at_least=3)
        _validate.one_of("ties", self.ties, _TIES)


@dataclass(frozen=True, slots=True)
class TwoInThree:
    """Two of three consecutive points beyond the two-sigma limit, all three on the same side.

    Parameters
    ----------
    beyond_three_counts : bool
        Whether a point beyond three sigma counts as one of the two (Making Data Count since 2023: yes).

    Examples
    --------
    >>> from qi_equity.spc.rules import TwoInThree
    >>> TwoInThree().beyond_three_counts
    True
    """

    beyond_three_counts: bool = True
    name: ClassVar[str] = "two_in_three"
    needs_limits: ClassVar[bool] = True
    is_runs_test: ClassVar[bool] = False

    def __post_init__(self) -> None:
        if not isinstance(self.beyond_three_counts, bool):
            raise InputTypeError(f"beyond_three_counts={self.beyond_three_counts!r} is not True or False.")


Test = BeyondLimits | LongestRun | Crossings | Shift | Trend | TwoInThree

TESTS: Mapping[str, type[Test]] = {
    t.name: t for t in (BeyondLimits, LongestRun, Crossings, Shift, Trend, TwoInThree)
}


def parameters(test: Test) -> dict[str, Any]:
    """Give the parameters of a test by name."""
    return {f.name: getattr(test, f.name) for f in fields(test)}


@dataclass(frozen=True, slots=True)
class RuleSet:
    """A named, versioned and cited set of tests.

    Two sets are put together with ``+``.

    Parameters
    ----------
    name, version, citation : str
        What it is called, which wording it follows, and where that stands.
    tests : tuple
        Tests of :mod:`qi_equity.spc.rules`, each at most once.

    Raises
    ------
    InputTypeError
        If something is not of its type.
    OptionError
        If there is no test, or a test is there twice.

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
        if not self.tests or len(set(self.names)) < len(self.tests):
            raise OptionError(
                f"tests={self.names!r} is not allowed; give at least one test and each only once."
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

    def __add__(self, other: RuleSet) -> RuleSet:
        """Put two sets together; a test that is in both must have the same parameters."""
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


class RuleSets(Mapping[str, RuleSet]):
    """The catalogue of rule sets, by name; names are put together with ``+``.

    Examples
    --------
    >>> import qi_equity as qe
    >>> list(qe.rule_sets)
    ['anhoej', 'shewhart', 'making_data_count']
    >>> qe.rule_sets["anhoej+shewhart"].names
    ('longest_run', 'crossings', 'beyond_limits')
    """

    def __init__(self, sets: tuple[RuleSet, ...]) -> None:
        self._sets = {s.name: s for s in sets}

    def __getitem__(self, name: str) -> RuleSet:
        """Give the set of that name, or the sum of several."""
        first, *others = (_validate.one_of("rules", part, tuple(self._sets)) for part in str(name).split("+"))
        found = self._sets[first]
        for other in others:
            found = found + self._sets[other]
        return found

    def __iter__(self) -> Iterator[str]:
        return iter(self._sets)

    def __len__(self) -> int:
        return len(self._sets)


ANHOEJ = RuleSet(
    "anhoej",
    "2014",
    "Anhøj J, Olesen AV. Run charts revisited: a simulation study of run chart rules for detection of "
    "non-random variation in health care processes. PLoS One 2014;9:e113825.",
    (LongestRun(), Crossings()),
)
SHEWHART = RuleSet(
    "shewhart",
    "1931",
    "Shewhart WA. Economic control of quality of manufactured product. New York: Van Nostrand, 1931.",
    (BeyondLimits(),),
)
MAKING_DATA_COUNT = RuleSet(
    "making_data_count",
    "2023",
    "NHS England, Making Data Count: outside the limits, shift of 7, trend of 7, two in three with points "
    "beyond three sigma counted (wording of late 2023).",
    (BeyondLimits(), Shift(length=7), Trend(length=7), TwoInThree(beyond_three_counts=True)),
)

rule_sets = RuleSets((ANHOEJ, SHEWHART, MAKING_DATA_COUNT))
"""The catalogue of rule sets."""


def resolve_rules(rules: object, *, run_chart: bool = False) -> RuleSet:
    """Turn a name or a set into a set; on a run chart only tests that need no limits are allowed.

    Raises
    ------
    InputTypeError
        If it is neither a name nor a RuleSet.
    OptionError
        If the name is unknown, or a test needs limits that a run chart has not.
    """
    if not isinstance(rules, str | RuleSet):
        raise InputTypeError(
            f"rules={rules!r} is of type {type(rules).__name__}; give one of "
            f"{', '.join(map(repr, rule_sets))}, several joined with '+', or a RuleSet."
        )
    found = rule_sets[rules] if isinstance(rules, str) else rules
    barred = [t.name for t in found.tests if run_chart and t.needs_limits]
    if barred:
        raise OptionError(
            f"rules={found.name!r} needs limits ({', '.join(barred)}) and a run chart has none; use "
            "'anhoej', a RuleSet of longest_run, crossings, shift and trend, or control_chart."
        )
    return found
