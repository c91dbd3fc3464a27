"""Pieces of a review in Markdown: texts of people made safe, tables, lists, numbers, days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any

import numpy as np
import pandas as pd

__all__ = ["SAID", "bullets", "day", "known", "months", "number", "of_site", "rows_of", "safe", "table"]

SAID = {"neutral": "special cause"}
"""States and meanings that are said in other words than they are kept."""

_MARKED = "\\`*_{}[]<>#|~"


def safe(text: Any) -> str:
    """Write a text so that it is read as one line of plain text."""
    line = " ".join(str(text).split())
    return "".join(f"\\{c}" if c in _MARKED else c for c in line)


def known(value: Any, *, none: str = "") -> str:
    """Write a text safely, or what stands for none."""
    return none if pd.isna(value) else safe(value)


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Make a table of texts that are safe."""
    lines = [f"| {' | '.join(line)} |" for line in (head, ["---"] * len(head), *rows)]
    return "\n".join(lines)


def bullets(lines: Iterable[str]) -> str:
    """Make a list of texts that are safe."""
    return "\n".join(f"- {line}" for line in lines)


def rows_of(frame: pd.DataFrame) -> Iterator[Any]:
    """Go through the rows, whose values are of any type."""
    yield from frame.itertuples(index=False)


def of_site(frame: pd.DataFrame, site: str) -> pd.DataFrame:
    """Keep the rows of a site."""
    return frame[frame["site"] == site]


def day(value: Any) -> str:
    """Write a day; nothing where it is not known."""
    return "" if pd.isna(value) else f"{value:%Y-%m-%d}"


def number(value: float) -> str:
    """Write a count."""
    return "not known" if np.isnan(value) else f"{value:,.0f}"


def months(value: float) -> str:
    """Write how many months it takes until something shows."""
    if np.isnan(value):
        return "time to show not known"
    if np.isinf(value):
        return "never shows"
    return f"{value:.0f} {'month' if round(value) == 1 else 'months'}" if value >= 1 else "under 1 month"
