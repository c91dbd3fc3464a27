"""PDSA cycles and the learning network: what was tried, predicted and learned, tied to the charts.

>>> from qi_equity import pdsa
>>> pdsa.Network(name="A network", sites=[pdsa.Site(name="North")]).sites[0].name
'North'
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from qi_equity.pdsa.records.base import Record as Record
    from qi_equity.pdsa.records.base import Stamp as Stamp
    from qi_equity.pdsa.records.charter import Aim as Aim
    from qi_equity.pdsa.records.charter import ChangeIdea as ChangeIdea
    from qi_equity.pdsa.records.charter import Driver as Driver
    from qi_equity.pdsa.records.charter import MeasureUse as MeasureUse
    from qi_equity.pdsa.records.cycle import Cycle as Cycle
    from qi_equity.pdsa.records.equity import Equity as Equity
    from qi_equity.pdsa.records.events import ActionPeriod as ActionPeriod
    from qi_equity.pdsa.records.events import Meeting as Meeting
    from qi_equity.pdsa.records.events import Progress as Progress
    from qi_equity.pdsa.records.network import Network as Network
    from qi_equity.pdsa.records.network import Site as Site
    from qi_equity.pdsa.records.part import Part as Part
    from qi_equity.pdsa.records.party import Party as Party
    from qi_equity.pdsa.records.project import Project as Project
    from qi_equity.pdsa.records.steps import Act as Act
    from qi_equity.pdsa.records.steps import Do as Do
    from qi_equity.pdsa.records.steps import HarmCheck as HarmCheck
    from qi_equity.pdsa.records.steps import Plan as Plan
    from qi_equity.pdsa.records.steps import Prediction as Prediction
    from qi_equity.pdsa.records.steps import Reached as Reached
    from qi_equity.pdsa.records.steps import Result as Result
    from qi_equity.pdsa.records.steps import ScaleOfTest as ScaleOfTest
    from qi_equity.pdsa.records.steps import Study as Study
    from qi_equity.pdsa.records.steps import Task as Task

# Where each public name lives. Names load on first use, so importing the package costs next to nothing.
_HOMES = {
    "Network": "records.network",
    "Site": "records.network",
    "Project": "records.project",
    "Aim": "records.charter",
    "Driver": "records.charter",
    "ChangeIdea": "records.charter",
    "MeasureUse": "records.charter",
    "Cycle": "records.cycle",
    "Plan": "records.steps",
    "Prediction": "records.steps",
    "Task": "records.steps",
    "ScaleOfTest": "records.steps",
    "Do": "records.steps",
    "Reached": "records.steps",
    "Study": "records.steps",
    "Result": "records.steps",
    "HarmCheck": "records.steps",
    "Act": "records.steps",
    "Equity": "records.equity",
    "Party": "records.party",
    "Meeting": "records.events",
    "ActionPeriod": "records.events",
    "Progress": "records.events",
    "Part": "records.part",
    "Record": "records.base",
    "Stamp": "records.base",
}

__all__ = [
    "Act",
    "ActionPeriod",
    "Aim",
    "ChangeIdea",
    "Cycle",
    "Do",
    "Driver",
    "Equity",
    "HarmCheck",
    "MeasureUse",
    "Meeting",
    "Network",
    "Part",
    "Party",
    "Plan",
    "Prediction",
    "Progress",
    "Project",
    "Reached",
    "Record",
    "Result",
    "ScaleOfTest",
    "Site",
    "Stamp",
    "Study",
    "Task",
]


def __getattr__(name: str) -> Any:
    """Load a public name on first use."""
    if name not in _HOMES:
        raise AttributeError(
            f"module 'qi_equity.pdsa' has no attribute {name!r}; it has: {', '.join(__all__)}"
        )
    value = getattr(importlib.import_module(f"qi_equity.pdsa.{_HOMES[name]}"), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
