"""The audit against brute-force enumeration of small tables, with every margin, rates and roundings."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.disclosure.audit import attack_releases
from qi_equity.data.disclosure.outlook import Outlook
from qi_equity.data.disclosure.rule import SuppressionRule

MANY = 60


def outlook(base=None, mark="*", largest=4):
    return Outlook(SuppressionRule("test", largest, mark=mark, rounding=base, protect=1), MANY)


def table_of(counts, births, hidden, margins):
    """Make the frame that is published: cells, and the margins that are chosen."""
    sites, groups = counts.shape
    rows = [
        (f"site {s}", f"group {g}", np.nan if hidden[s, g] else counts[s, g], births[s, g])
        for s in range(sites)
        for g in range(groups)
    ]
    if "groups" in margins:
        rows += [(f"site {s}", "All groups", counts[s].sum(), births[s].sum()) for s in range(sites)]
    if "sites" in margins:
        rows += [("All sites", f"group {g}", counts[:, g].sum(), births[:, g].sum()) for g in range(groups)]
    if "both" in margins:
        rows.append(("All sites", "All groups", counts.sum(), births.sum()))
    return pd.DataFrame(rows, columns=["site", "group", "events", "births"])


def enumerated(counts, hidden, margins, allowed):
    """Go through every table of whole numbers that agrees with what is published."""
    cells = np.argwhere(hidden)
    left = [set() for _ in cells]
    for guess in itertools.product(*(allowed[tuple(c)] for c in cells)):
        table = counts.copy()
        table[hidden] = guess
        agrees = (
            ("groups" not in margins or (table.sum(axis=1) == counts.sum(axis=1)).all())
            and ("sites" not in margins or (table.sum(axis=0) == counts.sum(axis=0)).all())
            and ("both" not in margins or table.sum() == counts.sum())
        )
        if agrees:
            for found, value in zip(left, guess, strict=True):
                found.add(int(value))
    return left


def found(audit, hidden):
    table = audit.table[audit.table["quantity"] == "numerator"].set_index(["site", "group"])
    out = []
    for s, g in np.argwhere(hidden):
        row = table.loc[(f"site {s}", f"group {g}")]
        words = row["numbers"]
        if " to " in words:
            first, last = (int(w) for w in words.split(" to "))
            out.append(set(range(first, last + 1)))
        else:
            out.append({int(w) for w in words.split(", ")})
    return out


@pytest.mark.parametrize("seed", range(24))
def test_margins_leave_what_enumeration_leaves(seed):
    rng = np.random.default_rng(seed)
    shape = (int(rng.integers(1, 5)), int(rng.integers(2, 5)))
    counts, births = rng.integers(1, 7, shape), rng.integers(20, 60, shape)
    hidden = np.zeros(shape, dtype=bool)
    hidden.ravel()[rng.choice(counts.size, min(4, counts.size), replace=False)] = True
    margins = [m for m in ("groups", "sites", "both") if rng.random() < 0.7] or ["both"]
    audit = attack_releases([table_of(counts, births, hidden, margins)], outlook())
    # Beyond the sum of what is hidden no cell can go.
    top = int(counts[hidden].sum())
    wanted = enumerated(counts, hidden, margins, {tuple(c): range(1, top + 1) for c in np.argwhere(hidden)})
    open_ended = [not ("both" in margins or ("groups" in margins) or ("sites" in margins)) for _ in wanted]
    assert not any(open_ended)
    assert found(audit, hidden) == wanted


@pytest.mark.parametrize("seed", range(16))
def test_rates_to_their_digits_and_margins_leave_what_enumeration_leaves(seed):
    rng = np.random.default_rng(100 + seed)
    shape = (int(rng.integers(1, 4)), int(rng.integers(2, 5)))
    counts, births = rng.integers(1, 9, shape), rng.integers(100, 400, shape)
    hidden = np.zeros(shape, dtype=bool)
    hidden.ravel()[rng.choice(counts.size, min(4, counts.size), replace=False)] = True
    digits = int(rng.integers(0, 2))
    frame = table_of(counts, births, hidden, ["groups", "sites"])
    rates = np.full(len(frame), np.nan)
    rates[: counts.size] = np.round(100 * counts / births, digits).ravel()
    written = [f"{r:.{digits}f}" if np.isfinite(r) else "" for r in rates]
    audit = attack_releases([frame.assign(**{"rate (%)": written})], outlook())
    allowed = {
        tuple(c): [
            x
            for x in range(1, 40)
            if abs(100 * x / births[tuple(c)] - np.round(100 * counts / births, digits)[tuple(c)])
            <= 0.5 * 10**-digits + 1e-12
        ]
        for c in np.argwhere(hidden)
    }
    assert found(audit, hidden) == enumerated(counts, hidden, ["groups", "sites"], allowed)


@pytest.mark.parametrize("seed", range(12))
def test_rounded_parts_and_totals_leave_what_enumeration_leaves(seed):
    rng = np.random.default_rng(200 + seed)
    counts = rng.integers(1, 30, (1, 4))
    base, largest = 5, 7

    def shown(x):
        return 5 if 1 <= x <= largest else base * int(np.floor(x / base + 0.5))

    frame = pd.DataFrame(
        {
            "group": [f"group {g}" for g in range(4)] + ["All groups"],
            "events": [shown(int(x)) for x in counts.ravel()] + [shown(int(counts.sum()))],
        }
    )
    rule = SuppressionRule("test", largest, mark=5, rounding=base, protect=1)
    audit = attack_releases([frame], Outlook(rule, MANY))
    parts = [[x for x in range(60) if shown(x) == shown(int(c)) and x] for c in counts.ravel()]
    total = shown(int(counts.sum()))
    same = sum(shown(int(x)) for x in counts.ravel()) == total
    left = [set() for _ in parts]
    for guess in itertools.product(*parts):
        # A total that the parts shown make may be made of them, and then it tells no more.
        if same or shown(sum(guess)) == total:
            for one, value in zip(left, guess, strict=True):
                one.add(value)
    table = audit.table[audit.table["quantity"] == "numerator"].set_index("group")
    for g, wanted in enumerate(left):
        assert (table.loc[f"group {g}", "lowest"], table.loc[f"group {g}", "highest"]) == (
            min(wanted),
            max(wanted),
        )
        assert table.loc[f"group {g}", "n_left"] == len(wanted)
