"""Records, the measures they name, and the stamps of their versions."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables."""
    op.create_table(
        "record",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("parent", sa.String(100), sa.ForeignKey("record.id"), nullable=True),
        sa.Column("field", sa.String(50), nullable=False),
        sa.Column("position", sa.Integer, nullable=False),
        sa.Column("site", sa.Text, nullable=True),
        sa.Column("status", sa.String(20), nullable=True),
        sa.Column("first_day", sa.Date, nullable=True),
        sa.Column("last_day", sa.Date, nullable=True),
        sa.Column("shared", sa.Boolean, nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("record_parent", "record", ["parent", "field", "position"])
    op.create_index("record_site", "record", ["site", "kind"])
    op.create_table(
        "record_measure",
        sa.Column("record", sa.String(100), sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("measure", sa.String(500), primary_key=True),
    )
    op.create_index("record_measure_measure", "record_measure", ["measure"])
    op.create_table(
        "stamp",
        sa.Column("record", sa.String(100), sa.ForeignKey("record.id"), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("at", sa.String(40), nullable=False),
        sa.Column("by", sa.Text, nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("what", sa.String(10), nullable=False),
        sa.Column("field", sa.Text, nullable=True),
        sa.Column("before", sa.Text, nullable=False),
    )
