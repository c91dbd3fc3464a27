"""Calls on the data: what a network looks at, month by month."""
