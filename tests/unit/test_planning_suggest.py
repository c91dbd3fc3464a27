"""Advice for a team: sites against all prefixes, words against numbers, and the same chart as the table."""

from __future__ import annotations

import json
import math
from typing import Any

import numpy as np
import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.errors import DataError, InputTypeError, OptionError

LESS = qe.Measure("Test", "proportion", "lower")


def counts(births: dict[str, list[int]], rate: float = 0.1, months: int = 24, seed: int = 1) -> pd.DataFrame:
    """Make months of each group at each of its sites."""
    rng = np.random.default_rng(seed)
    parts = []
    for group, sizes in births.items():
        for site, size in enumerate(sizes):
            frame = pd.DataFrame({"month": pd.date_range("2022-01-01", periods=months, freq="MS")})
            frame["group"], frame["site"], frame["births"] = group, f"S{site}", size
            frame["events"] = rng.binomial(size, rate)
            parts.append(frame)
    return pd.concat(parts, ignore_index=True)


def series(frame: pd.DataFrame, measure: qe.Measure = LESS) -> qe.StratifiedSeries:
    births = None if measure.kind == "count" else "births"
    return qe.from_counts(
        frame, measure, period="month", numerator="events", denominator=births, group="group", site="site"
    )


class TestPooledSites:
    def test_all_prefixes(self) -> None:
        """One's own site alone if it is enough; else site after site, most births first, and one's own."""
        births = {"A": [9, 25, 14, 40], "B": [3, 2, 4, 3], "C": [150, 10, 10, 10]}
        frame = counts(births)
        found = qe.suggest_design(series(frame), within=7).table

        def waits(sites: pd.DataFrame) -> tuple[float, float]:
            births, events = sites["births"].sum() / 24, sites["events"].sum() / 24
            rate = events / births
            return births, float(qe.months_to_detect(births, rate, rate / 2, chart="cusum")[0])

        for row in found.to_dict("records"):
            mine = frame[frame["group"] == row["group"]]
            sites = mine.groupby("site")[["events", "births"]].sum()
            sites = sites.sort_values("births", ascending=False, kind="stable")
            chosen = [row["site"]]
            if not waits(sites.loc[chosen])[1] <= 7:
                enough = [k for k in range(1, 5) if waits(sites.iloc[:k])[1] <= 7]
                largest = sites.index[: min(enough, default=4)].tolist()
                chosen = largest if row["site"] in largest else [row["site"], *largest]
            births_a_month, months = waits(sites.loc[chosen])
            assert row["pooled_sites"] == " + ".join(chosen)
            assert row["n_sites"] == len(chosen)
            assert row["pooled_births_per_month"] == pytest.approx(births_a_month)
            assert row["pooled_months_to_detect"] == pytest.approx(months, rel=1e-9)
            assert row["pooled_visible"] == (months <= 7)
        assert {1, 2, 4} <= {*found["n_sites"]}

    def test_one_site_or_none(self) -> None:
        frame = counts({"A": [30]})
        found = qe.suggest_design(series(frame)).table
        assert found["pooled_sites"].tolist() == ["S0"]
        assert found["n_sites"].tolist() == [1]
        columns = {"numerator": "events", "denominator": "births"}
        nowhere = qe.suggest_design(qe.from_counts(frame, LESS, period="month", **columns)).table
        assert nowhere["pooled_sites"].tolist() == [""]

    def test_sites_without_a_group(self) -> None:
        frame = counts({"A": [30, 0, 50]})
        found = qe.suggest_design(series(frame), within=1).table
        assert found["n_sites"].unique().tolist() == [3]
        np.testing.assert_allclose(found["pooled_births_per_month"], 80)
        assert found["advice"][1].startswith("Not yet visible")


class TestTable:
    @pytest.mark.parametrize("kind", ["proportion", "rate", "count"])
    def test_same_chart_as_the_table_of_detection(self, kind: Any) -> None:
        made = series(counts({"A": [30], "B": [120]}), qe.Measure("T", kind, "lower"))
        advice, table = qe.suggest_design(made), qe.detection_table(made, rules=[])
        for name in ("chart", "every", "kind", "months_to_detect", "visible"):
            pd.testing.assert_series_equal(advice.table[name], table.table[name])
        assert advice.table["power"].between(0, 1).all()
        assert (advice.table["baseline_months"] == 24).all()

    @pytest.mark.parametrize("unit", ["births", "days"])
    def test_between_events(self, unit: Any) -> None:
        rng = np.random.default_rng(1)
        born = pd.date_range("2023-01-01", periods=1500, freq="6h")
        frame = pd.DataFrame({"born": born, "event": rng.random(1500) < 0.1})
        made = qe.between_events(frame, LESS, date="born", event="event", unit=unit)
        (row,) = qe.suggest_design(made).table.to_dict("records")
        assert row["chart"] == {"births": "bernoulli_cusum", "days": "t"}[unit]
        assert row["visible"]
        assert row["months_to_detect"] == qe.detection_table(made).table["months_to_detect"][0]

    def test_invisible_whatever_is_done(self) -> None:
        """Neither a chart nor an evaluation, at one site or over all, shows it in time."""
        births = {"A": [4, 3], "B": [60, 40], "C": [8, 900]}
        found = qe.suggest_design(series(counts(births, rate=0.06))).table
        power = found[["power", "pooled_power"]].fillna(0).max(axis=1)
        expected = ~found["visible"] & ~found["pooled_visible"] & (power < 0.8)
        assert found["invisible"].tolist() == expected.tolist()
        assert found.groupby("group", observed=True)["invisible"].all().to_dict() == {
            "A": True,
            "B": False,
            "C": False,
        }

    def test_columns_do_not_depend_on_the_series(self) -> None:
        tables = [
            qe.suggest_design(series(counts(b), qe.Measure("T", k, "lower")), aim=aim).table
            for b, k, aim in (
                ({"A": [30]}, "proportion", 0.5),
                ({"A": [0]}, "rate", 1.5),
                ({"A": [3, 4]}, "count", 0.7),
            )
        ]
        kinds = [{c: str(d) for c, d in t.dtypes.items()} for t in tables]
        assert kinds[0] == kinds[1] == kinds[2]


class TestAdvice:
    def test_words_agree_with_the_numbers(self) -> None:
        births = {"A": [4, 3], "B": [20, 30], "C": [8, 900], "D": [0, 0]}
        made = qe.suggest_design(series(counts(births, rate=0.08)), within=10)
        for row in made.table.to_dict("records"):
            said = row["advice"]
            if math.isnan(row["months_to_detect"]):
                assert said.startswith("Not yet visible")
                continue
            assert ("use a " in said) == row["visible"]
            assert ("more than the 10 months" in said) == (not row["visible"])
            pooled = not row["visible"] and row["n_sites"] > 1
            assert ("Pool" in said) == pooled
            if pooled and row["pooled_visible"]:
                assert row["pooled_sites"] in said
            assert f"chance of {100 * row['power']:.0f} %" in said
            assert ("stays invisible" in said) == row["invisible"]
            if math.isinf(row["baseline_months_needed"]) and row["power"] < 0.8:
                assert "no longer baseline" in said
        lines = made.advice().splitlines()
        assert len(lines) == 1 + len(made.table)
        assert made.alt_text()
        told = made.notes[made.notes["code"] == "stays_invisible"]
        assert len(told) == made.table["invisible"].sum()
        everything = " ".join([made.advice(), *made.notes["text"]]).lower()
        for word in ("no difference", "no change ", "no effect", "non-white", "bame"):
            assert word not in everything

    def test_json_and_disclosure(self) -> None:
        made = qe.suggest_design(series(counts({"A": [30, 20]})), aim=0.6, within=9)
        again = qe.DesignAdvice.from_dict(json.loads(json.dumps(made.to_dict())))
        assert again.equals(made)
        pd.testing.assert_frame_equal(again.table, made.table)
        assert again.advice() == made.advice()
        out = made.disclose("dqmi")
        assert out.equals(qe.suggest_design(made.series.disclose("dqmi"), aim=0.6, within=9))
        with pytest.raises(DataError):
            qe.DesignAdvice.from_dict(made.to_dict() | {"tables": {}})

    def test_row_order(self) -> None:
        frame = counts({"A": [30, 20], "B": [60, 7]})
        mixed = frame.sample(frac=1, random_state=2)
        assert qe.suggest_design(series(frame)).equals(qe.suggest_design(series(mixed)))


@pytest.mark.parametrize(
    ("options", "named"),
    [
        ({"aim": 1}, "aim=1 is no change"),
        ({"aim": 0}, "aim"),
        ({"within": 0.5}, "within"),
        ({"false_alarm_months": 1}, "false_alarm_months"),
    ],
)
def test_options(options: dict[str, Any], named: str) -> None:
    made = series(counts({"A": [30]}))
    with pytest.raises(OptionError, match=named):
        qe.suggest_design(made, **options)
    with pytest.raises(InputTypeError):
        qe.suggest_design("series")
