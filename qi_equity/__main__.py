"""The command line: ``python -m qi_equity demo`` runs the main job from births to charts and verdicts."""

from __future__ import annotations

import argparse
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pandas as pd

import qi_equity as qe
from qi_equity.errors import QiEquityError
from qi_equity.plot._save import save_figure

if TYPE_CHECKING:
    from matplotlib.figure import Figure

_STEPS = 7
_WIDTH = 110


def main(arguments: list[str] | None = None) -> int:
    """Run the command line.

    Parameters
    ----------
    arguments : list of str, optional
        The words after the command. Default: those of the command line.

    Returns
    -------
    int
        0 if all went well, 2 if the arguments or the folder cannot be used.
    """
    parser = argparse.ArgumentParser(prog="python -m qi_equity", description="SPC charts by ethnic group.")
    commands = parser.add_subparsers(dest="command", required=True)
    demo = commands.add_parser("demo", help="births in, one chart per ethnic group out")
    demo.add_argument(
        "--out", default="qi_equity_demo", help="folder for figures and tables (default: %(default)s)"
    )
    chosen = parser.parse_args(arguments)
    try:
        _demo(Path(chosen.out))
    except (QiEquityError, OSError) as error:
        print(f"qi_equity: {error}", file=sys.stderr)
        return 2
    return 0


def _demo(out: Path) -> None:
    """Chart synthetic records and published tables, and write what was found."""
    out.mkdir(parents=True, exist_ok=True)
    print("Data marked synthetic are drawn at random: no real patients.")
    chart = _chart_of_records()
    _say(3, "drawing, and writing figures and tables")
    _write(chart, out, "synthetic_haemorrhage")
    _say(4, "what happened after the change, for whom, and did the gaps close?")
    _evaluate(chart.series, out, "synthetic_haemorrhage_change")
    _say(5, "could we have seen it? Which chart would show a halving to each group, and how soon?")
    _plan(chart.series.select(end="2023-12"), out, "synthetic_haemorrhage_detection")
    _say(6, "a published table: stillbirths by ethnic group, one period")
    _unknown_ethnicity(out)
    _say(7, "a published series of overlapping windows: maternal deaths")
    _write(_chart_of_windows(), out, "published_maternal_deaths")
    print(f"\nFigures (PNG, SVG) and tables (CSV) are in {out}.")


def _chart_of_records() -> qe.ControlChart:
    """Chart major haemorrhage by ethnic group from records, one row a birth."""
    _say(1, "making 60,000 synthetic births; from 2024 on a change halves major haemorrhage in every group")
    births = qe.datasets.births(60_000, change="helps-all", effect=0.5, seed=2)
    _say(2, "counting by ethnic group and month, charting all groups at once against 2022-23")
    series = qe.from_records(
        births.records,
        qe.measures["pph_1500"],
        date="date",
        event="pph_1500",
        ethnicity="ethnicity",
        person="woman",
    )
    chart = qe.control_chart(series, baseline="2023-12")
    _show("Whose ethnicity is known", series.completeness(by_period=False))
    _show_chart(chart)
    return chart


def _evaluate(series: qe.StratifiedSeries, out: Path, name: str) -> None:
    """Evaluate the change that was planted, by group and gap, and write what was found."""
    recorded = pd.DataFrame({"start": ["2024-01"], "label": ["bundle"], "reason": ["planted in the births"]})
    evaluation = qe.evaluate_change(series, recorded, reference="rest")
    columns = ["group", "rate_before", "rate_after", "ratio", "ratio_lower", "ratio_upper", "verdict"]
    _show("Verdicts", evaluation.groups[[*columns, "beyond_trend"]])
    print(textwrap.fill(evaluation.sentence(), _WIDTH))
    _draw({name: evaluation.plot(), f"{name}_effects": evaluation.plot_effects()}, out)
    tables = {"groups": evaluation.groups, "gaps": evaluation.gaps, "notes": evaluation.notes}
    for kind, table in (tables | {"alt_text": evaluation.alt_text()}).items():
        table.to_csv(out / f"{name}_{kind}.csv", index=False)


def _plan(baseline: qe.StratifiedSeries, out: Path, name: str) -> None:
    """Say how blind the chart of every group is to a halving, all with the same false-alarm time."""
    found = qe.detection_table(baseline, change=0.5, rules="anhoej+shewhart")
    columns = ["group", "births_per_month", "events_per_month", "chart", "months_to_detect", "visible"]
    _show("Months to detect a halving, at one false alarm in 150 months", found.table[columns].round(1))
    _draw({name: found.plot(), f"{name}_blindness": found.plot_blindness()}, out)
    for kind, table in {"table": found.table, "charts": found.charts, "notes": found.notes}.items():
        table.to_csv(out / f"{name}_{kind}.csv", index=False)


def _draw(figures: dict[str, Figure], out: Path) -> None:
    """Write each figure twice, by its name."""
    for name, figure in figures.items():
        for ending in ("png", "svg"):
            save_figure(figure, out / f"{name}.{ending}")


def _unknown_ethnicity(out: Path) -> None:
    """Show how far the rates of a published table could move if the unknown women were in a group."""
    table = qe.datasets.published.load("birmingham_births")
    print(f"{table.title}\nSource: {table.source}")
    bounds = qe.from_counts(table.data, qe.measures["stillbirth"], **table.arguments).unknown_bounds(
        unknown="Unknown"
    )
    _show("Stillbirth rates, and what unknown ethnicity could hide", bounds)
    bounds.to_csv(out / "published_stillbirths_bounds.csv", index=False)


def _chart_of_windows() -> qe.ControlChart:
    """Chart windows that share years: run rules are withheld, and the notes say why."""
    table = qe.datasets.published.load("mbrrace_maternal_deaths")
    print(f"{table.title}\nSource: {table.source}")
    chart = qe.control_chart(qe.from_counts(table.data, qe.measures["maternal_death"], **table.arguments))
    _show_chart(chart)
    return chart


def _show_chart(chart: qe.ControlChart) -> None:
    """Print what a reader asks first: which group, which lines, which signals, what cannot be seen."""
    strata = chart.strata.columns.tolist()
    said = [
        "phase",
        "kind",
        "numerator",
        "denominator",
        "centre_line",
        "n_signals",
        "runs_tests",
        "can_signal_improvement",
    ]
    _show("Summary, one row a group and phase", chart.summary()[strata + said])
    _show("Signals", chart.signals)
    notes = chart.notes[["severity", "group", "text"]].fillna("")
    for severity, group, text in notes.to_numpy().tolist():
        whom = f"{group}: " if group else ""
        print(textwrap.fill(f"{severity}: {whom}{text}", _WIDTH))


def _write(chart: qe.ControlChart, out: Path, name: str) -> None:
    """Write the figure twice, the tables and the text for readers who do not see the figure."""
    _draw({name: chart.plot()}, out)
    tables = {"points": chart.points, "signals": chart.signals, "notes": chart.notes}
    tables |= {"summary": chart.summary(), "icons": chart.icons(), "alt_text": chart.alt_text()}
    for kind, table in tables.items():
        table.to_csv(out / f"{name}_{kind}.csv", index=False)


def _say(step: int, text: str) -> None:
    print(f"\n[{step}/{_STEPS}] {text}", flush=True)


def _show(title: str, table: pd.DataFrame) -> None:
    print(f"\n{title}\n{table.to_string(index=False) if len(table) else 'none'}\n")


if __name__ == "__main__":
    raise SystemExit(main())
