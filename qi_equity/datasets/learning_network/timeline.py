"""When things happen in the synthetic network: months, starts of the changes, action periods, meetings."""

from __future__ import annotations

import itertools
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta

import numpy as np

__all__ = ["FIRST_MONTH", "LEAST_MONTHS", "Timeline", "moment"]

FIRST_MONTH = np.datetime64("2022-01", "M")
LEAST_MONTHS = 6
# The first implementations: after a quarter of tests, and then spread over four months where there is time.
_TESTS, _SPREAD = 3, 4


@dataclass(frozen=True, slots=True)
class Timeline:
    """Months of the baseline and of the work."""

    baseline: int
    months: int

    @property
    def all_months(self) -> int:
        """Months of data."""
        return self.baseline + self.months

    @property
    def work(self) -> date:
        """First day of the work."""
        return self.day(0)

    @property
    def last(self) -> date:
        """Last day of the work."""
        return self.day(self.months) - timedelta(days=1)

    def day(self, month: int, day: int = 1) -> date:
        """Give a day of a month of the work, counted from 0."""
        found: date = (FIRST_MONTH + self.baseline + month).astype("datetime64[D]").item()
        return found.replace(day=day)

    def start(self, site: int, idea: int) -> int:
        """Give the month of the work in which a site implements an idea; sites start one after another."""
        spread = min(_SPREAD, self.months // 3 - 1)
        return _TESTS + (site + idea) % spread

    def column(self, day: date) -> int:
        """Give the month of the data, counted from 0, that a day is in."""
        return int((np.datetime64(day, "M") - FIRST_MONTH).astype(int))

    def periods(self) -> list[tuple[date, date]]:
        """Give the first and last day of the three action periods."""
        edges = [round(self.months * i / 3) for i in range(4)]
        return [
            (self.day(first), self.day(after) - timedelta(days=1))
            for first, after in itertools.pairwise(edges)
        ]


def moment(day: date) -> datetime:
    """Give the moment at which something of a day was recorded."""
    return datetime.combine(day, time(16), UTC)
