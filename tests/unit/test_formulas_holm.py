"""Holm's adjustment against statsmodels and against its definition, family by family."""

from __future__ import annotations

import numpy as np
import pytest
from statsmodels.stats.multitest import multipletests

from qi_equity.errors import InputTypeError, OptionError
from qi_equity.formulas.holm import holm

RNG = np.random.default_rng(20)
P = RNG.uniform(size=(40, 7)) ** 3


def one_family(p):
    order = sorted(range(len(p)), key=lambda i: p[i])
    found, highest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, (len(p) - rank) * p[i])
        found[i] = min(1.0, highest)
    return found


def test_every_family_is_that_of_statsmodels_and_of_the_definition():
    found = holm(P)
    for row, got in zip(P, found, strict=True):
        np.testing.assert_allclose(got, multipletests(row, method="holm")[1], rtol=1e-12)
        np.testing.assert_allclose(got, one_family(row), rtol=1e-12)


def test_the_example_of_holm():
    """Ties keep one value; four tests at 5 % compare with 0.05 / 4, / 3, / 2, / 1."""
    np.testing.assert_allclose(holm([0.01, 0.02, 0.02, 0.04]), [0.04, 0.06, 0.06, 0.06])


def test_what_is_not_counted_is_no_part_of_the_family():
    p = np.where(RNG.uniform(size=P.shape) < 0.2, np.nan, P)
    counted = RNG.uniform(size=P.shape) < 0.6
    found = holm(p, counted=counted)
    for row, keep, got in zip(p, counted & ~np.isnan(p), found, strict=True):
        assert np.isnan(got[~keep]).all()
        if keep.any():
            np.testing.assert_allclose(got[keep], one_family(list(row[keep])), rtol=1e-12)


def test_axis_and_a_family_without_members():
    np.testing.assert_array_equal(holm(P.T, axis=0), holm(P).T)
    np.testing.assert_array_equal(holm(P, counted=np.zeros(7, dtype=bool)), np.full(P.shape, np.nan))
    assert np.isnan(holm([np.nan, np.nan])).all()


def test_refused():
    with pytest.raises(OptionError, match=r"p holds 1\.2; give p-values in \[0, 1\]"):
        holm([0.1, 1.2])
    with pytest.raises(OptionError, match=r"axis=2 is not an axis of p of shape \(2,\)"):
        holm([0.1, 0.2], axis=2)
    with pytest.raises(InputTypeError, match="axis=True is of type bool; give a whole number"):
        holm([0.1, 0.2], axis=True)
    with pytest.raises(InputTypeError, match="counted holds int64; give booleans"):
        holm([0.1, 0.2], counted=[0, 1])
