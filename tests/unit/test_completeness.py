"""Completeness of ethnicity, and bounds from the women whose group is unknown."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import STATUSES, Cells

NHS = qe.Scheme.load("nhs-2001")
PPH = qe.measures["pph_1500"]

PARTS = ["known", "not_stated", "not_known", "missing"]
COUNTS = ["births", *PARTS, *(f"n_{p}" for p in PARTS)]
COLUMNS = [*COUNTS, "n_periods"]


def series_of(
    rows: list[tuple[object, ...]],
    columns: str = "group date x n",
    *,
    measure: qe.Measure = PPH,
    scheme: qe.Scheme | None = NHS,
    grouping: str | None = "broad",
    window: int = 1,
) -> qe.StratifiedSeries:
    """Make a series; strata without rows have no births."""
    table = pd.DataFrame(rows, columns=columns.split())
    keys = [c for c in table.columns if c not in ("date", "x", "n", "u", "status")]
    declared = {c: sorted(table[c].unique()) for c in keys}
    if scheme is not None and grouping is not None:
        declared["group"] = list(scheme.groups(grouping))
    combos = list(itertools.product(*declared.values()))
    strata = pd.DataFrame(
        {c: pd.Categorical([row[i] for row in combos], declared[c]) for i, c in enumerate(keys)}
    )
    stratum = np.array([combos.index(tuple(row)) for row in table[keys].to_numpy().tolist()])
    found, period = np.unique(pd.to_datetime(table["date"]).to_numpy("datetime64[us]"), return_inverse=True)
    status = np.array(
        [STATUSES.index(s) for s in table.get("status", ["observed"] * len(table))], dtype=np.int8
    )
    cells = Cells.dense(
        strata,
        found,
        stratum,
        period,
        numerator=table["x"].to_numpy(dtype=float),
        denominator=table["n"].to_numpy(dtype=float),
        unrecorded=table["u"].to_numpy(dtype=float) if "u" in table else None,
        status=status,
        absent="no births",
        kind=measure.kind,
    )
    return qe.StratifiedSeries(measure, scheme, grouping, "month", window, cells, {}, _result.notes([]))


def maternity_unit() -> qe.StratifiedSeries:
    return series_of(
        [
            ("North", "Black", "2024-01", 1, 30, 1),
            ("North", "White", "2024-01", 1, 55, 4),
            ("North", "Not stated", "2024-01", 0, 5, 0),
            ("North", "Not known", "2024-01", 0, 3, 0),
            ("North", "Missing", "2024-01", 1, 1, 1),
            ("North", "White", "2024-02", 2, 50, 0),
            ("North", "Missing", "2024-02", 0, 50, 0),
            ("South", "White", "2024-01", 2, 20, 0),
        ],
        "site group date x n u",
    )


def test_shares_of_births_by_site_and_period() -> None:
    table = maternity_unit().completeness()
    assert table.columns.tolist() == ["site", "period", *COLUMNS]
    assert table["site"].tolist() == ["North", "North", "South", "South"]
    assert table["period"].dt.strftime("%Y-%m").tolist() == ["2024-01", "2024-02"] * 2
    assert table.dtypes["period"] == "datetime64[us]"
    expected = [
        # Births whose outcome was not recorded are births all the same.
        [100, 0.90, 0.05, 0.03, 0.02, 90, 5, 3, 2],
        [100, 0.50, 0, 0, 0.5, 50, 0, 0, 50],
        [20, 1, 0, 0, 0, 20, 0, 0, 0],
        [0, np.nan, np.nan, np.nan, np.nan, 0, 0, 0, 0],
    ]
    np.testing.assert_allclose(table[COUNTS].to_numpy(), expected, rtol=1e-12)
    assert table["n_periods"].tolist() == [1] * 4


def test_shares_over_all_periods_have_the_same_columns() -> None:
    table = maternity_unit().completeness(by_period=False)
    assert table.columns.tolist() == ["site", "period", *COLUMNS]
    assert table["period"].isna().all()
    assert table.dtypes["period"] == "datetime64[us]"
    np.testing.assert_allclose(
        table[COUNTS].to_numpy(),
        [[200, 0.7, 0.025, 0.015, 0.26, 140, 5, 3, 52], [20, 1, 0, 0, 0, 20, 0, 0, 0]],
        rtol=1e-12,
    )


def test_completeness_of_pooled_sites_and_of_further_strata() -> None:
    pooled = maternity_unit().pool("site").completeness()
    assert pooled.columns.tolist() == ["period", *COLUMNS]
    assert pooled["births"].tolist() == [120, 100]
    rows = [
        ("1", "White", "2024-01", 0, 8),
        ("2", "White", "2024-01", 0, 6),
        ("2", "Missing", "2024-01", 0, 2),
    ]
    by = series_of(rows, "imd group date x n").completeness()
    assert by.columns.tolist() == ["imd", "period", *COLUMNS]
    assert by["known"].tolist() == [1, 0.75]


def test_births_count_although_their_events_are_suppressed_or_missing() -> None:
    table = series_of(
        [
            ("White", "2024-01", np.nan, 60, "suppressed"),
            ("Black", "2024-01", np.nan, 20, "missing"),
            ("Not stated", "2024-01", 1, 20, "provisional"),
        ],
        "group date x n status",
    ).completeness()
    assert table.loc[0, ["births", "known", "not_stated"]].tolist() == [100, 0.8, 0.2]


def test_suppressed_births_leave_the_share_unknown() -> None:
    table = series_of(
        [("White", "2024-01", 2, 60, "observed"), ("Not stated", "2024-01", np.nan, np.nan, "suppressed")],
        "group date x n status",
    ).completeness()
    assert table[["births", *PARTS]].isna().all(axis=None)
    assert table["n_known"].tolist() == [60]


def test_share_is_unknown_where_no_unknown_group_was_reported() -> None:
    rows = [("White", "2024-01", 2, 60, "observed")]
    rows += [(u, "2024-01", np.nan, np.nan, "missing") for u in NHS.unknown]
    table = series_of(rows, "group date x n status").completeness()
    assert table["births"].tolist() == [60]
    assert table[PARTS].isna().all(axis=None)
    rows[-1] = ("Missing", "2024-01", 1, 40, "observed")
    assert series_of(rows, "group date x n status").completeness()["known"].tolist() == [0.6]


def test_unknown_groups_of_other_schemes() -> None:
    scheme = qe.Scheme.load("nz-level-1-prioritised")
    grouping = scheme.groupings[0]
    known = scheme.known(grouping)[0]
    rows = [(known, "2024-01", 0, 80), ("Residual", "2024-01", 0, 15), ("Missing", "2024-01", 0, 5)]
    table = series_of(rows, scheme=scheme, grouping=grouping).completeness()
    assert table["not_stated"].isna().all()
    assert table.loc[0, ["known", "not_known", "missing"]].tolist() == [0.8, 0.15, 0.05]


@pytest.mark.parametrize("what", ["completeness", "unknown_bounds"])
def test_groups_of_no_scheme_are_refused(what: str) -> None:
    own = series_of([("Here", "2024-01", 1, 9)], scheme=None, grouping=None)
    for series in (own, maternity_unit().total()):
        with pytest.raises(
            qe.OptionError, match=rf"{what}\(\) is not possible: the groups .* no grouping of a"
        ):
            getattr(series, what)()


def test_completeness_needs_births_and_periods_that_do_not_overlap() -> None:
    counts = series_of([("White", "2024-01", 1, np.nan)], measure=qe.Measure("Calls", "count", None))
    empty = counts.select(group="White")
    with pytest.raises(qe.OptionError, match=r"completeness\(\) is not possible: the series holds no births"):
        empty.completeness()
    rolling = series_of([("White", "2024-01", 1, 9), ("White", "2024-02", 1, 8)], window=3)
    assert rolling.completeness()["births"].tolist() == [9, 8]
    with pytest.raises(
        qe.OptionError, match=r"completeness\(by_period=False\) is not possible with window=3"
    ):
        rolling.completeness(by_period=False)


def every_split(x: int, n: int, x_u: int, n_u: int) -> list[float]:
    """List the rates of a group for every way in which unknown women may belong to it."""
    women = [1] * x_u + [0] * (n_u - x_u)
    rates = []
    for chosen in itertools.product([False, True], repeat=n_u):
        events = x + sum(w for w, c in zip(women, chosen, strict=True) if c)
        births = n + sum(chosen)
        if births:
            rates.append(events / births)
    return rates


@pytest.mark.parametrize(
    ("x", "n", "x_u", "n_u"),
    [
        (2, 9, 1, 6),
        (0, 4, 2, 5),
        (3, 3, 0, 4),
        (1, 7, 5, 5),
        (2, 6, 0, 0),
        (0, 0, 2, 5),
        (0, 0, 3, 3),
        (0, 0, 0, 4),
    ],
)
def test_bounds_are_those_of_every_possible_split(x: int, n: int, x_u: int, n_u: int) -> None:
    rows = [("Black", "2024-01", x, n), ("Not stated", "2024-01", x_u, n_u)]
    bounds = series_of(rows).unknown_bounds().set_index("group").loc["Black"]
    rates = every_split(x, n, x_u, n_u)
    assert bounds["lowest"] == min(rates)
    assert bounds["highest"] == max(rates)
    assert bounds["rate_all"] == (x + x_u) / (n + n_u)
    np.testing.assert_equal(bounds["rate_none"], x / n if n else np.nan)


def test_bounds_by_site_over_all_periods() -> None:
    bounds = maternity_unit().unknown_bounds()
    assert bounds.columns.tolist() == [
        *("site", "group", "events", "births", "unknown_events", "unknown_births"),
        *("rate_none", "rate_all", "lowest", "highest", "n_periods"),
    ]
    assert (bounds["n_periods"] == 2).all()
    assert bounds["site"].tolist() == ["North"] * 5 + ["South"] * 5
    assert bounds["group"].tolist() == list(NHS.known("broad")) * 2
    north = bounds[(bounds["site"] == "North") & (bounds["group"] == "White")].iloc[0]
    assert north[["events", "births", "unknown_events", "unknown_births"]].tolist() == [3, 105, 1, 59]
    assert north["lowest"] == 3 / (105 + 59 - 1)
    assert north["highest"] == 4 / 106
    south = bounds[(bounds["site"] == "South") & (bounds["group"] == "White")].iloc[0]
    assert south[["rate_none", "rate_all", "lowest", "highest"]].tolist() == [0.1] * 4
    empty = bounds[bounds["group"] == "Asian"].set_index("site")
    assert np.isnan(empty.loc["South", "lowest"])
    assert empty.loc["North", ["lowest", "highest"]].tolist() == [0, 1]


def test_bounds_are_unknown_where_counts_are() -> None:
    rows = [("White", "2024-01", np.nan, 60, "suppressed"), ("Not stated", "2024-01", 1, 9, "observed")]
    white = series_of(rows, "group date x n status").unknown_bounds().set_index("group").loc["White"]
    assert white[["births", "unknown_births"]].tolist() == [60, 9]
    assert white[["events", "rate_none", "rate_all", "lowest", "highest"]].isna().all()


def test_bounds_are_unknown_without_the_unknown_groups() -> None:
    series = series_of([("White", "2024-01", 2, 60)]).select(group=["White"])
    white = series.unknown_bounds().iloc[0]
    assert white["rate_none"] == 2 / 60
    assert white[["unknown_births", "lowest", "highest"]].isna().all()


def test_bounds_are_for_proportions_and_periods_that_do_not_overlap() -> None:
    rate = qe.Measure("Falls", "rate", "lower")
    with pytest.raises(
        qe.OptionError, match=r"unknown_bounds\(\) is not possible for a measure of kind 'rate'"
    ):
        series_of([("White", "2024-01", 2, 60)], measure=rate).unknown_bounds()
    with pytest.raises(qe.OptionError, match=r"unknown_bounds\(\) is not possible with window=12"):
        series_of([("White", "2024-01", 2, 60), ("White", "2024-02", 2, 60)], window=12).unknown_bounds()


def test_groups_without_a_scheme_can_name_the_unknown_ones() -> None:
    rows = pd.DataFrame(
        {"m": ["2024-01"] * 3, "g": ["Asian", "Black", "Unknown"], "x": [4, 3, 2], "n": [90, 60, 10]}
    )
    series = qe.from_counts(
        rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n", group="g"
    )
    bounds = series.unknown_bounds(unknown="Unknown")
    assert bounds["group"].tolist() == ["Asian", "Black"]
    assert bounds["rate_all"].tolist() == [6 / 100, 5 / 70]
    shares = series.completeness(unknown=["Unknown"])
    assert shares.loc[0, ["known", "not_known"]].tolist() == [150 / 160, 10 / 160]
    with pytest.raises(qe.OptionError, match=r"name those groups in unknown=.* 'Asian', 'Black', 'Unknown'"):
        series.unknown_bounds()
    with pytest.raises(qe.OptionError, match=r"unknown='Unknwon' is not allowed; .* Did you mean 'Unknown'"):
        series.completeness(unknown="Unknwon")


def test_a_single_window_overlaps_with_none() -> None:
    rows = pd.DataFrame({"m": ["2024-12"] * 2, "g": ["Black", "Unknown"], "x": [4, 2], "n": [90, 10]})
    series = qe.from_counts(
        rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n", group="g", window=12
    )
    assert series.unknown_bounds(unknown="Unknown")["rate_none"].tolist() == [4 / 90]


def shares_of_months(births: list[list[float | None]]) -> qe.StratifiedSeries:
    """Make counts of Black, White, Not stated and Missing (rows) in January, February, ...; None: no row."""
    groups = ["Black", "White", "Z", ""]
    rows = [
        {"m": f"2024-{t + 1:02d}", "g": g, "x": None if n is None or np.isnan(n) else n // 10, "n": n}
        for g, line in zip(groups, births, strict=True)
        for t, n in enumerate(line)
        if n is not None
    ]
    table = pd.DataFrame(rows).astype({"x": object, "n": object})
    table[["x", "n"]] = table[["x", "n"]].where(table["n"].notna(), "*")
    return qe.from_counts(
        table, PPH, period="m", numerator="x", denominator="n", group="g", scheme="nhs-2001"
    )


def test_bounds_use_only_periods_that_both_groups_reported() -> None:
    rows = pd.DataFrame(
        {"m": ["2024-01", "2024-01", "2024-02"], "g": ["A", "Z", "A"], "x": [5, 1, 5], "n": [100, 20, 100]}
    )
    series = qe.from_counts(
        rows, PPH, period="m", numerator="x", denominator="n", group="g", scheme="nhs-2001"
    )
    bounds = series.unknown_bounds().set_index("group")
    white = bounds.loc["White - British"]
    assert white[["events", "births", "unknown_events", "unknown_births", "n_periods"]].tolist() == [
        *(5, 100, 1, 20, 1)
    ]
    assert white["lowest"] == 5 / (100 + 20 - 1)
    assert white["highest"] == 6 / 101
    never = bounds.drop(index="White - British")
    assert (never["n_periods"] == 0).all()
    assert never.drop(columns="n_periods").isna().all(axis=None)
    shares = series.completeness(by_period=False)
    assert shares.loc[0, ["births", "known", "n_known", "n_not_stated", "n_periods"]].tolist() == [
        *(120, 100 / 120, 100, 20, 1)
    ]


def random_counts(seed: int) -> tuple[pd.DataFrame, list[str], list[str]]:
    """Make counts by site, group and month, some without a row, some suppressed."""
    rng = np.random.default_rng(seed)
    known, unknown = ["Asian", "Black"], ["Not said", "Lost"]
    rows = []
    for site, group, month in itertools.product(["N", "S"], [*known, *unknown], range(1, 7)):
        if rng.random() < 0.25 or (site == "S" and group == "Lost"):
            continue
        n = int(rng.integers(5, 60))
        suppressed = rng.random() < 0.04
        events = "*" if suppressed else str(int(rng.integers(0, n + 1)))
        rows.append({"unit": site, "g": group, "m": f"2024-{month:02d}", "x": events, "n": n})
    return pd.DataFrame(rows), known, unknown


@pytest.mark.parametrize("seed", range(8))
def test_sums_over_periods_are_those_of_a_plain_loop(seed: int) -> None:
    table, known, unknown = random_counts(seed)
    series = qe.from_counts(table, PPH, period="m", numerator="x", denominator="n", group="g", site="unit")
    bounds = series.unknown_bounds(unknown=unknown).set_index(["site", "group"])
    shares = series.completeness(by_period=False, unknown=unknown).set_index("site")
    events = {(r.unit, r.g, r.m): np.nan if r.x == "*" else float(r.x) for r in table.itertuples()}
    births = {(r.unit, r.g, r.m): r.n for r in table.itertuples()}
    months = sorted(table["m"].unique())
    for site in ["N", "S"]:
        ever = [g for g in [*known, *unknown] if any((site, g, m) in births for m in months)]
        lost = [g for g in unknown if g in ever]
        for group in known:
            used = [m for m in months if all((site, g, m) in births for g in [group, *lost])]
            expected = [
                sum(events[site, group, m] for m in used) if used else np.nan,
                sum(births[site, group, m] for m in used) if used else np.nan,
                sum(events[site, g, m] for g in lost for m in used) if used else np.nan,
                sum(births[site, g, m] for g in lost for m in used) if used else np.nan,
                len(used),
            ]
            columns = ["events", "births", "unknown_events", "unknown_births", "n_periods"]
            found = bounds.loc[(site, group), columns].astype(float)
            np.testing.assert_array_equal(found, expected)
        used = [m for m in months if all((site, g, m) in births for g in ever)]
        n_known, n_unknown = (
            sum(births[site, g, m] for g in part if g in ever for m in used) if used else np.nan
            for part in (known, unknown)
        )
        np.testing.assert_array_equal(
            shares.loc[site, ["n_known", "n_not_known", "births", "n_periods"]].astype(float),
            [n_known, n_unknown, n_known + n_unknown, len(used)],
        )


def test_suppressed_counts_are_reported_but_leave_the_sums_unknown() -> None:
    rows = [
        ("White", "2024-01", np.nan, 60, "suppressed"),
        ("White", "2024-02", 2, 60, "observed"),
        ("Not stated", "2024-01", 1, 9, "observed"),
        ("Not stated", "2024-02", np.nan, np.nan, "suppressed"),
    ]
    rows += [(u, m, np.nan, np.nan, "missing") for u in NHS.unknown[1:] for m in ("2024-01", "2024-02")]
    series = series_of(rows, "group date x n status")
    white = series.unknown_bounds().set_index("group").loc["White"]
    assert white["n_periods"] == 2
    assert white.drop(["births", "n_periods"]).isna().all()
    assert series.completeness(by_period=False)["births"].isna().all()


def test_periods_of_one_period_are_one_or_none() -> None:
    months = series_of(
        [("White", "2024-01", 1, 9, "observed"), ("White", "2024-02", np.nan, np.nan, "missing")],
        "group date x n status",
    )
    assert months.completeness()["n_periods"].tolist() == [1, 1]
    assert months.select(group="White").completeness()["n_periods"].tolist() == [1, 0]
