"""Meetings and action periods of the synthetic network."""

from __future__ import annotations

from qi_equity.datasets.learning_network.timeline import Timeline
from qi_equity.pdsa.records.events import ActionPeriod, Meeting

__all__ = ["action_periods", "meetings"]

_CALL_DAY, _COACHING_DAY, _COACHING_EVERY = 15, 22, 3
_SESSIONS = (
    "Aims, drivers and first tests",
    "What the tests taught, and for whom it worked",
    "What all sites should do, and what is not yet visible",
)


def action_periods(prefix: str, timeline: Timeline) -> tuple[ActionPeriod, ...]:
    """Give the three times between learning sessions."""
    return tuple(
        ActionPeriod(id=f"{prefix}.period{i}", shared=True, name=f"Action period {i}", start=start, end=end)
        for i, (start, end) in enumerate(timeline.periods(), 1)
    )


def meetings(prefix: str, sites: tuple[str, ...], timeline: Timeline) -> tuple[Meeting, ...]:
    """Give the learning sessions, the monthly data calls and the coaching calls of each site, by date."""
    sessions = [
        Meeting(
            id=f"{prefix}.session{i}", shared=True, kind="learning session", date=start,
            title=f"Learning session {i}", topics=topics,
        )
        for i, ((start, _), topics) in enumerate(zip(timeline.periods(), _SESSIONS, strict=True), 1)
    ]  # fmt: skip
    calls = [
        Meeting(
            id=f"{prefix}.call{month + 1}", shared=month % 2 == 0, kind="data call",
            date=timeline.day(month, _CALL_DAY), title=f"Data call {month + 1}",
            topics="Charts by group, completeness of ethnicity, cycles since the last call",
        )
        for month in range(timeline.months)
    ]  # fmt: skip
    coaching = [
        Meeting(
            id=f"{prefix}.s{i + 1}.coaching{month + 1}", kind="coaching call",
            date=timeline.day(month, _COACHING_DAY), title=f"Coaching call, {site}", sites=(site,),
            topics="Next tests, and who takes part",
        )
        for month in range(1, timeline.months, _COACHING_EVERY)
        for i, site in enumerate(sites)
    ]  # fmt: skip
    return tuple(sorted([*sessions, *calls, *coaching], key=lambda meeting: meeting.date))
