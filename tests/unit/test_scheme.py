"""Schemes: published codes and roll-ups, raw codes as recorded, published tables, files of users."""

from __future__ import annotations

import copy
import json
import pickle
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest

from qi_equity.data.scheme import Scheme
from qi_equity.errors import DataError, InputTypeError, OptionError

IDS = ["census-2021", "imd-quintile", "nhs-2001", "nz-level-1-prioritised", "nz-level-1-total", "omb-2024"]
NHS = Scheme.load("nhs-2001")

# NHS Data Dictionary, ETHNIC CATEGORY: code, label, group since the 2011 census, group in maternity tables.
DICTIONARY = [
    ("A", "White - British", "White", "White"),
    ("B", "White - Irish", "White", "White"),
    ("C", "White - Any other White background", "White", "White"),
    ("D", "Mixed - White and Black Caribbean", "Mixed", "Mixed"),
    ("E", "Mixed - White and Black African", "Mixed", "Mixed"),
    ("F", "Mixed - White and Asian", "Mixed", "Mixed"),
    ("G", "Mixed - Any other mixed background", "Mixed", "Mixed"),
    ("H", "Asian or Asian British - Indian", "Asian", "Asian or Asian British"),
    ("J", "Asian or Asian British - Pakistani", "Asian", "Asian or Asian British"),
    ("K", "Asian or Asian British - Bangladeshi", "Asian", "Asian or Asian British"),
    ("L", "Asian or Asian British - Any other Asian background", "Asian", "Asian or Asian British"),
    ("M", "Black or Black British - Caribbean", "Black", "Black or Black British"),
    ("N", "Black or Black British - African", "Black", "Black or Black British"),
    ("P", "Black or Black British - Any other Black background", "Black", "Black or Black British"),
    ("R", "Other Ethnic Groups - Chinese", "Asian", "Any other ethnic group"),
    ("S", "Other Ethnic Groups - Any other ethnic group", "Other", "Any other ethnic group"),
    ("Z", "Not stated", "Not stated", "Not stated"),
    ("99", "Not known", "Not known", "Not known"),
]


class TestShippedSchemes:
    def test_dictionary_of_the_nhs(self) -> None:
        codes = [row[0] for row in DICTIONARY]
        for grouping, column in (("detail", 1), ("broad", 2), ("maternity", 3)):
            assert NHS.assign(codes, grouping) == [row[column] for row in DICTIONARY]
        assert {c: NHS.codes[c] for c in codes} == {row[0]: row[1] for row in DICTIONARY}
        assert set(NHS.codes) == {*codes, "X"}

    def test_groups_in_declared_order_unknown_last(self) -> None:
        unknown = ("Not stated", "Not known", "Missing")
        assert NHS.unknown == unknown
        assert NHS.known("broad") == ("Asian", "Black", "Mixed", "Other", "White")
        assert NHS.groups("broad") == NHS.known("broad") + unknown
        assert NHS.groups("maternity") == (
            "Any other ethnic group",
            "Asian or Asian British",
            "Black or Black British",
            "Mixed",
            "White",
            *unknown,
        )
        assert len(NHS.known("detail")) == 16
        assert NHS.groupings == ("detail", "broad", "maternity")

    def test_census_2021(self) -> None:
        scheme = Scheme.load("census-2021")
        assert list(scheme.codes) == [str(i) for i in range(1, 20)]
        five = ["Asian"] * 5 + ["Black"] * 3 + ["Mixed"] * 4 + ["White"] * 5 + ["Other"] * 2
        assert scheme.assign(range(1, 20), "broad") == five
        assert scheme.codes["16"] == "White: Roma"
        assert scheme.codes["18"] == "Other: Arab"
        assert scheme.assign(["-8", 0, 20, "A"], "broad") == [None] * 4

    def test_omb_2024(self) -> None:
        scheme = Scheme.load("omb-2024")
        assert len(scheme.known("broad")) == 7
        assert scheme.known("broad") == scheme.known("detail")
        assert scheme.assign(["HISPANIC OR LATINO", " "], "broad") == ["Hispanic or Latino", "Missing"]

    @pytest.mark.parametrize(("kind", "overlapping"), [("prioritised", False), ("total", True)])
    def test_new_zealand(self, kind: str, overlapping: bool) -> None:
        scheme = Scheme.load(f"nz-level-1-{kind}")
        assert scheme.overlapping is overlapping
        assert [c for c in scheme.codes if c != "9"] == ["2", "3", "4", "5", "6", "1"]  # published priority
        assert scheme.unknown == ("Residual", "Missing")
        assert scheme.assign([1, 2, 9, None, 7], "broad") == [
            "European",
            "Māori",
            "Residual",
            "Missing",
            None,
        ]

    def test_deprivation_is_ordered(self) -> None:
        scheme = Scheme.load("imd-quintile")
        assert scheme.ordered
        assert scheme.assign([1, 5, 3.0, 6, 0], "detail") == [
            "1 (most deprived)",
            "5 (least deprived)",
            "3",
            None,
            None,
        ]
        assert not any(Scheme.load(i).ordered for i in IDS if i != "imd-quintile")

    @pytest.mark.parametrize("scheme_id", IDS)
    def test_every_file_has_source_version_and_sound_groupings(self, scheme_id: str) -> None:
        scheme = Scheme.load(scheme_id)
        assert scheme.id == scheme_id
        assert scheme.version
        assert scheme.source
        assert scheme.notes
        assert "broad" in scheme.groupings
        for grouping in scheme.groupings:
            assert scheme.groups(grouping)[-1] == "Missing"
            assert set(scheme.assign(list(scheme.codes), grouping)) <= set(scheme.groups(grouping))
            assert None not in scheme.assign(list(scheme.codes), grouping)

    @pytest.mark.parametrize("scheme_id", IDS)
    def test_no_group_is_defined_by_who_is_not_in_it(self, scheme_id: str) -> None:
        scheme = Scheme.load(scheme_id)
        labels = " ".join(label for g in scheme.groupings for label in scheme.groups(g)).lower()
        assert not [w for w in ("bame", "bme", "non-white", "ethnic minority") if w in labels]
        first = scheme.known("broad")[0]
        assert first not in ("White", "European")


class TestRawCodes:
    @pytest.mark.parametrize(
        ("raw", "label"),
        [
            ("A", "White"),
            ("A1", "White"),
            ("A ", "White"),
            (" a", "White"),
            ("ca", "White"),
            ("R2", "Asian"),
            ("White – British", "White"),
            ("white  -  british", "White"),
            ("z", "Not stated"),
            ("Z ", "Not stated"),
            ("Not Stated", "Not stated"),
            ("99", "Not known"),
            (99, "Not known"),
            (99.0, "Not known"),
            (np.int64(99), "Not known"),
            (np.float32(99), "Not known"),
            (Decimal(99), "Not known"),
            ("X", "Missing"),
            ("", "Missing"),
            ("  ", "Missing"),
            ("\u00a0", "Missing"),
            (None, "Missing"),
            (float("nan"), "Missing"),
            (pd.NA, "Missing"),
            (pd.NaT, "Missing"),
            (np.str_("b"), "White"),
        ],
    )
    def test_read(self, raw: object, label: str) -> None:
        assert NHS.assign([raw], "broad") == [label]

    @pytest.mark.parametrize(
        "raw",
        # 9 was withdrawn; T and W belong to another set; I, O, Q never were; Z and X have no local character;
        # NA, NK and so on may mean "not known"; O9 and W1 are codes of the police; the rest is noise.
        [
            *("9", "98", "991", "1", "T", "W", "I", "O", "Q", "Z1", "X1", "NA", "nk", "NS", "NR", "ND", "W1"),
            *("O9", "A-", "A12", "nan", "None", "null", "White"),
            *(9, 0, 1.5, True, np.True_, float("inf"), ("A",), b"A"),
        ],
    )
    def test_refused(self, raw: object) -> None:
        assert NHS.assign([raw], "broad") == [None]

    def test_local_characters_only_where_the_scheme_has_them(self) -> None:
        assert Scheme.load("census-2021").assign(["1a", "12", "1 "], "detail") == [
            None,
            "Mixed: Other Mixed",
            "Asian: Bangladeshi",
        ]

    def test_stated_not_stated_and_missing_stay_apart(self) -> None:
        for grouping in NHS.groupings:
            assert NHS.assign(["Z", "99", None], grouping) == ["Not stated", "Not known", "Missing"]

    def test_empty_input(self) -> None:
        assert NHS.assign([], "broad") == []

    def test_grouping_that_is_not_there(self) -> None:
        for call in (
            NHS.groups,
            NHS.known,
            lambda g: NHS.assign(["A"], g),
            lambda g: NHS.roll_up("detail", g),
        ):
            with pytest.raises(
                OptionError, match=r"grouping='braod' .*'detail', 'broad', 'maternity'.*mean 'broad'"
            ):
                call("braod")


class TestLabelsOfTables:
    # As printed in the annual and in the monthly files of the Maternity Services Data Set.
    MATERNITY = (
        "White",
        "Mixed",
        "Asian or Asian British",
        "Black or Black British",
        "Any other ethnic group",
    )

    @pytest.mark.parametrize("missing", ["Missing value / Value outside reporting parameters"])
    @pytest.mark.parametrize("change", [str, str.upper, str.lower, str.title])
    def test_maternity_tables_whatever_the_capitals(self, missing: str, change: Callable[[str], str]) -> None:
        printed = [change(v) for v in (*self.MATERNITY, "Not Stated", "Not known", missing)]
        assert NHS.read_labels(printed) == (
            "maternity",
            [*self.MATERNITY, "Not stated", "Not known", "Missing"],
        )

    def test_five_groups(self) -> None:
        assert NHS.read_labels(["asian", "Black", "Other"]) == ("broad", ["Asian", "Black", "Other"])
        assert NHS.read_labels(["Asian/Asian British", "White"]) == ("broad", ["Asian", "White"])

    def test_codes_and_detailed_labels(self) -> None:
        assert NHS.read_labels(["A", "z", 99]) == ("detail", ["White - British", "Not stated", "Not known"])
        assert NHS.read_labels(["Mixed - White and Asian", "A"])[0] == "detail"

    def test_codes_of_the_unknown_beside_labels(self) -> None:
        assert NHS.read_labels(["Asian", "Z", "99"]) == ("broad", ["Asian", "Not stated", "Not known"])

    def test_values_that_do_not_fit_the_best_grouping(self) -> None:
        printed = ["Asian or Asian British", "Any other ethnic group", "Asian", "Total", None, ""]
        assert NHS.read_labels(printed) == ("maternity", [*printed[:2], None, None, None, None])

    def test_a_tie_goes_to_the_first_named_grouping(self) -> None:
        assert NHS.read_labels(["White", "Mixed"])[0] == "broad"
        assert NHS.read_labels(["nothing of this"]) == ("broad", [None])
        assert NHS.read_labels([]) == ("broad", [])

    def test_local_codes_are_not_read_in_tables(self) -> None:
        assert NHS.read_labels(["A1", "A"]) == ("detail", [None, "White - British"])

    def test_census_tables(self) -> None:
        scheme = Scheme.load("census-2021")
        printed = ["Asian, Asian British or Asian Welsh: Bangladeshi", "White: Roma", "Arab"]
        assert scheme.read_labels(printed) == ("detail", ["Asian: Bangladeshi", "White: Roma", "Other: Arab"])
        broad = ["Mixed or Multiple ethnic groups", "Black, Black British, Caribbean or African"]
        assert scheme.read_labels(broad) == ("broad", ["Mixed", "Black"])

    def test_deprivation(self) -> None:
        assert Scheme.load("imd-quintile").read_labels([1, "5 - Least deprived", 2.0])[1] == [
            "1 (most deprived)",
            "5 (least deprived)",
            "2",
        ]


class TestRollUp:
    def test_detail_to_either(self) -> None:
        for grouping, column in (("broad", 2), ("maternity", 3)):
            assert NHS.roll_up("detail", grouping) == {r[1]: r[column] for r in DICTIONARY} | {
                "Missing": "Missing"
            }

    def test_to_itself(self) -> None:
        assert NHS.roll_up("broad", "broad") == {g: g for g in NHS.groups("broad")}

    @pytest.mark.parametrize(
        ("start", "goal", "message"),
        [
            ("maternity", "broad", "'Any other ethnic group' lies in 'Asian' and 'Other'"),
            ("broad", "maternity", "'Asian' lies in 'Asian or Asian British' and 'Any other ethnic group'"),
            ("broad", "detail", "'Asian' lies in .*'Mixed' lies in .*'White' lies in"),
        ],
    )
    def test_never_splits_a_group(self, start: str, goal: str, message: str) -> None:
        with pytest.raises(
            OptionError, match=f"grouping='{goal}' cannot be made from '{start}'.*{message}.*detail"
        ):
            NHS.roll_up(start, goal)


class TestLoading:
    def test_unknown_id(self) -> None:
        with pytest.raises(OptionError, match=r"scheme='nhs2001' .*'nhs-2001', .*Did you mean 'nhs-2001'"):
            Scheme.load("nhs2001")

    @pytest.mark.parametrize("value", [3, None, ["nhs-2001"]])
    def test_neither_id_nor_path(self, value: Any) -> None:
        with pytest.raises(InputTypeError, match=r"scheme=.* is of type .*; give an id or a path"):
            Scheme.load(value)

    def test_no_such_file(self, tmp_path: Path) -> None:
        with pytest.raises(OptionError, match=r"scheme='.*none.json' is not a file; give the id"):
            Scheme.load(str(tmp_path / "none.json"))
        with pytest.raises(OptionError, match=r"cannot be read \(.*directory\)"):
            Scheme.load(tmp_path)

    @pytest.mark.parametrize("content", [b"{", b"\xff\xfe{}", b""])
    def test_not_json(self, tmp_path: Path, content: bytes) -> None:
        path = tmp_path / "own.json"
        path.write_bytes(content)
        with pytest.raises(DataError, match=r"own.json' is not JSON in UTF-8"):
            Scheme.load(path)

    def test_own_file_with_byte_order_mark(self, tmp_path: Path) -> None:
        path = tmp_path / "own.json"
        path.write_text(json.dumps(OWN), encoding="utf-8-sig")
        scheme = Scheme.load(str(path))
        assert scheme.groups("broad") == ("Coast", "Hills", "Declined", "Missing")
        assert scheme.groups("detail") == ("Harbour", "Beach", "Hill", "Declined", "Missing")
        assert scheme.assign(["h", "d", "", "q"], "broad") == ["Coast", "Declined", "Missing", None]
        assert scheme.assign(["m2", "m1", "h1"], "broad") == ["Hills", None, None]
        assert not scheme.overlapping
        assert scheme.notes == ()

    def test_without_groupings_broad_is_the_codes(self, tmp_path: Path) -> None:
        scheme = load_own(tmp_path, {k: v for k, v in OWN.items() if k != "groupings"})
        assert scheme.groupings == ("detail", "broad")
        assert scheme.known("broad") == ("Harbour", "Beach", "Hill")
        assert scheme.read_labels(["Harbour"]) == ("broad", ["Harbour"])

    def test_missing_comes_last_even_if_declared_first(self, tmp_path: Path) -> None:
        unknown = [{"label": "Missing", "codes": ["m"]}, {"label": "Declined", "codes": ["D"]}]
        scheme = load_own(tmp_path, OWN | {"unknown": unknown})
        assert scheme.unknown == ("Declined", "Missing")
        assert scheme.assign(["M", None], "detail") == ["Missing", "Missing"]

    @pytest.mark.parametrize("scheme_id", IDS)
    def test_saved_and_read_back(self, scheme_id: str, tmp_path: Path) -> None:
        scheme = Scheme.load(scheme_id)
        saved = json.loads(json.dumps(scheme.to_dict()))
        assert Scheme.from_dict(saved).equals(scheme)
        assert load_own(tmp_path, saved).equals(scheme)
        assert pickle.loads(pickle.dumps(scheme)).equals(scheme)
        assert copy.deepcopy(scheme).equals(scheme)

    def test_from_dict_of_something_else(self) -> None:
        with pytest.raises(DataError, match="wanted is 'Scheme' in format 1"):
            Scheme.from_dict(OWN)

    def test_equality_and_text(self) -> None:
        assert NHS.equals(Scheme.load("nhs-2001"))
        changed = NHS.to_dict()
        changed["groupings"]["broad"][0]["label"] = "Asian heritage"
        assert not NHS.equals(Scheme.from_dict(changed))
        assert not NHS.equals("nhs-2001")
        assert repr(NHS) == "<Scheme 'nhs-2001': 16 categories; groupings detail, broad, maternity>"


OWN: dict[str, Any] = {
    "id": "own",
    "version": "1",
    "source": "us",
    "codes": [
        {"code": "H", "label": "Harbour"},
        {"code": "B", "label": "Beach"},
        {"code": "M2", "label": "Hill"},
    ],
    "groupings": {"broad": [{"label": "Coast", "codes": ["H", "B"]}, {"label": "Hills", "codes": ["M2"]}]},
    "unknown": [{"label": "Declined", "codes": ["D"]}],
}


def load_own(folder: Path, content: Any) -> Scheme:
    path = folder / "own.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return Scheme.load(path)


def code(code: Any, label: Any, **more: Any) -> dict[str, Any]:
    return {"code": code, "label": label} | more


FAULTS: list[tuple[Any, str, str]] = [
    ([], "file", "must be an object"),
    (OWN | {"colour": "x"}, "colour", "is not an entry of schemes"),
    (OWN | {"grouping": {}}, "grouping", "did you mean 'groupings'"),
    ({k: v for k, v in OWN.items() if k != "source"}, "source", "is not there; give text"),
    (OWN | {"id": 7}, "id", "must be text"),
    (OWN | {"version": " "}, "version", "must be text that is not empty"),
    (OWN | {"ordered": "yes"}, "ordered", "must be true or false"),
    (OWN | {"notes": "x"}, "notes", "must be a list of texts"),
    (OWN | {"not_codes": [3]}, "not_codes[0]", "must be text"),
    (OWN | {"codes": []}, "codes", "must be a list of objects with code, label, aliases"),
    ({k: v for k, v in OWN.items() if k != "codes"}, "codes", "must be a list of objects"),
    (OWN | {"codes": ["H"]}, "codes[0]", "must be an object with code, label, aliases"),
    (OWN | {"codes": [code(1, "x")]}, "codes[0].code", "must be text"),
    (OWN | {"codes": [{"code": "H"}]}, "codes[0].label", "is not there"),
    (OWN | {"codes": [code("H", "x", colour=1)]}, "codes[0].colour", "is not an entry here"),
    (OWN | {"codes": [code("H", "x", aliases="y")]}, "codes[0].aliases", "must be a list of texts"),
    (OWN | {"unknown": {}}, "unknown", "must be a list of objects with label, codes, aliases"),
    (OWN | {"unknown": [{"label": "Declined"}]}, "unknown[0].codes", "must be a list of texts"),
    (OWN | {"groupings": []}, "groupings", "must be an object {name: "),
    (OWN | {"groupings": {"detail": OWN["groupings"]["broad"]}}, "groupings.detail", "is taken"),
    (OWN | {"groupings": {"": OWN["groupings"]["broad"]}}, "groupings", "must be text that is not empty"),
    (OWN | {"groupings": {"broad": []}}, "groupings.broad", "must be a list of objects"),
    (OWN | {"codes": [*OWN["codes"], code("h", "x")]}, "codes", "is declared 2 times"),
    (OWN | {"unknown": [{"label": "Declined", "codes": ["b"]}]}, "codes", "is declared 2 times"),
    (OWN | {"codes": [*OWN["codes"], code("Q", "x")]}, "groupings.broad", "is in no group"),
    (OWN | {"codes": OWN["codes"][1:]}, "groupings.broad", "is not one of the codes"),
    (
        OWN | {"groupings": {"broad": [*OWN["groupings"]["broad"], {"label": "x", "codes": ["B"]}]}},
        "groupings.broad",
        "is in 2 groups; a code belongs to one",
    ),
    (OWN | {"codes": [*OWN["codes"][:2], code("M2", "beach")]}, "groupings.detail", "names 2 groups"),
    (OWN | {"unknown": [{"label": "coast", "codes": ["D"]}]}, "groupings.broad", "names 2 groups"),
    (
        OWN | {"codes": [*OWN["codes"][:2], code("M2", "Hill", aliases=["H"])]},
        "groupings.detail",
        "names 2 groups",
    ),
]


@pytest.mark.parametrize(("content", "place", "problem"), FAULTS, ids=[f"{p}: {t}" for _, p, t in FAULTS])
def test_faults_of_a_file_are_named(tmp_path: Path, content: Any, place: str, problem: str) -> None:
    with pytest.raises(DataError, match=r"bad row\(s\) in the scheme .*own.json: .*mend the file") as caught:
        load_own(tmp_path, content)
    bad = caught.value.bad_rows
    assert bad is not None
    assert [p for w, p in zip(bad["place"], bad["problem"], strict=True) if w == place and problem in p]


def test_all_faults_of_a_file_at_once(tmp_path: Path) -> None:
    content = OWN | {"id": "", "ordered": 1, "codes": [code("H", 1), {"label": "x"}]}
    with pytest.raises(DataError, match=r"4 bad row") as caught:
        load_own(tmp_path, content)
    assert caught.value.bad_rows is not None
    assert caught.value.bad_rows["place"].tolist() == ["id", "ordered", "codes[0].label", "codes[1].code"]


def test_a_code_may_be_its_own_label_and_a_group_may_carry_a_codes_text(tmp_path: Path) -> None:
    content = {"id": "o", "version": "1", "source": "us", "codes": [code("H", "h"), code("B", "Beach")]}
    groupings = {"broad": [{"label": "B", "codes": ["H"]}, {"label": "H", "codes": ["B"]}]}
    scheme = load_own(tmp_path, content | {"groupings": groupings})
    assert scheme.assign(["H", "B"], "broad") == ["B", "H"]
    assert scheme.assign(["H", "B"], "detail") == ["h", "Beach"]
