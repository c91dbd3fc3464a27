"""The arithmetic under all charts: each published formula is one pure function on arrays, time last."""
