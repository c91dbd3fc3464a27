"""Tables as they may leave: true counts that look alike once disclosed give the same results."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe

GROUPS = ("Asian", "Black", "Mixed", "White")
SITES = ("North", "South", "West")
MAKERS: dict[str, Callable[[qe.StratifiedSeries], Any]] = {
    "rates": lambda s: qe.rates(s.pool("age")),
    "gaps": lambda s: qe.gaps(s.pool("age"), reference="White"),
    "gaps from everyone else": lambda s: qe.gaps(s.pool("age"), reference="rest"),
    "inequality": lambda s: qe.inequality(s.pool("age"), draws=200, seed=1),
    "groups compared": lambda s: qe.compare_groups(s.pool("age"), across="group"),
    "sites compared": lambda s: qe.compare_groups(s.pool("age"), across="site", method="anom"),
    "standardised": lambda s: s.standardise("age", over="all"),
}


def series(small: int) -> qe.StratifiedSeries:
    """Make counts of which only those of one group at one site are small, and differ."""
    rows = pd.DataFrame(
        [
            {"site": s, "group": g, "age": a, "month": "2024-01", "x": 20 + 3 * i + 7 * j + k, "n": 400}
            for i, s in enumerate(SITES)
            for j, g in enumerate(GROUPS)
            for k, a in enumerate(("<35", "35+"))
        ]
    )
    hidden = (rows["site"] == "South") & (rows["group"] == "Mixed")
    rows.loc[hidden, "x"] = [1, small - 1]
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    return qe.from_counts(rows, qe.measures["preterm_birth"], by=["age"], **columns)


def written(result: Any) -> str:
    """Put everything that a result holds into one text."""
    return json.dumps(result.to_dict(), sort_keys=True) + repr(result) + result._repr_html_()


@pytest.mark.parametrize("name", list(MAKERS))
@pytest.mark.parametrize("rule", ["strict-10", "nhs-england", "dqmi"])
def test_nothing_tells_which_small_count_it_was(name: str, rule: str) -> None:
    one, other = (MAKERS[name](series(small)) for small in (3, 6))
    assert written(one) != written(other)
    shown, also = (result.disclose(rule, margins=[]) for result in (one, other))
    assert written(shown) == written(also)
    assert type(shown) is type(one)


@pytest.mark.parametrize("name", list(MAKERS))
def test_withheld_rows_show_as_such(name: str) -> None:
    shown = MAKERS[name](series(3)).disclose("strict-10", margins=[])
    assert (shown.spans.cells.status == 2).any()
    assert np.isnan(shown.spans.cells.numerator[shown.spans.cells.status == 2]).all()
    table = shown.table
    if "status" in table:
        hidden = table[(table["site"] == "South") & (table["group"] == "Mixed")]
        assert hidden["status"].tolist() == ["suppressed"]
        assert hidden["rate"].isna().all()
