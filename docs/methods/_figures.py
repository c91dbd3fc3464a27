"""The figures of the method pages: drawn from synthetic data whenever the documentation is built.

For each page a picture and a snippet that shows it with its alt text go to ``_figures/``; pages include the
snippet. Run ``python docs/methods/_figures.py`` to draw them without building the pages.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from pathlib import Path

import numpy as np
import pandas as pd

import qi_equity as qe
from qi_equity.spc.kinds import KINDS

FOLDER = Path(__file__).parent / "_figures"
CAPTION = "Synthetic data."
MONTHS = pd.date_range("2022-01-01", periods=36, freq="MS").strftime("%Y-%m")
BASELINE = 24
GROUPS = ("Asian", "Black")
MINUTES = qe.Measure("Decision to birth", "mean", "lower", unit="minutes")

Draw = Callable[[], qe.ControlChart]


@cache
def births() -> pd.DataFrame:
    """Births of three years in which major haemorrhage is halved after two, with a made-up expected risk."""
    records = qe.datasets.births(24_000, sites=1, change="helps-all", effect=0.5, seed=6).records
    return records.assign(expected=np.where(records["parity"] == 0, 0.034, 0.026))


def proportions(groups: tuple[str, ...] = GROUPS) -> qe.StratifiedSeries:
    """Major haemorrhage by month."""
    measure = qe.measures["pph_1500"]
    columns = {"date": "date", "event": "pph_1500", "expected": "expected", "ethnicity": "ethnicity"}
    return qe.from_records(births(), measure, **columns).select(group=groups)


def gaps(unit: str = "births") -> qe.StratifiedSeries:
    """Births, or days, from one major haemorrhage to the next; the births of a day are spread over it."""
    of_day = births().groupby("date")["date"]
    share = (of_day.cumcount() + 0.5) / of_day.transform("size")
    records = births().assign(date=births()["date"] + pd.to_timedelta(share * 86_400, unit="s"))
    columns = {"date": "date", "event": "pph_1500", "expected": "expected", "ethnicity": "ethnicity"}
    made = qe.between_events(records, qe.measures["pph_1500"], unit=unit, **columns)
    return made.select(group=GROUPS)


def counts(
    kind: str, size: int | None, rate: float, varying: float = 0.0, fall: float = 0.6
) -> qe.StratifiedSeries:
    """Events of each month; the rate falls after the baseline and varies between months by a share."""
    rng = np.random.default_rng(5)
    level = rate * np.where(np.arange(len(MONTHS)) < BASELINE, 1, fall)
    level *= 1 + varying * rng.standard_normal(len(MONTHS))
    rows = pd.DataFrame({"month": MONTHS})
    if size is not None:
        rows["births"] = rng.poisson(size, len(MONTHS))
    rows["events"] = rng.poisson(level * rows.get("births", 1))
    measure = qe.Measure("Events", kind, "lower")
    denominator = None if size is None else "births"
    return qe.from_counts(rows, measure, period="month", numerator="events", denominator=denominator)


def values() -> qe.StratifiedSeries:
    """One value a month: one long wait in the first year, shorter ones from the third on."""
    minutes = np.random.default_rng(12).normal(34, 3, len(MONTHS))
    minutes[9] += 14
    minutes[BASELINE:] -= 5
    rows = pd.DataFrame({"month": MONTHS, "minutes": minutes.round(1)})
    return qe.from_counts(rows, MINUTES, period="month", value="minutes")


def single_values() -> qe.StratifiedSeries:
    """Four to nine waits a month, shorter and more alike from the third year on."""
    rng = np.random.default_rng(9)
    month = np.repeat(np.arange(len(MONTHS)), rng.integers(4, 10, len(MONTHS)))
    late = month >= BASELINE
    minutes = rng.normal(np.where(late, 29, 34), np.where(late, 3, 6)).round()
    rows = pd.DataFrame({"date": pd.to_datetime(MONTHS)[month], "minutes": minutes})
    return qe.from_records(rows, MINUTES, date="date", value="minutes")


MANY = {"size": 45_000, "rate": 0.14, "varying": 0.04, "fall": 0.9}
SERIES: dict[str, Callable[[], qe.StratifiedSeries]] = {
    "run": proportions,
    "i": values,
    "mr": values,
    "xbar": single_values,
    "s": single_values,
    "r": single_values,
    "ip": proportions,
    "p": proportions,
    "np": proportions,
    "c": partial(counts, "count", None, 12.0),
    "u": partial(counts, "rate", 300, 0.05),
    "pp": partial(counts, "proportion", **MANY),
    "up": partial(counts, "rate", **MANY),
    "g": gaps,
    "t": partial(gaps, "days"),
    "ewma": proportions,
    "cusum": proportions,
    "bernoulli_cusum": gaps,
    "risk_adjusted_cusum": gaps,
    "vlad": gaps,
    "auto": partial(proportions, ("Asian", "Mixed")),
}


def kind_chart(kind: str) -> qe.ControlChart:
    """Chart what the kind is for, with lines from before the change."""
    series = SERIES[kind]()
    before = "2023-12-31" if series.measure.kind == "between" else BASELINE
    if kind == "run":
        return qe.run_chart(series, baseline=before)
    return qe.control_chart(series, kind, baseline=before)


def rules_chart(rules: str) -> qe.ControlChart:
    """Chart the same values for every set of rules: a run chart where no test needs limits."""
    tests = qe.rule_sets[rules].tests
    make = qe.control_chart if any(t.needs_limits for t in tests) else qe.run_chart
    return make(values(), rules=rules, baseline=BASELINE)


FIGURES: dict[str, Draw] = {kind: partial(kind_chart, kind) for kind in (*KINDS, "auto")}
FIGURES |= {rules: partial(rules_chart, rules) for rules in qe.rule_sets}


def draw(name: str, folder: Path = FOLDER) -> None:
    """Draw the figure of one page, and write the snippet that shows it."""
    chart = FIGURES[name]()
    folder.mkdir(exist_ok=True)
    chart.plot().savefig(folder / f"{name}.png", dpi=100)
    alt = " ".join(" ".join(chart.alt_text()["text"]).split())
    snippet = f"```{{figure}} ../_figures/{name}.png\n:alt: {alt}\n:width: 100%\n\n{CAPTION}\n```\n"
    (folder / f"{name}.md").write_text(snippet, encoding="utf-8")


def draw_all() -> None:
    """Draw the figures of all pages."""
    for name in FIGURES:
        draw(name)


if __name__ == "__main__":
    draw_all()
