"""How often charts signal when nothing has changed: every kind of chart and set of rules, by simulation.

Run: ``python benchmarks/in_control.py --seed 7 --charts 10000``. It prints a Markdown table for each; with
``--write`` it also puts them where the pages of docs/methods include them, with an overview of all. ``--only
p,nelson`` does some. The seed has no default: a fresh one each time shows that the tables do not hang on it.
"""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import numpy.typing as npt
import simulated
from simulated import POINTS, Draw

import qi_equity as qe
from qi_equity.spc.kinds import KINDS

TABLES = Path(__file__).parents[1] / "docs" / "methods" / "_in_control"
BIRTHS = (12, 28, 66, 294)
PANEL = (294, 66, 28, 18, 12, 12)
RATES = (0.02, 0.04, 0.08, 0.12)
RULES = tuple(qe.rule_sets)

Make = Callable[[qe.StratifiedSeries], qe.ControlChart]
Hits = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class Case:
    """A chart and the stable series it is made of; of measurements a normal and a skewed one."""

    label: str
    make: Make
    draw: Draw
    skewed: Draw | None = None
    births: tuple[int, ...] = BIRTHS
    panel: bool = False


@dataclass(frozen=True)
class Row:
    """Which charts signalled, at each rate or for each shape of the values."""

    label: str
    births: str
    hits: list[Hits]


def control(kind: object, rules: str = "anhoej+shewhart") -> Make:
    return partial(qe.control_chart, kind=kind, rules=rules)


def of_values(label: str, make: Make) -> Case:
    """Chart one value a month."""
    return Case(label, make, simulated.normal_values, simulated.skewed_values, births=(1,))


SUBGROUPS = ("xbar", "s", "r")
SLOW = ("auto", "cusum", "bernoulli_cusum")
"""Kinds that find a threshold for each chart, drawn a fifth as often."""
NEVER = {"vlad": "A VLAD has neither limits nor tests: it never signals."}
DRAWS: dict[str, Draw] = {
    "u": simulated.rates,
    "up": simulated.rates,
    "c": simulated.counts,
    "g": simulated.gaps,
    "t": simulated.days,
    "bernoulli_cusum": simulated.gaps,
    "risk_adjusted_cusum": simulated.risks,
}
FURTHER: dict[str, tuple[Case, ...]] = {
    "run": (of_values("run", qe.run_chart),),
    "i": (
        of_values("i", control("i")),
        of_values("i, screened moving ranges", control(qe.Individuals(spread="screened"))),
        of_values("i, median moving range", control(qe.Individuals(spread="median"))),
    ),
    "mr": (of_values("mr", control("mr")),),
    "p": (Case("p, classical limits", control(qe.P(limits="classical")), simulated.proportions, panel=True),),
    "np": (Case("np, classical limits", control(qe.NP(limits="classical")), simulated.proportions),),
    "u": (Case("u, classical limits", control(qe.U(limits="classical")), simulated.rates),),
    "c": (Case("c, classical limits", control(qe.C(limits="classical")), simulated.counts),),
    "g": (Case("g, classical limits", control(qe.G(limits="classical")), simulated.gaps),),
    "t": (
        Case("t, Weibull", control(qe.T(limits="weibull")), simulated.days),
        Case("t, transformed", control(qe.T(limits="transform")), simulated.days),
    ),
    "ewma": (of_values("ewma", control("ewma")),),
    "cusum": (of_values("cusum", control("cusum")),),
}


def cases_of(name: str) -> tuple[Case, ...]:
    """Give what is simulated for a page, the default first."""
    if name in RULES:
        return _cases_of_rules(name)
    make = qe.run_chart if name == "run" else control(name)
    if name in SUBGROUPS:
        return (Case(name, make, simulated.normal_births, simulated.skewed_births),)
    return (Case(name, make, DRAWS.get(name, simulated.proportions), panel=True), *FURTHER.get(name, ()))


def _cases_of_rules(name: str) -> tuple[Case, ...]:
    """Judge p charts and i charts, or run charts where no test of the set needs limits."""
    if any(test.needs_limits for test in qe.rule_sets[name].tests):
        counted, valued, labels = control("p", name), control("i", name), ("p", "i")
    else:
        counted = valued = partial(qe.run_chart, rules=name)
        labels = ("run", "run")
    of_events = Case(f"{labels[0]}, {name}", counted, simulated.proportions, panel=True)
    return of_events, of_values(f"{labels[1]}, {name}", valued)


def signalled(chart: qe.ControlChart) -> Hits:
    """Say which strata hold a signal of any rule."""
    hits = np.zeros(len(chart.strata), dtype=bool)
    hits[chart.signals["group"].astype(int)] = True
    return hits


def simulate(case: Case, rng: np.random.Generator, charts: int) -> Iterator[Row]:
    """Draw the charts of a case, row by row of its table."""

    def hits(draw: Draw, births: int, rate: float = 0.0) -> Hits:
        return signalled(case.make(draw(rng, charts, births, rate)))

    if case.skewed is not None:
        for births in case.births:
            yield Row(case.label, str(births), [hits(case.draw, births), hits(case.skewed, births)])
        return
    for births in case.births:
        yield Row(case.label, str(births), [hits(case.draw, births, rate) for rate in RATES])
    if case.panel:
        groups = [[hits(case.draw, births, rate) for births in PANEL] for rate in RATES]
        yield Row(case.label, f"panel of {len(PANEL)} groups", [_any(panel) for panel in groups])


def _any(panel: list[Hits]) -> Hits:
    fewest = min(len(group) for group in panel)
    return np.logical_or.reduce([group[:fewest] for group in panel])


def written(rows: list[Row], seed: int, charts: int) -> str:
    """Write the table, or tables, of a page."""
    text = (
        f"Share (%) of stable charts with a signal within {POINTS} months, ± Monte-Carlo standard error; "
        f"up to {charts:,} charts a cell, seed {seed}.\n"
    )
    headers = {
        len(RATES): f"| chart | births a month | {' | '.join(f'rate {rate:.0%}' for rate in RATES)} |",
        2: "| chart | values a month | normal values | skewed values (exponential) |",
    }
    for columns, header in headers.items():
        lines = [_line(row) for row in rows if len(row.hits) == columns]
        if lines:
            text += "\n".join(["", header, "|---" * (columns + 2) + "|", *lines, ""])
    return text


def _line(row: Row) -> str:
    shares = (_share(hits) for hits in row.hits)
    return f"| {row.label} | {row.births} | {' | '.join(shares)} |"


def _share(hits: Hits) -> str:
    share = hits.mean()
    return f"{100 * share:.1f} ± {100 * np.sqrt(share * (1 - share) / hits.size):.1f}"


def overview_line(name: str, rows: list[Row]) -> str:
    """Write the line of a kind or set by its default cases: of events, of normal values, and of panels."""
    events = _of_first([row for row in rows if len(row.hits) == len(RATES)])
    values = _of_first([row for row in rows if len(row.hits) == 2])
    ranges = (
        _range([hits for row in events if row.births.isdigit() for hits in row.hits]),
        _range([row.hits[0] for row in values]),
        _range([hits for row in events if not row.births.isdigit() for hits in row.hits]),
    )
    folder = "rules" if name in RULES else "charts"
    return f"| [{name}](methods/{folder}/{name}.md) | {' | '.join(ranges)} |"


def _of_first(rows: list[Row]) -> list[Row]:
    return [row for row in rows if row.label == rows[0].label]


def _range(hits: list[Hits]) -> str:
    shares = [f"{100 * share:.1f}" for share in sorted(h.mean() for h in hits)]
    return " to ".join(dict.fromkeys(shares[:: max(len(shares) - 1, 1)]))


def overview(lines: list[str], seed: int) -> str:
    """Write the table of all kinds and sets."""
    header = (
        f"| chart or rules | events by month (%) | normal values (%) | panel of {len(PANEL)} groups (%) |"
    )
    return "\n".join([f"Seed {seed}.", "", header, "|---|---|---|---|", *lines, ""])


def main() -> None:
    """Print, and if wanted write, the tables."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seed", type=int, required=True)
    parser.add_argument("--charts", type=int, default=10_000)
    parser.add_argument("--only", type=lambda text: text.split(","), help="names, with commas between")
    parser.add_argument("--write", action="store_true", help="into docs/methods/_in_control")
    options = parser.parse_args()
    rng, lines = np.random.default_rng(options.seed), []
    tables = dict.fromkeys(options.only or ("auto", *KINDS, *RULES), "")
    for name in tables:
        if name in NEVER:
            tables[name] = NEVER[name] + "\n"
        else:
            charts = options.charts // 5 if name in SLOW else options.charts
            rows = [row for case in cases_of(name) for row in simulate(case, rng, charts)]
            tables[name] = written(rows, options.seed, charts)
            lines.append(overview_line(name, rows))
        print(f"## {name}\n\n{tables[name]}", flush=True)
    if not options.only:
        tables["overview"] = overview(lines, options.seed)
        print(f"## overview\n\n{tables['overview']}")
    if options.write:
        TABLES.mkdir(exist_ok=True)
        for name, table in tables.items():
            (TABLES / f"{name}.md").write_text(table, encoding="utf-8")


if __name__ == "__main__":
    main()
