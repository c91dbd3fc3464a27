"""Reading and checking of the files that describe schemes; every fault of a file is reported at once."""

from __future__ import annotations

import difflib
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pandas as pd

from qi_equity import _validate
from qi_equity.errors import DataError, OptionError

MISSING = "Missing"
DETAIL = "detail"
BROAD = "broad"

_REQUIRED = ("id", "version", "source", "codes")
_OPTIONAL = ("groupings", "unknown", "ordered", "overlapping", "local_second_character", "not_codes", "notes")
_SAVED = ("type", "format", "library")
_ENTRY = ("label", "codes", "aliases")

Fault = tuple[str, str, str]


@dataclass(frozen=True, slots=True)
class Group:
    """A label, the codes counted under it, and other spellings of the label."""

    label: str
    codes: tuple[str, ...]
    aliases: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class Definition:
    """What a file says, checked: ``levels`` begin with "detail", ``unknown_groups`` end with "Missing"."""

    id: str
    version: str
    source: str
    levels: tuple[tuple[str, tuple[Group, ...]], ...]
    unknown_groups: tuple[Group, ...]
    ordered: bool
    overlapping: bool
    local_second_character: bool
    not_codes: tuple[str, ...]
    notes: tuple[str, ...]


AnyDefinition = TypeVar("AnyDefinition", bound=Definition)


def text_of(value: object) -> str:
    """Bring a raw code or label to one form: no capitals, single spaces, plain dashes; missing is empty."""
    if pd.api.types.is_scalar(value) and pd.isna(value):  # type: ignore[call-overload]
        return ""
    if hasattr(value, "is_integer") and not isinstance(value, int) and value.is_integer():
        value = int(value)  # type: ignore[call-overload]
    return " ".join(str(value).replace("–", "-").split()).casefold()


def read(path: Path) -> Any:
    """Read the JSON of a file."""
    try:
        return json.loads(path.read_text(encoding="utf-8-sig"))
    except FileNotFoundError as error:
        raise OptionError(
            f"scheme={str(path)!r} is not a file; give the id of a scheme or a path to JSON."
        ) from error
    except OSError as error:
        raise OptionError(
            f"scheme={str(path)!r} cannot be read ({error.strerror}); give a path to JSON."
        ) from error
    except ValueError as error:
        raise DataError(f"scheme={str(path)!r} is not JSON in UTF-8: {error}.") from error


def define(cls: type[AnyDefinition], raw: Any, where: str) -> AnyDefinition:
    """Check what a file holds and give it in its final form.

    Raises
    ------
    DataError
        With every fault, its place and its value in ``bad_rows``.
    """
    faults = list(_faults(raw))
    _validate.rows(
        pd.DataFrame(faults, columns=["place", "value", "problem"]),
        f"the scheme {where}",
        "A scheme is a JSON object with id, version, source, codes [{code, label}], and, where wanted, "
        "groupings {name: [{label, codes}]}, unknown [{label, codes}] and more; mend the file.",
    )
    detail = tuple(Group(c["label"], (c["code"],), tuple(c.get("aliases", ()))) for c in raw["codes"])
    named = {name: tuple(_group(g) for g in groups) for name, groups in raw.get("groupings", {}).items()}
    unknown = [_group(g) for g in raw.get("unknown", ())]
    # Blank is always possible, so a stratum for it is always there.
    unknown += [] if any(u.label == MISSING for u in unknown) else [Group(MISSING, ())]
    return cls(
        id=raw["id"],
        version=raw["version"],
        source=raw["source"],
        levels=((DETAIL, detail), *({BROAD: detail} | named).items()),
        unknown_groups=tuple(sorted(unknown, key=lambda u: u.label == MISSING)),
        ordered=raw.get("ordered", False),
        overlapping=raw.get("overlapping", False),
        local_second_character=raw.get("local_second_character", False),
        not_codes=tuple(raw.get("not_codes", ())),
        notes=tuple(raw.get("notes", ())),
    )


def to_json(definition: Definition) -> dict[str, Any]:
    """Give the content of the file that :func:`define` reads as this definition."""
    groupings = dict(definition.levels)
    detail = groupings.pop(DETAIL)
    return {
        "id": definition.id,
        "version": definition.version,
        "source": definition.source,
        "ordered": definition.ordered,
        "overlapping": definition.overlapping,
        "local_second_character": definition.local_second_character,
        "not_codes": list(definition.not_codes),
        "codes": [{"code": g.codes[0], "label": g.label, "aliases": list(g.aliases)} for g in detail],
        "groupings": {name: [_entry(g) for g in groups] for name, groups in groupings.items()},
        "unknown": [_entry(g) for g in definition.unknown_groups],
        "notes": list(definition.notes),
    }


def _group(entry: dict[str, Any]) -> Group:
    return Group(entry["label"], tuple(entry["codes"]), tuple(entry.get("aliases", ())))


def _entry(group: Group) -> dict[str, Any]:
    return {"label": group.label, "codes": list(group.codes), "aliases": list(group.aliases)}


def _faults(raw: Any) -> Iterator[Fault]:
    """List what is wrong: first the form, then, if that is sound, what the entries say about each other."""
    form = list(_form_faults(raw))
    yield from form
    if not form:
        yield from _code_faults(raw)
        yield from _name_faults(raw)


def _form_faults(raw: Any) -> Iterator[Fault]:
    if not isinstance(raw, dict):
        yield "file", type(raw).__name__, "must be an object {...}"
        return
    known = (*_REQUIRED, *_OPTIONAL)
    for key in raw:
        if key not in known + _SAVED:
            near = difflib.get_close_matches(key, known, n=1)
            yield key, "", "is not an entry of schemes" + (f"; did you mean {near[0]!r}?" if near else "")
    for key in ("id", "version", "source"):
        yield from _text_faults(key, raw.get(key))
    for key in ("ordered", "overlapping", "local_second_character"):
        if not isinstance(raw.get(key, False), bool):
            yield key, repr(raw[key]), "must be true or false"
    for key in ("not_codes", "notes"):
        yield from _texts_faults(key, raw.get(key, []))
    yield from _entries_faults("codes", raw.get("codes"), ("code", "label", "aliases"))
    yield from _entries_faults("unknown", raw.get("unknown", []), _ENTRY, may_be_empty=True)
    groupings = raw.get("groupings", {})
    if not isinstance(groupings, dict):
        yield "groupings", repr(groupings), "must be an object {name: [{label, codes}]}"
        return
    for name, groups in groupings.items():
        yield from _text_faults("groupings", name)
        if name == DETAIL:
            yield f"groupings.{name}", name, "is taken: it stands for the codes themselves; use another name"
        yield from _entries_faults(f"groupings.{name}", groups, _ENTRY)


def _text_faults(place: str, value: Any) -> Iterator[Fault]:
    if value is None:
        yield place, "", "is not there; give text"
    elif not isinstance(value, str) or not value.strip():
        yield place, repr(value), "must be text that is not empty"


def _texts_faults(place: str, value: Any) -> Iterator[Fault]:
    if not isinstance(value, list):
        yield place, repr(value), "must be a list of texts"
        return
    for i, item in enumerate(value):
        yield from _text_faults(f"{place}[{i}]", item)


def _entries_faults(
    place: str, value: Any, keys: Sequence[str], *, may_be_empty: bool = False
) -> Iterator[Fault]:
    """Check a list of objects that hold these keys: ``aliases`` may be absent, ``codes`` is a list."""
    if not isinstance(value, list) or not (value or may_be_empty):
        yield place, "" if value is None else repr(value), f"must be a list of objects with {', '.join(keys)}"
        return
    for i, entry in enumerate(value):
        at = f"{place}[{i}]"
        if not isinstance(entry, dict):
            yield at, repr(entry), f"must be an object with {', '.join(keys)}"
            continue
        for key in entry:
            if key not in keys:
                yield f"{at}.{key}", "", f"is not an entry here; use {', '.join(keys)}"
        for key in keys:
            if key in ("codes", "aliases"):
                yield from _texts_faults(f"{at}.{key}", entry.get(key, [] if key == "aliases" else None))
            else:
                yield from _text_faults(f"{at}.{key}", entry.get(key))


def _code_faults(raw: dict[str, Any]) -> Iterator[Fault]:
    """Every code is declared once, and counted once in each grouping."""
    codes = [c["code"] for c in raw["codes"]]
    unknown = [c for u in raw.get("unknown", ()) for c in u["codes"]]
    for code, n in Counter(text_of(c) for c in codes + unknown).items():
        if n > 1:
            yield "codes", code, f"is declared {n} times (capitals do not matter)"
    for name, groups in raw.get("groupings", {}).items():
        used = Counter(c for g in groups for c in g["codes"])
        for code, n in used.items():
            if code not in codes:
                yield f"groupings.{name}", code, "is not one of the codes"
            if n > 1:
                yield f"groupings.{name}", code, f"is in {n} groups; a code belongs to one"
        for code in codes:
            if code not in used:
                yield f"groupings.{name}", code, "is in no group; every code needs one"


def _name_faults(raw: dict[str, Any]) -> Iterator[Fault]:
    """Within a grouping, every text must lead to one group."""
    detail = [
        {"label": c["label"], "codes": [c["code"]], "aliases": c.get("aliases", [])} for c in raw["codes"]
    ]
    for name, groups in ({DETAIL: detail} | raw.get("groupings", {})).items():
        texts: Counter[str] = Counter()
        for g in [*groups, *raw.get("unknown", ())]:
            # Elsewhere than in "detail" only the codes of the unknown are read, not those of the groups.
            own = [] if g in groups and name != DETAIL else g["codes"]
            texts.update({text_of(t) for t in (g["label"], *g.get("aliases", ()), *own)})
        for text, n in texts.items():
            if n > 1:
                yield f"groupings.{name}", text, f"names {n} groups (capitals do not matter)"
