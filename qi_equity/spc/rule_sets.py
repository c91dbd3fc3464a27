"""The catalogue of rule sets: named, versioned and cited."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeVar, overload

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.spc.rules import (
    Alternating,
    BeyondLimits,
    Crossings,
    FourInFive,
    LongestRun,
    Outside,
    RuleSet,
    RunsCount,
    Shift,
    Test,
    Trend,
    TwoInThree,
    Within,
)

T = TypeVar("T")


class RuleSets(Mapping[str, RuleSet]):
    """The catalogue of rule sets, by name; names are put together with ``+``.

    Examples
    --------
    >>> import qi_equity as qe
    >>> list(qe.rule_sets)[:4]
    ['anhoej', 'anhoej_best_box', 'anhoej_cut_box', 'shewhart']
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

    def __contains__(self, name: object) -> bool:
        """Say whether all names that are joined by + are there and can be put together."""
        return self.get(name) is not None

    @overload
    def get(self, name: object) -> RuleSet | None: ...
    @overload
    def get(self, name: object, default: RuleSet | T) -> RuleSet | T: ...
    def get(self, name: object, default: T | None = None) -> RuleSet | T | None:
        """Give the set of that name, or ``default`` where there is none.

        Parameters
        ----------
        name : str
            Name of a set, or several joined with ``+``.
        default : object
            What to give where there is no such set.

        Returns
        -------
        RuleSet or object
            The set, or ``default``.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.rule_sets.get("deming") is None
        True
        """
        try:
            return self[str(name)]
        except OptionError:
            return default

    def __iter__(self) -> Iterator[str]:
        return iter(self._sets)

    def __len__(self) -> int:
        return len(self._sets)


_SMOOTH = (
    "Anhøj J, Wentzel-Larsen T. Smooth operator: modifying the Anhøj rules to improve runs analysis in "
    "statistical process control. PLoS One 2020;15:e0233920. Recomputed by their definition."
)
_LISTED = (
    "The run lengths are those that QI Macros (qimacros.com, stability analysis and control chart rules) "
    "lists; the primary text was not seen."
)


def _eight_tests(side: int) -> tuple[Test, ...]:
    """Nelson's eight tests, with another number of points on one side."""
    return (
        BeyondLimits(),
        Shift(length=side),
        Trend(length=6),
        Alternating(length=14),
        TwoInThree(same_side="beyond"),
        FourInFive(),
        Within(length=15),
        Outside(length=8),
    )


rule_sets = RuleSets(
    (
        RuleSet(
            "anhoej",
            "2014",
            "Anhøj J, Olesen AV. Run charts revisited: a simulation study of run chart rules for detection "
            "of non-random variation in health care processes. PLoS One 2014;9:e113825.",
            (LongestRun(), Crossings()),
        ),
        RuleSet("anhoej_best_box", "2020", _SMOOTH, (LongestRun("best_box"), Crossings("best_box"))),
        RuleSet("anhoej_cut_box", "2020", _SMOOTH, (LongestRun("cut_box"), Crossings("cut_box"))),
        RuleSet(
            "shewhart",
            "1931",
            "Shewhart WA. Economic control of quality of manufactured product. New York: Van Nostrand, 1931.",
            (BeyondLimits(),),
        ),
        RuleSet(
            "making_data_count",
            "2023",
            "NHS England, Making Data Count: outside the limits, shift of 7, trend of 7, two in three with "
            "points beyond three sigma counted (wording of late 2023).",
            (BeyondLimits(), Shift(length=7), Trend(length=7), TwoInThree(beyond_three_counts=True)),
        ),
        RuleSet(
            "making_data_count_2019",
            "2019",
            "NHS England, Making Data Count, as NHSRplotthedots 0.2.2 computes it: outside the limits, shift "
            "of 7, trend of 7, two in three without the points beyond three sigma.",
            (BeyondLimits(), Shift(length=7), Trend(length=7), TwoInThree(beyond_three_counts=False)),
        ),
        RuleSet(
            "western_electric",
            "1956",
            "Western Electric Company. Statistical quality control handbook. Indianapolis, 1956; as qcc 3.0 "
            "and Montgomery (6th ed., section 5.3) state it. The primary text was not seen.",
            (BeyondLimits(), TwoInThree(same_side="beyond"), FourInFive(), Shift(length=8)),
        ),
        RuleSet(
            "nelson",
            "1984",
            "Nelson LS. The Shewhart control chart: tests for special causes. J Qual Technol "
            "1984;16:237-239; as qcc 3.0 and Minitab state it. The primary text was not seen.",
            _eight_tests(side=9),
        ),
        RuleSet(
            "ihi",
            "2011",
            "Provost LP, Murray SK. The health care data guide. San Francisco: Jossey-Bass, 2011; Perla RJ, "
            "Provost LP, Murray SK. BMJ Qual Saf 2011;20:46-51: shift of 6, trend of 5, number of runs "
            "(limits from their exact distribution); astronomical points are left to judgement. The primary "
            "texts were not seen.",
            (Shift(length=6, ties="skip"), Trend(length=5, ties="skip"), RunsCount()),
        ),
        RuleSet(
            "aiag",
            "2005",
            f"AIAG. Statistical process control (SPC) reference manual, 2nd ed., 2005. {_LISTED}",
            _eight_tests(side=7),
        ),
        RuleSet(
            "montgomery",
            "2009",
            "Montgomery DC. Introduction to statistical quality control, 6th ed. Wiley, 2009, section 5.3: "
            f"the sensitizing rules. {_LISTED}",
            _eight_tests(side=8),
        ),
        RuleSet(
            "westgard",
            "QI Macros",
            "Westgard JO et al. A multi-rule Shewhart chart for quality control in clinical chemistry. Clin "
            "Chem 1981;27:493-501, in a later form: 1_3s, 2of3_2s on either side (which holds R_4s), 4_1s, "
            f"8_x, 7_T. {_LISTED}",
            (
                BeyondLimits(),
                TwoInThree(same_side="any"),
                FourInFive(window=4),
                Shift(length=8),
                Trend(length=7),
            ),
        ),
    )
)
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
            "'anhoej', 'ihi', a RuleSet of tests without limits, or control_chart."
        )
    return found
