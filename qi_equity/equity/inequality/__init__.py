"""How unequal all groups are at once, beside what chance alone would give."""
