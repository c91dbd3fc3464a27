"""Labels and the strata they make."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from qi_equity.data import strata
from qi_equity.data.strata import Keys, Labels
from qi_equity.errors import DataError


def test_labels_sort_naturally_and_numbers_are_one_label_however_written():
    labels = strata.read_labels(pd.Series(["Ward 10", "ward 2", " Ward 10 ", None, ""], dtype="object"))
    assert labels.names == ("ward 2", "Ward 10")
    assert labels.codes.tolist() == [1, 0, 1, -1, -1]
    assert strata.read_labels(pd.Series([3, "3", 3.0, " 3 ", 2.5], dtype="object")).names == ("2.5", "3")
    assert strata.read_labels(pd.Series([10.0, 9.0])).names == ("9", "10")


def test_missing_labels_come_last_when_they_have_a_name():
    labels = strata.read_labels(pd.Series(["z", None, "", "Missing", "a"], dtype="object"), "Missing")
    assert labels.names == ("a", "z", "Missing")
    assert labels.codes.tolist() == [1, 2, 2, 2, 0]
    assert strata.read_labels(pd.Series(["a"]), "Missing").names == ("a",)


@pytest.mark.parametrize("table", [strata._TABLE, 0], ids=["table", "sorted"])
def test_strata_are_the_combinations_that_occur_with_every_group(monkeypatch, table):
    monkeypatch.setattr(strata, "_TABLE", table)
    rng = np.random.default_rng(5)
    keys = Keys(
        Labels(rng.integers(0, 4, 30), ("s0", "s1", "s2", "s3")),
        Labels(rng.integers(0, 2, 30), ("g0", "g1", "g2")),
        {
            "trust": Labels(rng.integers(0, 3, 30), ("t0", "t1", "t2")),
            "imd": Labels(rng.integers(0, 2, 30), ("1", "2")),
        },
    )
    frame, index = strata.arrange(keys)
    assert list(frame.columns) == ["site", "group", "trust", "imd"]
    seen = set(zip(keys.site.codes, keys.by["trust"].codes, keys.by["imd"].codes, strict=True))
    expected = sorted((s, g, t, i) for (s, t, i), g in itertools.product(seen, range(3)))
    assert list(zip(*(frame[c].cat.codes for c in frame), strict=True)) == expected
    for row in range(30):
        site, group, trust, imd = frame.iloc[index[row]]
        assert (site, group) == (f"s{keys.site.codes[row]}", f"g{keys.group.codes[row]}")
        assert (trust, imd) == (f"t{keys.by['trust'].codes[row]}", str(keys.by["imd"].codes[row] + 1))


def test_without_sites_there_is_no_column_for_them():
    frame, index = strata.arrange(Keys(None, strata.one_group(2), {}))
    assert frame.to_dict("list") == {"group": ["All"]}
    assert index.tolist() == [0, 0]


def test_a_block_beyond_memory_is_refused():
    with pytest.raises(
        DataError, match=r"100000 strata in 109572 periods .* are too many .* choose a longer every="
    ):
        strata.check_size(100_000, 109_572)
