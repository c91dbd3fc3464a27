"""The catalogue: every measure the design promises, complete, with the published directions."""

from __future__ import annotations

import pytest

from qi_equity.data.catalogue import measures
from qi_equity.data.measure import Measure
from qi_equity.errors import OptionError

# Direction, unit and who is counted, as the published definitions have them (CQIM code; MBRRACE-UK);
# a detected-case measure has no better direction.
EXPECTED = {
    "pph_1500": ("lower", "per 1000", "woman", "mother"),
    "pph_1000": ("lower", "per 1000", "woman", "mother"),
    "preterm_birth": ("lower", "per 1000", "baby", "mother"),
    "gdm_screened": ("higher", "%", "woman", "mother"),
    "gdm_diagnosed": (None, "%", "woman", "mother"),
    "depression_asked": ("higher", "%", "woman", "mother"),
    "depression_referred": ("higher", "%", "woman", "mother"),
    "depression_seen": ("higher", "%", "woman", "mother"),
    "stillbirth": ("lower", "per 1000", "baby", "baby"),
    "neonatal_death": ("lower", "per 1000", "baby", "baby"),
    "maternal_death": ("lower", "per 100,000", "woman", "mother"),
    "tear_3_4": ("lower", "per 1000", "woman", "mother"),
    "apgar_below_7": ("lower", "per 1000", "baby", "mother"),
    "smoking_at_delivery": ("lower", "%", "woman", "mother"),
    "first_feed_breast_milk": ("higher", "%", "baby", "mother"),
    "ethnicity_known": ("higher", "%", "woman", "mother"),
}


def test_all_measures_are_there_in_order() -> None:
    assert list(measures) == list(EXPECTED)
    assert len(measures) == len(EXPECTED)
    assert measures._ipython_key_completions_() == list(EXPECTED)


@pytest.mark.parametrize("key", EXPECTED)
def test_direction_unit_and_who_is_counted(key: str) -> None:
    measure = measures[key]
    assert (measure.better, measure.unit, measure.counts, measure.ethnicity_of) == EXPECTED[key]


@pytest.mark.parametrize("key", EXPECTED)
def test_every_measure_is_fully_described(key: str) -> None:
    measure = measures[key]
    for part in ("name", "definition", "numerator", "denominator", "source"):
        assert len(getattr(measure, part)) > 5, part
    assert measure.target is None
    assert measure.multiplier > 1


def test_only_maternal_death_is_a_rate() -> None:
    assert {k for k in measures if measures[k].kind != "proportion"} == {"maternal_death"}


def test_detected_cases_say_why_they_have_no_direction() -> None:
    assert "neither direction" in measures["gdm_diagnosed"].definition
    for key in ("depression_referred", "depression_seen"):
        assert "denominator makes it a process measure" in measures[key].definition
        assert "among women" in measures[key].definition


@pytest.mark.parametrize("key", ["gdm_screened", "gdm_diagnosed", "depression_asked", "apgar_below_7"])
def test_parts_without_a_primary_source_are_marked(key: str) -> None:
    assert measures[key].unconfirmed


def test_unknown_id_is_answered_with_the_nearest() -> None:
    with pytest.raises(OptionError, match=r"measure='pph1500' .*'pph_1500', .*Did you mean 'pph_1500'"):
        measures["pph1500"]
    with pytest.raises(OptionError, match="measure=3 is not allowed"):
        measures[3]


def test_membership_and_text() -> None:
    assert "stillbirth" in measures
    assert "pph" not in measures
    assert repr(measures).startswith("<16 measures: pph_1500, pph_1000,")


def test_table_has_one_row_a_measure_and_is_a_copy() -> None:
    table = measures.table()
    assert table["id"].tolist() == list(EXPECTED)
    assert table.set_index("id").loc["tear_3_4", "unit"] == "per 1000"
    table.loc[:, "name"] = "x"
    assert measures["tear_3_4"].name != "x"


@pytest.mark.parametrize("key", EXPECTED)
def test_every_measure_survives_saving(key: str) -> None:
    assert Measure.from_dict(measures[key].to_dict()).equals(measures[key])


def test_language() -> None:
    words = " ".join(str(v) for v in measures.table().to_numpy().ravel()).lower()
    assert not [w for w in ("bame", "bme", "non-white", "suffer", "patients") if w in words]
