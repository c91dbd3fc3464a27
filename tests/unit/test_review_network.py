"""All sites together in a review: charts of pooled groups, gaps, first rows of the grid, who may see it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.data.series import StratifiedSeries
from qi_equity.pdsa.calls.gap_frame import COLUMNS
from qi_equity.pdsa.calls.result import Review
from qi_equity.pdsa.calls.review import review

MONTHS = tuple(pd.period_range("2022-01", periods=30, freq="M").astype(str))
SITES = ("North", "South", "All sites")
BIRTHS = {"Asian": 60, "Black": 25, "White": 200}
RATES = {"Asian": 0.05, "Black": 0.10, "White": 0.05}
PPH, SCREENED = qe.measures["pph_1500"], qe.Measure("Screened", "proportion", "higher", unit="%")
UNDIRECTED = qe.Measure("Induced", "proportion", None)


def rows(months: tuple[str, ...] = MONTHS, times: float = 1.0) -> pd.DataFrame:
    """Three sites, one of them called as the network is; Black women fare worse."""
    rng = np.random.default_rng(11)
    frame = pd.DataFrame(
        [(m, s, g, n) for m in months for s in SITES for g, n in BIRTHS.items()],
        columns=["month", "site", "group", "n"],
    )
    frame["n"] = rng.poisson(frame["n"])
    frame["x"] = rng.binomial(frame["n"], times * frame["group"].map(RATES))
    return frame


def made(frame: pd.DataFrame, measure: qe.Measure = PPH, **more: Any) -> StratifiedSeries:
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    return qe.from_counts(frame, measure, **{**columns, **more})


def network(uses: bool = True) -> pdsa.Network:
    def site(name: str) -> pdsa.Site:
        measures = [pdsa.MeasureUse(measure="pph_1500", role="outcome")] if uses else []
        return pdsa.Site(name=name, projects=[pdsa.Project(name="P", site=name, measures=measures)])

    return pdsa.Network(name="A network", sites=[site(name) for name in SITES])


def looked_at(month: str = "2024-06", frame: pd.DataFrame | None = None, **more: Any) -> Review:
    return review(network(), month, made(rows() if frame is None else frame, **more))


@pytest.fixture(scope="module")
def found() -> Review:
    return looked_at()


def together(frame: pd.DataFrame) -> pd.DataFrame:
    return frame[frame["site"].isna()].reset_index(drop=True)


def test_charts_of_all_sites_are_those_of_the_sums(found: Review) -> None:
    chart = found.network_charts[PPH.name]
    assert chart.strata.columns.tolist() == ["group"]
    data = chart.series.data.set_index(["group", "period"])
    for (group, month), part in rows().groupby(["group", "month"]):
        row = data.loc[(group, pd.Timestamp(month))]
        assert (row["numerator"], row["denominator"]) == (part["x"].sum(), part["n"].sum())
    assert chart.equals(qe.control_chart(found.charts[PPH.name].series.pool("site")))


def test_changes_at_a_site_start_no_phase_of_all_sites() -> None:
    plan = pdsa.Plan(objective="Try it", predictions=[pdsa.Prediction(text="Fewer")])
    cycle = pdsa.Cycle(name="C", idea="i", purpose="implement", plan=plan,
                       do=pdsa.Do(start="2023-01-01", as_planned=True))  # fmt: skip
    project = pdsa.Project(
        name="P", site="North", ideas=[pdsa.ChangeIdea(id="i", name="Weigh")], cycles=[cycle],
        measures=[pdsa.MeasureUse(measure="pph_1500", role="outcome")],
    )  # fmt: skip
    sites = [pdsa.Site(name="North", projects=[project]), *(pdsa.Site(name=s) for s in SITES[1:])]
    records = pdsa.Network(name="N", sites=sites)
    changed = review(records, "2024-06", made(rows()))
    assert changed.charts[PPH.name].timeline.phases["phase"].max() == 2
    assert changed.network_charts[PPH.name].timeline.phases["phase"].max() == 1
    told = changed.notes.set_index("code")["text"]
    assert "have no phases" in told["all_sites_without_phases"]


def test_small_groups_are_visible_first_in_the_network(found: Review) -> None:
    """A group whose births are those of three sites needs fewer months, at every site."""
    wait = found.detection
    alone = wait[wait["site"].notna()].groupby("group")["months_to_detect"].min()
    pooled = together(wait).set_index("group")["months_to_detect"]
    assert (pooled < alone.reindex(pooled.index)).all()


def test_all_sites_are_the_first_rows_and_no_name_is_taken_for_them(found: Review) -> None:
    grid = found.grid
    assert grid["site"].isna().tolist() == [True] * 3 + [False] * 9
    assert (grid["site"] == "All sites").sum() == 3
    assert set(together(grid)["role"]) == {"outcome"}
    icons = found.network_charts[PPH.name].icons()["variation"].astype("str").tolist()
    states = together(grid)["state"].astype("str").tolist()
    assert [s for s in states if s != "not yet visible"] == [
        i for i, s in zip(icons, states, strict=True) if s != "not yet visible"
    ]
    assert review(network(False), "2024-06", made(rows())).grid["role"].isna().all()


def counts(frame: pd.DataFrame, site: str | None, group: str, first: str, last: str) -> tuple[int, ...]:
    """Events and births of a group and of everyone else, row by row."""
    own_events = own_births = other_events = other_births = 0
    for row in frame.itertuples():
        if not first <= row.month <= last or site not in (None, row.site):
            continue
        if row.group == group:
            own_events, own_births = own_events + row.x, own_births + row.n
        else:
            other_events, other_births = other_events + row.x, other_births + row.n
    return own_events, own_births, other_events, other_births


def test_gaps_are_of_the_year_to_the_call_and_the_year_before(found: Review) -> None:
    spans = {"2022-07 to 2023-06": ("2022-07", "2023-06"), "2023-07 to 2024-06": ("2023-07", "2024-06")}
    gaps, frame = found.gaps, rows()
    assert len(gaps) == 2 * 3 * (1 + len(SITES))
    assert gaps["site"].isna().tolist() == [True] * 6 + [False] * 18
    for row in gaps.itertuples():
        site = None if pd.isna(row.site) else row.site
        own, births, others, rest = counts(frame, site, row.group, *spans[row.span])
        assert (row.events, row.births, row.reference_events, row.reference_births) == (
            own, births, others, rest,
        )  # fmt: skip
        assert row.rate == pytest.approx(own / births, rel=1e-12)
        assert row.difference == pytest.approx(own / births - others / rest, rel=1e-9)
        assert row.ratio == pytest.approx((own / births) / (others / rest), rel=1e-9)
        assert row.difference_lower < row.difference < row.difference_upper
        assert row.ratio_lower < row.ratio < row.ratio_upper


def test_the_word_is_what_both_intervals_say(found: Review) -> None:
    gaps = found.gaps
    for row in gaps.itertuples():
        fits_none = (
            row.difference_lower <= 0 <= row.difference_upper or row.ratio_lower <= 1 <= row.ratio_upper
        )
        word = "not yet visible" if fits_none else "worse" if row.difference > 0 else "better"
        assert row.gap == word
    black = together(gaps)
    assert set(black.loc[black["group"] == "Black", "gap"]) == {"worse"}
    assert "not yet visible" in set(gaps["gap"])
    notes = found.notes
    hidden = together(gaps)[together(gaps)["gap"] == "not yet visible"]["group"].unique()
    told = notes[(notes["code"] == "not_yet_visible") & notes["text"].str.contains("gaps in")]
    assert set(told["group"]) == set(hidden)
    assert "of 6 gaps" in notes.set_index("code").loc["gaps_by_chance", "text"]


def test_more_is_better_and_no_direction() -> None:
    frame = rows().assign(x=lambda t: t["n"] - t["x"])
    gaps = together(looked_at(frame=frame, measure=SCREENED).gaps).set_index(["group", "span"])
    plain = together(looked_at().gaps).set_index(["group", "span"])
    np.testing.assert_allclose(gaps["difference"], plain["difference"], rtol=1e-9)
    np.testing.assert_allclose(gaps["ratio"], plain["ratio"], rtol=1e-9)
    assert (gaps["gap"] == plain["gap"]).all()
    none = together(looked_at(measure=UNDIRECTED).gaps)
    assert set(none.loc[none["group"] == "Black", "gap"]) == {"higher"}
    assert "lower" in set(none["gap"])
    text = looked_at(frame=frame, measure=SCREENED).to_markdown()
    assert "More is better here, so gaps are reckoned on the women without it." in text


@pytest.mark.parametrize(
    ("months", "spans"),
    [(12, ["2022-01 to 2022-12"]), (13, ["2022-01", "2022-02 to 2023-01"]), (5, ["2022-01 to 2022-05"])],
)
def test_with_fewer_months_the_spans_are_shorter(months: int, spans: list[str]) -> None:
    gaps = looked_at(MONTHS[months - 1]).gaps
    assert list(dict.fromkeys(gaps["span"])) == spans
    assert gaps["n_periods"].iloc[-1] == min(months, 12)


def test_a_group_without_births_has_a_row_and_no_gap() -> None:
    frame = rows()
    frame.loc[(frame["group"] == "Asian") & (frame["month"] >= "2023-07"), ["n", "x"]] = 0
    found = looked_at(frame=frame)
    gaps = together(found.gaps).set_index(["group", "span"])
    row = gaps.loc[("Asian", "2023-07 to 2024-06")]
    assert (row["births"], row["gap"]) == (0, "not known")
    assert np.isnan(row["difference"])
    assert "| not known | not known |" in found.to_markdown()


def test_what_has_no_gap_or_no_sum_is_said() -> None:
    calls = qe.Measure("Calls", "count", None)
    found = review(network(), "2024-06", made(rows(), calls, denominator=None))
    assert found.gaps.empty
    assert found.gaps.dtypes.astype("str").to_dict() == dict(COLUMNS)
    told = found.notes.set_index("code")["text"]
    assert "counts without births" in told["no_gaps"]
    assert "### Calls, all sites" in found.to_markdown()
    means = qe.Measure("Minutes", "mean", "lower")
    only = review(network(), "2024-06", made(rows(), means, numerator=None, denominator=None, value="x"))
    assert only.network_charts == {}
    assert only.grid["site"].notna().all()
    assert "without the number of values" in only.notes.set_index("code").loc["not_pooled", "text"]
    assert "## The network" not in only.to_markdown()
    bare = rows().groupby(["month", "site"], as_index=False).sum(numeric_only=True)
    whole = review(network(), "2024-06", made(bare, group=None))
    assert together(whole.grid)["group"].tolist() == ["All"]
    assert "no groups to compare" in whole.notes.set_index("code").loc["no_gaps", "text"]


def test_groups_that_overlap_have_charts_and_no_gaps(tmp_path: Path) -> None:
    scheme = {
        "id": "told", "version": "1", "source": "made", "overlapping": True,
        "codes": [{"code": g[0], "label": g} for g in BIRTHS],
    }  # fmt: skip
    path = tmp_path / "told.json"
    path.write_text(json.dumps(scheme), encoding="utf-8")
    found = looked_at(scheme=path)
    assert found.gaps.empty
    assert set(together(found.grid)["group"]) >= set(BIRTHS)
    assert "in several" in found.notes.set_index("code").loc["no_gaps", "text"]


def test_a_site_gets_nothing_of_all_sites(found: Review) -> None:
    part = found.site("North")
    assert part.network_charts == {}
    for name in ("grid", "gaps", "detection", "signals"):
        assert getattr(part, name)["site"].notna().all()
        assert set(getattr(part, name)["site"]) <= {"North"}
    assert set(part.expected["of"]) == {"each site"}
    assert not part.notes["text"].str.startswith("All sites").any()
    assert "The network" not in part.to_markdown()
    said = json.dumps(part.to_dict())
    total = found.network_charts[PPH.name].series.data["denominator"].max()
    assert f"{total:.1f}" not in said
    alone = review(network(), "2024-06", made(rows()), site="North")
    pd.testing.assert_frame_equal(part.gaps, alone.gaps)
    assert alone.network_charts == {}
    assert alone.notes["text"].str.startswith("All sites").sum() == 0


def test_saved_and_read_it_is_the_same(found: Review) -> None:
    again = Review.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    assert again.network_charts[PPH.name].equals(found.network_charts[PPH.name])
    pd.testing.assert_frame_equal(again.gaps, found.gaps)
    pd.testing.assert_frame_equal(again.notes, found.notes)
    changed = {**found.to_dict(), "network_charts": {}}
    assert not Review.from_dict(changed).equals(found)


def test_what_leaves_is_made_of_disclosed_counts() -> None:
    small = rows(MONTHS[-14:]).query("site != 'All sites'")
    inside = looked_at(frame=small)
    outside = inside.disclose("dqmi")
    series = outside.charts[PPH.name].series
    chart = outside.network_charts[PPH.name]
    assert chart.series.equals(series.pool("site"))
    assert chart.equals(qe.control_chart(series.pool("site"), rules=outside.charts[PPH.name].rules))
    gaps = outside.gaps
    withheld = gaps["status"] == "suppressed"
    assert {"Asian", "Black"} <= set(gaps.loc[withheld, "group"])
    assert gaps.loc[withheld, ["events", "rate", "difference", "ratio"]].isna().all(axis=None)
    assert set(gaps.loc[withheld, "gap"]) == {"not known"}
    assert (outside.grid["state"] == "no data").any()
    assert Review.from_dict(outside.to_dict()).equals(outside)


def test_the_agenda_begins_with_the_network(found: Review) -> None:
    lines = found.to_markdown().splitlines()
    heads = [line for line in lines if line.startswith("## ")]
    assert heads[:2] == ["## The network", "## What the charts of each site show"]
    row = next(line for line in lines if line.startswith("| Black |"))
    gap = together(found.gaps).set_index(["group", "span"]).loc[("Black", "2023-07 to 2024-06")]
    assert f"{1000 * gap['rate']:.3g} per 1000 of {gap['births']:,.0f}" in row
    assert (
        f"**worse**: {1000 * gap['difference']:.3g} ({1000 * gap['difference_lower']:.3g} to "
        f"{1000 * gap['difference_upper']:.3g}) per 1000, {gap['ratio']:.2f} times "
        f"({gap['ratio_lower']:.2f} to {gap['ratio_upper']:.2f})"
    ) in row
    assert "not yet visible: " in "\n".join(lines)
