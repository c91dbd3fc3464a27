"""Who may see what; and what the network may see of records, after disclosure control.

On PostgreSQL row-level security is on from here, without FORCE: the owner of the tables sees all of them, as
the upkeep of the schema, the checks of foreign keys and the trigger below need it. Every other account sees
nothing until it is granted something.
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

TABLES = ("record", "record_measure", "stamp", "access", "shared_record")

# Of texts no samples are kept, from which a planner's estimates could be asked.
_TEXTS = {
    "record": ("body",),
    "record_measure": ("measure",),
    "stamp": ("by", "reason", "field", "before"),
    "shared_record": ("body",),
}

# Foreign keys are checked past row-level security: without this, an editor of one site could hang a record
# on one of another site. It runs with the rights of the owner, and nobody can call it.
_FITS = """
CREATE FUNCTION {schema}.record_fits_holder() RETURNS trigger
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF EXISTS (SELECT 1 FROM {schema}.record AS holder
               WHERE holder.id = NEW.parent AND holder.site <> coalesce(NEW.site, '')) THEN
        RAISE EXCEPTION 'a record belongs to the site of what holds it' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$
"""

# Who made a version and why can be blanked by a redaction, and never be made to say something else.
_BLANKED_ONLY = """
CREATE FUNCTION {schema}.stamp_is_blanked_only() RETURNS trigger
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp AS $$
BEGIN
    IF NEW."by" NOT IN (OLD."by", '[redacted]') OR NEW.reason NOT IN (OLD.reason, '[redacted]') THEN
        RAISE EXCEPTION 'who made a version and why can only be redacted' USING ERRCODE = '42501';
    END IF;
    RETURN NEW;
END $$
"""


def upgrade() -> None:
    """Make the tables; on PostgreSQL close all tables to all but their owner."""
    op.create_table(
        "access",
        sa.Column("account", sa.String(63), primary_key=True),
        sa.Column("role", sa.String(10), primary_key=True),
        sa.Column("site", sa.String(500), primary_key=True),
    )
    op.create_table(
        "shared_record",
        sa.Column("id", sa.String(100), primary_key=True),
        sa.Column("kind", sa.String(50), nullable=False),
        sa.Column("parent", sa.String(100), nullable=True),
        sa.Column("site", sa.Text, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    if op.get_bind().dialect.name == "postgresql":
        _close()


def _close() -> None:
    schema = op.get_bind().execute(sa.text("SELECT quote_ident(current_schema())")).scalar_one()
    for table in TABLES:
        op.execute(sa.text(f"REVOKE ALL ON {schema}.{table} FROM PUBLIC"))
        op.execute(sa.text(f"ALTER TABLE {schema}.{table} ENABLE ROW LEVEL SECURITY"))
        for column in _TEXTS.get(table, ()):
            op.execute(sa.text(f'ALTER TABLE {schema}.{table} ALTER COLUMN "{column}" SET STATISTICS 0'))
    for made, name, when in (
        (_FITS, "record_fits_holder", f"INSERT ON {schema}.record"),
        (_BLANKED_ONLY, "stamp_is_blanked_only", f"UPDATE ON {schema}.stamp"),
    ):
        op.get_bind().exec_driver_sql(made.format(schema=schema))
        op.execute(sa.text(f"REVOKE ALL ON FUNCTION {schema}.{name}() FROM PUBLIC"))
        op.execute(
            sa.text(f"CREATE TRIGGER {name} BEFORE {when} FOR EACH ROW EXECUTE FUNCTION {schema}.{name}()")
        )
