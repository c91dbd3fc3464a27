"""The change package: against pooled effects of the same series, sums by hand, and Holm as a loop.

No published list of best practice with a ladder and pooled effects by group was found to check against.
"""

from __future__ import annotations

import csv
import itertools
import json
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy import stats

import qi_equity as qe
from qi_equity import pdsa
from qi_equity.pdsa.change_package.disclosed import shown_people
from qi_equity.pdsa.change_package.judged import judge
from qi_equity.pdsa.change_package.ladder import LADDER, rung
from qi_equity.pdsa.change_package.mix import mix_ratios, p_held, pooled_ratio
from qi_equity.pdsa.change_package.package import best_practice
from qi_equity.pdsa.change_package.result import BestPractice
from qi_equity.pdsa.change_package.whom import gaps_moved, seen_in

MEASURE = qe.measures["pph_1500"]
MONTHS = pd.period_range("2022-01", periods=24, freq="M").astype(str).tolist()
GROUPS = {"Asian": (8, 80), "Black": (12, 80), "White": (20, 400)}
START = "2023-01-01"
SITES = "ABCDE"


def cycle(idea: str, number: int = 1, **fields: Any) -> dict[str, Any]:
    plan = {"objective": "x", "predictions": [{"text": "fewer", "group": "Black"}, {"text": "fewer"}]}
    made: dict[str, Any] = {"id": f"{idea}-{number}", "name": f"Cycle {number}", "idea": idea, "plan": plan}
    return made | {"purpose": "implement", "do": {"start": START, "as_planned": True}} | fields


def studied(found: dict[str | None, str], decision: str = "adopt", day: str = "2023-06-01") -> dict[str, Any]:
    results = [{"group": "Black", "matched": "yes"}, {"matched": "yes"}]
    harm = [{"group": group, "found": word} for group, word in found.items()]
    study = {"date": day, "learning": "x", "results": results, "harm": harm}
    return {"study": study, "act": {"date": "2023-12-01", "decision": decision, "follows": "x"}}


def project(site: str, ideas: dict[str, list[dict[str, Any]]], **fields: Any) -> pdsa.Project:
    """Make a project with these codes of ideas and their cycles."""
    records = [
        {"id": f"{code}-{site}", "code": code, "name": code.capitalize(), "shared": True} | fields
        for code in ideas
    ]
    cycles = [c | {"idea": f"{code}-{site}", "id": f"{code}-{site}-{i}"}
              for code, made in ideas.items() for i, c in enumerate(made)]  # fmt: skip
    uses = [{"measure": "pph_1500", "role": "outcome"}]
    return pdsa.Project(name="P", site=site, ideas=records, measures=uses, cycles=cycles)


def network(codes: tuple[str, ...] = ("weigh",), sites: str = SITES, **fields: Any) -> pdsa.Network:
    """Make a network in which every site implemented every idea with one cycle."""
    made = [pdsa.Site(name=s, projects=[project(s, {c: [cycle(c)] for c in codes}, **fields)]) for s in sites]
    return pdsa.Network(name="N", sites=made)


def series(
    ratios: dict[str, float], sites: str = SITES, measure: qe.Measure = MEASURE
) -> qe.StratifiedSeries:
    """Make a series whose counts change by these ratios, in groups and, before a dot, at one site only."""
    rows = [
        (
            month,
            site,
            group,
            round(x * (ratios.get(f"{site}.{group}", ratios.get(group, 1)) if late else 1)),
            n,
        )
        for i, month in enumerate(MONTHS)
        for late in [i >= 12]
        for site in sites
        for group, (x, n) in GROUPS.items()
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    return qe.from_counts(
        frame, measure, period="month", numerator="x", denominator="n", group="group", site="site"
    )


def changes(sites: str = SITES, start: str = START, group: str | None = None) -> pd.DataFrame:
    return pd.DataFrame({"start": start, "site": list(sites), "group": group})


@cache
def evaluated(*ratios: tuple[str, float], sites: str = SITES, measure: qe.Measure = MEASURE) -> Any:
    return qe.evaluate_change(series(dict(ratios), sites, measure), changes(sites), reference="White")


HELPS_ALL = tuple((g, 0.5) for g in GROUPS)
HELPS_WHITE = (("White", 0.5),)
HELPS_BLACK = (("Black", 0.5),)
NOTHING = ()
HARMS = tuple((g, 1.5) for g in GROUPS)
BY_KIND = {
    "all": HELPS_ALL, "majority": HELPS_WHITE, "black": HELPS_BLACK, "nothing": NOTHING, "harms": HARMS
}  # fmt: skip


@cache
def package() -> BestPractice:
    """Make a list of five ideas whose effects are certain, and one that was not evaluated."""
    evaluations = {code: evaluated(*ratios) for code, ratios in BY_KIND.items()}
    return best_practice(network((*BY_KIND, "later")), evaluations)


def row(made: BestPractice, code: str) -> Any:
    table = made.ideas
    return table[table["code"] == code].iloc[0]


def codes(made: BestPractice, idea: str) -> set[str]:
    notes = made.notes
    return set(notes.loc[notes["idea"] == idea, "code"])


def said(made: BestPractice, code: str, idea: str | None = None) -> str:
    notes = made.notes[made.notes["code"] == code]
    return str((notes if idea is None else notes[notes["idea"] == idea])["text"].iloc[0])


# The ladder


@pytest.mark.parametrize("flags", list(itertools.product([False, True], repeat=5)))
@pytest.mark.parametrize(("sites", "same"), [(0, 0), (1, 1), (2, 1), (2, 2), (3, 3)])
def test_the_rung_is_the_highest_whose_words_hold(flags: tuple[bool, ...], sites: int, same: int) -> None:
    tested, helps, worsened, narrowed, widened = flags
    expected = "idea"
    if tested:
        expected = "tested at one site"
        if not worsened:
            if sites >= 2 and same == sites:
                expected = "replicated"
            if helps:
                expected = "pooled effect"
                if narrowed and not widened:
                    expected = "gap-narrowing shown"
    told = {"helps": helps, "worsened": worsened, "narrowed": narrowed, "widened": widened}
    found = rung(tested=tested, sites=sites, same=same, **told)
    assert found == expected
    assert found in LADDER


def test_the_list_tells_apart_what_helps_all_the_majority_one_group_or_none() -> None:
    table = package().ideas.set_index("code")
    assert table["strength"].to_dict() == {
        "black": "gap-narrowing shown",
        "all": "pooled effect",
        "majority": "pooled effect",
        "nothing": "tested at one site",
        "harms": "tested at one site",
        "later": "tested at one site",
    }
    assert table.index.tolist()[0] == "black"
    assert table["improved_in"].to_dict() == {
        "black": "Black", "all": "Asian; Black; White", "majority": "White", "nothing": "", "harms": "",
        "later": "",
    }  # fmt: skip
    assert table.loc["harms", ["state", "worsened_in", "replicated"]].tolist() == [
        "worsened", "Asian; Black; White", 0,
    ]  # fmt: skip
    assert table.loc["majority", ["gaps_narrowed", "gaps_widened"]].tolist() == ["", "Asian; Black"]
    assert table.loc["black", ["gaps_narrowed", "gap_group", "reference"]].tolist() == [
        "Black",
        "Black",
        "White",
    ]
    assert table.loc["nothing", "state"] == "no meaningful change"
    assert table.loc["later", ["state", "gap_state", "measure"]].tolist() == [
        "not evaluated",
        "not evaluated",
        "",
    ]


def test_each_finding_is_named_in_a_note() -> None:
    made = package()
    assert "worse" in codes(made, "harms")
    assert said(made, "worse").startswith(
        "Worse than before: all groups together; women recorded as Asian, Black and White."
    )
    assert said(made, "gaps_widened", "majority").startswith(
        "Gaps widened: women recorded as Asian fell behind women recorded as White; women recorded as Black"
    )
    assert "gaps_widened" not in codes(made, "all")
    assert {"before_and_after", "comparisons"} <= set(made.notes["code"])
    assert "not_evaluated" in codes(made, "later")
    assert said(made, "other_changes", "all").count("(A, B, C, D, E)") == 5


# Numbers


def test_effects_by_group_and_of_gaps_are_those_of_pool_sites() -> None:
    made, pooled = package(), qe.pool_sites(evaluated(*HELPS_ALL))
    for scale, names in (
        ("ratio", ("effect", "lower", "upper", "prediction_lower", "prediction_upper", "p")),
        ("difference", ("difference", "difference_lower", "difference_upper")),
    ):
        theirs = pooled.groups[pooled.groups["scale"] == scale]
        own = made.groups[made.groups["code"] == "all"]
        wanted = ["estimate", "lower", "upper", "prediction_lower", "prediction_upper", "p"][: len(names)]
        assert np.array_equal(own[list(names)].to_numpy(), theirs[wanted].to_numpy(), equal_nan=True)
    gaps = pooled.gaps[pooled.gaps["scale"] == "ratio"]
    own = made.groups[made.groups["code"] == "all"]
    mine = own[["gap_change", "gap_lower", "gap_upper"]].to_numpy()
    theirs = gaps[["gap_change", "gap_change_lower", "gap_change_upper"]].to_numpy()
    assert np.array_equal(mine, theirs, equal_nan=True)
    assert own["gap_state"].tolist()[-1] == "is the reference"
    assert own["reference"].tolist() == ["White", "White", ""]


def test_the_effect_overall_is_that_of_the_counts_summed_over_the_groups() -> None:
    data = series(dict(HELPS_WHITE)).data.groupby(["site", "period"], observed=True)[
        ["numerator", "denominator"]
    ]
    frame = data.sum().reset_index()
    frame["period"] = frame["period"].astype(str).str[:7]
    by_hand = qe.from_counts(
        frame, MEASURE, period="period", numerator="numerator", denominator="denominator", site="site"
    )
    pooled = qe.pool_sites(qe.evaluate_change(by_hand, START, reference=0.05)).groups
    theirs = pooled[pooled["scale"] == "ratio"].iloc[0]
    own = row(package(), "majority")
    for mine, name in (("effect", "estimate"), ("lower", "lower"), ("upper", "upper"), ("p", "p")):
        assert own[mine] == pytest.approx(theirs[name], rel=1e-12)
    # Black and Asian women: 240 before and after; White women: 240 before, 120 after.
    assert own["effect"] == pytest.approx((8 + 12 + 10) / (8 + 12 + 20), rel=1e-9)


def holm_by_hand(p: list[float]) -> list[float]:
    order = sorted(range(len(p)), key=lambda i: p[i])
    out, highest = [0.0] * len(p), 0.0
    for rank, i in enumerate(order):
        highest = max(highest, (len(p) - rank) * p[i])
        out[i] = min(1.0, highest)
    return out


def test_comparisons_are_held_together_as_a_loop_does() -> None:
    made = package()
    ideas = made.ideas[made.ideas["state"] != "not evaluated"]
    expected = [min(1.0, 2 * v) for v in holm_by_hand(ideas["p"].tolist())]
    assert ideas["adjusted_p"].tolist() == pytest.approx(expected, rel=1e-12)
    for _, own in made.groups[made.groups["p"].notna()].groupby("code"):
        assert own["adjusted_p"].tolist() == pytest.approx(holm_by_hand(own["p"].tolist()), rel=1e-12)


def stand_in(p: list[float]) -> Any:
    """Stand in for a pooled idea: overall, two groups, one gap, all in the better direction."""
    n = len(p)
    table = pd.DataFrame(
        {"group": [f"g{i}" for i in range(n)], "scale": "ratio", "p": p, "verdict": "improved", "lower": 0.5,
         "upper": 0.9}
    )  # fmt: skip
    gap = table.rename(columns={"lower": "gap_change_lower", "upper": "gap_change_upper"})
    options = SimpleNamespace(evaluation=SimpleNamespace(options={"meaningful": 0.75}))
    return SimpleNamespace(
        together=table[:1], groups=table[1:-1], gaps=gap[-1:].assign(verdict="narrowed"), by_group=options
    )


@given(st.lists(st.lists(st.floats(0, 1), min_size=4, max_size=4), min_size=1, max_size=4))
@settings(max_examples=60, deadline=None)
def test_nothing_in_an_idea_stands_unless_it_was_opened_by_the_whole_list(p: list[list[float]]) -> None:
    found = judge({str(i): stand_in(v) for i, v in enumerate(p)}, 0.05, ())
    overall = [2 * v for v in holm_by_hand([v[0] for v in p])]
    groups = np.reshape([2 * v for v in holm_by_hand([x for v in p for x in v[1:3]])], (-1, 2))
    for i, v in enumerate(p):
        together, own, gap = found[str(i)]
        opened = overall[i] < 0.05 or (groups[i] < 0.05).any()
        assert (together["state"][0] == "improved") == (overall[i] < 0.05)
        own_p = holm_by_hand(v[1:3])
        assert [s == "improved" for s in own["state"]] == [opened and x < 0.05 for x in own_p]
        assert (gap["state"].iloc[0] == "narrowed") == (opened and v[3] < 0.05)


def test_ideas_that_do_nothing_are_called_an_effect_in_fewer_than_the_level_of_lists() -> None:
    """120 lists of three ideas that do nothing, each with p-values that are uniform."""
    rng = np.random.default_rng(20260707)
    wrong = 0
    for p in rng.uniform(size=(120, 3, 6)):
        found = judge({str(i): stand_in(v.tolist()) for i, v in enumerate(p)}, 0.05, ())
        wrong += any(
            t["state"].isin(["improved", "narrowed"]).any() for parts in found.values() for t in parts
        )
    # Of 120 at 5 %, 6 are expected, with a standard error of 2.4.
    assert 1 <= wrong <= 13


def beside_nothing(ratio: float) -> BestPractice:
    """Make a list of an idea with this ratio at three sites, and one that does nothing."""
    changed = evaluated(*((g, ratio) for g in GROUPS), sites="ABC")
    return best_practice(
        network(("weigh", "other"), "ABC"), {"weigh": changed, "other": evaluated(sites="ABC")}
    )


def test_an_effect_that_does_not_stand_among_all_is_said_to_be_lost() -> None:
    made = beside_nothing(0.85)
    found = row(made, "weigh")
    assert found["upper"] < 1
    assert found["p"] < 0.05 < found["adjusted_p"]
    assert (found["state"], found["strength"]) == ("not yet visible", "replicated")
    assert said(made, "lost_to_comparisons", "weigh").endswith("are held: all groups together.")
    assert said(made, "same_direction", "weigh").startswith("All 3 sites go in the better direction; ")
    assert "1 in 8 would" in said(made, "same_direction", "weigh")


def test_harm_that_does_not_stand_is_still_told() -> None:
    made = beside_nothing(1.2)
    found = row(made, "weigh")
    assert found["lower"] > 1
    assert (found["state"], found["strength"]) == ("not yet visible", "tested at one site")
    assert said(made, "may_be_worse", "weigh").endswith("watch it): all groups together.")


# The effect overall


def test_one_site_is_never_more_than_tested() -> None:
    made = best_practice(network(sites="A"), {"weigh": evaluated(*HELPS_ALL, sites="A")})
    found = row(made, "weigh")
    assert (found["strength"], found["sites_pooled"], found["state"]) == ("tested at one site", 1, "improved")
    assert np.isnan(found["prediction_lower"])
    assert "Another such site" not in made.to_markdown()


def overall(at: pd.DataFrame, ratios: dict[str, float] | None = None, **options: Any) -> BestPractice:
    made = qe.evaluate_change(series(ratios or dict(HELPS_ALL)), at, reference="White", **options)
    return best_practice(network(), {"weigh": made})


def test_groups_without_the_change_are_not_in_the_effect_overall() -> None:
    made = overall(pd.concat([changes(group="Black"), changes(group="Asian")]), {"White": 0.5, "Black": 0.5})
    assert said(made, "effect_overall").endswith("every site of it: Asian, Black.")
    assert row(made, "weigh")["effect"] == pytest.approx((8 + 6) / (8 + 12), rel=1e-9)


def test_sites_where_groups_started_apart_are_not_in_the_effect_overall() -> None:
    apart = pd.concat([changes("A", group="Black"), changes("A", "2023-04-01", "White"), changes("BCDE")])
    made = overall(apart)
    assert said(made, "effect_overall").endswith("different times: A.")
    assert row(made, "weigh")["sites_pooled"] == 4
    assert "few_sites" in codes(made, "weigh")


def test_there_is_no_effect_overall_where_no_group_had_the_change_everywhere() -> None:
    made = overall(pd.concat([changes("AB", group="Black"), changes("CDE", group="Asian")]))
    found = row(made, "weigh")
    assert said(made, "effect_overall").startswith("No effect overall: at the sites")
    assert np.isnan(found["effect"])
    assert (found["state"], found["sites_pooled"]) == ("not yet visible", 0)
    assert "- No effect is told over all groups together.\n" in made.to_markdown()
    # Black women had it at two sites, and fared better there: that is an effect, in a group.
    assert "Black" in made.groups["group"].tolist()


def test_only_the_first_change_counts_and_a_stop_is_told() -> None:
    again = pd.concat([changes(), changes(start="2023-07-01")])
    made = overall(again)
    assert "changed_again" in codes(made, "weigh")
    assert len(made.groups) == 3


def test_groups_that_overlap_have_no_effect_overall(tmp_path: Path) -> None:
    scheme = {
        "id": "told", "version": "1", "source": "made", "overlapping": True,
        "codes": [{"code": g[0], "label": g} for g in GROUPS],
    }  # fmt: skip
    path = tmp_path / "told.json"
    path.write_text(json.dumps(scheme), encoding="utf-8")
    frame = series(dict(HELPS_ALL)).data
    frame["period"] = frame["period"].astype(str).str[:7]
    told = qe.from_counts(
        frame, MEASURE, period="period", numerator="numerator", denominator="denominator", group="group",
        site="site", scheme=path,
    )  # fmt: skip
    made = best_practice(network(), {"weigh": qe.evaluate_change(told, changes(), reference="White")})
    assert said(made, "effect_overall").startswith("No effect overall: a woman may be in several")
    assert np.isnan(row(made, "weigh")["effect"])
    assert row(made, "weigh")["strength"] == "pooled effect"


def test_a_measure_without_a_better_direction_is_never_an_effect() -> None:
    calls = qe.Measure("Calls", "proportion", None)
    made = best_practice(network(), {"weigh": evaluated(*HELPS_ALL, measure=calls)})
    found = row(made, "weigh")
    assert (found["state"], found["strength"], found["replicated"]) == ("fell", "tested at one site", 5)
    assert "no_better_direction" in codes(made, "weigh")
    assert "lower than before" in made.to_markdown()


def test_more_can_be_better() -> None:
    more = qe.Measure("Asked", "proportion", "higher")
    made = best_practice(network(), {"weigh": evaluated(*((g, 2.0) for g in GROUPS), measure=more)})
    assert row(made, "weigh")["effect"] < 1
    assert row(made, "weigh")["replicated"] == 5
    assert "- Measure: Asked, told as those without it.\n- All groups together, over 5 sites: better" in (
        made.to_markdown()
    )


def test_those_of_unknown_group_are_rows_and_are_not_judged() -> None:
    names = {"Asian": "A", "Black": "B", "White": "C"}
    rows = [
        (month, site, label, max(1, round(x * (0.5 if i >= 12 else 1))), n)
        for i, month in enumerate(MONTHS)
        for site in SITES
        for label, (x, n) in {
            "Asian": (8, 80),
            "Black": (12, 80),
            "White": (20, 400),
            "Not stated": (12, 80),
        }.items()
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    data = qe.from_counts(
        frame, MEASURE, period="month", numerator="x", denominator="n", group="group", site="site",
        scheme="nhs-2001",
    )  # fmt: skip
    made = best_practice(network(), {"weigh": qe.evaluate_change(data, changes(), reference="White")})
    own = made.groups.set_index("group")
    assert set(names) <= set(own.index)
    assert own.loc["Not stated", ["state", "known"]].tolist() == ["not judged", False]
    assert own.loc["Not stated", "effect"] < 1
    assert np.isnan(own.loc["Not stated", "adjusted_p"])
    assert "Not stated" not in row(made, "weigh")["improved_in"]
    assert "Not stated" not in row(made, "weigh")["not_tested_for"]
    assert "Not stated" not in made.to_markdown()


def test_births_that_are_drawn_with_nothing_planted_are_called_no_effect() -> None:
    parts = []
    for seed, site in enumerate("ABC"):
        made = qe.datasets.births(
            2000, sites=[site], months=24, measure="preterm_birth", change=None, seed=seed
        )
        parts.append(made.records_for("preterm_birth").assign(site=site))
    records = pd.concat(parts, ignore_index=True)
    records["woman"] = np.arange(len(records))
    data = qe.from_records(
        records, qe.measures["preterm_birth"], date="date", event="preterm_birth", ethnicity="ethnicity",
        site="site",
    )  # fmt: skip
    first = pd.Timestamp(data.data["period"].min()) + pd.DateOffset(months=12)
    at = changes("ABC", str(first.date()))
    made = best_practice(network(sites="ABC"), {"weigh": qe.evaluate_change(data, at, reference="rest")})
    assert row(made, "weigh")["strength"] in ("tested at one site", "replicated")
    assert set(made.groups["state"]) <= {"not yet visible", "no meaningful change", "not judged"}


# The records


def facts() -> pdsa.Network:
    scale = {"belief": "low", "consequence": "minor"}
    small = {"objective": "x", "predictions": [{"text": "x", "group": "Black"}, {"text": "x"}],
             "scale": {"size": "1 shift, 4 women", "people": 4, **scale}}  # fmt: skip
    large = small | {"scale": {"size": "2 teams", "people": 60, **scale}}
    do = {"start": START, "as_planned": True}
    reached = [{"group": "Black", "people": 12}, {"group": "Asian", "people": 3}]
    last: dict[str | None, str] = dict.fromkeys(("Black", "Asian"), "none seen") | {"White": "not checked"}
    cycles: dict[str, list[dict[str, Any]]] = {
        "weigh": [
            cycle("w", purpose="test", plan=small, do=do | {"reached": reached})
            | studied({"Black": "none seen", "Asian": "not yet visible", None: "none seen"}, "adapt"),
            cycle("w", plan=large) | studied({"Black": "seen"}, "expand", "2023-07-01"),
            cycle("w") | studied(last, day="2023-08-01"),
            cycle("w", do=None),
        ],
        "later": [cycle("l", do=None)],
    }  # fmt: skip
    met = [{"people": 30}, {"group": "Mixed", "people": 0}]
    south = {"weigh": [cycle("w", do=do | {"reached": met})]}
    return pdsa.Network(
        name="N",
        sites=[
            pdsa.Site(name="A", projects=[project("A", cycles)]),
            pdsa.Site(name="B", projects=[project("B", south, name="Weigh | all", shared=False)]),
            pdsa.Site(name="C", projects=[project("C", {"weigh": []})]),
        ],
    )


def test_the_records_are_counted_by_hand() -> None:
    made = best_practice(facts(), {})
    found = row(made, "weigh")
    columns = [
        "name",
        "strength",
        "sites",
        "site_names",
        "cycles",
        "people_reached",
        "people_planned",
        "scale",
    ]
    assert found[columns].tolist() == ["Weigh", "tested at one site", 2, "A; B", 4, 30, 60, "2 teams"]
    assert found[["adopt", "adapt", "abandon", "expand"]].tolist() == [1, 1, 0, 1]
    assert found["harm_seen"] == "Black"
    assert found["harm_none_seen"] == "all together; Asian"
    assert found["harm_not_checked"] == "White; Mixed"
    assert found["not_tested_for"] == "White; Mixed"
    later = row(made, "later")
    assert later[["strength", "sites", "cycles", "site_names"]].tolist() == ["idea", 0, 0, ""]
    assert np.isnan(later["people_reached"])
    assert said(made, "names_differ") == "Sites call it by different names: Weigh; Weigh | all."
    assert made.groups.loc[made.groups["code"] == "weigh", "reached"].tolist()[:2] == [12, 3]


def test_an_idea_that_no_site_shares_says_so() -> None:
    made = best_practice(network(shared=False), {})
    assert "idea_not_shared" in codes(made, "weigh")
    assert "idea_not_shared" not in codes(package(), "all")


def test_visible_evidence_is_a_test_and_its_absence_is_named() -> None:
    made = package()
    # Predicted for Black women only; of all groups there is visible evidence.
    assert row(made, "all")["not_tested_for"] == ""
    assert row(made, "later")["not_tested_for"] == "Asian; White"


def test_sites_without_a_record_or_an_evaluation_are_named() -> None:
    made = best_practice(network(sites="ABCD"), {"weigh": evaluated(*HELPS_ALL)})
    assert said(made, "site_without_record").endswith(": E.")
    made = best_practice(network(), {"weigh": evaluated(*HELPS_ALL, sites="ABC")})
    assert said(made, "site_not_evaluated").endswith(": D, E.")
    assert "other_changes" not in codes(made, "weigh")


# What is asked for


def test_mistakes_are_named() -> None:
    good = evaluated()
    with pytest.raises(qe.InputTypeError, match="network is of type str; give a Network"):
        best_practice("x", {})
    with pytest.raises(qe.InputTypeError, match="evaluations is of type list"):
        best_practice(network(), [good])
    with pytest.raises(qe.InputTypeError, match=r"evaluations\['weigh'\] is of type int"):
        best_practice(network(), {"weigh": 1})
    with pytest.raises(qe.OptionError, match=r"'wrong', 'other', which no site has.*'weigh'"):
        best_practice(network(), {"wrong": good, "weigh": good, "other": good})
    with pytest.raises(qe.OptionError, match="it has no change idea"):
        best_practice(pdsa.Network(name="N"), {"wrong": good})
    with pytest.raises(qe.OptionError, match="method='x'"):
        best_practice(network(), {}, method="x")
    with pytest.raises(qe.OptionError, match="interval='x'"):
        best_practice(network(), {}, interval="x")
    wide = qe.evaluate_change(series({}), changes(), reference="White", confidence=0.9)
    with pytest.raises(qe.OptionError, match=r"confidence=0\.9, 0\.95"):
        best_practice(network(("a", "b")), {"a": good, "b": wide})
    alone = qe.evaluate_change(series({}).pool(), START, reference="White")
    with pytest.raises(qe.OptionError, match=r"\['weigh'\] is of a series by group"):
        best_practice(network(), {"weigh": alone})


def test_the_way_of_pooling_is_handed_on() -> None:
    made = best_practice(network(), {"weigh": evaluated(*HELPS_ALL)}, method="dl", interval="z")
    pooled = qe.pool_sites(evaluated(*HELPS_ALL), method="dl", interval="z").groups
    assert made.groups["lower"].tolist() == pooled[pooled["scale"] == "ratio"]["lower"].tolist()
    assert dict(made.options) == {"method": "dl", "interval": "z"}
    assert made.method["method"] == "dl"


def test_a_model_of_the_counts_has_no_difference_and_gaps_as_odds_ratios() -> None:
    evaluation = evaluated(*HELPS_BLACK)
    made = best_practice(network(), {"weigh": evaluation}, method="exact")
    pooled = qe.pool_sites(evaluation, method="exact")
    gaps = pooled.gaps[pooled.gaps["scale"] == "odds ratio"]
    assert np.array_equal(made.groups["gap_change"], gaps["gap_change"], equal_nan=True)
    assert made.groups["difference"].isna().all()
    assert row(made, "weigh")["gap_state"] == "narrowed"
    assert "As a difference" not in made.to_markdown()


def test_a_gap_that_moves_one_way_as_a_ratio_and_the_other_as_a_difference_is_called_that() -> None:
    """Black women from 15 to 7.5 %, White women from 5 to 1.25 %: 3 to 6 times, 10 to 6.25 points."""
    made = best_practice(network(), {"weigh": evaluated(("Black", 0.5), ("White", 0.25))})
    own = made.groups.set_index("group").loc["Black"]
    assert own["gap_change"] == pytest.approx(2, rel=1e-6)
    assert own["gap_difference"] == pytest.approx(-0.0375, rel=1e-6)
    assert own["gap_state"] == "widened as a ratio, narrowed as a difference"
    assert "Black" not in row(made, "weigh")["gaps_widened"]


# What goes out


def test_the_columns_are_the_same_whatever_is_in_them() -> None:
    empty, full = best_practice(pdsa.Network(name="N"), {}), package()
    for name in ("ideas", "groups"):
        assert getattr(empty, name).dtypes.to_dict() == getattr(full, name).dtypes.to_dict()
    assert len(empty.ideas) == len(empty.groups) == len(empty.notes) == 0
    assert list(full.notes.columns) == list(empty.notes.columns)


def test_frames_are_copies() -> None:
    made = package()
    for name in ("ideas", "groups", "notes"):
        frame = getattr(made, name)
        frame["code"] = "x"
        assert "x" not in getattr(made, name)["code"].tolist()


def test_json_gives_it_back_equal() -> None:
    made = best_practice(facts(), {"weigh": evaluated(*HELPS_ALL, sites="AB")})
    again = BestPractice.from_dict(json.loads(json.dumps(made.to_dict())))
    assert again.equals(made)
    assert again.to_markdown() == made.to_markdown()
    assert again.disclose("none").equals(made.disclose("none"))
    assert not made.equals(best_practice(facts(), {}))
    assert not made.equals("x")
    with pytest.raises(qe.DataError, match="'BestPractice' in format 1"):
        BestPractice.from_dict({"type": "x"})
    broken = made.to_dict() | {"tables": {}}
    with pytest.raises(qe.DataError, match="not the data of a BestPractice"):
        BestPractice.from_dict(broken)


def test_markdown_holds_a_table_and_a_paragraph_for_each_idea() -> None:
    text = package().to_markdown()
    assert text.count("\n## ") == 7
    assert "| Black | gap-narrowing shown | 5 | 5 |" in text
    assert "| Nothing | tested, not replicated | 5 | 5 |" in text
    assert "Better than before for women recorded as Asian (0.50, " in text
    assert "Gap narrowed: women recorded as Black came closer to women recorded as White (0.50, " in text
    assert "| widened: Asian fell behind White, Black fell behind White |" in text
    assert "**Pooled effect**; so far seen only in women recorded as White; gaps widened: women" in text
    assert "**Pooled effect**; seen in each group: women recorded as Asian, Black and White." in text
    assert "; worse for women recorded as Asian, Black and White." in text
    assert "No meaningful change of the gaps between women recorded as Asian and women recorded as" in text
    assert text.count("A, B, C, D and E.") == 1
    assert "Worse than before for women recorded as Asian" in text
    assert "Harm was not checked in: Asian, Black and White." in text
    assert "Not tested for: Asian and White." in text
    for word in ("caused by", "BAME", "no difference between", "non-White", "due to"):
        assert word not in text


def test_markdown_takes_no_name_for_markup() -> None:
    made = best_practice(network(name="<b>*Weigh* | all\n# loss"), {})
    line = next(li for li in made.to_markdown().splitlines() if li.startswith("| \\<"))
    assert line.startswith(r"| \<b\>\*Weigh\* \| all \# loss | ")
    assert "\n# loss" not in made.to_markdown()


def test_an_idea_is_told_as_far_as_it_came() -> None:
    text = best_practice(facts(), {}).to_markdown()
    assert (
        "**Tested, not replicated**.\n\n- Carried out in 4 cycles at A and B. One cycle reached up to 30"
        in text
    )
    assert "Largest scale planned: 2 teams. Decisions: adopt 1, adapt 1, expand 1." in text
    assert "Harm was seen in: Black." in text
    assert "**Idea**.\n\n- No cycle has been carried out.\n- Not evaluated over sites." in text
    assert "Nothing is decided yet." in best_practice(network(), {}).to_markdown()


def test_csv_has_both_tables_and_no_formula(tmp_path: Path) -> None:
    made = best_practice(network(name="=1+1"), {"weigh": evaluated(*HELPS_ALL)})
    path = tmp_path / "ideas.csv"
    made.to_csv(path)
    with path.open(encoding="utf-8-sig", newline="") as file:
        (found,) = list(csv.DictReader(file))
    assert list(found) == list(made.ideas.columns)
    assert found["name"] == "'=1+1"
    assert found["cycles"] == "5"
    assert found["people_reached"] == ""
    assert float(found["effect"]) == made.ideas.loc[0, "effect"]
    made.to_csv(path, table="groups")
    groups = pd.read_csv(path)
    assert groups["group"].tolist() == list(GROUPS)
    assert groups["tested"].tolist() == ["yes"] * 3
    with pytest.raises(qe.OptionError, match="table='x'"):
        made.to_csv(path, table="x")


def test_words_and_html() -> None:
    made = package()
    assert (
        str(made)
        .splitlines()[1]
        .startswith(
            "Black: gap-narrowing shown; so far seen only in women recorded as Black; gap narrowed: women"
        )
    )
    assert repr(made) == f"<BestPractice: 6 ideas, 5 evaluated, {len(made.notes)} notes>"
    html = best_practice(network(name="<b>"), {})._repr_html_()
    assert "&lt;b&gt;" in html
    assert "<b>:" not in html


def gap_row(**fields: Any) -> pd.DataFrame:
    base = {"group": "White", "reference": "everyone else", "gap_change": 0.7, "gap_state": "widened"}
    return pd.DataFrame([base | fields])


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({}, "everyone else fell behind women recorded as White"),
        ({"gap_change": 1.3}, "women recorded as White fell behind everyone else"),
        ({"gap_state": "narrowed"}, "women recorded as White came closer to everyone else"),
        (
            {"gap_state": "narrowed", "gap_change": 1.2},
            "everyone else came closer to women recorded as White",
        ),
    ],
)
def test_it_is_told_who_fell_behind_whom(fields: dict[str, Any], told: str) -> None:
    table = gap_row(**fields)
    assert gaps_moved(table, table["gap_state"][0], "women") == [told]


def test_an_effect_in_no_group_by_itself_says_so() -> None:
    own = pd.DataFrame({"group": ["Black", "White"], "state": "not yet visible"})
    assert (
        seen_in({"state": "improved"}, own, "women") == "seen over all groups together, in no group by itself"
    )
    assert seen_in({"state": "not yet visible"}, own, "women") == ""


# The mix of groups


def mixed(before: tuple[int, int], after: tuple[int, int], ratio: float = 1.0) -> Any:
    """Evaluate a series of Black and White women whose rates are 20 % and 5 %, before this ratio."""
    rows = [
        (month, site, group, round(rate * n * (ratio if late else 1)), n)
        for i, month in enumerate(MONTHS)
        for late in [i >= 12]
        for site in SITES
        for group, rate, n in zip(("Black", "White"), (0.2, 0.05), after if late else before, strict=True)
    ]
    frame = pd.DataFrame(rows, columns=["month", "site", "group", "x", "n"])
    made = qe.from_counts(
        frame, MEASURE, period="month", numerator="x", denominator="n", group="group", site="site"
    )
    return qe.evaluate_change(made, changes(), reference="White")


@pytest.mark.parametrize("after", [(40, 360), (200, 200)])
def test_a_mix_of_groups_that_changed_is_no_effect(after: tuple[int, int]) -> None:
    """The rate of each group is as before; that of all together falls, or rises, by the mix alone."""
    made = best_practice(network(), {"weigh": mixed((100, 300), after)})
    found = row(made, "weigh")
    alone = (0.2 * after[0] + 0.05 * after[1]) / (0.2 * 100 + 0.05 * 300)
    assert found["effect"] == pytest.approx(alone, rel=1e-9)
    assert found["upper"] < 1 or found["lower"] > 1
    assert (found["state"], found["strength"]) == ("not yet visible", "tested at one site")
    assert found["replicated"] == 0
    assert f"ratio of {alone:.2f} over" in said(made, "effect_overall")
    assert "mix as it was before, the ratio is 1.00." in said(made, "effect_overall")


def test_an_effect_in_every_group_is_seen_though_the_mix_changed() -> None:
    made = best_practice(network(), {"weigh": mixed((100, 300), (120, 280), 0.5)})
    assert row(made, "weigh")["state"] == "improved"
    assert row(made, "weigh")["replicated"] == 5


def test_the_mix_alone_is_that_of_a_loop() -> None:
    table = pd.DataFrame(
        {"site": list("AABBC"), "group": list("xyxyx"), "rate_before": [0.1, 0.3, np.nan, 0.2, 0.1],
         "births_before": [100.0, 50, 0, 80, 10], "births_after": [60.0, 90, 20, 60, np.nan]}
    )  # fmt: skip
    found = mix_ratios(table, "as it is")
    assert found["A"] == pytest.approx(((6 + 27) / 150) / ((10 + 15) / 150), rel=1e-12)
    # Group x had no births at B before: it is taken to have had the rate that it had at A and C.
    assert found["B"] == pytest.approx(((0.1 * 20 + 0.2 * 60) / 80) / 0.2, rel=1e-12)
    assert np.isnan(found["C"])
    assert mix_ratios(table, "reversed")["A"] == pytest.approx(1 / found["A"], rel=1e-12)
    free = mix_ratios(table, "without the event")["A"]
    assert free == pytest.approx((54 + 63) / (90 + 35), rel=1e-12)
    assert pooled_ratio(np.array([0.5, 2.0, np.nan]), np.array([1.0, 1.0, 5.0])) == pytest.approx(1.0)
    assert np.isnan(pooled_ratio(np.array([np.nan]), np.array([1.0])))


@pytest.mark.parametrize("normal", [False, True])
def test_the_p_value_with_the_mix_held_is_that_of_the_interval_moved(normal: bool) -> None:
    """The interval of log 0.8 with a standard error of 0.05, over 6 sites; checked by scipy.stats."""
    law = stats.norm() if normal else stats.t(5)
    half = law.ppf(0.975) * 0.05
    own = {"estimate": 0.8, "lower": 0.8 * np.exp(-half), "upper": 0.8 * np.exp(half), "sites": 6,
           "p": 2 * law.cdf(np.log(0.8) / 0.05)}  # fmt: skip
    held = 2 * law.cdf(np.log(0.8 / 0.9) / 0.05)
    assert p_held(own, 0.9, 0.95, normal=normal) == pytest.approx(held, rel=1e-9)
    assert p_held(own, 1.2, 0.95, normal=normal) == own["p"]
    assert p_held(own, 0.7, 0.95, normal=normal) == 1
    assert p_held(own, float("nan"), 0.95, normal=normal) == own["p"]


# Disclosure


@pytest.mark.parametrize("rule", ["strict-10", "dqmi", "nhs-england"])
def test_no_small_number_of_people_goes_out(rule: str) -> None:
    made = best_practice(facts(), {}).disclose(rule)
    text = json.dumps(made.to_dict()) + made.to_markdown()
    found = row(made, "weigh")
    own = made.groups[made.groups["code"] == "weigh"].set_index("group")["reached"]
    assert np.isnan(found["people_reached"])
    assert np.isnan(found["people_planned"])
    assert found["scale"] == ""
    assert "4 women" not in text
    assert "2 teams" not in text
    assert own["Asian"] == 5 if rule == "nhs-england" else np.isnan(own["Asian"])
    assert own["Black"] == (12 if rule == "strict-10" else 10)
    assert own["Mixed"] == 0
    # Whom it was tested with stays known.
    assert found["not_tested_for"] == "White; Mixed"
    assert qe.SuppressionRule.load(rule).text() in said(made, "disclosed")


def test_large_numbers_of_people_are_shown() -> None:
    fields = {"start": START, "as_planned": True, "reached": [{"people": 42}]}
    site = pdsa.Site(name="A", projects=[project("A", {"weigh": [cycle("w", do=fields)]})])
    made = best_practice(pdsa.Network(name="N", sites=[site]), {})
    assert row(made.disclose("strict-10"), "weigh")["people_reached"] == 42
    assert row(made.disclose("dqmi"), "weigh")["people_reached"] == 40
    assert made.disclose("none").ideas.equals(made.ideas)


@given(
    st.lists(st.integers(0, 40), min_size=1, max_size=4),
    st.booleans(),
    st.integers(1, 12),
)
@settings(max_examples=60, deadline=None)
def test_what_is_shown_is_never_protected(people: list[int], zeros: bool, largest: int) -> None:
    rule = qe.SuppressionRule("ours", largest, zeros=zeros, protect=1)
    reach = pd.DataFrame({"code": "w", "group": [f"g{i}" for i in range(len(people))], "reached": people})
    together = pd.DataFrame({"code": ["w"], "group": ["all together"], "reached": [sum(people)]})
    facts_, shown = shown_people(
        pd.DataFrame(
            {"code": ["w"], "scale": "x", "people_reached": [sum(people)], "people_planned": [np.nan]}
        ),
        pd.concat([together, reach], ignore_index=True).astype({"reached": "float64"}),
        rule,
    )
    small = [n for n in [*people, sum(people)] if rule.smallest <= n <= largest]
    assert not shown["reached"].isin(small).any()
    # One withheld number could be worked out from a sum of all, so that is withheld too.
    assert np.isnan(facts_["people_reached"][0]) == bool(small)
    assert np.isnan(shown["reached"][0]) == bool(small)


def test_disclosed_effects_are_those_of_the_disclosed_counts() -> None:
    quarters = series(dict.fromkeys(GROUPS, 0.2), "AB").resample("quarter")
    evaluation = qe.evaluate_change(quarters, changes("AB"), reference="White")
    made = best_practice(network(sites="AB"), {"weigh": evaluation}).disclose("strict-10")
    out = evaluation.disclose("strict-10")
    expected = qe.pool_sites(out).groups
    theirs = expected[expected["scale"] == "ratio"]
    assert np.array_equal(made.groups["effect"], theirs["estimate"], equal_nan=True)
    # After the change there are 6 a quarter among Asian women: withheld, so that nothing is visible.
    assert made.groups["state"].tolist()[0] == "not yet visible"
    assert made.evaluations["weigh"].equals(out)
