"""Kinds of chart: names, specifications, and which measure each draws."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, norm, poisson

import qi_equity as qe
from qi_equity.spc.kinds import Run, from_specification, resolve_kind, specification
from qi_equity.spc.lines import TAIL_2_SIGMA, Observations, lines, two_sigma


def measure(kind: str) -> qe.Measure:
    return qe.Measure("Test", kind, "lower")


@pytest.mark.parametrize(
    ("kind", "spec"),
    [("proportion", qe.P()), ("rate", qe.U()), ("count", qe.C()), ("mean", qe.Individuals())],
)
def test_auto_goes_by_the_kind_of_the_measure(kind: str, spec: object) -> None:
    assert resolve_kind("auto", measure(kind)) == spec


@pytest.mark.parametrize("kind", ["proportion", "rate", "count", "mean"])
def test_individuals_are_drawn_of_any_values_when_asked(kind: str) -> None:
    assert resolve_kind("i", measure(kind)) == qe.Individuals()


def test_a_specification_is_taken_as_it_is() -> None:
    assert resolve_kind(qe.P(limits="classical"), measure("proportion")) == qe.P(limits="classical")


def test_times_between_events_have_a_run_chart_only() -> None:
    with pytest.raises(qe.OptionError, match=r"kind='auto' is not offered for the measure 'Test'.*run_chart"):
        resolve_kind("auto", measure("between"))


def test_a_kind_that_does_not_fit_is_refused() -> None:
    with pytest.raises(
        qe.OptionError, match=r"kind='p' draws measures of kind proportion; 'Test' is of kind 'rate'"
    ):
        resolve_kind("p", measure("rate"))
    with pytest.raises(
        qe.OptionError, match=r"draws measures of kind count; .* Use kind='auto' \('p'\) or 'i'"
    ):
        resolve_kind(qe.C(), measure("proportion"))


def test_an_unknown_kind_is_refused_with_what_is_allowed() -> None:
    with pytest.raises(
        qe.OptionError, match=r"kind='xbar' is not allowed; use one of 'auto', 'i', 'p', 'u', 'c'"
    ):
        resolve_kind("xbar", measure("mean"))
    with pytest.raises(qe.InputTypeError, match=r"kind=3 is of type int; give a name"):
        resolve_kind(3, measure("mean"))


@pytest.mark.parametrize("spec", [qe.P, qe.U, qe.C])
def test_limits_are_exact_or_classical(spec: type) -> None:
    assert spec().limits == "exact"
    with pytest.raises(
        qe.OptionError, match=r"limits='laney' is not allowed; use one of 'exact', 'classical'"
    ):
        spec(limits="laney")


def test_options_of_individuals_are_checked() -> None:
    with pytest.raises(qe.OptionError, match=r"spread='sd' is not allowed; use one of 'mean', 'screened'"):
        qe.Individuals(spread="sd")
    with pytest.raises(qe.OptionError, match=r"constants='2.66' is not allowed; use one of 'exact', 'mdc'"):
        qe.Individuals(constants="2.66")


@pytest.mark.parametrize(
    "spec", [Run(), qe.Individuals("median"), qe.P("classical"), qe.U(), qe.C(limits="classical")]
)
def test_a_specification_can_be_written_and_read(spec: object) -> None:
    assert from_specification(specification(spec)) == spec


def test_the_two_sigma_tail_is_that_of_the_normal_distribution() -> None:
    assert pytest.approx(norm.sf(2), rel=1e-12) == TAIL_2_SIGMA


def test_exact_two_sigma_limits_lie_at_that_tail() -> None:
    births, rate = np.array([[80.0]]), np.array([[0.1]])
    lower, upper = two_sigma(qe.P(), rate, np.array([[0.0]]), births)
    counts = np.arange(81)
    low = binom.cdf(counts, 80, 0.1) < TAIL_2_SIGMA
    high = binom.sf(counts - 1, 80, 0.1) < TAIL_2_SIGMA
    np.testing.assert_array_equal(counts / 80 < lower[0, 0], low)
    np.testing.assert_array_equal(counts / 80 > upper[0, 0], high)


@pytest.mark.parametrize("spec", [qe.U(), qe.C()])
def test_exact_two_sigma_limits_of_counts(spec: qe.U | qe.C) -> None:
    lower, upper = two_sigma(spec, np.array([[9.0]]), np.array([[3.0]]), np.array([[1.0]]))
    counts = np.arange(40)
    np.testing.assert_array_equal(counts < lower[0, 0], poisson.cdf(counts, 9) < TAIL_2_SIGMA)
    np.testing.assert_array_equal(counts > upper[0, 0], poisson.sf(counts - 1, 9) < TAIL_2_SIGMA)


def test_classical_two_sigma_limits_are_clipped() -> None:
    line, sigma, size = (np.array([[v]]) for v in (0.1, 0.08, 14.0))
    assert [x.item() for x in two_sigma(qe.P("classical"), line, sigma, size)] == pytest.approx([0, 0.26])
    assert [x.item() for x in two_sigma(qe.P("classical"), line + 0.8, sigma, size)] == pytest.approx(
        [0.74, 1]
    )
    for spec in (qe.U("classical"), qe.C("classical")):
        assert [x.item() for x in two_sigma(spec, line, sigma, size)] == pytest.approx([0, 0.26])
    assert [x.item() for x in two_sigma(qe.Individuals(), line, sigma, size)] == pytest.approx([-0.06, 0.26])


def test_a_run_chart_has_a_median_and_nothing_else() -> None:
    values = np.array([[1.0, 5.0, 2.0]])
    seen = Observations(values, values, values)
    found = lines(Run(), seen, np.ones((1, 3), dtype=bool))
    assert found.centre_line.tolist() == [[2, 2, 2]]
    assert np.isnan([found.sigma, found.lower, found.upper]).all()
    assert np.isnan(two_sigma(Run(), found.centre_line, found.sigma, values)).all()
