"""The table of detection: the same as the charts say, fixed columns, words, and JSON."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.errors import DataError, InputTypeError, OptionError
from qi_equity.planning.plan import make_plan

COLUMNS = {
    "births_per_month": "float64",
    "events_per_month": "float64",
    "rate": "float64",
    "changed_rate": "float64",
    "chart": "str",
    "every": "str",
    "can_signal_fall": "category",
    "can_signal_rise": "category",
    "can_signal_improvement": "category",
    "can_signal_deterioration": "category",
    "false_alarm_months": "float64",
    "months_to_detect": "float64",
    "kind": "str",
    "visible": "bool",
    "reason": "str",
}
CHART_COLUMNS = {
    "chart": "str",
    "every": "str",
    "rules": "str",
    "tuned": "bool",
    "needs_records": "bool",
    "can_signal_fall": "category",
    "can_signal_rise": "category",
    "can_signal_improvement": "category",
    "can_signal_deterioration": "category",
    "false_alarm_months": "float64",
    "months_to_detect": "float64",
    "recommended": "bool",
    "kind": "str",
}
POOLED_COLUMNS = {
    "sites": "int64",
    "chart": "str",
    "every": "str",
    "births_per_month": "float64",
    "months_to_detect": "float64",
    "one_site_months": "float64",
    "gain": "float64",
    "visible": "bool",
}
SIZES = {"Asian": 12, "Black": 28, "Mixed": 66, "White": 294}


def counts(
    sizes: dict[str, int] | None = None, rate: float = 0.1, sites: int = 0, months: int = 24, seed: int = 1
) -> pd.DataFrame:
    rng = np.random.default_rng(seed)
    parts = []
    for site in range(max(sites, 1)):
        for group, births in (sizes or SIZES).items():
            frame = pd.DataFrame({"month": pd.date_range("2022-01-01", periods=months, freq="MS")})
            frame["group"], frame["site"], frame["births"] = group, f"S{site}", births * (1 + site)
            frame["events"] = rng.binomial(frame["births"], rate)
            parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def series(
    frame: pd.DataFrame | None = None, kind: Any = "proportion", better: Any = "lower", sites: bool = False
) -> qe.StratifiedSeries:
    return qe.from_counts(
        counts() if frame is None else frame,
        qe.Measure("Test", kind, better),
        period="month",
        numerator="events",
        denominator=None if kind == "count" else "births",
        group="group",
        site="site" if sites else None,
    )


def between(unit: Any = "births", chance: float = 0.1) -> qe.StratifiedSeries:
    rng = np.random.default_rng(1)
    frame = pd.DataFrame(
        {"born": pd.date_range("2023-01-01", periods=1500, freq="6h"), "event": rng.random(1500) < chance}
    )
    return qe.between_events(
        frame, qe.Measure("T", "proportion", "lower"), date="born", event="event", unit=unit
    )


def types(frame: pd.DataFrame) -> dict[str, str]:
    return {name: str(kind) for name, kind in frame.dtypes.items()}


class TestFrames:
    @pytest.mark.parametrize("options", [{}, {"rules": [], "change": 20}])
    @pytest.mark.parametrize(
        ("kind", "better", "sites"),
        [
            ("proportion", "lower", False),
            ("proportion", None, True),
            ("rate", "higher", False),
            ("count", None, False),
        ],
    )
    def test_columns(self, kind: Any, better: Any, sites: bool, options: dict[str, Any]) -> None:
        made = series(counts({"A": 20, "B": 90}, sites=2 if sites else 0), kind, better, sites)
        found = qe.detection_table(made, **{"rules": "shewhart"} | options)
        keys = types(made.cells.strata)
        assert types(found.table) == keys | COLUMNS
        assert types(found.charts) == keys | CHART_COLUMNS
        assert types(found.pooled) == {k: v for k, v in keys.items() if k != "site"} | POOLED_COLUMNS
        assert len(found.pooled) == (2 if sites else 0)
        assert len(found.table) == len(made.cells.strata)

    @pytest.mark.parametrize("unit", ["births", "days"])
    def test_between(self, unit: Any) -> None:
        found = qe.detection_table(between(unit))
        assert types(found.table) == {"group": "category"} | COLUMNS
        assert types(found.charts) == {"group": "category"} | CHART_COLUMNS
        assert types(found.pooled) == {"group": "category"} | POOLED_COLUMNS
        assert found.table["chart"].tolist() == ["bernoulli_cusum" if unit == "births" else "t"]

    def test_groups_without_births_or_events_stay(self) -> None:
        frame = counts({"A": 60, "B": 60, "C": 60, "D": 60})
        frame["events"] = np.select([frame["group"] == "B", frame["group"] == "D"], [0, 60], frame["events"])
        frame.loc[frame["group"] == "C", ["events", "births"]] = 0
        found = qe.detection_table(series(frame), rules="shewhart").table
        assert found["group"].tolist() == list("ABCD")
        assert (found["chart"] != "").tolist() == [True, False, False, False]
        assert np.isnan(found["months_to_detect"]).tolist() == [False, True, True, True]
        assert found["can_signal_fall"].isna().tolist() == [False, True, True, True]
        assert found["visible"].tolist() == [True, False, False, False]
        assert "no events so far" in found["reason"][1]
        assert "no births" in found["reason"][2]
        assert "every birth so far has the event" in found["reason"][3]
        wide = qe.detection_table(series(), change=12, rules="shewhart").table
        assert wide["reason"].str.contains("100 % or more").all()
        assert np.isnan(wide["months_to_detect"]).all()

    def test_order_of_rows_and_later_changes_do_not_matter(self) -> None:
        frame = counts({"A": 20, "B": 90}, sites=2)
        made = qe.detection_table(series(frame, sites=True), rules="shewhart")
        mixed = frame.sample(frac=1, random_state=3)
        before = mixed.copy()
        again = qe.detection_table(series(mixed, sites=True), rules="shewhart")
        pd.testing.assert_frame_equal(mixed, before)
        for name in ("table", "charts", "pooled"):
            pd.testing.assert_frame_equal(getattr(made, name), getattr(again, name))
            taken = getattr(made, name)
            taken.loc[:, "months_to_detect"] = -1.0
            pd.testing.assert_frame_equal(getattr(made, name), getattr(again, name))
        with pytest.raises(TypeError):
            made.options["change"] = 1


class TestSameAsTheCharts:
    @pytest.mark.parametrize(
        ("rules", "rate"),
        [
            ("anhoej+shewhart", 0.12),
            ("western_electric", 0.02),
            ("western_electric", 0.5),
            ("making_data_count", 0.12),
        ],
    )
    def test_can_signal_is_that_of_the_summary(self, rules: str, rate: float) -> None:
        made = series(counts(rate=rate))
        found = qe.detection_table(made, rules=rules).charts
        for every in ("month", "quarter"):
            ours = found[(found["rules"] != "") & (found["every"] == every)]
            drawn = qe.control_chart(
                made.resample(every) if every == "quarter" else made, kind="p", rules=rules
            ).summary()
            seen = (make_plan(made, 0.5).events > 0).tolist()
            for side, name in (
                ("fall", "low"),
                ("rise", "high"),
                ("improvement", "improvement"),
                ("deterioration", "deterioration"),
            ):
                theirs = drawn[f"can_signal_{name}"].astype("str")
                assert (ours[f"can_signal_{side}"].astype("str").to_numpy() == theirs.to_numpy())[seen].all()

    def test_where_auto_finds_the_chart_blind_it_is_not_recommended(self) -> None:
        made = series(counts(rate=0.08))
        drawn = qe.control_chart(made, rules="shewhart")
        table = qe.detection_table(made, rules=[]).table
        kinds = [drawn.specs[k].label for k in drawn.spec_of]
        assert kinds == ["cusum", "cusum", "cusum", "p"]
        for auto, row in zip(kinds, table.to_dict("records"), strict=True):
            assert auto == "p" or (row["chart"], row["every"]) != ("p", "month")
        notes = qe.control_chart(made, kind="p", rules="shewhart").notes
        blind = notes.loc[notes["code"].str.contains("cannot_signal"), "group"]
        assert len(blind)
        charts = qe.detection_table(made, rules="shewhart").charts
        by_rules = charts[(charts["rules"] != "") & (charts["every"] == "month")].set_index("group")
        assert (by_rules.loc[blind.dropna(), "can_signal_improvement"] == "no").all()

    def test_kind_is_drawn(self) -> None:
        """Every chart of counts that is named can be drawn of this series, and can signal as is said."""
        made = series(counts({"White": 294}))
        charts = qe.detection_table(made, rules=["anhoej+shewhart", "western_electric"]).charts
        for row in charts[~charts["needs_records"] & (charts["kind"] != "")].to_dict("records"):
            source = made.resample("quarter") if row["every"] == "quarter" else made
            drawn = qe.control_chart(
                source, kind=eval(row["kind"], {"qe": qe}), rules=row["rules"] or "shewhart"
            )
            assert drawn.summary()["can_signal_low"].iloc[0] == row["can_signal_fall"]

    def test_recommended_row_is_that_of_the_table(self) -> None:
        found = qe.detection_table(series(), rules="shewhart")
        chosen = found.charts[found.charts["recommended"]].reset_index(drop=True)
        assert len(chosen) == 4
        shared = ["chart", "every", "kind", "false_alarm_months", "months_to_detect", "can_signal_fall"]
        pd.testing.assert_frame_equal(chosen[["group", *shared]], found.table[["group", *shared]])
        usable = found.charts[found.charts["tuned"] & ~found.charts["needs_records"]]
        soonest = usable.groupby("group", observed=True)["months_to_detect"].min().to_numpy()
        months = found.table["months_to_detect"].to_numpy()
        assert (months <= np.maximum(1.25 * soonest, soonest + 1)).all()


class TestMeaning:
    def test_more_is_better(self) -> None:
        found = qe.detection_table(series(counts({"A": 30}, rate=0.1), better="higher"), rules="shewhart")
        (row,) = found.table.to_dict("records")
        assert row["changed_rate"] == pytest.approx(1 - (1 - row["rate"]) / 2)
        month = found.charts.iloc[0]
        assert (month["can_signal_fall"], month["can_signal_rise"]) == ("no", "yes")
        assert (month["can_signal_improvement"], month["can_signal_deterioration"]) == ("yes", "no")
        assert found.method["looks_for"] == "improvement"

    def test_neither_is_better(self) -> None:
        found = qe.detection_table(series(counts({"A": 30}), better=None), change=2)
        assert found.charts["can_signal_improvement"].isna().all()
        assert found.charts["can_signal_deterioration"].isna().all()
        assert found.charts["can_signal_rise"].notna().all()
        assert found.method["looks_for"] == "rise"

    def test_words(self) -> None:
        """Too little information is "not yet visible", and never no difference or no change."""
        found = qe.detection_table(series(counts(rate=0.05)), within=6, rules=[])
        table = found.table
        hidden = table[~table["visible"]]
        assert len(hidden)
        assert (hidden["months_to_detect"] > 6).all()
        assert hidden["reason"].str.startswith("Not yet visible").all()
        assert not table.loc[table["visible"], "reason"].str.contains("ot yet visible").any()
        notes = found.notes
        told = notes[notes["code"] == "not_yet_visible"]
        assert told["group"].tolist() == hidden["group"].tolist()
        assert told["text"].str.contains("does not mean that nothing changed").all()
        said = " ".join([*table["reason"], *notes["text"], found.alt_text()]).lower()
        for word in ("no difference", "no change", "no effect", "non-white", "bame"):
            assert word not in said
        for group in SIZES:
            assert group in found.alt_text()
        assert found.alt_text().count("not yet visible") == len(hidden)

    def test_reasons_agree_with_the_numbers(self) -> None:
        found = qe.detection_table(series(counts(rate=0.08)), rules=[])
        charts = found.charts
        for row in found.table.to_dict("records"):
            own = charts[charts["group"] == row["group"]]
            blind = own[own["tuned"] & (own["chart"] == "p") & np.isinf(own["months_to_detect"])]
            assert ("could not show a fall" in row["reason"]) == bool(len(blind))
            usable = own[own["tuned"] & ~own["needs_records"]]
            sooner = usable["months_to_detect"].min() < row["months_to_detect"]
            assert ("It is simpler than" in row["reason"]) == sooner
            records = own[own["needs_records"]]["months_to_detect"].min()
            assert ("From records" in row["reason"]) == (records < row["months_to_detect"] - 1)

    def test_uncertain_rates_and_rules_that_alarm_more_are_told(self) -> None:
        short = qe.detection_table(series(counts(months=8)), rules=[])
        assert (short.notes["code"] == "uncertain_rate").sum() == 4
        long = qe.detection_table(series(counts({"White": 294}, months=40)), rules=[])
        assert not (long.notes["code"] == "uncertain_rate").any()
        assert not (qe.detection_table(series(), rules="shewhart").notes["code"] == "rules_alarm_more").any()
        more = qe.detection_table(
            series(counts({"White": 294})), false_alarm_months=2000, rules="western_electric"
        ).notes
        assert {"rules_alarm_more"} <= {*more["code"]}
        often = qe.detection_table(series(counts({"White": 294})), false_alarm_months=20, rules=[])
        assert often.table["chart"].tolist() == ["p"]
        assert often.table["kind"].tolist() == [""]
        assert (often.notes["code"] == "cannot_be_drawn").sum() == 1


class TestPooled:
    def test_naive_loop(self) -> None:
        frame = counts({"A": 15, "B": 60}, sites=3)
        found = qe.detection_table(series(frame, sites=True), rules=[])
        for row in found.pooled.to_dict("records"):
            mine = frame[frame["group"] == row["group"]]
            summed = (
                mine.groupby("month")[["events", "births"]].sum().reset_index().assign(group=row["group"])
            )
            (alone,) = qe.detection_table(series(summed), rules=[]).table.to_dict("records")
            months = []
            for _, one in mine.groupby("site"):
                months += qe.detection_table(series(one), rules=[]).table["months_to_detect"].tolist()
            assert row["sites"] == 3
            assert (row["chart"], row["every"], row["visible"]) == (
                alone["chart"],
                alone["every"],
                alone["visible"],
            )
            assert row["months_to_detect"] == pytest.approx(alone["months_to_detect"], rel=1e-9)
            assert row["births_per_month"] == pytest.approx(alone["births_per_month"])
            assert row["one_site_months"] == pytest.approx(np.median(months), rel=1e-9)
            assert row["gain"] == pytest.approx(np.median(months) / alone["months_to_detect"], rel=1e-9)
        told = found.notes[found.notes["code"] == "pooling_gains"]
        assert (
            told["group"].tolist()
            == found.pooled.loc[found.pooled["visible"] & (found.pooled["gain"] > 1), "group"].tolist()
        )

    def test_one_group_over_sites(self) -> None:
        frame = counts({"All": 30}, sites=2)
        made = qe.from_counts(
            frame,
            qe.Measure("T", "proportion", "lower"),
            period="month",
            numerator="events",
            denominator="births",
            site="site",
        )
        found = qe.detection_table(made, rules=[]).pooled
        assert found["sites"].tolist() == [2]
        assert found["births_per_month"].tolist() == [90]


class TestSaved:
    def test_json(self) -> None:
        for made in (
            qe.detection_table(
                series(counts({"A": 12, "B": 40}, sites=2), sites=True),
                change=1.5,
                within=3,
                rules=["shewhart"],
            ),
            qe.detection_table(series(counts({"A": 12}), better=None), rules=[]),
            qe.detection_table(between("days")),
        ):
            again = qe.DetectionTable.from_dict(json.loads(json.dumps(made.to_dict())))
            assert again.equals(made)
            for name in ("table", "charts", "pooled", "notes"):
                pd.testing.assert_frame_equal(getattr(again, name), getattr(made, name))
            assert again.alt_text() == made.alt_text()
            assert again.title == made.title

    @pytest.mark.parametrize("lost", ["series", "options", "method", "tables", "notes"])
    def test_bad_data(self, lost: str) -> None:
        data = qe.detection_table(series(counts({"A": 12})), rules=[]).to_dict()
        with pytest.raises(DataError):
            qe.DetectionTable.from_dict({k: v for k, v in data.items() if k != lost})
        with pytest.raises(DataError):
            qe.DetectionTable.from_dict(data | {lost: 3})
        with pytest.raises(DataError):
            qe.DesignAdvice.from_dict(data)
        with pytest.raises(DataError):
            qe.DetectionTable.from_dict(data | {"format": 99})

    def test_differs(self) -> None:
        made = qe.detection_table(series(counts({"A": 12})), rules=[])
        assert not made.equals(qe.detection_table(series(counts({"A": 12})), rules=[], within=11))
        assert not made.equals("table")
        assert "4 rows" in repr(qe.detection_table(series(), rules=[]))
        assert "Test" in made._repr_html_()

    def test_disclosed(self) -> None:
        made = qe.detection_table(series(counts({"A": 40, "B": 90})), change=0.6, rules="shewhart")
        out = made.disclose("dqmi")
        assert out.equals(qe.detection_table(made.series.disclose("dqmi"), change=0.6, rules="shewhart"))
        assert not out.equals(made)


class TestOptions:
    @pytest.mark.parametrize(
        ("options", "named"),
        [
            ({"change": 1}, "change=1 is no change"),
            ({"change": 0}, "change"),
            ({"change": -2}, "change"),
            ({"change": math.nan}, "change"),
            ({"false_alarm_months": 1}, "false_alarm_months"),
            ({"within": 0}, "within"),
            ({"rules": "nelsen"}, "nelsen"),
        ],
    )
    def test_out_of_bounds(self, options: dict[str, Any], named: str) -> None:
        with pytest.raises((OptionError, InputTypeError), match=named):
            qe.detection_table(series(counts({"A": 12})), **options)

    def test_types(self) -> None:
        with pytest.raises(InputTypeError):
            qe.detection_table(counts())
        with pytest.raises(InputTypeError, match="change"):
            qe.detection_table(series(), change="half")

    def test_rules_in_any_form(self) -> None:
        made = series(counts({"A": 60}))
        own = (
            qe.RuleSet("ours", "1", "here", (qe.spc.rules.BeyondLimits(),))
            if hasattr(qe, "spc")
            else qe.rule_sets()["shewhart"]
        )
        named = [
            qe.detection_table(made, rules=r).charts["rules"].unique().tolist()
            for r in ("shewhart", ["shewhart"], own)
        ]
        assert named[0] == named[1]
        assert len(named[2]) == 2
