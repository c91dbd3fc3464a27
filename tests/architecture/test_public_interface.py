"""What every public object must be like, checked on all of them."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import subprocess
import sys

import pytest

import qi_equity as qe

# Arguments that name a column of the caller's frame, or are series, are the data; the rest are options.
DATA_ARGUMENTS = {
    "self", "records", "counts", "measure", "series", "chart", "evaluation", "balancing", "process",
    "date", "period", "event", "value", "sd", "range", "expected", "numerator", "denominator",
    "ethnicity", "group", "site", "by", "person",
    "births", "before", "after", "reference_births", "reference_rate", "periods_before", "periods_after",
}  # fmt: skip
MOST_OPTIONS = 10
# Only their errors are this library's own; what they take is for pydantic to say.
AS_PYDANTIC = ("pdsa.Part.model_validate",)
HEAVY = ("matplotlib", "statsmodels", "scipy.stats", "sqlalchemy", "pydantic", "pandas", "numpy")


def public_objects() -> list[tuple[str, object]]:
    """List what a user can reach: the names of the package, and the public members of its classes."""
    found: list[tuple[str, object]] = []
    for name in qe.__all__:
        thing = getattr(qe, name)
        if inspect.ismodule(thing):
            found += [(f"{name}.{n}", getattr(thing, n)) for n in thing.__all__]
        else:
            found.append((name, thing))
    for name, thing in list(found):
        if inspect.isclass(thing) and not issubclass(thing, Exception):
            members = [(n, m) for n, m in vars(thing).items() if not n.startswith("_")]
            callables = [
                (n, m) for n, m in members if inspect.isfunction(m) or isinstance(m, classmethod | property)
            ]
            found += [(f"{name}.{n}", m) for n, m in callables]
    return found


def modules() -> list[str]:
    """List every module of the package but the command line's."""
    names = [m.name for m in pkgutil.walk_packages(qe.__path__, "qi_equity.")]
    return [n for n in names if not n.endswith("__main__")]


OBJECTS = public_objects()
FUNCTIONS = [
    (n, f.__func__ if isinstance(f, classmethod) else f)
    for n, f in OBJECTS
    if inspect.isfunction(f) or isinstance(f, classmethod)
]


OWN = [(n, f) for n, f in FUNCTIONS if not n.startswith(AS_PYDANTIC)]


@pytest.mark.parametrize(("name", "function"), OWN, ids=[n for n, _ in OWN])
def test_public_functions_take_no_catch_all_arguments(name: str, function: object) -> None:
    kinds = {p.kind for p in inspect.signature(function).parameters.values()}
    assert inspect.Parameter.VAR_KEYWORD not in kinds, f"{name} takes **kwargs"
    assert inspect.Parameter.VAR_POSITIONAL not in kinds, f"{name} takes *args"


@pytest.mark.parametrize(("name", "function"), FUNCTIONS, ids=[n for n, _ in FUNCTIONS])
def test_public_functions_have_at_most_ten_options(name: str, function: object) -> None:
    options = [p for p in inspect.signature(function).parameters if p not in DATA_ARGUMENTS | {"cls"}]
    assert len(options) <= MOST_OPTIONS, f"{name} has {len(options)} options: {options}"


DOCUMENTED = [(n, o) for n, o in OBJECTS if not isinstance(o, str)]


@pytest.mark.parametrize(("name", "thing"), DOCUMENTED, ids=[n for n, _ in DOCUMENTED])
def test_public_objects_are_documented_with_an_example(name: str, thing: object) -> None:
    text = inspect.getdoc(thing.fget if isinstance(thing, property) else thing) or ""
    assert len(text) > 20, f"{name} has no docstring"
    assert ">>>" in text, f"{name} has no example"


@pytest.mark.parametrize("module", modules())
def test_names_in_all_exist(module: str) -> None:
    loaded = importlib.import_module(module)
    absent = [n for n in getattr(loaded, "__all__", []) if not hasattr(loaded, n)]
    assert not absent, f"{module}.__all__ lists {absent}"


def test_importing_the_package_loads_nothing_heavy() -> None:
    code = f"import sys, qi_equity; print([m for m in {HEAVY!r} if m in sys.modules])"
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_counting_and_charting_loads_no_drawing_nor_modelling_library() -> None:
    code = (
        "import sys, pandas as pd, qi_equity as qe\n"
        "rows = pd.DataFrame({'m': pd.date_range('2023-01-01', periods=24, freq='MS').strftime('%Y-%m'),"
        " 'x': [3] * 24, 'n': [50] * 24})\n"
        "s = qe.from_counts(rows, qe.measures['pph_1500'], period='m', numerator='x', denominator='n')\n"
        "qe.control_chart(s).points; qe.run_chart(s).signals\n"
        "print([m for m in ('matplotlib', 'statsmodels', 'sqlalchemy', 'pydantic') if m in sys.modules])"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert shown.stdout.strip() == "[]"


def test_unknown_public_name_is_refused_with_the_list() -> None:
    with pytest.raises(AttributeError, match=r"has no attribute 'control_charts'; it has: .*control_chart"):
        qe.control_charts  # noqa: B018
    with pytest.raises(AttributeError, match=r"has no attribute 'Circle'; it has: .*Cycle"):
        qe.pdsa.Circle  # noqa: B018


def test_every_lazy_name_is_listed_and_the_other_way_round() -> None:
    from qi_equity import _HOMES

    assert set(qe.__all__) == set(_HOMES) | {"datasets", "pdsa", "__version__"}
    assert dir(qe) == sorted(qe.__all__)
    assert set(qe.pdsa.__all__) == set(qe.pdsa._HOMES)
    assert dir(qe.pdsa) == sorted(qe.pdsa.__all__)
