"""How the tables came to be: one module a step, run by Alembic when a store is opened."""
