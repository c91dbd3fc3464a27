"""Average run lengths of zone tests against the R package spc and Champ and Woodall."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from scipy import stats

from qi_equity.formulas.zone_chains import ZoneChain, together, zone_false_signal
from qi_equity.formulas.zone_test_chains import beyond_limits_chain, several_beyond_chain, shift_chain

SPC: dict[str, Any] = json.loads((Path(__file__).parent / "runs_rules.json").read_text(encoding="utf-8"))
TESTS = {
    "1": beyond_limits_chain(),
    "2": several_beyond_chain(points=2, window=3, sigmas=2),
    "3": several_beyond_chain(points=4, window=5, sigmas=1),
    "4": shift_chain(length=8),
    "9": shift_chain(length=9),
}


def chain(name: str) -> ZoneChain:
    return together(*(TESTS[digit] for digit in name.replace("SameSide", "1")))


def zones(mu: float, factor: float = 1.0) -> np.ndarray:
    edges = np.array([-np.inf, -3, -2, -1, 0, 0, 1, 2, 3, np.inf]) * factor
    return np.append(np.diff(stats.norm.cdf(edges - mu)), 0)


def run_length(chain: ZoneChain, chances: np.ndarray) -> float:
    """Expected points to the first signal: solve (I - Q) L = 1.

    The sources take the points before the first as lying near the centre line, where a window of three or
    five is full from the start.
    """
    following = chain.following
    stays = np.zeros((len(following), len(following)))
    for zone, chance in enumerate(chances):
        here = np.flatnonzero(following[:, zone] >= 0)
        stays[here, following[here, zone]] += chance
    start = 0
    for _ in range(4):
        start = following[start, 4]
    return float(np.linalg.solve(np.eye(len(stays)) - stays, np.ones(len(stays)))[start])


@pytest.mark.parametrize("case", [pytest.param(c, id=c["tests"]) for c in SPC["cases"]])
def test_run_lengths_of_spc(case: dict[str, Any]) -> None:
    found = [run_length(chain(case["tests"]), zones(mu)) for mu in SPC["mu"]]
    np.testing.assert_allclose(found, case["arl"], rtol=1e-9)


@pytest.mark.parametrize("case", [pytest.param(c, id=c["tests"]) for c in SPC["factors"]])
def test_limits_of_spc_for_a_run_length(case: dict[str, Any]) -> None:
    assert run_length(chain(case["tests"]), zones(0, case["factor"])) == pytest.approx(case["arl"], rel=1e-6)


@pytest.mark.parametrize(
    ("mu", "expected"),
    [
        (0, 91.75),
        (0.4, 36.61),
        (0.6, 20.91),
        (0.8, 13.25),
        (1, 9.22),
        (1.5, 4.87),
        (2, 3.13),
        (3, 1.67),
    ],
)
def test_run_lengths_of_all_western_electric_tests(mu: float, expected: float) -> None:
    """Champ, Woodall, Technometrics 1987;29:393-399, by another Markov chain of their construction."""
    assert run_length(chain("1234"), zones(mu)) == pytest.approx(expected, abs=0.005)


def test_the_probability_of_a_signal_tends_to_that_of_the_run_length() -> None:
    """Summed over n, P(no signal within n points) is the mean run length, from the true start."""
    quiet, mu = 1.0, 2.0
    for n in range(1, 200):
        quiet += 1 - float(zone_false_signal(chain("14"), np.tile(zones(mu), (n, 1))))
    expected = SPC["cases"][3]["arl"][SPC["mu"].index(mu)]
    assert quiet == pytest.approx(expected, rel=1e-9)
