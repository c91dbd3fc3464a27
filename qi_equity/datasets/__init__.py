"""Data to learn with: synthetic births of any number, and small published tables.

>>> import qi_equity as qe
>>> len(qe.datasets.births(1000).records), len(qe.datasets.published.names()) > 3
(1000, True)
"""

from __future__ import annotations

from qi_equity.datasets import published
from qi_equity.datasets.births import SyntheticBirths, births
from qi_equity.datasets.published import PublishedTable

__all__ = ["PublishedTable", "SyntheticBirths", "births", "published"]
