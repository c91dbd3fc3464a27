"""Standardised rates as drawn: read from the artists, against the table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pandas as pd
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import qi_equity as qe
from qi_equity.data.series import StratifiedSeries
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.plot import _style as style

Check = Callable[[Figure], None]
AGES = {"<25": (0.02, 0.3), "25-34": (0.03, 0.5), "35+": (0.06, 0.2)}


def aged(births: int = 400, mixed: float = 1.0) -> StratifiedSeries:
    """Six quarters in which women become older; ``mixed`` is how many women are Mixed, of others."""
    rng, groups = np.random.default_rng(11), ("Asian", "Black", "Mixed", "White")
    rows = []
    for k, quarter in enumerate(["2023-01", "2023-04", "2023-07", "2023-10", "2024-01", "2024-04"]):
        for group in groups:
            for age, (rate, share) in AGES.items():
                n = int(
                    births
                    * (mixed if group == "Mixed" else 1)
                    * (share + 0.03 * k * (1 if age == "35+" else -0.5))
                )
                rows.append((quarter, group, age, int(rng.binomial(n, rate)), n))
    frame = pd.DataFrame(rows, columns=["q", "group", "age", "x", "n"])
    return qe.from_counts(
        frame, qe.measures["pph_1500"], period="q", numerator="x", denominator="n", group="group", by=["age"],
        scheme="nhs-2001", every="quarter",
    )  # fmt: skip


def lines(ax: Axes, label: str) -> list[Line2D]:
    return [line for line in ax.get_lines() if line.get_label() == label]


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes]


def footnotes(figure: Figure) -> str:
    return " ".join(t.get_text() for t in figure.texts).replace("\n", " ")


def test_both_rates_and_the_interval_are_those_of_the_table(readable: Check) -> None:
    found = aged().standardise("age")
    figure = found.plot()
    assert titles(figure)[:5] == ["Asian women", "Black women", "Mixed", "Other", "White women"]
    table = found.table[found.table["group"] == "Black"]
    ax = figure.axes[1]
    np.testing.assert_allclose(lines(ax, style.CRUDE)[0].get_ydata(), 1000 * table["crude"])
    np.testing.assert_allclose(lines(ax, "_line")[0].get_ydata(), 1000 * table["standardised"])
    given = table["lower"].notna()
    drawn = lines(ax, style.INTERVAL) + lines(ax, "_interval")
    ends = np.array([line.get_ydata() for line in drawn])
    np.testing.assert_allclose(ends, 1000 * table.loc[given, ["lower", "upper"]])
    assert figure.get_suptitle() == "Postpartum haemorrhage of 1500 ml or more: standardised for age"
    assert "with the age of the standard (all groups together, over all periods)" in footnotes(figure)
    assert "95 % intervals (Dobson)" in footnotes(figure)
    assert "All panels have the same scale." in footnotes(figure)
    assert len({ax.get_ylim() for ax in figure.axes}) == 1
    readable(figure)


def test_a_rate_without_an_interval_is_hollow_and_named_so() -> None:
    found = aged(births=120).standardise("age")
    none = found.table["lower"].isna() & found.table["standardised"].notna()
    assert none.any()
    figure = found.plot()
    hollow = [line for ax in figure.axes for line in lines(ax, style.NO_INTERVAL)]
    assert sum(len(line.get_xdata()) for line in hollow) == none.sum()
    assert {line.get_markerfacecolor() for line in hollow} == {"white"}
    assert style.NO_INTERVAL in [t.get_text() for t in figure.legends[0].get_texts()]


def test_what_is_not_given_says_why() -> None:
    series = aged(births=4)
    found = series.standardise("age", interval="gamma")
    missing = found.table[found.table["standardised"].isna() & (found.table["group"] == "Asian")]
    figure = found.plot()
    words = {t.get_text() for t in figure.axes[0].texts}
    assert missing["reason"].unique().tolist() == ["a stratum of the case-mix is without births"]
    # Wrapped into two lines.
    assert {f"{len(missing)} of 6 not given: a stratum of the", "case-mix is without births"} <= words
    empty = figure.axes[titles(figure).index("Not known")]
    assert "not given:\nmissing" in [t.get_text() for t in empty.texts]
    assert "Not known. 2023 Q1: not given (missing)." in figure.get_label()


def test_the_description_has_every_number() -> None:
    found = aged().standardise("age", over="all")
    figure = found.plot()
    row = found.table.iloc[0]
    ends = [f"{1000 * row[c]:.1f}" for c in ("standardised", "lower", "upper", "crude")]
    text = f"Asian women. 2023 Q1 to 2024 Q2: {ends[0]} ({ends[1]} to {ends[2]}), crude {ends[3]}."
    assert text in figure.get_label()
    bare = aged(births=20).standardise("age", over="all").table
    few = bare[bare["lower"].isna() & bare["standardised"].notna()].iloc[0]
    label = aged(births=20).standardise("age", over="all").plot().get_label()
    assert f": {1000 * few['standardised']:.1f}, crude {1000 * few['crude']:.1f}." in label


def test_a_total_over_a_fixed_mix_is_one_panel(readable: Check) -> None:
    figure = aged().standardise(["age", "group"], over="period").plot()
    assert titles(figure) == ["All groups"]
    assert "standardised for age and ethnic group" in figure.get_suptitle().replace("\n", " ")
    assert "All panels" not in footnotes(figure)
    assert "Order of the groups" not in footnotes(figure)
    readable(figure)


def test_indirect_rates_say_how_they_are_made() -> None:
    figure = aged().standardise("age", method="indirect", standard="White").plot(order="size", columns=2)
    assert "events observed against those expected at the standard's rates" in footnotes(figure)
    assert "Byar, exact below 10 events" in footnotes(figure)
    assert "largest first" in footnotes(figure)
    assert len({round(ax.get_position().x0, 6) for ax in figure.axes}) == 2


def test_an_interval_beyond_the_scale_has_an_arrow() -> None:
    figure = aged(births=400, mixed=0.03).standardise("age", interval="gamma").plot()
    arrows = [line for ax in figure.axes for line in lines(ax, style.OFF_SCALE)]
    assert arrows
    top = {float(line.get_ydata()[0]) for line in arrows}
    assert len(top) == 1


def test_what_does_not_fit_is_refused() -> None:
    found = aged().standardise("age")
    with pytest.raises(OptionError, match="columns=5 is too many to read; give 1 to 4"):
        found.plot(columns=5)
    with pytest.raises(InputTypeError, match="columns"):
        found.plot(columns="two")
    with pytest.raises(OptionError, match="order='best'"):
        found.plot(order="best")
    rows = pd.DataFrame(
        {"m": ["2024"] * 50, "site": [f"S{k:02d}" for k in range(25)] * 2, "age": ["a"] * 25 + ["b"] * 25,
         "x": [3] * 50, "n": [90] * 50}
    )  # fmt: skip
    columns = {"period": "m", "numerator": "x", "denominator": "n", "site": "site", "every": "year"}
    many = qe.from_counts(rows, qe.measures["pph_1500"], by=["age"], **columns)
    with pytest.raises(OptionError, match=r"25 strata; a figure holds at most 24.*series\.select"):
        many.standardise("age").plot()
