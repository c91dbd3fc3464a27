"""Sensitivity as drawn: read from the artists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from matplotlib.lines import Line2D

import qi_equity as qe
from qi_equity.errors import OptionError
from qi_equity.plot import _style as style
from qi_equity.plot.sensitivity import plot_sensitivity

Check = Callable[[Figure], None]
MONTHS = [str(m) for m in pd.period_range("2022-01", periods=39, freq="M")]
AFTER = np.arange(39) >= 24


def asked(blocks: dict[Any, Any], at: Any = "2024-01", births: Any = 200, **options: Any) -> Any:
    parts = []
    for key, x in blocks.items():
        site, group = key if isinstance(key, tuple) else (None, key)
        names = {"g": group} if site is None else {"g": group, "s": site}
        n = births.get(key, 200) if isinstance(births, dict) else births
        parts.append(pd.DataFrame({"m": MONTHS, **names, "x": x, "n": n}))
    rows = pd.concat(parts, ignore_index=True)
    given = {"site": "s"} if "s" in rows else {}
    measure = options.pop("measure", qe.measures["pph_1500"])
    series = qe.from_counts(
        rows, measure, period="m", numerator="x", denominator="n", group="g", **given,
    )  # fmt: skip
    return qe.evaluate_change(series, at, reference=0.1).sensitivity(**options)


@pytest.fixture(scope="module")
def found() -> Any:
    rng = np.random.default_rng(2)
    blocks = {
        "Black": rng.binomial(200, np.where(AFTER, 0.05, 0.12)),
        "Asian": rng.binomial(200, 0.08, 39),
        "Mixed": np.where(np.arange(39) % 13 == 0, 1, 0),
    }
    return asked(blocks, births={"Mixed": 20}, standardise="group")


def lines(figure: Figure, panel: int, label: str) -> list[Line2D]:
    return [line for line in figure.axes[panel].get_lines() if line.get_label() == label]


def names(figure: Figure, panel: int) -> list[str]:
    return [t.get_text() for t in figure.axes[panel].get_yticklabels()]


def titles(figure: Figure) -> list[str]:
    return [ax.get_title(loc="left").replace("\n", " ") for ax in figure.axes]


def test_one_panel_a_stratum_and_those_standardised_below(found: Any, readable: Check) -> None:
    figure = plot_sensitivity(found)
    readable(figure)
    assert titles(figure) == ["Asian", "Black", "Mixed", "All groups"]
    assert names(figure, 0) == found.table["analysis"].tolist()[:12]
    assert names(figure, 3) == ["level, not standardised", "standardised for group"]
    assert names(figure, 1) == [""] * 12
    assert {ax.get_xscale() for ax in figure.axes} == {"log"}
    assert len({ax.get_xlim() for ax in figure.axes}) == 1
    bottoms = [ax.get_position().y0 for ax in figure.axes]
    assert bottoms[0] == bottoms[1] > bottoms[2] > bottoms[3]


def test_marks_are_the_ratios_and_differ_by_shape_and_filling(found: Any) -> None:
    figure = plot_sensitivity(found)
    table = found.table
    black = table[table["group"] == "Black"]
    (improved,) = lines(figure, 1, style.IMPROVED)
    np.testing.assert_allclose(improved.get_xdata(), black.loc[black["verdict"] == "improved", "ratio"])
    assert improved.get_marker() == style.MARKERS["improvement"]
    (hollow,) = lines(figure, 0, style.CHANGE_NOT_VISIBLE)
    assert to_hex(hollow.get_markerfacecolor()) == "#ffffff"
    (none,) = lines(figure, 0, style.NO_CHANGE)
    assert none.get_xdata()[0] == 1.0
    band = [p for p in figure.axes[0].patches if p.get_label() == style.MEANINGFUL]
    np.testing.assert_allclose(
        band[0].get_extents().transformed(figure.axes[0].transData.inverted()).x0, 0.75
    )


def test_each_row_says_its_numbers_and_whether_the_verdict_stands(found: Any) -> None:
    figure = plot_sensitivity(found)
    said = [t.get_text() for t in figure.axes[1].texts]
    line = found.table[found.table["group"] == "Black"].iloc[0]
    assert f"{line.ratio:.2f} ({line.ratio_lower:.2f} to {line.ratio_upper:.2f}) · stands" in said
    asian = [t.get_text() for t in figure.axes[0].texts]
    assert any(t.endswith("· weaker") for t in asian)
    mixed = [t.get_text() for t in figure.axes[2].texts]
    assert mixed.count("too few events to tell a trend or season from the change") == 4
    heads = " ".join(said)
    assert "improved; stands in" in heads
    assert "0 of 9 fake dates look as large" in heads


def test_a_wide_interval_ends_in_an_arrow_and_does_not_flatten_the_others(found: Any) -> None:
    figure = plot_sensitivity(found)
    low, high = figure.axes[0].get_xlim()
    assert low > 0.1
    assert high < 40
    assert lines(figure, 2, style.OFF_SCALE)


def test_the_description_says_all_that_is_drawn(found: Any) -> None:
    label = str(plot_sensitivity(found).get_label())
    assert label.startswith(found.sentence())
    for part in ("Black (improved; stands in", "rho 0.6: ", "standardised for group: ", "too few events"):
        assert part in label


def test_an_event_that_never_came_again_is_an_arrow_and_infinity_is_written() -> None:
    figure = plot_sensitivity(asked({"A": np.where(AFTER, 0, 10), "B": np.where(AFTER, 10, 0)}))
    assert any("∞" in t.get_text() for t in figure.axes[1].texts)
    assert lines(figure, 0, style.OFF_SCALE)


def test_sites_changes_and_checks_are_named(readable: Check) -> None:
    blocks = {(s, g): np.where(AFTER, 9, 18) for s in ("North", "South") for g in ("East", "Not known")}
    births = {("North", "Not known"): np.where(AFTER, 20, 80)}
    made = asked(blocks, ["2023-01", "2024-01"], births=births)
    figure = plot_sensitivity(made)
    readable(figure)
    assert titles(figure)[:2] == ["East · North · change 1", "East · North · change 2"]
    heads = " ".join(t.get_text() for ax in figure.axes[:2] for t in ax.texts)
    assert "ee the check: group not known" in heads


def test_a_measure_without_direction_has_no_better_side() -> None:
    induced = qe.Measure("Induction", "proportion", None, unit="%", multiplier=100)
    figure = plot_sensitivity(asked({"A": np.where(AFTER, 40, 20)}, measure=induced, placebo=False))
    said = {t.get_text() for t in figure.axes[0].texts}
    assert "← lower" in said
    assert lines(figure, 0, style.MOVED)
    assert "fake dates" not in " ".join(said)


def test_options(found: Any) -> None:
    figure = plot_sensitivity(
        found, order=["Mixed", "Black", "Asian"], columns=1, colours="making_data_count"
    )
    assert titles(figure)[:3] == ["Mixed", "Black", "Asian"]
    assert found.plot(order="declared").axes
    with pytest.raises(OptionError, match="columns=9 is too many to read"):
        plot_sensitivity(found, columns=9)
    with pytest.raises(OptionError, match="colours"):
        plot_sensitivity(found, colours="rainbow")
    many = asked({f"group {k:02d}": [20] * 39 for k in range(25)}, placebo=False)
    with pytest.raises(OptionError, match="There are 25 strata and changes; a figure holds at most 24"):
        plot_sensitivity(many)


def test_a_ratio_without_an_interval_is_written_alone() -> None:
    rows = pd.DataFrame({"m": ["2024-01", "2024-02", "2024-03"], "x": [30, 36, 20], "n": 200})
    series = qe.from_counts(rows, qe.measures["pph_1500"], period="m", numerator="x", denominator="n")
    found = qe.evaluate_change(series, "2024-03", reference=0.1).sensitivity(placebo=False)
    line = found.table.set_index("analysis").loc["level+trend"]
    assert np.isfinite(line["ratio"])
    assert np.isnan(line["ratio_lower"])
    said = [t.get_text() for t in plot_sensitivity(found).axes[0].texts]
    assert f"{line['ratio']:.2f} · cannot tell" in said
