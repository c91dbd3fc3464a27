"""What the README says runs as it stands."""

from __future__ import annotations

import re
from pathlib import Path

import qi_equity as qe

README = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")


def test_the_session_of_the_readme_runs() -> None:
    (code,) = re.findall(r"```python\n(.*?)```", README, flags=re.DOTALL)
    found: dict[str, object] = {}
    exec(compile(code, "README.md", "exec"), found)
    chart = found["chart"]
    assert isinstance(chart, qe.ControlChart)
    assert len(chart.signals) > 0


def test_every_public_name_in_the_readme_exists() -> None:
    names = set(re.findall(r"`qe\.(\w+)", README))
    assert names
    assert names <= set(qe.__all__)


def test_the_files_that_the_readme_links_to_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README)
    assert len(links) > 3
    assert [link for link in links if not (Path(__file__).parents[2] / link).exists()] == []
