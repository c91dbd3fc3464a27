"""How well PDSA was done, as far as the record shows: item by item, with what is missing."""

from __future__ import annotations

from dataclasses import dataclass

import pandas as pd

from qi_equity import _result
from qi_equity._version import __version__
from qi_equity.errors import InputTypeError
from qi_equity.pdsa.checklists.cycle_items import cycle_items, predictions_changed
from qi_equity.pdsa.checklists.items import MET, Item, frame, over
from qi_equity.pdsa.checklists.listed import ListedResult
from qi_equity.pdsa.checklists.project_items import aim_item, first_cycles, project_items, ready_items
from qi_equity.pdsa.records.cycle import Cycle
from qi_equity.pdsa.records.project import Project

__all__ = ["Quality", "quality"]

_RULES = (
    "Names of the five features: Taylor 2014 (doi:10.1136/bmjqs-2013-001862). Names of the checklist for "
    "implementation: Institute for Healthcare Improvement. The rules by which the record meets an item are "
    "ours, and so are the items on equity. Nothing is scored or summed."
)


@dataclass(frozen=True, slots=True, eq=False, kw_only=True, repr=False)
class Quality(ListedResult):
    """A checklist of a cycle or a project; what :func:`quality` returns.

    Parameters
    ----------
    work : mapping
        Whose it is: ``kind, id, name, version``.
    method : mapping
        Whose rules they are, and the version of the library.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.checklists.quality import quality
    >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh all blood loss"))
    >>> quality(cycle)
    <Quality of Cycle 'Cycle 1': 1 of 14 items that are due are met>
    """

    @property
    def items(self) -> pd.DataFrame:
        """The items: ``part, item, met, missing, source``.

        ``met`` is "yes", "no" (the record shows that it is not so), "not recorded", or "not due" (the step
        has not been reached). ``missing`` says what to record.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.checklists.quality import quality
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh"))
        >>> quality(cycle).items["part"].unique().tolist()
        ['features of PDSA', 'equity', 'ready to implement']
        """
        return self._items.copy()

    @property
    def missing(self) -> pd.DataFrame:
        """The items that are due and not met.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.checklists.quality import quality
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh"))
        >>> quality(cycle).missing["missing"].iloc[1]
        'write what is predicted (plan.predictions)'
        """
        return self._items[self._items["met"].isin(MET[1:3])].reset_index(drop=True)

    def sentence(self) -> str:
        """Say in words how many items are met.

        Returns
        -------
        str
            Never a score: the items do not weigh the same.

        Examples
        --------
        >>> from qi_equity import pdsa
        >>> from qi_equity.pdsa.checklists.quality import quality
        >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=pdsa.Plan(objective="Weigh"))
        >>> quality(cycle).sentence().split(";")[0]
        "Cycle 'Cycle 1', version 1: of 14 items that are due, the record meets 1"
        """
        n = self._items["met"].value_counts()
        met, due = int(n.get("yes", 0)), len(self._items) - int(n.get("not due", 0))
        return (
            f"{self.work['kind']} {self.work['name']!r}, version {self.work['version']}: of {due} items that "
            f"are due, the record meets {met}; {int(n.get('no', 0))} it does not, and on "
            f"{int(n.get('not recorded', 0))} it says too little."
        )

    def __str__(self) -> str:
        lines = [
            f"- [{'x' if row['met'] == 'yes' else ' '}] {row['item']}"
            + (f" ({row['met']}): {row['missing']}" if row["missing"] else f" ({row['met']})")
            for row in self._items.to_dict("records")
        ]
        return "\n".join([self.sentence(), *lines])

    def __repr__(self) -> str:
        due = self._items[self._items["met"] != "not due"]
        met = int((due["met"] == "yes").sum())
        name = f"{self.work['kind']} {self.work['name']!r}"
        return f"<Quality of {name}: {met} of {len(due)} items that are due are met>"


def quality(work: Cycle | Project) -> Quality:
    """Check a cycle or a project against what good PDSA records, item by item, with what is missing.

    Three lists: the five features of PDSA (iterative cycles, prediction-based test of change, small-scale
    testing, use of data over time, documentation) [1]_; whether a change idea is ready to be implemented
    (tested small and then larger, under varying conditions, causal link shown by data) [2]_; and equity
    (a prediction and a harm check for each watched group, a comparator with its reason, completeness of
    ethnicity, who took part and who defined the aim). It judges the record, not the people: what is not
    written down is "not recorded".

    Parameters
    ----------
    work : Cycle or Project
        Of a project, an item is met if it is in all cycles where it is due; the checklist for implementation
        is given for each change idea that has cycles.

    Returns
    -------
    Quality
        With ``items``, ``missing`` and ``notes``; predictions that were changed after the Do was recorded are
        told in a note.

    Raises
    ------
    InputTypeError
        If it is neither.

    Notes
    -----
    The sources name the features and do not say how each was measured; the rules here are ours:

    - iterative: an earlier cycle is named (``previous``), and a decision is recorded; of a project, a cycle
      follows on each that was adapted or expanded;
    - prediction-based: predictions stand in a version that has no Do yet, do not change after it, and are
      answered in the Study;
    - small-scale: the scale is recorded with belief and consequence, people are counted, and a change is
      implemented only after cycles that tested it;
    - data over time: measures, data plan, data attached, and counts behind each result;
    - documentation: questions and tasks, observations, comparison with before, reason of the decision;
    - small, then larger: the last cycle reached more people than the first; varying conditions: two places or
      two sets of groups; causal link: two cycles with counts of an outcome found what was predicted, and no
      group for whom it was not so; a group that is not yet visible speaks neither way. That is what the
      record can show, and no proof: look at the chart. This list and who defined the aim are asked of a
      project; of a cycle alone they are not due, and of a project's first cycle of an idea it is not due that
      it follows on others.

    References
    ----------
    .. [1] Taylor et al. (2014), BMJ Quality & Safety 23, doi:10.1136/bmjqs-2013-001862.
    .. [2] Institute for Healthcare Improvement, How to Improve: implementing changes.

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.checklists.quality import quality
    >>> plan = pdsa.Plan(objective="Weigh all blood loss", predictions=[{"text": "All births are weighed"}])
    >>> cycle = pdsa.Cycle(name="Cycle 1", idea="weigh", plan=plan)
    >>> checked = quality(cycle.record(pdsa.Do(start="2024-03-04", as_planned=True), by="Midwife"))
    >>> checked.items.set_index("item")["met"]["Prediction-based test: predicted before the Do"]
    'yes'
    """
    if isinstance(work, Cycle):
        items = [*cycle_items(work), aim_item(None), *ready_items(None)]
        cycles: tuple[Cycle, ...] = (work,)
    elif isinstance(work, Project):
        cycles = work.cycles
        items = _of_project(work)
    else:
        raise InputTypeError(
            f"work={work!r:.80} is of type {type(work).__name__}; give a Cycle or a Project."
        )
    return Quality(
        work={"kind": type(work).__name__, "id": work.id, "name": work.name, "version": work.version},
        method={"rules": _RULES, "library": f"qi_equity {__version__}"},
        _items=frame(items),
        _notes=_result.notes([note for cycle in cycles for note in _changed(cycle)]),
    )


def _of_project(project: Project) -> list[Item]:
    """Give the items of all cycles together, and those of the project, part by part."""
    first, measured = first_cycles(project), bool(project.measures)
    named = [(cycle.name, cycle_items(cycle, measured, cycle.id in first)) for cycle in project.cycles]
    items = [*over(named), *project_items(project)]
    parts = list(dict.fromkeys(one.part for one in items))
    return sorted(items, key=lambda one: parts.index(one.part))


def _changed(cycle: Cycle) -> list[pd.DataFrame]:
    stamp = predictions_changed(cycle)
    if stamp is None:
        return []
    text = (
        f"{cycle.name}: predictions were changed on {stamp.at:%Y-%m-%d} by {stamp.by}, after the Do was "
        "recorded. history() has what was predicted first."
    )
    return [_result.note("prediction_changed", "warning", text)]
