"""Every kind of chart and every rule set has a page with the same headings, a table and a figure."""

from __future__ import annotations

import importlib.util
import re
from dataclasses import fields
from pathlib import Path
from types import ModuleType

import pytest

import qi_equity as qe
from qi_equity.spc.kinds import KINDS

METHODS = Path(__file__).parents[2] / "docs" / "methods"
HEADINGS = [
    "Formula",
    "Assumptions",
    "When to use it",
    "When not",
    "What it cannot show",
    "In control",
    "Sources",
]
CHARTS = {f"charts/{kind}" for kind in (*KINDS, "auto")}
RULES = {f"rules/{name}" for name in qe.rule_sets}
PAGES = sorted(CHARTS | RULES)


@pytest.fixture(scope="module")
def figures() -> ModuleType:
    spec = importlib.util.spec_from_file_location("figures_of_methods", METHODS / "_figures.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def text(page: str) -> str:
    return (METHODS / f"{page}.md").read_text(encoding="utf-8")


def sections(page: str) -> dict[str, str]:
    parts = re.split(r"^## (.+)\n", text(page), flags=re.MULTILINE)
    return dict(zip(parts[1::2], parts[2::2], strict=True))


def includes(content: str) -> list[str]:
    return re.findall(r"^```\{include\} (\S+)\n```$", content, flags=re.MULTILINE)


def test_there_is_a_page_for_every_kind_and_rule_set_and_no_other() -> None:
    written = {
        f"{folder}/{path.stem}" for folder in ("charts", "rules") for path in (METHODS / folder).glob("*.md")
    }
    assert written == CHARTS | RULES


def test_the_index_lists_every_page_once() -> None:
    listed = re.findall(r"^((?:charts|rules)/\w+)$", text("index"), flags=re.MULTILINE)
    assert sorted(listed) == PAGES


@pytest.mark.parametrize("page", PAGES)
def test_a_page_has_all_headings_in_order_and_none_is_empty(page: str) -> None:
    found = sections(page)
    assert list(found) == HEADINGS
    assert [name for name, content in found.items() if len(content.strip()) < 20] == []


@pytest.mark.parametrize("page", PAGES)
def test_a_page_shows_its_figure_and_its_own_table(page: str) -> None:
    name = page.split("/")[1]
    before = text(page).split("## Formula")[0]
    assert includes(before) == [f"../_figures/{name}.md"]
    assert includes(sections(page)["In control"]) == [f"../_in_control/{name}.md"]
    table = (METHODS / "_in_control" / f"{name}.md").read_text(encoding="utf-8")
    assert re.search(r"seed \d+|never signals", table)


@pytest.mark.parametrize("page", sorted(CHARTS))
def test_a_chart_s_page_has_mathematics_or_a_table_of_choices(page: str) -> None:
    formula = sections(page)["Formula"]
    assert formula.count("$") >= 2 or formula.count("\n|") > 3


@pytest.mark.parametrize("name", qe.rule_sets)
def test_a_rule_set_s_page_describes_each_of_its_tests_and_their_lengths(name: str) -> None:
    rows = dict(re.findall(r"^\| `(\w+)` \| (.+)$", sections(f"rules/{name}")["Formula"], flags=re.MULTILINE))
    tests = qe.rule_sets[name].tests
    assert list(rows) == [t.name for t in tests]
    for test in tests:
        if "length" in {f.name for f in fields(test)}:
            assert re.search(rf"\b{test.length}\b", rows[test.name]), test


@pytest.mark.parametrize("page", PAGES)
def test_the_pages_and_modules_that_a_page_names_exist(page: str) -> None:
    content = text(page)
    links = re.findall(r"\]\((\S+?\.md)\)", content)
    assert [link for link in links if not (METHODS / page).parent.joinpath(link).exists()] == []
    modules = re.findall(r"`(qi_equity(?:\.\w+)+)`", content)
    assert [m for m in modules if importlib.util.find_spec(m) is None] == []
    names = re.findall(r"`(?:qe\.)(\w+)", content)
    assert set(names) <= set(qe.__all__)


def test_there_is_a_figure_for_every_page(figures: ModuleType) -> None:
    assert set(figures.FIGURES) == {page.split("/")[1] for page in PAGES}


@pytest.mark.parametrize("name", sorted((*KINDS, "auto")))
def test_the_figure_of_a_kind_shows_that_kind(figures: ModuleType, name: str) -> None:
    chart = figures.FIGURES[name]()
    assert name in (chart.kind, "auto")
    assert len(chart.strata) <= 2


@pytest.mark.parametrize("name", qe.rule_sets)
def test_the_figure_of_a_rule_set_uses_it_and_shows_a_signal(figures: ModuleType, name: str) -> None:
    chart = figures.FIGURES[name]()
    assert chart.rules.name == name
    assert len(chart.signals) > 0


def test_a_figure_is_written_with_its_alt_text(figures: ModuleType, tmp_path: Path) -> None:
    figures.draw("p", tmp_path)
    snippet = (tmp_path / "p.md").read_text(encoding="utf-8")
    (alt,) = re.findall(r"^:alt: (.+)$", snippet, flags=re.MULTILINE)
    assert snippet.startswith("```{figure} ../_figures/p.png\n")
    assert alt.startswith("Asian: p chart of Postpartum haemorrhage")
    assert (tmp_path / "p.png").read_bytes().startswith(b"\x89PNG")
