"""The rows and notes of an audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _result
from qi_equity.data.disclosure.attack import Attack, Remaining
from qi_equity.data.disclosure.outlook import Outlook
from qi_equity.data.disclosure.readings import COUNTS, Bools, Floats

if TYPE_CHECKING:
    from qi_equity.data.disclosure.vintages import Attacked

__all__ = ["RESULTS", "empty", "notes_of", "rows_of"]

Ints = NDArray[np.int64]

RESULTS = ("shown", "protected", "lowest", "highest", "n_left", "numbers", "enough", "how")
_SHOWN_SUMS = 3


def empty() -> pd.DataFrame:
    """Give a table without rows."""
    return _frame(pd.DataFrame({"start": [], "stop": []}), [])


def rows_of(attack: Attack, true: Mapping[str, Floats] | None, *, published: Bools) -> pd.DataFrame:
    """Ask for every count that is withheld, rounded or protected what is left.

    Parameters
    ----------
    attack : Attack
        All that is known.
    true : mapping of str to ndarray, optional
        The true counts of the places; NaN where they are not known.
    published : ndarray of bool, shape (P,)
        Places that some row is about.

    Returns
    -------
    pandas.DataFrame
        As :attr:`DisclosureAudit.table`.
    """
    names = attack.places.names
    held = [
        q for q in COUNTS if np.isfinite(attack.shown[q]).any() or attack.hidden[q].any() or q == "numerator"
    ]
    parts = [_of(attack, q, None if true is None else true[q], published) for q in held]
    return _frame(names, [p for p in parts if len(p)])


def _of(attack: Attack, quantity: str, true: Floats | None, published: Bools) -> pd.DataFrame:
    """Ask for one quantity."""
    outlook, shown, hidden = attack.outlook, attack.shown[quantity], attack.hidden[quantity]
    high, rounded = attack.high[quantity], attack.rounded[quantity]
    before = outlook.protects(shown) if true is None else outlook.protects(true)
    wanted = (before | hidden | rounded | ~published) & ~attack.missing
    # Of counts that no row is about only those are asked for of which something is known.
    wanted &= published | before | np.isfinite(high)
    if quantity != "numerator":
        wanted &= published
    at = np.flatnonzero(wanted)
    if not len(at):
        return pd.DataFrame()
    left = attack.left(quantity, at, max(outlook.enough, 2))
    some = np.array([bool(outlook.protects(v.astype(float)).any()) for v in left.values])
    every = np.array([bool(len(v) and outlook.protects(v.astype(float)).all()) for v in left.values])
    every &= left.exact
    if true is None:
        # A withheld count that can be none of the protected ones was withheld to protect another.
        protected = np.where(published[at], (before | hidden)[at] & (some | ~left.exact), every)
    else:
        protected = before[at]
    counts = np.array([len(v) for v in left.values])
    enough = ~protected | (counts >= outlook.enough) | (~left.exact & (counts >= outlook.enough))
    keep = published[at] | protected
    frame = pd.DataFrame(
        {
            "place": at,
            "quantity": quantity,
            "shown": [_shown(s, h, p) for s, h, p in zip(shown[at], hidden[at], published[at], strict=True)],
            "protected": protected,
            "lowest": left.lowest,
            "highest": left.highest,
            "n_left": counts,
            "numbers": _numbers(left),
            "enough": enough,
            "how": [_how(attack, quantity, int(p), bool(e)) for p, e in zip(at, enough, strict=True)],
        }
    )
    return frame[keep]


def _shown(shown: float, hidden: bool, published: bool) -> str:
    if np.isfinite(shown):
        return f"{shown:g}"
    return "suppressed" if hidden else "not shown" if not published else "blank"


def _numbers(left: Remaining) -> list[str]:
    """Write what is left: all numbers, or how many were found at least."""
    out = []
    for values, exact, low, high in zip(left.values, left.exact, left.lowest, left.highest, strict=True):
        if not exact:
            top = f"{high:g}" if np.isfinite(high) else "any"
            out.append(f"at least {len(values)} of {low:g} to {top}")
        elif len(values) > 2 and values[-1] - values[0] == len(values) - 1:
            out.append(f"{values[0]} to {values[-1]}")
        else:
            out.append(", ".join(str(v) for v in values.tolist()))
    return out


def _how(attack: Attack, quantity: str, place: int, enough: bool) -> str:
    """Say what tells most of a place."""
    if enough:
        return ""
    if (
        np.isfinite(attack.shown[quantity][place])
        and attack.low[quantity][place] == attack.shown[quantity][place]
    ):
        return "it is printed"
    told = sorted(attack.by_lines.get(place, set()) | attack.by_pairs.get(place, set()))
    return "; ".join([*told, *_sums(attack, quantity, place)][:_SHOWN_SUMS]) or "the rule by itself"


def _sums(attack: Attack, quantity: str, place: int) -> list[str]:
    """Name the shortest sums that a place is part of, and the texts."""
    cover = attack.places.cover
    shares = np.asarray((cover @ cover[[place]].T).todense()).ravel() > 0
    known = np.isfinite(attack.high[quantity])
    found = np.flatnonzero(shares & known & (np.arange(len(shares)) != place))
    sizes = np.diff(cover.indptr)[found]
    more = found[(sizes > 1) & (sizes >= np.diff(cover.indptr)[place])]
    chosen = more[np.argsort(np.diff(cover.indptr)[more], kind="stable")][:_SHOWN_SUMS]
    texts = [row.source for row in attack.told if (row.atoms @ cover[[place]].T).sum() > 0]
    return [*dict.fromkeys(texts), *(f"the sum for {_named(attack.places.names.loc[p])}" for p in chosen)]


def _named(row: pd.Series) -> str:
    labels = [str(v) for c, v in row.items() if c not in ("start", "stop", "release")]
    days = "" if pd.isna(row["start"]) else f" from {pd.Timestamp(row['start']).date()}"
    return ", ".join(labels) + days if labels else f"all{days}"


def _frame(names: pd.DataFrame, parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """Put the rows together with the names of their places."""
    columns = ["place", "quantity", *RESULTS]
    rows = pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)
    where = names.iloc[rows["place"].to_numpy(dtype=np.int64)].reset_index(drop=True)
    strata = where[[c for c in names.columns if c not in ("start", "stop", "release")]].astype("str")
    stop = pd.to_datetime(where["stop"]).astype("datetime64[us]")
    times = pd.DataFrame(
        {"start": pd.to_datetime(where["start"]).astype("datetime64[us]"), "end": stop - pd.Timedelta(days=1)}
    )
    types: dict[str, Any] = {
        "quantity": "str", "shown": "str", "protected": bool, "lowest": np.float64, "highest": np.float64,
        "n_left": np.int64, "numbers": "str", "enough": bool, "how": "str",
    }  # fmt: skip
    found: list[pd.DataFrame] = [strata, times, rows.drop(columns="place").astype(types)]
    return pd.concat(found, axis=1)


def notes_of(found: Attacked, outlook: Outlook) -> pd.DataFrame:
    """Say what the reader of an audit must know."""
    parts = []
    failed = int((~found.table["enough"]).sum())
    if failed:
        text = (
            f"{failed} count(s) that rule {outlook.rule.name!r} protects are left with fewer than "
            f"{outlook.enough} whole numbers: these items must not leave together."
        )
        parts.append(_result.note("disclosed", "warning", text))
    if found.only_together:
        text = f"{found.only_together} of them only by the releases together: the earlier one is out already."
        parts.append(_result.note("disclosed_by_releases", "warning", text))
    undone = found.table["n_left"].eq(1) & ~found.table["protected"]
    undone &= found.table["shown"].str.fullmatch(r"\d+")
    if undone.any() and outlook.rule.rounding is not None:
        text = (
            f"{int(undone.sum())} rounded count(s) that the rule does not protect can be worked out exactly."
        )
        parts.append(_result.note("rounding_undone", "caution", text))
    for code, severity, items, text in (
        (
            "single_events",
            "warning",
            found.single_events,
            "Times between events show every event by itself: {}.",
        ),
        ("not_attacked", "caution", found.not_attacked, "Not turned back into counts: {}."),
        ("contradiction", "caution", found.doubts, "{}"),
    ):
        for item in items:
            parts.append(_result.note(code, severity, text.format(item)))  # type: ignore[arg-type]
    return _result.notes(parts)
