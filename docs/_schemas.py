"""Write the JSON Schema of every kind of record to docs/schemas: run it when a model changed."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from qi_equity import pdsa

KINDS = (
    pdsa.Network,
    pdsa.Site,
    pdsa.Project,
    pdsa.Aim,
    pdsa.Driver,
    pdsa.ChangeIdea,
    pdsa.MeasureUse,
    pdsa.Cycle,
    pdsa.Meeting,
    pdsa.ActionPeriod,
    pdsa.Progress,
)
HERE = Path(__file__).parent / "schemas"


def name_of(kind: type[pdsa.Record]) -> str:
    """Give the name of a kind in lower case, words apart: change_idea."""
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in kind.__name__).lstrip("_")


def schema_of(kind: type[pdsa.Record]) -> dict[str, Any]:
    """Give the schema of a kind, with its name; a name and no address, so that nothing is fetched."""
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "$id": f"urn:qi_equity:{name_of(kind)}",
        **kind.model_json_schema(),
    }


def text_of(kind: type[pdsa.Record]) -> str:
    """Give the schema of a kind as the text of its file."""
    return json.dumps(schema_of(kind), indent=2, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    HERE.mkdir(exist_ok=True)
    for one in KINDS:
        (HERE / f"{name_of(one)}.json").write_text(text_of(one), encoding="utf-8")
