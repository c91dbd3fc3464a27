"""The command line: the whole path from births to files."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

import qi_equity as qe
from qi_equity.__main__ import main

KINDS = ("points", "signals", "notes", "summary", "icons", "alt_text")


def test_the_demo_writes_what_it_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    out = tmp_path / "new" / "folder"
    assert main(["demo", "--out", str(out)]) == 0
    shown = capsys.readouterr().out
    for step in range(1, 8):
        assert f"[{step}/7]" in shown
    assert "no real patients" in shown
    assert "cannot_signal" not in shown
    assert "overlapping windows" in shown
    for name in ("synthetic_haemorrhage", "published_maternal_deaths"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (out / f"{name}.svg").read_text(encoding="utf-8")
        for kind in KINDS:
            assert (out / f"{name}_{kind}.csv").stat().st_size > 0
    assert "after the change of 2024-01" in " ".join(shown.split())
    for name in ("synthetic_haemorrhage_change", "synthetic_haemorrhage_change_effects"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (out / f"{name}.svg").read_text(encoding="utf-8")
    for name in ("synthetic_haemorrhage_detection", "synthetic_haemorrhage_detection_blindness"):
        assert (out / f"{name}.png").read_bytes().startswith(b"\x89PNG")
        assert "<svg" in (out / f"{name}.svg").read_text(encoding="utf-8")
    detection = pd.read_csv(out / "synthetic_haemorrhage_detection_table.csv")
    assert detection["visible"].any()
    assert not detection["visible"].all()
    for kind in ("groups", "gaps", "notes", "alt_text"):
        assert (out / f"synthetic_haemorrhage_change_{kind}.csv").stat().st_size > 0

    _check_tables(out)


def _check_tables(out: Path) -> None:
    """Compare the tables of the demo with those of the chart and the records."""
    births = qe.datasets.births(60_000, change="helps-all", effect=0.5, seed=2)
    single = births.records.drop_duplicates(["woman", "date"])
    points = pd.read_csv(out / "synthetic_haemorrhage_points.csv")
    points = points[points["arm"] != "low"]  # a CUSUM has two rows a point
    counted = points["denominator"].sum()
    assert counted <= len(single)
    assert counted >= 0.95 * len(single)
    assert points["numerator"].sum() == births.records.groupby(["woman", "date"])["pph_1500"].any().sum()
    bounds = pd.read_csv(out / "published_stillbirths_bounds.csv").set_index("group")
    assert bounds.loc["White", ["events", "births"]].tolist() == [82, 20664]
    assert "Unknown" not in bounds.index
    verdicts = pd.read_csv(out / "synthetic_haemorrhage_change_groups.csv")
    assert verdicts[["events_before", "events_after"]].to_numpy().sum() == points["numerator"].sum()
    assert set(verdicts.loc[verdicts["group"].isin(["Asian", "Black", "White"]), "verdict"]) == {"improved"}


def test_a_folder_that_cannot_be_made_is_a_clear_error(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    assert main(["demo", "--out", str(blocked)]) == 2
    assert "qi_equity: " in capsys.readouterr().err


def test_no_command_shows_how_to_use_it(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([])
    assert "demo" in capsys.readouterr().err
