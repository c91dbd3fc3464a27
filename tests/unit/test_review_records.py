"""What a review reads from the records: as they stood at the end of the month, site by site."""

from __future__ import annotations

from datetime import UTC, date, datetime
from typing import Any

import pandas as pd
import pytest

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.data.series import StratifiedSeries
from qi_equity.pdsa.calls.given import last_day
from qi_equity.pdsa.calls.review import review
from qi_equity.pdsa.calls.written import Phases

PPH = qe.measures["pph_1500"].name


def series(months: int = 24, sites: tuple[str, ...] = ("North", "South")) -> StratifiedSeries:
    labels = pd.period_range("2023-01", periods=months, freq="M").astype(str)
    rows = [
        (m, s, g, 8 + (k * 7 + len(s)) % 5, n)
        for k, m in enumerate(labels)
        for s in sites
        for g, n in (("Black", 90), ("White", 300))
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
    return qe.from_counts(
        frame,
        qe.measures["pph_1500"],
        period="month",
        numerator="pph",
        denominator="births",
        group="group",
        site="site",
    )


def cycle(name: str, start: str, **more: Any) -> pdsa.Cycle:
    """A cycle of a week, studied and decided on the days given."""
    studied, decided = more.pop("studied", None), more.pop("decided", None)
    predictions = [pdsa.Prediction(text="Fewer"), pdsa.Prediction(text="Half", group="Black", expected=0.04)]
    results = [
        pdsa.Result(matched="yes", text="Fewer"),
        pdsa.Result(matched="not yet visible", group="Black", events=1, denominator=6),
    ]
    harm = [pdsa.HarmCheck(found="none seen", group="Black")]
    return pdsa.Cycle(
        name=name,
        idea=more.pop("idea", "weigh"),
        plan=pdsa.Plan(objective="Try it", predictions=predictions),
        do=pdsa.Do(
            start=start,
            end=more.pop("end", None),
            as_planned=True,
            reached=[pdsa.Reached(group="Black", people=6)],
        ),
        study=studied and pdsa.Study(date=studied, results=results, learning="It fits", harm=harm),
        act=decided and pdsa.Act(date=decided, decision="adapt", follows="Again", not_yet_visible=["Black"]),
        **more,
    )


def network(*cycles: pdsa.Cycle, **more: Any) -> pdsa.Network:
    """North has a project with these cycles, South has none."""
    project = pdsa.Project(
        name="Fewer haemorrhages",
        site="North",
        ideas=[pdsa.ChangeIdea(id="weigh", name="Weigh all blood loss", shared=True)],
        measures=[pdsa.MeasureUse(measure="pph_1500", role="outcome")],
        cycles=cycles,
        aims=more.pop("aims", ()),
        progress=more.pop("progress", ()),
        shared=more.pop("shared", False),
    )
    sites = [pdsa.Site(name="North", projects=[project]), pdsa.Site(name="South")]
    return pdsa.Network(name="A network", sites=sites, **more)


def test_what_came_after_the_month_is_not_known() -> None:
    late = [
        cycle("Begun in June", "2024-06-03"),
        cycle("Studied in June", "2024-05-20", studied="2024-06-02", decided="2024-06-03"),
        cycle("Decided in June", "2024-05-06", studied="2024-05-30", decided="2024-06-03"),
        cycle("Ended in June", "2024-05-28", end="2024-06-04"),
        cycle("In May", "2024-05-06", studied="2024-05-13", decided="2024-05-14"),
    ]
    found = review(network(*late), "2024-05", series())
    assert found.cycles[["name", "status", "under_way"]].values.tolist() == [
        ["Studied in June", "done", True],
        ["Decided in June", "studied", True],
        ["Ended in June", "done", True],
        ["In May", "decided", False],
    ]
    assert "Ended in June" not in set(found.reached["name"])
    assert found.cycles["decision"].dropna().tolist() == ["adapt"]
    assert set(found.cycle_marks(PPH)["label"]) == set(found.cycles["name"])
    assert found.cycle_marks(PPH)["end"].notna().sum() == 1


def test_later_months_of_the_series_change_nothing() -> None:
    whole = review(network(), "2024-05", series(24))
    cut = review(network(), "2024-05", series(24).select(end="2024-05"))
    for name in ("grid", "completeness", "detection", "signals", "expected"):
        pd.testing.assert_frame_equal(getattr(whole, name), getattr(cut, name))
    assert whole.charts[PPH].series.periods[-1] == "2024-05"


def test_later_records_change_nothing() -> None:
    one = cycle("In May", "2024-05-06", studied="2024-05-13", decided="2024-05-14")
    later = cycle("Later", "2024-07-01", purpose="implement")
    scored = pdsa.Progress(date="2024-06-01", score=4.0, scale_version="IHI 2004")
    one_review = review(network(one), "2024-05", series())
    assert one_review.equals(review(network(one, later, progress=[scored]), "2024-05", series()))
    assert not one_review.equals(review(network(one, later), "2024-07", series()))


@pytest.mark.parametrize(
    ("recorded", "start", "known"),
    [
        ("2024-05-20", "2024-06-10", True),
        ("2024-06-02", "2024-06-10", False),
        (None, "2024-06-10", False),
        (None, "2024-05-10", True),
        (None, None, True),
    ],
)
def test_a_plan_is_known_from_when_it_was_recorded_or_should_begin(
    recorded: str | None, start: str | None, known: bool
) -> None:
    at = recorded and datetime.fromisoformat(recorded).replace(tzinfo=UTC)
    plan = pdsa.Plan(objective="Try it", start=start)
    planned = pdsa.Cycle(name="Planned", idea="weigh", plan=plan, recorded_at=at)
    found = review(network(planned), "2024-05", series()).cycles
    assert found["status"].tolist() == (["planned"] if known else [])


def test_cycles_are_told_from_the_sites_last_call_on() -> None:
    old = cycle("Decided in March", "2024-03-01", studied="2024-03-10", decided="2024-03-11")
    last = cycle("Decided in April", "2024-03-20", studied="2024-04-10", decided="2024-04-20")
    calls = [
        pdsa.Meeting(kind="data call", date="2024-03-05", title="March"),
        pdsa.Meeting(kind="data call", date="2024-04-09", title="April", sites=["South"]),
        pdsa.Meeting(kind="coaching call", date="2024-04-30", title="Coaching"),
        pdsa.Meeting(kind="data call", date="2024-05-02", title="May"),
    ]
    found = review(network(old, last, meetings=calls), "2024-05", series())
    assert found.calls["call"].tolist() == ["March", "April"]
    assert found.calls["since"].dt.date.tolist() == [date(2024, 3, 5), date(2024, 4, 9)]
    assert found.cycles["name"].tolist() == ["Decided in March", "Decided in April"]
    without = review(network(old, last), "2024-05", series())
    assert without.calls["since"].dt.date.tolist() == [date(2024, 4, 1)] * 2
    assert without.calls["call"].isna().all()
    assert without.cycles["name"].tolist() == ["Decided in April"]


def test_predictions_stand_beside_their_results_by_group() -> None:
    done = cycle("Done", "2024-05-02")
    studied = cycle("Studied", "2024-05-06", studied="2024-05-13", decided="2024-05-14")
    found = review(network(done, studied), "2024-05", series())
    table = found.predictions
    assert table["group"].isna().tolist() == [True, False, True, False]
    assert table["matched"].isna().tolist() == [True, True, False, False]
    assert table["matched"].tolist()[2:] == ["yes", "not yet visible"]
    assert table.loc[3, ["expected", "events", "denominator"]].tolist() == [0.04, 1, 6]
    assert found.reached["people"].tolist() == [6, 6]
    assert found.harm[["group", "found"]].values.tolist() == [["Black", "none seen"]]
    assert found.cycles["not_yet_visible"].tolist()[1] == "Black"


def test_the_aim_is_the_version_of_the_month() -> None:
    parties = [pdsa.Party(who="Service users", how_many=4), pdsa.Party(who="Midwives")]
    aim = pdsa.Aim(text="Halve it", target=0.06, for_whom="Black", by_when="2025-03-31", measure="pph_1500",
                   defined_by=parties)  # fmt: skip
    aim = aim.revise({"target": 0.05}, by="Team", at=datetime(2024, 5, 31, 9, tzinfo=UTC))
    aim = aim.revise({"target": 0.01}, by="Team", at=datetime(2024, 6, 1, 9, tzinfo=UTC))
    targets = [
        review(network(aims=[aim]), month, series()).aims[["target", "version"]].values.tolist()
        for month in ("2024-04", "2024-05", "2024-06")
    ]
    assert targets == [[[0.06, 1]], [[0.05, 2]], [[0.01, 3]]]
    row = review(network(aims=[aim]), "2024-05", series()).aims.iloc[0]
    assert (row["measure"], row["defined_by"]) == (PPH, "Service users (4); Midwives")


def test_the_latest_score_of_others_and_of_the_team_stand_apart() -> None:
    scores = [
        pdsa.Progress(date="2024-04-30", score=2.5, scale_version="IHI 2004", justification="Tested twice"),
        pdsa.Progress(date="2024-03-31", score=2.0, scale_version="IHI 2004"),
        pdsa.Progress(date="2024-05-31", score=3.5, scale_version="IHI 2004", self_assessed=True),
        pdsa.Progress(date="2024-06-30", score=5.0, scale_version="IHI 2004"),
    ]
    found = review(network(progress=scores), "2024-05", series())
    assert found.progress[["score", "self_assessed"]].values.tolist() == [[2.5, False], [3.5, True]]
    assert found.progress["justification"].tolist()[0] == "Tested twice"
    told = found.notes[found.notes["code"] == "no_progress_score"]
    assert told["site"].tolist() == ["South"]


@pytest.mark.parametrize(("start", "month"), [("2023-03-05", "2024-03"), ("2023-04-01", "2024-03")])
def test_a_change_starts_a_phase_once_it_has_twelve_months(start: str, month: str) -> None:
    """The first whole month of both is April 2023, so that March 2024 is the twelfth."""
    records = network(cycle("Cycle 4", start, purpose="implement"))
    before, after = (review(records, m, series()) for m in ("2024-02", month))
    assert before.charts[PPH].timeline.phases["phase"].max() == 1
    phases = after.charts[PPH].timeline.phases
    assert phases.loc[phases["phase"] == 2, ["site", "label"]].drop_duplicates().values.tolist() == [
        ["North", "Weigh all blood loss"]
    ]
    own = {"compared_within_phases", "changes_without_phase"}
    assert own & set(before.notes["code"]) == {"changes_without_phase"}
    assert own & set(after.notes["code"]) == {"compared_within_phases"}
    plain = review(records, month, series(), phases=False)
    assert plain.charts[PPH].timeline.phases["phase"].max() == 1
    assert not own & set(plain.notes["code"])


def test_a_change_that_was_stopped_later_is_not_known_to_have_stopped() -> None:
    stopped = cycle("Cycle 4", "2024-02-05", purpose="implement")
    stopped = stopped.record(
        pdsa.Study(date="2024-05-02", learning="No",
                   results=[{"matched": "no"}, {"matched": "no", "group": "Black"}]), by="Team",
    )  # fmt: skip
    stopped = stopped.record(
        pdsa.Act(date="2024-05-20", decision="abandon", follows="Another", stopped="2024-06-03"), by="Team"
    )
    may, june = (
        review(network(stopped), month, series())._frames["phases"] for month in ("2024-05", "2024-06")
    )
    assert (len(may), len(june)) == (1, 2)


@pytest.mark.parametrize(("month", "last"), [("2024-02", 29), ("2023-02", 28), ("2024-12", 31)])
def test_last_day(month: str, last: int) -> None:
    assert last_day(month).day == last


def test_phases_can_be_asked_for_one_group() -> None:
    implemented = cycle("Cycle 4", "2024-02-05", purpose="implement")
    records = network(implemented)
    idea = records.projects[0].ideas[0].revise({"groups": ["Black"]}, by="Team")
    north = records.sites[0].put(records.projects[0].put(idea))
    found = Phases(review(records.put(north), "2024-05", series())._frames["phases"])
    assert [len(found.phases(PPH, group)) for group in (None, "Black", "White")] == [1, 1, 0]
    assert found.phases("Another").empty
