"""Keeping records: one SQLite file, or a PostgreSQL database for a network."""
