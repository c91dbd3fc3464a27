"""Figures of results, drawn with matplotlib's objects and never with pyplot."""
