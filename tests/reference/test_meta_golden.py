"""Meta-analysis and mixed models of sites against metafor and lme4."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from qi_equity.formulas.meta_analysis import meta_analysis
from qi_equity.formulas.meta_intervals import tau2_interval
from qi_equity.formulas.mixed_sites import conditional_sites, mixed_sites

REFERENCE = json.loads((Path(__file__).parent / "meta.json").read_text())
META = REFERENCE["meta"]["cases"]
MIXED = REFERENCE["mixed"]["cases"]
TESTS = {"z": "z", "t": "t", "knha": "knapp-hartung"}
NAMES = {
    "estimate": "estimate",
    "se": "se",
    "statistic": "statistic",
    "p": "p",
    "lower": "lower",
    "upper": "upper",
    "tau2": "tau2",
    "se_tau2": "se_tau2",
    "I2": "i2",
    "H2": "h2",
    "Q": "q",
    "Q_p": "q_p",
    "pi_lower": "prediction_lower",
    "pi_upper": "prediction_upper",
}


def test_all_cases_are_here() -> None:
    assert (len(META), len(MIXED)) == (42, 12)


@pytest.mark.parametrize("case", META, ids=lambda case: case["id"])
def test_meta_analysis_is_that_of_metafor(case: dict[str, Any]) -> None:
    method = {"FE": "fixed"}.get(case["method"], case["method"].lower())
    for test, wanted in case["expected"].items():
        if test == "tau2_ci_Qprofile":
            between = tau2_interval(case["effects"], case["variances"])
            np.testing.assert_allclose(between.lower, wanted["lower"], rtol=1e-9, atol=1e-12)
            np.testing.assert_allclose(between.upper, wanted["upper"], rtol=1e-9)
            continue
        found = meta_analysis(case["effects"], case["variances"], tau2=method, test=TESTS[test])
        for theirs, ours in NAMES.items():
            if theirs not in wanted:
                assert theirs.startswith("pi_"), theirs
                assert np.isnan(getattr(found, ours))
                continue
            value = np.nan if wanted[theirs] is None else wanted[theirs]
            scale = 100 if theirs == "I2" else 1
            np.testing.assert_allclose(scale * getattr(found, ours), value, rtol=1e-9, atol=1e-15)


@pytest.mark.parametrize("case", MIXED, ids=lambda case: case["id"])
def test_mixed_models_are_those_of_lme4_and_metafor(case: dict[str, Any]) -> None:
    """Estimates and standard errors to the stop of their optimisers.

    Only metafor's standard error of the conditional model is rougher, a numerical second derivative of a
    numerical integral; brute force decides between the two in tests/unit/test_formulas_mixed_sites.py.
    """
    pool = mixed_sites if case["model"] == "mixed" else conditional_sites
    found = pool(case["events"], case["births"], family=case["family"], test="z")
    wanted = case["expected"]
    np.testing.assert_allclose(found.estimate, wanted["estimate"], rtol=1e-6)
    np.testing.assert_allclose(found.tau, wanted["tau"], rtol=1e-6, atol=1e-7)
    rough = (case["model"], case["family"]) == ("conditional", "binomial")
    np.testing.assert_allclose(found.se, wanted["se"], rtol=4e-4 if rough else 2e-6)
    if "log_likelihood" in wanted:
        np.testing.assert_allclose(found.log_likelihood, wanted["log_likelihood"], rtol=1e-8)
