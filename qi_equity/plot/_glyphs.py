"""Texts of people as the fonts of a figure can write them: no letter that they lack reaches matplotlib."""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from matplotlib.font_manager import FontProperties, findfont, get_font

_BOX = "□"
_WEIGHTS = ("normal", "bold")


def drawable(text: str) -> str:
    """Put a text on one line, with a box for each letter that the fonts lack.

    Signs without a form of their own, such as those that control a terminal, are left out.
    """
    line = " ".join(text.split())
    known = _known(tuple(FontProperties().get_family()))
    if known.issuperset(map(ord, line)):
        return line
    return " ".join("".join(_form(letter, known) for letter in line).split())


def _form(letter: str, known: frozenset[int]) -> str:
    if ord(letter) in known:
        return letter
    shapeless = unicodedata.category(letter)[0] in "CM"
    return "" if shapeless else _BOX if ord(_BOX) in known else "?"


@lru_cache(maxsize=8)
def _known(families: tuple[str, ...]) -> frozenset[int]:
    """Give the letters that some font of the families has, in both weights that figures are written in."""
    of_weights = (
        frozenset[int]().union(
            *(get_font(findfont(FontProperties(family=[f], weight=w))).get_charmap() for f in families)
        )
        for w in _WEIGHTS
    )
    return frozenset.intersection(*of_weights)
