"""The rates and shares of synthetic births, read from the table that says what each rests on."""

from __future__ import annotations

import csv
import functools
from importlib import resources

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]

# The broad groups of the scheme "nhs-2001", in its order; the first KNOWN of them are known groups.
GROUPS = ("Asian", "Black", "Mixed", "Other", "White", "Not stated", "Not known", "Missing")
KNOWN = 5
ALL = "All groups"


@functools.cache
def basis() -> pd.DataFrame:
    """Read the table: quantity, item, group, value, mark, rests_on."""
    text = resources.files("qi_equity.datasets").joinpath("tables/births_basis.csv").read_text("utf-8")
    frame = pd.DataFrame(list(csv.DictReader(text.splitlines())))
    return frame.assign(value=frame["value"].astype("float64"))


@functools.cache
def scalar(quantity: str, item: str = "") -> float:
    """Give the value that holds for all groups."""
    table = basis()
    found = table[(table["quantity"] == quantity) & (table["item"] == item) & (table["group"] == ALL)]
    return float(found["value"].iloc[0])


@functools.cache
def by_group(quantity: str) -> Floats:
    """Give the value for each of ``GROUPS``; not to be written to."""
    table = basis()
    found = table[table["quantity"] == quantity].set_index("group")["value"]
    return _locked(found.loc[list(GROUPS)].to_numpy(copy=True))


def shares() -> Floats:
    """Give the share of births of each of ``GROUPS``; they sum to 1."""
    published = by_group("share")
    return np.asarray(published / published.sum())


@functools.cache
def within_group(quantity: str) -> tuple[tuple[str, ...], Floats]:
    """Give the items, and their shares in each of ``GROUPS``: shape (groups, items), not to be written to."""
    table = basis()
    rows = table[table["quantity"] == quantity]
    everyone = rows["group"].iloc[0] == ALL
    names = list(dict.fromkeys(rows["item"]))
    wide = rows.pivot_table(index="group", columns="item", values="value", fill_value=0.0, observed=False)
    values = wide.loc[[ALL] * len(GROUPS) if everyone else list(GROUPS), names].to_numpy(dtype=np.float64)
    return tuple(names), _locked(values / values.sum(axis=1, keepdims=True))


def unrecorded() -> dict[str, float]:
    """Give the share of births without a record, for each field that can be without one."""
    table = basis()
    rows = table[table["quantity"] == "unrecorded"]
    return dict(zip(rows["item"], rows["value"].astype(float), strict=True))


def _locked(values: Floats) -> Floats:
    values.flags.writeable = False
    return values
