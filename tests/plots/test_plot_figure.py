"""Figures show themselves in notebooks, with their description, and without pyplot."""

from __future__ import annotations

import subprocess
import sys

import pandas as pd
from matplotlib.figure import Figure

import qi_equity as qe


def test_a_figure_gives_its_picture_and_its_description() -> None:
    counts = pd.DataFrame({"month": ["2024-01", "2024-02"], "n": [8, 10]})
    calls = qe.from_counts(counts, qe.Measure("Calls", "count", None), period="month", numerator="n")
    chart = qe.control_chart(calls)
    figure = chart.plot()
    assert isinstance(figure, Figure)
    data, metadata = figure._repr_mimebundle_(include=None, exclude=None)
    assert data["image/png"].startswith(b"\x89PNG")
    assert data["text/plain"] == repr(figure)
    assert metadata["image/png"]["alt"] == chart.alt_text()["text"][0]


def test_a_notebook_shows_the_picture_and_loads_no_pyplot() -> None:
    code = (
        "import sys\n"
        "from IPython.core.formatters import DisplayFormatter\n"
        "from qi_equity.plot._figure import Figure\n"
        "shown, _ = DisplayFormatter().format(Figure())\n"
        "print('image/png' in shown, 'matplotlib.pyplot' in sys.modules)"
    )
    said = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert said.stdout.split() == ["True", "False"]
