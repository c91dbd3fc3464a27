"""Groups of women: from the codes of records, or the labels of tables, to the groups of a scheme."""

from __future__ import annotations

import re
from collections.abc import Mapping

import numpy as np
import pandas as pd

from qi_equity.data.bad_rows import BadRows
from qi_equity.data.intake import BY
from qi_equity.data.scheme import Scheme
from qi_equity.data.strata import MISSING, Keys, Labels, distinct, one_group, read_labels, text_of
from qi_equity.errors import OptionError

_TOTAL = re.compile(r"(all|total|overall|everyone|england|national)\b.*|.*\btotal", re.IGNORECASE)


def load_scheme(scheme: str | Scheme) -> Scheme:
    """Take a scheme, or load it by its id."""
    return scheme if isinstance(scheme, Scheme) else Scheme.load(scheme)


def assign(column: pd.Series, name: str, scheme: Scheme, grouping: str, bad: BadRows) -> Labels:
    """Put codes as recorded into the groups of a grouping; what is no code of the scheme is a bad row."""
    codes, values = distinct(column)
    names = scheme.groups(grouping)
    found = scheme.assign([*values, None], grouping)
    problem = f"{name}: no code of {scheme.id!r} ({', '.join(scheme.codes)})"
    return _to_labels(codes, [*map(text_of, values), ""], found, names, bad, problem)


def find(column: pd.Series, name: str, scheme: Scheme, bad: BadRows) -> tuple[Labels, str]:
    """Find the grouping of a scheme whose labels or codes stand in a table; also give its name."""
    codes, values = distinct(column)
    grouping, found = scheme.read_labels(values)
    known = ", ".join(scheme.groups(grouping))
    problem = f"{name}: not a group of {scheme.id!r}, grouping {grouping!r} ({known})"
    bad.add(codes < 0, f"{name} is empty")
    texts = [*map(text_of, values), ""]
    return _to_labels(codes, texts, [*found, None], scheme.groups(grouping), bad, problem), grouping


def as_labelled(column: pd.Series, name: str, bad: BadRows) -> Labels:
    """Take the labels of a table as the groups, in natural order."""
    labels = read_labels(column)
    bad.add(labels.codes < 0, f"{name} is empty")
    return labels


def read_keys(
    table: pd.DataFrame, columns: Mapping[str, str], scheme: Scheme, grouping: str, bad: BadRows
) -> Keys:
    """Read site, ethnicity and further strata of records; without ethnicity there is one group."""
    group = one_group(len(table))
    if "ethnicity" in columns:
        group = assign(table["ethnicity"], columns["ethnicity"], scheme, grouping, bad)
    return Keys(read_site(table, columns, bad), group, read_further(table, columns))


def read_site(table: pd.DataFrame, columns: Mapping[str, str], bad: BadRows) -> Labels | None:
    """Read the site, if there is such a column."""
    return as_labelled(table["site"], columns["site"], bad) if "site" in columns else None


def read_further(table: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, Labels]:
    """Read further strata; an empty one is "Missing"."""
    return {c: read_labels(table[role], MISSING) for role, c in columns.items() if role.startswith(BY)}


def totals(names: tuple[str, ...]) -> list[str]:
    """List the labels that look like totals over the other groups."""
    return [n for n in names if _TOTAL.fullmatch(n)] if len(names) > 1 else []


def check_given(scheme: object, group: str | None) -> None:
    """Refuse a scheme without the column that it is about, and what is no scheme."""
    if scheme is not None and group is None:
        raise OptionError(f"scheme={scheme!r} is given, but no group=; name the column of the groups.")


def _to_labels(
    codes: np.ndarray[tuple[int], np.dtype[np.int64]],
    texts: list[str],
    found: list[str | None],
    names: tuple[str, ...],
    bad: BadRows,
    problem: str,
) -> Labels:
    place = {name: i for i, name in enumerate(names)}
    index = np.array([-1 if label is None else place[label] for label in found], dtype=np.int64)
    unknown = (index[codes] < 0) & (codes >= 0)
    total = np.array([_TOTAL.fullmatch(text) is not None for text in texts])[codes]
    bad.add(unknown & ~total, problem)
    bad.add(unknown & total, f"{problem}; rows that are totals must be removed first")
    return Labels(index[codes], names)
