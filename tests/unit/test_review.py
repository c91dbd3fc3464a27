"""What a review reads from the data, its parts, and what may leave."""

from __future__ import annotations

import json
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.pdsa.calls.agenda import markdown
from qi_equity.pdsa.calls.result import Review
from qi_equity.pdsa.calls.review import review

MONTHS = tuple(pd.period_range("2023-01", periods=24, freq="M").astype(str))
PPH, PRETERM = qe.measures["pph_1500"], qe.measures["preterm_birth"]
ROLE = {"pph_1500": "outcome", "preterm_birth": "balancing"}


def counts(rows: list[tuple[Any, ...]], measure: qe.Measure = PPH, **more: Any) -> StratifiedSeries:
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    columns = {"period": "month", "numerator": "x", "denominator": "n", "group": "group", "site": "site"}
    return qe.from_counts(frame, measure, **{**columns, **more})


def steady(measure: qe.Measure = PPH) -> StratifiedSeries:
    """Groups with a known state each: no signal, fall, rise, few births, no births of late, nothing."""
    rows: list[tuple[Any, ...]] = []
    for k, month in enumerate(MONTHS):
        wave = (0, 3, -2, 1)[k % 4]
        rows += [
            (month, "North", "Asian", 30 + wave, 600),
            (month, "North", "Black", (36 if k < 16 else 8) + wave, 600),
            (month, "North", "White", (30 if k < 23 else 70) + wave, 600),
            (month, "North", "Mixed", 1 if k % 6 == 0 else 0, 6),
            (month, "North", "Other", 20 + wave if k < 20 else 0, 400 if k < 20 else 0),
            (month, "South", "Asian", 30 - wave, 600),
        ]
    return counts(rows, measure)


def network(*names: str, **more: Any) -> pdsa.Network:
    def site(name: str) -> pdsa.Site:
        uses = [pdsa.MeasureUse(measure=m, role=r) for m, r in ROLE.items()]
        return pdsa.Site(name=name, projects=[pdsa.Project(name="P", site=name, measures=uses)])

    return pdsa.Network(name="A network", sites=[site(n) for n in names or ("North", "South")], **more)


@pytest.fixture(scope="module")
def found() -> Review:
    return review(network("North", "South", "East"), "2024-12", [steady(), steady(PRETERM)])


def states(found: Review, site: str = "North") -> dict[str, str]:
    grid = found.grid
    part = grid[(grid["site"] == site) & (grid["measure"] == PPH.name)]
    return dict(zip(part["group"], part["state"].astype("str"), strict=True))


def test_every_state_is_there_and_told_apart(found: Review) -> None:
    assert states(found) == {
        "Asian": "common cause",
        "Black": "improvement",
        "White": "concern",
        "Mixed": "not yet visible",
        "Other": "no data",
    }
    assert set(states(found, "East").values()) == {"no data"}
    assert found.grid["site"].drop_duplicates().dropna().tolist() == ["North", "South", "East"]
    grid = found.grid.set_index(["site", "measure", "group"])
    assert (
        grid.loc[("North", PPH.name, "Other"), "reason"]
        == "No births in 2024-12. The last value is of 2024-08."
    )
    assert grid.loc[("East", PPH.name, "Asian"), "reason"] == "The data hold nothing of this site."
    assert grid.loc[("South", PPH.name, "Black"), "reason"].endswith("There is no earlier value.")
    assert grid.loc[("North", PRETERM.name, "Asian"), "role"] == "balancing"


def test_what_cannot_show_is_noted_group_by_group(found: Review) -> None:
    told = found.notes[(found.notes["code"] == "not_yet_visible") & found.notes["site"].notna()]
    hidden = found.grid[(found.grid["state"] == "not yet visible") & found.grid["site"].notna()]
    assert told[["site", "group"]].values.tolist() == hidden[["site", "group"]].values.tolist()


@pytest.mark.parametrize(("months", "state"), [(11, "not yet visible"), (12, "common cause")])
def test_lines_from_fewer_than_twelve_months_show_nothing_yet(months: int, state: str) -> None:
    part = steady().select(site="South", group="Asian", end=MONTHS[months - 1])
    found = review(network(), MONTHS[months - 1], part, site="South")
    assert states(found, "South") == {"Asian": state}


def test_a_change_that_takes_too_long_to_show_is_not_yet_visible() -> None:
    part = steady().select(site="South", group="Asian")
    months = review(network(), "2024-12", part, site="South").detection["months_to_detect"].item()
    for within, state in ((months * 1.01, "common cause"), (months * 0.99, "not yet visible")):
        found = review(network(), "2024-12", part, site="South", within=within)
        assert states(found, "South") == {"Asian": state}
        assert found.detection["visible"].item() == (state == "common cause")


def test_a_chart_that_cannot_signal_improvement_is_not_yet_visible() -> None:
    rows = [(m, "North", "Asian", 1 if k % 2 else 0, 20) for k, m in enumerate(MONTHS)]
    found = review(network(), "2024-12", counts(rows), rules="shewhart")
    chart = found.detection.iloc[0]
    assert chart["kind"] == "cusum"
    only = counts(rows, qe.Measure("Means", "mean", "lower"), numerator=None, denominator=None, value="x")
    means = review(network(), "2024-12", only)
    assert np.isnan(means.detection["months_to_detect"].item())
    assert states(found) == {"Asian": "not yet visible"}


@pytest.mark.parametrize(
    ("value", "reason"), [(None, "Not reported for 2024-12."), ("*", "Withheld for 2024-12: a small number.")]
)
def test_a_month_without_a_value_is_no_data(value: Any, reason: str) -> None:
    rows = [
        (m, "North", "Asian", value if m == "2024-12" else str(30 + k % 3), 600) for k, m in enumerate(MONTHS)
    ]
    grid = review(network(), "2024-12", counts(rows), site="North").grid
    assert grid["state"].tolist() == ["no data"]
    assert grid["reason"].item() == f"{reason} The last value is of 2024-11."
    assert grid["last"].dt.strftime("%Y-%m").item() == "2024-11"


def test_months_are_those_of_the_detection_table(found: Review) -> None:
    """The chart that is drawn, followed as detection_table follows it."""
    table = qe.detection_table(steady(), rules="anhoej+shewhart").charts
    mine = found.detection[found.detection["measure"] == PPH.name].dropna(subset="site")
    mine = mine.set_index(["site", "group"])
    p = table[(table["chart"] == "p") & (table["rules"] != "") & (table["every"] == "month")]
    cusum = table[table["chart"] == "cusum"]
    for kind, part in (("p", p), ("cusum", cusum)):
        theirs = part.assign(site=part["site"].astype("str"), group=part["group"].astype("str"))
        theirs = theirs.set_index(["site", "group"])["months_to_detect"]
        own = mine.loc[mine["kind"] == kind, "months_to_detect"].dropna()
        assert len(own)
        np.testing.assert_allclose(own, theirs.reindex(own.index), rtol=1e-9)


def test_expected_false_signals_are_those_of_false_signals(found: Review) -> None:
    for of, charts in (("each site", found.charts), ("all sites", found.network_charts)):
        mine = found.expected[found.expected["of"] == of].set_index("measure")
        theirs = qe.false_signals(list(charts.values()), rules=()).by_measure
        np.testing.assert_allclose(mine["expected"], theirs["expected"], rtol=1e-9)
        now = found.signals[found.signals["site"].isna() == (of == "all sites")]
        for name, chart in charts.items():
            row = mine.loc[name]
            assert row["with_signal"] == (chart.summary()["n_signals"] > 0).sum()
            assert row["signals_now"] == (now["measure"] == name).sum()


def test_signals_are_those_that_reach_into_the_time_since_the_call(found: Review) -> None:
    assert (found.signals["end"] >= "2024-11-01").all()
    call = [pdsa.Meeting(kind="data call", date="2024-05-20", title="May")]
    longer = review(network(meetings=call), "2024-12", steady()).signals
    whole = longer[(longer["measure"] == PPH.name) & longer["site"].notna()]
    all_signals = found.charts[PPH.name].signals
    assert len(whole) == (all_signals["end"] >= "2024-05-01").sum()
    short = found.signals[found.signals["site"].notna()]
    assert len(whole) > (short["measure"] == PPH.name).sum()


def test_completeness_of_month_and_series() -> None:
    rows = [(m, s, g, 1, n) for m in MONTHS for s, k in (("North", 1), ("South", 3))
            for g, n in (("A", 90 if m < "2024" else 60), ("Z", 10 * k))]  # fmt: skip
    found = review(network(), "2024-05", counts(rows, scheme="nhs-2001")).completeness
    part = found[found["months_observed"] > 0].drop_duplicates("site").set_index("site")
    assert part["known_month"].tolist() == pytest.approx([60 / 70, 60 / 90])
    together = 12 * 90 + 5 * 60
    assert part["known_series"].tolist() == pytest.approx([together / (together + 17 * n) for n in (10, 30)])
    north = found[(found["site"] == "North") & (found["births_series"] > 0)]
    assert north["births_month"].tolist() == [60, 10]
    assert north["births_series"].tolist() == [together, 170]
    assert set(north["months"]) == set(north["months_observed"]) == {17}


def test_groups_without_a_scheme_leave_completeness_not_known(found: Review) -> None:
    assert found.completeness[["known_month", "known_series"]].isna().all(axis=None)


def test_a_site_is_the_part_of_the_whole(found: Review) -> None:
    part = found.site("North")
    alone = review(network("North", "South", "East"), "2024-12", [steady(), steady(PRETERM)], site="North")
    for name in ("grid", "detection", "completeness", "signals", "expected", "calls", "cycles"):
        pd.testing.assert_frame_equal(getattr(part, name), getattr(alone, name))
    assert part.sites == ("North",)
    assert part.charts[PPH.name].series.sites == ("North",)
    assert found.site("East").charts == {}
    with pytest.raises(OptionError, match=r"name='Nord' is not allowed.*Did you mean 'North'"):
        found.site("Nord")


def test_saved_and_read_it_is_the_same(found: Review) -> None:
    again = Review.from_dict(json.loads(json.dumps(found.to_dict())))
    assert again.equals(found)
    for name in found._frames:
        pd.testing.assert_frame_equal(again._frames[name], found._frames[name])
    assert not found.equals(found.site("North"))
    assert not found.equals("a review")
    data = found.to_dict()
    with pytest.raises(DataError, match="wanted is 'Review'"):
        Review.from_dict({**data, "type": "Chart"})
    with pytest.raises(DataError, match="not the data of a Review"):
        Review.from_dict({**data, "frames": {}})
    with pytest.raises(DataError, match="not the data of a Review"):
        Review.from_dict({k: v for k, v in data.items() if k != "charts"})


def test_frames_are_copies_with_the_same_columns_always(found: Review) -> None:
    grid = found.grid
    grid["state"] = "no data"
    assert set(states(found).values()) != {"no data"}
    bare = review(
        pdsa.Network(name="N", sites=[pdsa.Site(name="North"), pdsa.Site(name="South")]), "2024-12", steady()
    )
    for name, table in bare._frames.items():
        assert table.dtypes.astype("str").to_dict() == found._frames[name].dtypes.astype("str").to_dict(), (
            name
        )


def test_series_may_come_in_a_mapping_and_sites_of_a_series_may_be_fewer() -> None:
    only_south = steady(PRETERM).select(site="South")
    found = review(network(), "2024-12", {"a": steady(), "b": only_south}, site="North")
    assert list(found.charts) == [PPH.name]


def test_disclosed_counts_and_shared_records_only_may_leave() -> None:
    def cycle(name: str, shared: bool) -> pdsa.Cycle:
        return pdsa.Cycle(
            id=name, name=name, idea="i", purpose="implement", shared=shared,
            plan=pdsa.Plan(objective="O", predictions=[pdsa.Prediction(text=f"Prediction of {name}")]),
            do=pdsa.Do(start="2024-11-04", as_planned=True, reached=[pdsa.Reached(people=4)]),
            study=pdsa.Study(date="2024-12-02", learning=f"Learning of {name}",
                             results=[pdsa.Result(matched="yes", events=1, denominator=4)]),
        )  # fmt: skip

    project = pdsa.Project(
        name="P", site="North", shared=True, cycles=[cycle("open", True), cycle("hush", False)],
        ideas=[pdsa.ChangeIdea(id="i", name="Weigh", shared=True)],
        measures=[pdsa.MeasureUse(measure="pph_1500", role="outcome")],
        aims=[pdsa.Aim(text="hush aim", for_whom="all", by_when="2025-01-01"),
              pdsa.Aim(text="Open aim", for_whom="all", by_when="2025-01-01", shared=True)],
    )  # fmt: skip
    records = pdsa.Network(
        name="N", sites=[pdsa.Site(name="North", projects=[project]), pdsa.Site(name="South")]
    )
    inside = review(records, "2024-12", steady())
    outside = inside.disclose("dqmi")
    assert outside.aims["text"].tolist() == ["Open aim"]
    assert outside.cycles["cycle"].tolist() == ["open"]
    assert outside.reached["people"].isna().all()
    assert outside.predictions[["events", "denominator"]].isna().all(axis=None)
    assert "hush" not in json.dumps(outside.to_dict())
    assert outside.charts[PPH.name].equals(qe.control_chart(inside.charts[PPH.name].series).disclose("dqmi"))
    told = outside.notes.set_index("code")["text"]
    assert told["cycles_not_shared"] == "1 cycle of the site not shown: not shared."
    assert (outside.grid["role"] == inside.grid["role"]).sum() == inside.grid["role"].notna().sum()
    assert (outside.completeness["status"] == "suppressed").any()


def test_the_agenda_holds_what_was_found_and_is_safe(found: Review) -> None:
    text = markdown(found)
    assert text == str(found) == found.to_markdown()
    assert "| North | common cause |" in text
    assert "- Aim: none is recorded." in text
    evil = pdsa.Network(name="<b>|x|</b>\n# y", sites=[pdsa.Site(name="North"), pdsa.Site(name="South")])
    first = review(evil, "2024-12", steady()).to_markdown().splitlines()[0]
    assert first == r"# \<b\>\|x\|\</b\> \# y: data call on 2024-12"
    assert "<Review 'A network' 2024-12: 3 sites, 2 measures, 0 cycles" in repr(found)
    assert "&lt;b&gt;" in review(evil, "2024-12", steady())._repr_html_()


def test_the_agenda_tells_aims_scores_and_cycles() -> None:
    cycle = pdsa.Cycle(
        name="Cycle 1", idea="i",
        plan=pdsa.Plan(objective="O", predictions=[pdsa.Prediction(text="Fewer"),
                                                   pdsa.Prediction(text="Half", group="Black")]),
        do=pdsa.Do(start="2024-12-02", as_planned=True),
        study=pdsa.Study(date="2024-12-09", learning="It fits",
                         results=[pdsa.Result(matched="yes", text="Fewer were seen"),
                                  pdsa.Result(matched="not yet visible", group="Black")]),
        act=pdsa.Act(date="2024-12-10", decision="expand", follows="Two wards", not_yet_visible=["Black"]),
    )  # fmt: skip
    planned = pdsa.Cycle(name="Cycle 2", idea="i", plan=pdsa.Plan(objective="O"))
    project = pdsa.Project(
        name="P", site="North", ideas=[pdsa.ChangeIdea(id="i", name="Weigh")], cycles=[cycle, planned],
        aims=[pdsa.Aim(text="Halve it", for_whom="Black women", by_when="2025-03-31")],
        progress=[pdsa.Progress(date="2024-12-31", score=2.5, scale_version="IHI 2004", assessed_by="Faculty",
                                justification="Tests"),
                  pdsa.Progress(date="2024-12-31", score=3.0, scale_version="IHI 2004", self_assessed=True)],
    )  # fmt: skip
    call = pdsa.Meeting(kind="data call", date="2024-11-12", title="November")
    records = pdsa.Network(
        name="N",
        sites=[pdsa.Site(name="North", projects=[project]), pdsa.Site(name="South")],
        meetings=[call],
    )
    text = review(records, "2024-12", steady()).to_markdown()
    for line in (
        "- Aim: Halve it, for Black women, by 2025-03-31",
        "- Progress: 2.5 of 5.0 (IHI 2004), set 2024-12-31 by Faculty: Tests",
        "- Progress: 3.0 of 5.0 (IHI 2004), set 2024-12-31 by the team itself",
        "### Cycles since 2024-11-12 (November)",
        "**Cycle 1** (Weigh, a test, from 2024-12-02): decision: expand",
        "**Cycle 2** (Weigh, a test): planned",
        '| overall | "Fewer" | Fewer were seen | yes |',
        '| Black | "Half" |  | not yet visible |',
        "- Learned: It fits",
        "- What follows: Two wards",
        "- Not yet visible at the decision: Black",
    ):
        assert line in text.splitlines(), line


@pytest.mark.parametrize(
    ("given", "error", "text"),
    [
        ({"network": "N"}, InputTypeError, "give a Network"),
        ({"month": 202405}, InputTypeError, "give text such as '2024-05'"),
        ({"month": "May"}, OptionError, "month='May' cannot be used"),
        ({"month": "2025-05"}, OptionError, "not in the series .*2023-01 to 2024-12"),
        ({"series": []}, OptionError, "series holds nothing"),
        ({"series": "pph"}, InputTypeError, "series holds str"),
        ({"series": [1, steady()]}, InputTypeError, "series holds int"),
        ({"series": [steady(), steady()]}, OptionError, "is there twice"),
        ({"series": steady().pool("site")}, OptionError, "has no sites"),
        ({"series": steady().resample("quarter")}, OptionError, "has a point every quarter"),
        ({"network": network("West")}, OptionError, "does not know: 'North', 'South'. It knows 'West'"),
        ({"site": "Nort"}, OptionError, "Did you mean 'North'"),
        ({"phases": "yes"}, OptionError, "phases='yes' is not allowed"),
        ({"rules": "none"}, OptionError, "rules"),
        ({"change": 1}, OptionError, "change=1 is no change"),
        ({"within": 0}, OptionError, "within=0 is not allowed"),
    ],
)
def test_what_is_wrong_is_said(given: dict[str, Any], error: type[Exception], text: str) -> None:
    options = {"network": network(), "month": "2024-12", "series": steady(), **given}
    with pytest.raises(error, match=text):
        review(options.pop("network"), options.pop("month"), options.pop("series"), **options)


def test_further_strata_windows_and_times_between_are_refused() -> None:
    frame = pd.DataFrame({"month": MONTHS, "site": "North", "ward": "A", "n": 8})
    calls = qe.Measure("Calls", "count", None)
    columns = {"period": "month", "numerator": "n", "site": "site"}
    wards = qe.from_counts(frame, calls, by="ward", **columns)
    with pytest.raises(OptionError, match=r"has further strata \['ward'\]"):
        review(network(), "2024-12", wards)
    windows = qe.from_counts(frame, calls, window=3, **columns)
    with pytest.raises(OptionError, match="windows of 3 months"):
        review(network(), "2024-12", windows)
    births = pd.DataFrame(
        {"day": pd.date_range("2023-01-01", periods=60), "x": [0, 0, 1] * 20, "e": "A", "site": "North"}
    )
    between = qe.between_events(
        births, qe.Measure("Births between", "between", "higher", unit="births"), date="day", event="x",
        ethnicity="e", site="site", scheme="nhs-2001",
    )  # fmt: skip
    with pytest.raises(OptionError, match="count events by month"):
        review(network(), "2023-02", between)


def test_all_series_that_cannot_be_reviewed_are_named_at_once() -> None:
    with pytest.raises(OptionError) as caught:
        review(network(), "2024-12", [steady().pool("site"), steady(PRETERM).resample("quarter")])
    assert PPH.name in str(caught.value)
    assert PRETERM.name in str(caught.value)


def test_other_rules_and_no_signals_without_direction() -> None:
    count = qe.Measure("Calls", "count", None)
    rows = pd.DataFrame({"month": MONTHS, "site": "North", "n": [20, 22, 19, 21] * 5 + [20, 22, 19, 80]})
    series = qe.from_counts(rows, count, period="month", numerator="n", site="site")
    found = review(network(), "2024-12", series, rules="shewhart")
    assert found.grid.loc[0, "state"] == "neutral"
    assert found.detection["can_signal_improvement"].isna().all()
    assert found.method["rules"]["name"] == "shewhart"
