"""Charts of measurements and Laney's charts against qicharts2, and Shewhart limits against qcc."""

from __future__ import annotations

import json
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from qi_equity.formulas import subgroups
from qi_equity.formulas.attributes import c_limits, np_limits, p_limits, u_limits
from qi_equity.formulas.individuals import i_limits, moving_ranges, mr_limits
from qi_equity.formulas.laney import pp_limits, up_limits
from qi_equity.formulas.limits import Limits
from qi_equity.formulas.probability_limits import (
    c_probability_limits,
    np_probability_limits,
    p_probability_limits,
    u_probability_limits,
)
from qi_equity.formulas.subgroups import c4, d2, r_limits, s_limits, xbar_limits
from qi_equity.formulas.taylor import ip_limits

REFERENCE = json.loads((Path(__file__).parent / "measurement_charts.json").read_text(encoding="utf-8"))
QICHARTS2, QCC = REFERENCE["qicharts2"], REFERENCE["qcc"]


def named(cases: Iterable[dict[str, Any]]) -> list[Any]:
    return [pytest.param(c, id="-".join(map(str, (c["id"], *c.get("of", ()))))) for c in cases]


def numbers(values: Any) -> np.ndarray:
    return np.asarray(values, dtype=np.float64)


def size_of(case: dict[str, Any]) -> int:
    return len(case.get("y") or case.get("x") or case.get("mean") or case.get("sd") or case["range"])


def used(case: dict[str, Any]) -> np.ndarray:
    left_out = [*case.get("excluded", []), *case.get("outside_baseline", [])]
    return np.isin(np.arange(size_of(case)), left_out, invert=True)


def close(found: Any, expected: Any) -> None:
    expected = np.broadcast_to(numbers(expected), np.shape(found))
    np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-11)


def in_unit(limits: Limits, scale: float) -> Limits:
    parts = (limits.centre_line, limits.sigma, limits.lower, limits.upper)
    return Limits(*(part * scale for part in parts))


def lines(case: dict[str, Any], nsigma: float) -> Limits:
    """Draw the lines in the unit of the case."""
    common: dict[str, Any] = {
        "baseline": used(case),
        "centre_line": case.get("given_line"),
        "nsigma": nsigma,
    }
    n = numbers(case.get("n", np.nan))
    if "screened" in case:
        common["spread"] = "screened" if case["screened"] else "mean"
    match case["kind"]:
        case "mr":
            found = mr_limits(moving_ranges(numbers(case["y"])), constants="qicharts2", **common)
        case "ip":
            found = ip_limits(numbers(case["y"]), n, **common)
        case "pp":
            found = pp_limits(numbers(case["x"]), n, constants="qicharts2", **common)
        case "up":
            found = up_limits(numbers(case["x"]), n, constants="qicharts2", **common)
        case "xbar":
            found = xbar_limits(numbers(case["mean"]), n, sds=numbers(case["sd"]), **common)
        case _:
            found = s_limits(numbers(case["sd"]), n, **common)
    return in_unit(found, case.get("scale", 1))


def spread_of_every_point(case: dict[str, Any]) -> bool:
    """Whether the I' chart of the package takes its spread from points outside the baseline, too."""
    return case["kind"] == "ip" and not used(case).all()


def missing_subgroups(case: dict[str, Any]) -> bool:
    """Whether the package counts minus one degree of freedom for subgroups without values."""
    return case["kind"] in ("xbar", "s") and 0 in case["n"]


AGREEING = [c for c in QICHARTS2 if not spread_of_every_point(c) and not missing_subgroups(c)]


@pytest.mark.parametrize("case", named(AGREEING))
def test_qicharts2(case: dict[str, Any]) -> None:
    for nsigma, suffix in ((3.0, ""), (2.0, ".95")):
        found = lines(case, nsigma)
        close(found.centre_line, case["cl"])
        if case["kind"] == "mr" and nsigma == 2:
            continue
        close(np.maximum(found.lower, 0) if "not_negative" in case else found.lower, case["lcl" + suffix])
        close(found.upper, case["ucl" + suffix])


@pytest.mark.parametrize("case", named(c for c in QICHARTS2 if c["kind"] == "mr"))
def test_qicharts2_two_sigma_of_ranges_counts_from_zero(case: dict[str, Any]) -> None:
    """Theirs is two thirds of the way from 0 to the limit, not from the centre line."""
    wide, narrow = lines(case, 3), lines(case, 2)
    close(2 / 3 * wide.upper, case["ucl.95"])
    np.testing.assert_allclose(narrow.upper, wide.centre_line + 2 / 3 * (wide.upper - wide.centre_line))


@pytest.mark.parametrize("case", named(c for c in QICHARTS2 if c["kind"] == "mr" and "excluded" in c))
def test_qicharts2_keeps_the_range_after_an_excluded_point(case: dict[str, Any]) -> None:
    """Third calculation: mean distance of neighbours among the points that were not excluded."""
    y = numbers(case["y"])
    included = np.isin(np.arange(len(y)), case["excluded"], invert=True)
    first = np.isin(np.arange(len(y)), case.get("outside_baseline", []), invert=True)
    found = mr_limits(
        moving_ranges(y, baseline=included), baseline=first & included, constants="qicharts2"
    ).centre_line[0] * case.get("scale", 1)
    distances = np.abs(np.diff(y[included & first])) * case.get("scale", 1)
    assert found == pytest.approx(distances[~np.isnan(distances)].mean(), rel=1e-12)
    theirs = np.abs(np.diff(y, prepend=np.nan))[included & first] * case.get("scale", 1)
    close(theirs[~np.isnan(theirs)].mean(), case["cl"])
    assert found != pytest.approx(case["cl"], rel=1e-4)


@pytest.mark.parametrize("case", named(c for c in QICHARTS2 if spread_of_every_point(c)))
def test_qicharts2_ip_spread_ignores_baseline_and_exclusions(case: dict[str, Any]) -> None:
    """Third calculation: the points of the baseline as a series of their own, without exclusions to make."""
    found, kept = lines(case, 3), used(case)
    y, n = (numbers(case[name])[kept].tolist() for name in ("y", "n"))
    alone = lines({**case, "y": y, "n": n, "excluded": [], "outside_baseline": []}, 3)
    close(found.centre_line, case["cl"])
    close(found.centre_line[kept], alone.centre_line)
    close(found.upper[kept], alone.upper)
    everything = lines({**case, "excluded": [], "outside_baseline": []}, 3)
    close(numbers(case["cl"]) + 3 * everything.sigma, case["ucl"])
    assert not np.allclose(found.sigma, everything.sigma, rtol=1e-3, equal_nan=True)


@pytest.mark.parametrize("case", named(c for c in QICHARTS2 if missing_subgroups(c)))
def test_qicharts2_takes_a_degree_of_freedom_for_every_missing_subgroup(case: dict[str, Any]) -> None:
    """Third calculation: the pooled standard deviation of the subgroups that are there."""
    n, sd = numbers(case["n"]), numbers(case["sd"])
    there = used(case) & (n > 0)
    assert len(set(n[there])) > 1
    squares = np.nansum((n[there] - 1) * sd[there] ** 2) * case.get("scale", 1) ** 2
    found = lines(case, 3)
    ours, theirs = (np.sqrt(squares / np.sum(f)) for f in (n[there] - 1, n[used(case)] - 1))
    half_width = (found.upper - found.centre_line) / ours
    close(found.centre_line, ours if case["kind"] == "s" else case["cl"])
    centre = theirs if case["kind"] == "s" else found.centre_line
    close(centre, case["cl"])
    close(np.where(n > 0, centre + half_width * theirs, np.nan), case["ucl"])
    assert ours < theirs


def qcc(*kinds: str, **wanted: Any) -> list[Any]:
    """The cases of some kinds, with or without certain options."""
    return named(
        c for c in QCC if c["kind"] in kinds and all(c.get(option) in v for option, v in wanted.items())
    )


QCC_D3 = {2: 0.8525033, 3: 0.8883697, 4: 0.8798108, 5: 0.8640855, 6: 0.8480442, 7: 0.8332108, 8: 0.8198378}


@pytest.fixture
def qcc_constants(monkeypatch: pytest.MonkeyPatch) -> None:
    """Qcc looks d2 up in a table of three decimals, d3 in one of seven, of which five are right."""
    exact = subgroups._d2
    monkeypatch.setattr(subgroups, "_d2", lambda n: np.round(exact(n), 3))
    monkeypatch.setattr(subgroups, "_d3", lambda n: np.array([QCC_D3[int(size)] for size in n]))


def qcc_sigmas(case: dict[str, Any]) -> float:
    confidence = case.get("confidence")
    return case.get("nsigma", 3.0) if confidence is None else float(stats.norm.ppf((1 + confidence) / 2))


def small(case: dict[str, Any]) -> bool:
    return max(case["n"]) <= 25


def xbar_of_ranges(case: dict[str, Any]) -> Limits:
    return xbar_limits(
        case["mean"], case["n"], ranges=case["range"], baseline=used(case), nsigma=qcc_sigmas(case)
    )


XBAR_OF_RANGES = [c for c in qcc("xbar", estimator=(None, "UWAVE-R")) if small(c.values[0])]


@pytest.mark.parametrize("case", XBAR_OF_RANGES)
@pytest.mark.usefixtures("qcc_constants")
def test_qcc_xbar_of_ranges(case: dict[str, Any]) -> None:
    found = xbar_of_ranges(case)
    close(found.centre_line, case["cl"])
    close(found.sigma * np.sqrt(case["n"]), case["sigma"])
    close(found.lower, case["lcl"])
    close(found.upper, case["ucl"])


@pytest.mark.parametrize("case", XBAR_OF_RANGES)
def test_qcc_xbar_of_ranges_with_exact_d2(case: dict[str, Any]) -> None:
    """Three decimals of d2 are wrong by at most 0.0005 / 1.128."""
    found = xbar_of_ranges(case)
    np.testing.assert_allclose(found.sigma * np.sqrt(case["n"]), case["sigma"], rtol=0.0005 / 1.128)


@pytest.mark.parametrize(
    "case",
    [*qcc("xbar", estimator=("RMSDF",)), *(c for c in qcc("xbar") if not small(c.values[0]))],
)
def test_qcc_xbar_of_pooled_standard_deviations(case: dict[str, Any]) -> None:
    """The pooled one, here over c4 of the subgroup's size, there over c4 of all degrees of freedom."""
    n = numbers(case["n"])
    found = xbar_limits(case["mean"], n, sds=case["sd"])
    close(found.centre_line, case["cl"])
    close(found.sigma * np.sqrt(n) * c4(n) / c4(np.sum(n - 1) + 1), case["sigma"])


def test_qcc_xbar_of_standard_deviations_of_one_size() -> None:
    """The mean over c4 of the default of S charts is that of x-bar charts, too."""
    (case,) = (c for c in QCC if c["id"] == "qcc-s-17-S-const")
    found = xbar_limits(np.zeros(20), case["n"], sds=case["sd"])
    close(found.sigma * np.sqrt(case["n"]), case["sigma"])


@pytest.mark.parametrize("case", qcc("S", estimator=(None,), confidence=(None,)))
def test_qcc_s(case: dict[str, Any]) -> None:
    n, sd = numbers(case["n"]), numbers(case["sd"])
    found = s_limits(sd, n)
    if len(set(n)) == 1:
        close(found.centre_line, case["cl"])
        close(found.lower, case["lcl"])
        close(found.upper, case["ucl"])
        return
    # Of varying sizes it takes a weighted mean, which belongs to no size; here it is pooled.
    close((n * sd).sum() / n.sum(), case["cl"])
    close((sd / c4(n)).mean(), case["sigma"])
    close(found.centre_line, np.sqrt(((n - 1) * sd**2).sum() / (n - 1).sum()))


@pytest.mark.parametrize("case", qcc("R", estimator=(None,)))
@pytest.mark.usefixtures("qcc_constants")
def test_qcc_r(case: dict[str, Any]) -> None:
    """Widths agree; of varying sizes its centre line is the same for a short and a long range."""
    n = numbers(case["n"])
    found = r_limits(case["range"], n, baseline=used(case))
    close(found.sigma, numbers(case["sigma"]) * subgroups.d3(n))
    close(found.centre_line, numbers(case["sigma"]) * d2(n))
    if len(set(n)) == 1:
        close(found.centre_line, case["cl"])
        close(found.lower, case["lcl"])
        close(found.upper, case["ucl"])
    else:
        close(numbers(case["cl"]) + 3 * found.sigma, case["ucl"])


def test_qcc_d3_third_calculation() -> None:
    """Of two and three values it is known in closed form; the table is out in the sixth decimal."""
    known = {2: np.sqrt(2 - 4 / np.pi), 3: np.sqrt(2 + 3 * np.sqrt(3) / np.pi - 9 / np.pi)}
    for n, d3 in known.items():
        assert float(subgroups.d3(n)) == pytest.approx(d3, rel=1e-12)
        assert 5e-7 < QCC_D3[n] - d3 < 2e-6
    sizes = list(QCC_D3)
    np.testing.assert_allclose(subgroups.d3(sizes), list(QCC_D3.values()), rtol=1e-5)


def test_qcc_r_third_calculation() -> None:
    """The mean range of simulated subgroups grows with their size, as the centre line here does."""
    (case,) = (c for c in QCC if c["id"] == "qcc-s-14-R-var")
    found = r_limits(case["range"], case["n"])
    rng = np.random.default_rng(3)
    sigma = float(np.mean(numbers(case["range"]) / d2(case["n"])))
    for n in sorted(set(case["n"])):
        simulated = np.ptp(rng.normal(0, sigma, (40_000, n)), axis=1)
        error = simulated.std() / 200
        at = case["n"].index(n)
        assert abs(simulated.mean() - found.centre_line[at]) < 4 * error
        assert abs(simulated.mean() - case["cl"]) > 4 * error


@pytest.mark.parametrize("case", qcc("xbar.one", estimator=(None,)))
def test_qcc_individuals(case: dict[str, Any]) -> None:
    found = i_limits(case["y"], baseline=used(case), constants="qicharts2", nsigma=qcc_sigmas(case))
    close(found.centre_line, case["cl"])
    close(found.sigma, case["sigma"])
    close(found.lower, case["lcl"])
    close(found.upper, case["ucl"])


@pytest.mark.parametrize("case", qcc("xbar.one", estimator=("SD",)))
def test_qcc_individuals_of_the_standard_deviation_use_the_same_c4(case: dict[str, Any]) -> None:
    y = numbers(case["y"])
    close(np.std(y, ddof=1) / c4(len(y)), case["sigma"])


CLASSICAL = {"p": p_limits, "np": np_limits, "u": u_limits}
EXACT = {"p": p_probability_limits, "np": np_probability_limits, "u": u_probability_limits}


@pytest.mark.parametrize("case", qcc("p", "np", "c", "u", confidence=(None,)))
def test_qcc_counts(case: dict[str, Any]) -> None:
    options: dict[str, Any] = {
        "baseline": used(case),
        "centre_line": case.get("given_line"),
        "nsigma": case.get("nsigma", 3.0),
    }
    if case["kind"] == "c":
        found = c_limits(case["x"], **options)
    else:
        found = CLASSICAL[case["kind"]](case["x"], case["n"], **options)
    close(found.centre_line, case["cl"])
    close(found.lower, case["lcl"])
    close(found.upper, case["ucl"])


@pytest.mark.parametrize("case", [c for c in qcc("p", "np", "c", "u") if "confidence" in c.values[0]])
def test_qcc_quantile_limits_lie_on_the_last_count_that_does_not_signal(case: dict[str, Any]) -> None:
    options: dict[str, Any] = {"baseline": used(case), "tail": (1 - case["confidence"]) / 2}
    if case["kind"] == "c":
        found, unit = c_probability_limits(case["x"], **options), np.ones(size_of(case))
    else:
        found = EXACT[case["kind"]](case["x"], case["n"], **options)
        unit = np.ones(size_of(case)) if case["kind"] == "np" else 1 / numbers(case["n"])
    lowest = np.broadcast_to(numbers(case["lcl"]), unit.shape)
    close(found.centre_line, case["cl"])
    close(found.lower, np.where(lowest > 0, lowest - unit / 2, 0))
    close(found.upper, case["ucl"] + unit / 2)
