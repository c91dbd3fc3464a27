"""What must hold for every series: sums agree, whatever the way and the order in which they are taken."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

import qi_equity as qe
from qi_equity import _result
from qi_equity.data.cells import STATUSES, Cells
from qi_equity.data.timeline import timeline

NHS = qe.Scheme.load("nhs-2001")
DETAIL = NHS.groups("detail")
SITES = ("East", "North", "South")
MONTHS = (np.datetime64("2023-11") + np.arange(8)).astype("datetime64[us]")
COUNTS = ["numerator", "denominator", "unrecorded"]
MEASURE = qe.Measure("Tears", "proportion", "lower")

Row = tuple[int, int, int, int, int, str]


@st.composite
def rows(draw: st.DrawFn, statuses: tuple[str, ...] = ("observed",)) -> list[Row]:
    """Draw rows of site, group, month, events, births, status; no two for one cell."""
    places = st.tuples(
        st.integers(0, len(SITES) - 1), st.integers(0, len(DETAIL) - 1), st.integers(0, len(MONTHS) - 1)
    )
    cells = draw(st.lists(places, min_size=1, max_size=25, unique=True))
    found = []
    for place in cells:
        births = draw(st.integers(0, 50))
        found.append((*place, draw(st.integers(0, births)), births, draw(st.sampled_from(statuses))))
    return found


def series_of(given_rows: list[Row], absent: Any = "no births") -> qe.StratifiedSeries:
    size = len(DETAIL)
    strata = pd.DataFrame(
        {
            "site": pd.Categorical(np.repeat(SITES, size), categories=SITES),
            "group": pd.Categorical(np.tile(DETAIL, len(SITES)), categories=DETAIL),
        }
    )
    site, group, month, events, births = (np.array([r[i] for r in given_rows]) for i in range(5))
    status = np.array([STATUSES.index(r[5]) for r in given_rows], dtype=np.int8)
    known = (status == 0) | (status == 3)
    cells = Cells.dense(
        strata,
        MONTHS,
        site * size + group,
        month,
        numerator=np.where(known, events, np.nan),
        denominator=np.where(known, births, np.nan),
        unrecorded=np.where(known, 1.0, np.nan),
        expected=np.where(known, births / 64, np.nan),
        status=status,
        absent=absent,
        kind="proportion",
    )
    return qe.StratifiedSeries(MEASURE, NHS, "detail", "month", 1, cells, {}, _result.notes([]))


mixed = rows(statuses=STATUSES)


def sums(frame: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    return frame.groupby(keys, observed=True, dropna=False)[COUNTS].sum()


def assert_same_cells(one: qe.StratifiedSeries, other: qe.StratifiedSeries) -> None:
    pd.testing.assert_frame_equal(one.data, other.data)
    np.testing.assert_array_equal(one.cells.expected, other.cells.expected)


@given(rows())
def test_pooled_sites_are_a_plain_groupby(given_rows: list[Row]) -> None:
    series = series_of(given_rows)
    found = series.pool("site").data.set_index(["group", "period"])
    pd.testing.assert_frame_equal(found[COUNTS], sums(series.data, ["group", "period"]))
    births = found["denominator"]
    expected = (found["numerator"] / births).where(births > 0)
    pd.testing.assert_series_equal(found["value"], expected, check_names=False)


@given(rows())
def test_total_is_the_sum_over_groups(given_rows: list[Row]) -> None:
    series = series_of(given_rows)
    found = series.total().data.set_index(["site", "period"])
    pd.testing.assert_frame_equal(found[COUNTS], sums(series.data, ["site", "period"]))


@given(rows(), st.sampled_from(["quarter", "year", "financial-year"]))
def test_resampling_keeps_the_totals(given_rows: list[Row], every: str) -> None:
    series = series_of(given_rows)
    pd.testing.assert_frame_equal(
        sums(series.resample(every).data, ["site", "group"]), sums(series.data, ["site", "group"])
    )


@given(mixed, st.sampled_from(["missing", "no births"]))
def test_quarters_then_years_are_years(given_rows: list[Row], absent: str) -> None:
    series = series_of(given_rows, absent)
    assert_same_cells(series.resample("quarter").resample("year"), series.resample("year"))


@given(mixed, st.sampled_from(["missing", "no births"]), st.sampled_from(["broad", "maternity"]))
def test_the_way_to_the_total_does_not_matter(given_rows: list[Row], absent: str, grouping: str) -> None:
    series = series_of(given_rows, absent)
    assert_same_cells(series.collapse(grouping).total(), series.total())
    assert_same_cells(series.pool("site").total(), series.total().pool("site"))
    assert_same_cells(series.collapse(grouping).pool("site"), series.pool("site").collapse(grouping))
    assert_same_cells(series.pool("site").resample("quarter"), series.resample("quarter").pool("site"))


@given(mixed, st.sampled_from(SITES))
def test_selecting_a_site_and_summing_may_change_places(given_rows: list[Row], site: str) -> None:
    series = series_of(given_rows)
    assert_same_cells(series.select(site=site).total(), series.total().select(site=site))
    months = {"start": "2024-01", "end": "2024-04"}
    assert_same_cells(series.select(**months).total(), series.total().select(**months))


@given(mixed, st.randoms())
def test_order_of_rows_does_not_matter(given_rows: list[Row], random: Any) -> None:
    shuffled = list(given_rows)
    random.shuffle(shuffled)
    assert series_of(shuffled).equals(series_of(given_rows))
    assert series_of(shuffled).total().equals(series_of(given_rows).total())


@given(mixed)
def test_a_sum_is_suppressed_just_when_a_part_is(given_rows: list[Row]) -> None:
    series = series_of(given_rows, "missing")
    parts = series.data.groupby(["site", "period"], observed=True)["status"].agg(list)
    found = series.total().data.set_index(["site", "period"])["status"]
    for key, states in parts.items():
        if "suppressed" in states:
            expected = "suppressed"
        elif "provisional" in states:
            expected = "provisional"
        else:
            expected = "observed" if "observed" in states else "missing"
        assert found[key] == expected


@given(mixed)
def test_saving_and_reading_gives_the_same(given_rows: list[Row]) -> None:
    series = series_of(given_rows, "missing").pool("site")
    assert qe.StratifiedSeries.from_dict(series.to_dict()).equals(series)


@given(rows())
def test_bounds_hold_every_split_between_none_and_all(given_rows: list[Row]) -> None:
    bounds = series_of(given_rows).unknown_bounds()
    some = bounds[bounds["births"] > 0]
    assert (some["lowest"] <= some[["rate_none", "rate_all"]].min(axis=1) + 1e-12).all()
    assert (some["highest"] >= some[["rate_none", "rate_all"]].max(axis=1) - 1e-12).all()
    assert (some["lowest"] >= 0).all()
    assert (some["highest"] <= 1).all()


@given(rows())
def test_shares_of_known_and_unknown_make_one(given_rows: list[Row]) -> None:
    table = series_of(given_rows).completeness()
    parts = table[["known", "not_stated", "not_known", "missing"]]
    born = table["births"] > 0
    np.testing.assert_allclose(parts[born].sum(axis=1), 1)
    assert parts[~born].isna().all(axis=None)


@given(
    st.sets(st.integers(1, 7)),
    st.sets(st.integers(0, 7)),
    st.one_of(st.none(), st.integers(1, 9), st.integers(0, 7).map(lambda t: str(MONTHS[t])[:7])),
)
def test_timeline_is_what_its_words_say(
    starts: set[int], excluded: set[int], baseline: int | str | None
) -> None:
    series = series_of([(0, 0, 0, 1, 2, "observed")])
    found = timeline(
        series,
        phases=[MONTHS[t] for t in starts] or None,
        exclude=[MONTHS[t] for t in excluded] or None,
        baseline=baseline,
    )
    edges = [0, *sorted(starts)]
    for t in range(8):
        own = max(e for e in edges if e <= t)
        assert (found.phase[:, t] == edges.index(own)).all()
        assert (found.excluded[:, t] == (t in excluded)).all()
        match baseline:
            case None:
                within = True
            case int():
                within = t - own < baseline
            case _:
                end = next(i for i in range(8) if str(MONTHS[i])[:7] == baseline)
                within = t <= end or own > end
        assert (found.baseline[:, t] == (within and t not in excluded)).all()
