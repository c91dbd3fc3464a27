"""What every figure is asked: that its texts can be read."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.text import Text

import qi_equity as qe
from qi_equity.data.series import StratifiedSeries

PPH = qe.Measure("Postpartum haemorrhage", "proportion", "lower", unit="per 1000")
Check = Callable[[Figure], None]


def texts_of(figure: Figure) -> list[Text]:
    """All texts of a figure that are not empty."""
    inside = [
        t
        for ax in figure.axes
        for t in [
            *ax.texts,
            ax._left_title,
            ax.xaxis.label,
            ax.yaxis.label,
            *ax.get_xticklabels(),
            *ax.get_yticklabels(),
        ]
    ]
    legends = [t for legend in figure.legends for t in legend.get_texts()]
    return [t for t in [*inside, *figure.texts, *legends] if t.get_text() and t.get_visible()]


@pytest.fixture
def readable() -> Check:
    """Check that no text overlaps another, is too small, or leaves the page."""

    def check(figure: Figure) -> None:
        FigureCanvasAgg(figure).draw()
        texts = texts_of(figure)
        boxes = [t.get_window_extent().shrunk(0.97, 0.9) for t in texts]
        page = figure.bbox
        for i, (text, box) in enumerate(zip(texts, boxes, strict=True)):
            assert text.get_fontsize() >= 8
            assert page.x0 <= box.x0 <= box.x1 <= page.x1, text.get_text()
            assert page.y0 <= box.y0 <= box.y1 <= page.y1, text.get_text()
            clashes = [texts[j].get_text() for j in range(i) if boxes[j].overlaps(box)]
            assert not clashes, (text.get_text(), clashes)

    return check


@pytest.fixture(scope="session")
def suppressed() -> StratifiedSeries:
    """Eight quarters: a group that is suppressed, one without births, three with rates."""
    groups = {"Asian": (9, 300), "Black": (7, 120), "Mixed": ("*", 40), "Other": (0, 0), "White": (30, 1100)}
    rows: list[tuple[Any, ...]] = []
    for q in range(8):
        quarter = f"{2022 + q // 4}-{1 + 3 * (q % 4):02d}"
        rows += [(quarter, group, str(x), n) for group, (x, n) in groups.items()]
        rows[-5] = (quarter, "Asian", str(9 + q % 3), 300)
    return counts(rows, every="quarter")


@pytest.fixture(scope="session")
def sites() -> StratifiedSeries:
    """Twelve sites with long names, three groups, one year."""
    rng = np.random.default_rng(3)
    names = [
        "Avon",
        "Brent",
        "Cam",
        "Dee",
        "Exe",
        "Fal",
        "Great-Ouse",
        "Humber",
        "Itchen",
        "Jed",
        "Kennet",
        "Lea",
    ]
    rows = [
        ("2024", group, int(rng.binomial(n, p)), n, f"The {site} University Hospitals NHS Foundation Trust")
        for site in names
        for group, p in (("Asian", 0.03), ("Black", 0.05), ("White", 0.03))
        for n in [int(rng.integers(30, 900))]
    ]
    return counts(rows, every="year", site="site")


@pytest.fixture(scope="session")
def sixteen() -> StratifiedSeries:
    """Sixteen groups of the NHS, and those of unknown ethnicity, over two years of months."""
    rng = np.random.default_rng(1)
    months = pd.period_range("2022-01", periods=24, freq="M").astype(str)
    rows = []
    for k, code in enumerate(qe.Scheme.load("nhs-2001").codes):
        for month in months:
            n = int(rng.poisson(12 + 9 * (k % 7)))
            rows.append((month, code, int(rng.binomial(n, 0.05 + 0.004 * (k % 5))), n))
    return counts(rows, scheme="nhs-2001")


@pytest.fixture(scope="session")
def recorded() -> StratifiedSeries:
    """Synthetic births of three sites, some with unrecorded outcome."""
    made = qe.datasets.births(6_000, months=24, change="helps-all", effect=0.5, seed=2)
    return qe.from_records(
        made.records_for("pph_1500"),
        qe.measures["pph_1500"],
        date="date",
        event="pph_1500",
        ethnicity="ethnicity",
        site="site",
        every="quarter",
    )


def counts(rows: list[tuple[Any, ...]], **options: Any) -> StratifiedSeries:
    """Make a series from rows of period, group, events, births and perhaps site."""
    names = ["period", "group", "x", "n", "site"][: len(rows[0])]
    frame = pd.DataFrame(rows, columns=names)
    columns = {"period": "period", "numerator": "x", "denominator": "n", "group": "group"}
    return qe.from_counts(frame, options.pop("measure", PPH), **columns, **options)
