"""What holds for every scheme, every code and every set of records."""

from __future__ import annotations

from collections import Counter
from itertools import pairwise

import pandas as pd
from hypothesis import given
from hypothesis import strategies as st

from qi_equity.data.ethnicity import resolve_ethnicity
from qi_equity.data.scheme import Scheme

IDS = ["census-2021", "imd-quintile", "nhs-2001", "nz-level-1-prioritised", "nz-level-1-total", "omb-2024"]
SCHEMES = st.sampled_from([Scheme.load(i) for i in IDS])
NHS = Scheme.load("nhs-2001")
KNOWN = [c for c in NHS.codes if c not in ("Z", "99", "X")]

RECORD = st.tuples(
    st.integers(1, 4),  # person
    st.integers(1, 3),  # day
    st.sampled_from(["A", "B", "K", "Z", "99", None]),
    st.sampled_from(["booking", "birth", "ward"]),
)


@given(SCHEMES, st.data())
def test_groups_of_a_roll_up_are_those_of_the_codes(scheme: Scheme, data: st.DataObject) -> None:
    grouping = data.draw(st.sampled_from(scheme.groupings))
    codes = data.draw(st.lists(st.sampled_from(list(scheme.codes))))
    onto = scheme.roll_up("detail", grouping)
    assert [onto[d] for d in scheme.assign(codes, "detail") if d is not None] == scheme.assign(
        codes, grouping
    )
    assert list(onto) == list(scheme.groups("detail"))
    assert set(onto.values()) == set(scheme.groups(grouping))


@given(SCHEMES, st.data())
def test_labels_read_back_as_themselves(scheme: Scheme, data: st.DataObject) -> None:
    grouping = data.draw(st.sampled_from(scheme.groupings))
    labels = list(scheme.groups(grouping))
    shouted = [data.draw(st.sampled_from([v, v.upper(), f" {v.lower()} "])) for v in labels]
    found, read = scheme.read_labels(shouted)
    assert read == labels
    assert scheme.groups(found) == scheme.groups(grouping)


@given(
    SCHEMES, st.lists(st.one_of(st.text(max_size=4), st.integers(), st.floats(), st.none(), st.booleans()))
)
def test_any_value_gives_a_group_or_nothing(scheme: Scheme, values: list[object]) -> None:
    for grouping in scheme.groupings:
        found = scheme.assign(values, grouping)
        assert len(found) == len(values)
        assert set(found) <= {*scheme.groups(grouping), None}
        assert all(scheme.assign([v], grouping) == [f] for v, f in zip(values, found, strict=True))


@given(st.sampled_from(KNOWN), st.sampled_from("0123456789ABCDEFGHIJLMOPQTUVWXYZ "), st.booleans())
def test_a_local_second_character_never_changes_the_group(code: str, local: str, lower: bool) -> None:
    raw = (code + local).lower() if lower else code + local
    if raw.upper() not in ("NA", "ND"):
        assert NHS.assign([raw], "broad") == NHS.assign([code], "broad")


def naive(
    rows: list[tuple[int, int, str | None, str]], method: str, priority: list[str]
) -> dict[int, object]:
    """Resolve by the published words, one woman at a time."""
    found: dict[int, object] = {}
    for person in {r[0] for r in rows}:
        mine = [r for r in rows if r[0] == person]
        known = [r for r in mine if r[2] in KNOWN]
        if not known:
            found[person] = next((c for c in ("Z", "99") if c in [r[2] for r in mine]), None)
            continue
        if method == "mode":
            counts = Counter(r[2] for r in known).most_common()
            found[person] = None if len(counts) > 1 and counts[0][1] == counts[1][1] else counts[0][0]
            continue
        latest = [r for r in known if r[1] == max(k[1] for k in known)]
        codes = {r[2] for r in latest}
        if len(codes) > 1 and priority:
            best = min(priority.index(r[3]) for r in latest)
            codes = {r[2] for r in latest if priority.index(r[3]) == best}
        found[person] = codes.pop() if len(codes) == 1 else None
    return found


@given(
    st.lists(RECORD, min_size=1, max_size=14), st.sampled_from(["recency", "mode", "priority"]), st.randoms()
)
def test_resolution_is_that_of_the_naive_loop_in_any_order_of_records(
    rows: list[tuple[int, int, str | None, str]], rule: str, random: object
) -> None:
    priority = ["booking", "birth", "ward"] if rule == "priority" else []
    method = "mode" if rule == "mode" else "recency"
    options = {"source": "source", "priority": priority} if priority else {}
    frame = pd.DataFrame(rows, columns=["person", "day", "code", "source"])
    frame["day"] = pd.to_datetime("2024-01-01") + pd.to_timedelta(frame["day"], unit="D")

    def resolve(records: pd.DataFrame) -> pd.DataFrame:
        return resolve_ethnicity(
            records, person="person", date="day", ethnicity="code", method=method, **options
        )

    table = resolve(frame)
    got = {p: None if pd.isna(c) else c for p, c in zip(table["person"], table["code"], strict=True)}
    assert got == naive(rows, method, priority)
    assert table["n_records"].sum() == len(rows)
    assert all(a < b for a, b in pairwise(table["person"]))
    distinct = {p: len({r[2] for r in rows if r[0] == p and r[2] in KNOWN}) for p in got}
    assert dict(zip(table["person"], table["n_distinct_codes"], strict=True)) == distinct
    order = list(range(len(rows)))
    random.shuffle(order)
    pd.testing.assert_frame_equal(resolve(frame.iloc[order]), table)
