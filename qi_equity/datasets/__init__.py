"""Data to learn with: synthetic births of any number, a synthetic learning network, small published tables.

>>> import qi_equity as qe
>>> len(qe.datasets.births(1000).records), len(qe.datasets.published.names()) > 3
(1000, True)
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

from qi_equity.datasets import published
from qi_equity.datasets.births import SyntheticBirths, births
from qi_equity.datasets.published import PublishedTable

if TYPE_CHECKING:
    from qi_equity.datasets.learning_network.network import network as network
    from qi_equity.datasets.learning_network.result import SyntheticNetwork as SyntheticNetwork

__all__ = ["PublishedTable", "SyntheticBirths", "SyntheticNetwork", "births", "network", "published"]


# What keeps records needs pydantic, and loads on first use.
_HOMES = {"SyntheticNetwork": "result", "network": "network"}


def __getattr__(name: str) -> Any:
    """Load what keeps records on first use."""
    if name not in _HOMES:
        raise AttributeError(
            f"module 'qi_equity.datasets' has no attribute {name!r}; it has: {', '.join(__all__)}"
        )
    home = importlib.import_module(f"qi_equity.datasets.learning_network.{_HOMES[name]}")
    globals()[name] = getattr(home, name)
    return globals()[name]


def __dir__() -> list[str]:
    """List the public names."""
    return sorted(__all__)
