"""The tables that records are kept in, as the newest schema has them."""

from __future__ import annotations

from sqlalchemy import Boolean, Column, Date, ForeignKey, Index, Integer, MetaData, String, Table, Text

__all__ = ["METADATA", "measures", "records", "stamps"]

METADATA = MetaData()

# Bodies are text, not JSON columns: what comes out is letter for letter what went in, in every database.
records = Table(
    "record",
    METADATA,
    Column("id", String(100), primary_key=True),
    Column("kind", String(50), nullable=False),
    Column("parent", String(100), ForeignKey("record.id"), nullable=True),
    Column("field", String(50), nullable=False),
    Column("position", Integer, nullable=False),
    Column("site", Text, nullable=True),
    Column("status", String(20), nullable=True),
    Column("first_day", Date, nullable=True),
    Column("last_day", Date, nullable=True),
    Column("shared", Boolean, nullable=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
    Index("record_parent", "parent", "field", "position"),
    Index("record_site", "site", "kind"),
)
"""A row a record: where it hangs, what it is listed by, and the rest as JSON (no children, no trail)."""

measures = Table(
    "record_measure",
    METADATA,
    Column("record", String(100), ForeignKey("record.id"), primary_key=True),
    Column("measure", String(500), primary_key=True),
    Index("record_measure_measure", "measure"),
)
"""The measures that a record names, to list by."""

stamps = Table(
    "stamp",
    METADATA,
    Column("record", String(100), ForeignKey("record.id"), primary_key=True),
    Column("n", Integer, primary_key=True),
    Column("at", String(40), nullable=False),
    Column("by", Text, nullable=False),
    Column("reason", Text, nullable=False),
    Column("what", String(10), nullable=False),
    Column("field", Text, nullable=True),
    Column("before", Text, nullable=False),
)
"""A row a stamp, ``n`` from 0: only ever added; a redaction blanks texts in older ones."""
