"""Kinds of chart: names, specifications, and which measure each draws."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest

import qi_equity as qe
from qi_equity.spc.kinds import (
    DEFAULTS,
    KINDS,
    Given,
    from_specification,
    resolve_kind,
    specification,
)
from qi_equity.spc.kinds_measurements import Run
from qi_equity.spc.needs import needs
from qi_equity.spc.plotted import good_side, plotted_measure

COUNTS = ["i", "mr", "ip", "ewma", "cusum"]
DRAWN = {
    "proportion": [*COUNTS, "p", "np", "pp", "risk_adjusted_cusum", "vlad"],
    "rate": [*COUNTS, "u", "up"],
    "count": ["i", "mr", "c", "ewma", "cusum"],
    "mean": [*COUNTS, "xbar", "s", "r"],
    "between": ["i", "mr", "g", "t", "bernoulli_cusum", "risk_adjusted_cusum", "vlad"],
}
OPTIONS = [
    *DEFAULTS.values(),
    Run(),
    qe.Individuals("median", "mdc"),
    qe.MovingRange("qicharts2"),
    qe.IPrime("screened"),
    qe.Xbar("r"),
    qe.P("laney", "screened", "qicharts2"),
    qe.U("classical"),
    qe.NP("classical"),
    qe.C(limits="classical"),
    qe.G("classical", 0),
    qe.T("transform", "screened", "mdc"),
    qe.Ewma(0.1, 2.7),
    qe.Cusum(0.25, 8, 4),
    qe.CountCusum(1.5, 3.2, 1),
    qe.BernoulliCusum(3, 4.5, False),
    qe.RiskAdjustedCusum(1.5, 3, False),
    *(made(tail=0.004) for made in (qe.P, qe.U, qe.NP, qe.C, qe.G, qe.T)),
    qe.T("weibull", tail=0.02),
    *(made(false_signal_every=150) for made in (qe.CountCusum, qe.BernoulliCusum, qe.RiskAdjustedCusum)),
]


def measure(kind: str, better: str | None = "lower") -> qe.Measure:
    return qe.Measure("Test", kind, better)


@pytest.mark.parametrize("kind", DRAWN)
@pytest.mark.parametrize("name", DEFAULTS)
def test_each_kind_draws_the_measures_that_it_fits(kind: str, name: str) -> None:
    if name in DRAWN[kind]:
        assert resolve_kind(name, measure(kind)).kind == name
    else:
        with pytest.raises(
            qe.OptionError, match=rf"kind='{name}' draws measures of kind .*; 'Test' is of kind '{kind}'"
        ):
            resolve_kind(name, measure(kind))


@pytest.mark.parametrize("kind", DRAWN)
def test_auto_is_left_to_the_data(kind: str) -> None:
    assert resolve_kind("auto", measure(kind)) is None


def test_the_name_of_a_kind_is_that_of_its_specification() -> None:
    assert ["run", *DEFAULTS] == list(KINDS)
    assert {name: spec.kind for name, spec in DEFAULTS.items()} == {name: name for name in DEFAULTS}
    assert (qe.P("laney").kind, qe.U("laney").kind, qe.CountCusum().kind) == ("pp", "up", "cusum")


@pytest.mark.parametrize("kind", ["proportion", "rate", "count"])
def test_a_cusum_of_counts_needs_no_normal_points(kind: str) -> None:
    assert resolve_kind("cusum", measure(kind)) == qe.CountCusum()
    assert resolve_kind(qe.Cusum(h=4), measure(kind)) == qe.Cusum(h=4)
    assert resolve_kind("cusum", measure("mean")) == qe.Cusum()


def test_gaps_in_days_are_counted_from_nought() -> None:
    days = qe.Measure("Days", "between", "higher", unit="days")
    assert resolve_kind("g", days) == qe.G(smallest=0)
    assert resolve_kind("g", measure("between")) == qe.G(smallest=1)
    assert resolve_kind(qe.G(), days) == qe.G(smallest=1)


def test_a_specification_is_taken_as_it_is() -> None:
    assert resolve_kind(qe.P(limits="classical"), measure("proportion")) == qe.P(limits="classical")


def test_a_kind_that_does_not_fit_names_those_that_do() -> None:
    with pytest.raises(
        qe.OptionError,
        match=r"draws measures of kind count; .* Use kind='auto' or one of 'i', 'mr', 'ip', 'p',",
    ):
        resolve_kind(qe.C(), measure("proportion"))


def test_an_unknown_kind_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(
        qe.OptionError, match=r"kind='xmr' is not allowed; use one of 'auto', 'i', 'mr', 'xbar'.*'vlad'"
    ):
        resolve_kind("xmr", measure("mean"))
    with pytest.raises(qe.InputTypeError, match=r"kind=3 is of type int; give a name"):
        resolve_kind(3, measure("mean"))
    with pytest.raises(qe.InputTypeError, match=r"kind=Run\(\) is of type Run; give a name"):
        resolve_kind(Run(), measure("mean"))


@pytest.mark.parametrize("spec", OPTIONS, ids=repr)
def test_a_specification_can_be_written_and_read(spec: Given) -> None:
    written = specification(spec)
    assert written["kind"] == spec.kind
    assert from_specification(written) == spec


@pytest.mark.parametrize(
    ("spec", "option", "allowed"),
    [
        (qe.Individuals, {"spread": "sd"}, "'mean', 'screened', 'median'"),
        (qe.Individuals, {"constants": "2.66"}, "'exact', 'mdc', 'qicharts2'"),
        (qe.MovingRange, {"constants": "2.66"}, "'exact', 'mdc', 'qicharts2'"),
        (qe.IPrime, {"spread": "median"}, "'mean', 'screened'"),
        (qe.Xbar, {"spread": "sd"}, "'s', 'r'"),
        (qe.P, {"limits": "wilson"}, "'exact', 'classical', 'laney'"),
        (qe.U, {"limits": "wilson"}, "'exact', 'classical', 'laney'"),
        (qe.NP, {"limits": "laney"}, "'exact', 'classical'"),
        (qe.C, {"limits": "laney"}, "'exact', 'classical'"),
        (qe.G, {"limits": "exact"}, "'probability', 'classical'"),
        (qe.G, {"smallest": 2}, "1, 0"),
        (qe.T, {"limits": "normal"}, "'weibull', 'exponential', 'transform'"),
        (qe.T, {"limits": "transform", "spread": "median"}, "'mean', 'screened'"),
    ],
)
def test_names_of_options_are_checked(spec: type, option: dict[str, object], allowed: str) -> None:
    *_, (name, value) = option.items()
    with pytest.raises(qe.OptionError, match=rf"{name}={value!r} is not allowed; use one of {allowed}"):
        spec(**option)


@pytest.mark.parametrize("made", [qe.P, qe.U, qe.T])
def test_moving_ranges_are_spoken_of_where_there_are_some(made: type) -> None:
    for option in ({"spread": "screened"}, {"constants": "mdc"}):
        with pytest.raises(qe.OptionError, match=r"are for limits='.*'; leave them out"):
            made(**option)


@pytest.mark.parametrize(
    ("spec", "option"),
    [
        (qe.Ewma, {"weight": 0}),
        (qe.Ewma, {"weight": 1.1}),
        (qe.Ewma, {"width": 0}),
        (qe.Cusum, {"k": -0.5}),
        (qe.Cusum, {"h": 0}),
        (qe.Cusum, {"head_start": 5}),
        (qe.CountCusum, {"ratio": 1}),
        (qe.CountCusum, {"h": 0}),
        (qe.CountCusum, {"h": 2, "head_start": 2}),
        (qe.CountCusum, {"head_start": -1}),
        (qe.BernoulliCusum, {"odds_ratio": 1}),
        (qe.BernoulliCusum, {"h": -3.5}),
        (qe.RiskAdjustedCusum, {"odds_ratio": 0.5}),
        (qe.RiskAdjustedCusum, {"h": 0}),
        *((made, {"tail": 0}) for made in (qe.P, qe.U, qe.NP, qe.C, qe.G, qe.T)),
        *((made, {"tail": 0.0201}) for made in (qe.P, qe.U, qe.NP, qe.C, qe.G, qe.T)),
        (qe.P, {"tail": math.nan}),
        (qe.CountCusum, {"false_signal_every": 1}),
        (qe.BernoulliCusum, {"false_signal_every": -740}),
        (qe.RiskAdjustedCusum, {"false_signal_every": math.inf}),
    ],
)
def test_numbers_are_checked(spec: type, option: dict[str, float]) -> None:
    *_, (name, value) = option.items()
    with pytest.raises(qe.OptionError, match=rf"{name}={value} is not allowed; give a finite number"):
        spec(**option)


@pytest.mark.parametrize(
    ("made", "option", "kept"),
    [
        (qe.Ewma, {"weight": np.float32(0.25), "width": 3}, float),
        (qe.Ewma, {"weight": np.float64(0.2), "width": np.int64(3)}, float),
        (qe.Cusum, {"k": np.float32(0.5), "h": np.float32(4), "head_start": np.int64(2)}, float),
        (qe.CountCusum, {"ratio": np.int64(2), "h": np.float32(4), "head_start": np.int8(1)}, float),
        (qe.BernoulliCusum, {"odds_ratio": np.int64(2), "h": np.float32(3.5)}, float),
        (qe.RiskAdjustedCusum, {"odds_ratio": np.float32(2), "h": np.int64(4)}, float),
        (qe.G, {"smallest": np.int64(0)}, int),
        (qe.P, {"tail": np.float32(0.0078125)}, float),
        (qe.G, {"tail": np.float64(0.004)}, float),
        (qe.T, {"tail": np.float64(0.004)}, float),
        (qe.CountCusum, {"false_signal_every": np.int64(150)}, float),
        (qe.BernoulliCusum, {"false_signal_every": 150}, float),
        (qe.RiskAdjustedCusum, {"false_signal_every": np.float32(150)}, float),
    ],
)
def test_numbers_of_any_type_can_be_saved(made: type, option: dict[str, float], kept: type) -> None:
    spec = made(**option)
    assert {name: (getattr(spec, name), type(getattr(spec, name))) for name in option} == {
        name: (value, kept) for name, value in option.items()
    }
    assert from_specification(json.loads(json.dumps(specification(spec)))) == spec


@pytest.mark.parametrize(
    ("made", "limits", "where"),
    [
        (qe.P, "classical", "'exact'"),
        (qe.P, "laney", "'exact'"),
        (qe.U, "classical", "'exact'"),
        (qe.U, "laney", "'exact'"),
        (qe.NP, "classical", "'exact'"),
        (qe.C, "classical", "'exact'"),
        (qe.G, "classical", "'probability'"),
        (qe.T, "transform", "'exponential' or 'weibull'"),
    ],
)
def test_a_tail_is_refused_where_no_distribution_makes_the_limits(
    made: type, limits: str, where: str
) -> None:
    with pytest.raises(qe.OptionError, match=rf"tail=0\.004 is for limits={where}; leave it out"):
        made(limits=limits, tail=0.004)
    assert made(limits=limits, tail=0.00135) == made(limits=limits)


@pytest.mark.parametrize("made", [qe.CountCusum, qe.BernoulliCusum, qe.RiskAdjustedCusum])
def test_a_threshold_is_given_or_found_not_both(made: type) -> None:
    with pytest.raises(
        qe.OptionError, match=r"false_signal_every=150 is for thresholds that are found, and h=4\.0 is one"
    ):
        made(h=4, false_signal_every=150)
    assert made(h=4, false_signal_every=740) == made(h=4)


@pytest.mark.parametrize("value", ["0.004", True, None])
def test_tuned_numbers_are_numbers(value: object) -> None:
    with pytest.raises(qe.InputTypeError, match=r"tail=.* give a number"):
        qe.P(tail=value)
    with pytest.raises(qe.InputTypeError, match=r"false_signal_every=.* give a number"):
        qe.CountCusum(false_signal_every=value)


@pytest.mark.parametrize("made", [qe.BernoulliCusum, qe.RiskAdjustedCusum])
def test_restart_is_yes_or_no(made: type) -> None:
    with pytest.raises(qe.InputTypeError, match=r"restart=1 is not True or False"):
        made(restart=1)


def test_floors_and_ceilings() -> None:
    lowest = {name: spec.floor for name, spec in DEFAULTS.items() if spec.floor > -math.inf}
    at_nought = dict.fromkeys(["mr", "s", "r", "p", "np", "c", "u", "pp", "up", "t"], 0.0)
    assert lowest == {**at_nought, "g": 1.0}
    assert qe.G(smallest=0).floor == 0
    assert {name for name, spec in DEFAULTS.items() if spec.ceiling < math.inf} == {"p", "pp"}
    assert {s.ceiling for s in (qe.P(), qe.P("laney"))} == {1.0}


def test_what_carries_its_past_and_what_has_two_arms() -> None:
    cusums = {"cusum", "bernoulli_cusum", "risk_adjusted_cusum"}
    assert {name for name, spec in DEFAULTS.items() if spec.two_arms} == cusums
    assert {name for name, spec in DEFAULTS.items() if spec.has_memory} == {*cusums, "mr", "ewma", "vlad"}
    assert {name for name, spec in DEFAULTS.items() if spec.is_counted} == {"p", "np", "c", "u", "pp", "up"}
    assert qe.CountCusum().two_arms


def test_distributions_of_points() -> None:
    wanted = {
        "p": "binomial",
        "np": "binomial",
        "u": "poisson",
        "c": "poisson",
        "g": "geometric",
        "t": "weibull",
    }
    found = {name: spec.distribution for name, spec in DEFAULTS.items() if not spec.has_memory}
    assert found == {name: wanted.get(name, "normal") for name in found}
    assert qe.T("transform").distribution == "normal"
    assert Run().distribution == "none"


def test_what_kinds_read_besides_values() -> None:
    blocks = {name: set(needs(spec)) for name, spec in DEFAULTS.items() if needs(spec)}
    assert blocks == {
        "xbar": {"denominator", "sd"},
        "s": {"denominator", "sd"},
        "r": {"denominator", "range"},
        "ip": {"denominator"},
        "risk_adjusted_cusum": {"expected"},
        "vlad": {"expected"},
    }
    assert set(needs(qe.Xbar("r"))) == {"denominator", "range"}


@pytest.mark.parametrize(
    ("kind", "spec", "better"),
    [
        ("proportion", qe.P(), "lower"),
        ("proportion", qe.NP(), "lower"),
        ("proportion", qe.Ewma(), "lower"),
        ("proportion", qe.CountCusum(), "lower"),
        ("proportion", qe.RiskAdjustedCusum(), "lower"),
        # Expected minus observed: fewer events than expected are above.
        ("proportion", qe.Vlad(), "higher"),
        ("proportion", qe.MovingRange(), None),
        ("mean", qe.S(), None),
        ("mean", qe.Xbar(), "lower"),
        ("between", qe.G(), "higher"),
        # Longer gaps are fewer events, and the arms look at events.
        ("between", qe.BernoulliCusum(), "lower"),
        ("between", qe.RiskAdjustedCusum(), "lower"),
        ("between", qe.Vlad(), "higher"),
    ],
)
def test_the_better_direction_is_that_of_the_points(kind: str, spec: Given, better: str | None) -> None:
    direction = "higher" if kind == "between" else "lower"
    assert plotted_measure(measure(kind, direction), spec).better == better
    assert plotted_measure(measure(kind, None), spec).better is None


def test_a_target_goes_where_it_is_no_value_of_the_points() -> None:
    aimed = qe.Measure("Test", "proportion", "lower", unit="%", multiplier=100, target=0.03)
    kept = {name for name in DRAWN["proportion"] if plotted_measure(aimed, DEFAULTS[name]).target == 0.03}
    assert kept == {"i", "ip", "ewma", "p", "pp"}
    counted = plotted_measure(aimed, qe.NP())
    assert (counted.unit, counted.multiplier, counted.kind) == ("events", 1, "count")
    arms = plotted_measure(aimed, qe.CountCusum())
    assert (arms.unit, arms.multiplier) == ("", 1)
    assert plotted_measure(aimed, qe.Vlad()).unit == "events"


def test_the_good_side() -> None:
    assert [good_side(better) for better in ("lower", "higher", None)] == [0, 1, -1]


def test_defaults_are_what_their_names_say() -> None:
    assert np.all([DEFAULTS[name] == type(DEFAULTS[name])() for name in DEFAULTS if name not in ("pp", "up")])
    assert (DEFAULTS["pp"], DEFAULTS["up"]) == (qe.P("laney"), qe.U("laney"))
