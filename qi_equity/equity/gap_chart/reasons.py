"""Did the gap narrow or widen, and by whose movement: plain words, used only where the data show it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]
Words = npt.NDArray[np.object_]

NOT_VISIBLE, NOT_KNOWN = "not yet visible", "not known"
NARROWED, WIDENED, REVERSED = "narrowed", "widened", "reversed"


@dataclass(frozen=True, slots=True, eq=False)
class Moved:
    """A gap before and after, 0 being none (ratios as logarithms), and its change where visible, else 0.

    A change is visible where its interval excludes none; NaN where nothing is known.
    """

    before: FloatArray
    after: FloatArray
    visible: FloatArray

    @property
    def nearer(self) -> FloatArray:
        """1 where the estimates came nearer to none, -1 where they went further from it, else 0."""
        with np.errstate(invalid="ignore"):
            return np.asarray(np.sign(np.abs(self.before) - np.abs(self.after)))

    @property
    def crossed(self) -> npt.NDArray[np.bool_]:
        """Whether the other side fares worse now."""
        with np.errstate(invalid="ignore"):
            return np.asarray(self.before * self.after < 0)


def reasons(gap: Moved, group: FloatArray, reference: FloatArray, *, directed: bool) -> Words:
    """Say how a gap moved and, where their own changes are visible, by whose movement.

    Parameters
    ----------
    gap : Moved
        The gap, more being worse for the group.
    group, reference : ndarray of float
        Visible change of each side's rate: 1 worse, -1 better, 0 not visible; NaN where not known.
    directed : bool
        Whether one direction is better; else sides rise and fall.

    Returns
    -------
    ndarray of str
        "narrowed" or "widened", alone or with the movement, such as "narrowed because the reference
        worsened"; "reversed"; "not yet visible"; "not known"; empty for a first phase.
    """
    words = np.full(gap.after.shape, NOT_VISIBLE, dtype=object)
    shown = np.isfinite(gap.visible) & (gap.visible != 0)
    narrowed = shown & (gap.nearer > 0)
    widened = shown & (gap.nearer < 0)
    words[shown & (gap.nearer == 0)] = REVERSED
    words[widened] = WIDENED
    words[narrowed] = NARROWED
    worse, better = ("worsened", "improved") if directed else ("rose", "fell")
    behind = np.where(gap.before >= 0, group, reference)
    ahead = np.where(gap.before >= 0, reference, group)
    names = np.where(gap.before >= 0, "reference", "group")
    others = np.where(gap.before >= 0, "group", "reference")
    cases = (
        (narrowed & (ahead > 0) & (behind > 0), f"narrowed while both {worse}"),
        (narrowed & (ahead < 0) & (behind < 0), f"narrowed while both {better}"),
        (widened & (ahead > 0) & (behind > 0), f"widened while both {worse}"),
        (widened & (ahead < 0) & (behind < 0), f"widened while both {better}"),
    )
    for where, text in cases:
        words[where] = text
    for verb, moving, at_rest, who, where in (
        (worse, ahead > 0, behind == 0, names, narrowed),
        (better, behind < 0, ahead == 0, others, narrowed),
        (better, ahead < 0, behind == 0, names, widened),
        (worse, behind > 0, ahead == 0, others, widened),
    ):
        _because(words, where & moving & at_rest, who, verb)
    _both(words, narrowed & (ahead > 0) & (behind < 0), others, names, (better, worse))
    _both(words, widened & (ahead < 0) & (behind > 0), others, names, (worse, better))
    crossed = widened & gap.crossed
    words[crossed] = REVERSED
    words[~np.isfinite(gap.visible)] = NOT_KNOWN
    words[:, 0] = ""
    return words


def _because(words: Words, where: npt.NDArray[np.bool_], who: npt.NDArray[np.str_], verb: str) -> None:
    for name in ("group", "reference"):
        found = where & (who == name)
        words[found] = words[found] + f" because the {name} {verb}"


def _both(
    words: Words,
    where: npt.NDArray[np.bool_],
    first: npt.NDArray[np.str_],
    second: npt.NDArray[np.str_],
    verbs: tuple[str, str],
) -> None:
    for one, other in (("group", "reference"), ("reference", "group")):
        found = where & (first == one) & (second == other)
        words[found] = words[found] + f": the {one} {verbs[0]} and the {other} {verbs[1]}"


def message(difference: Moved, ratio: Moved, *, difference_moved: Words, ratio_moved: Words) -> Words:
    """Say where the two scales point opposite ways; empty where they agree.

    By the estimates; whether either change is visible is said with it. Where the other side fares worse now,
    both scales say just that, whatever their sizes.
    """
    opposite = (difference.nearer * ratio.nearer < 0) & ~difference.crossed
    out = np.full(opposite.shape, "", dtype=object)
    for sign, absolute, relative in ((1, "smaller", "larger"), (-1, "larger", "smaller")):
        where = opposite & (difference.nearer == sign)
        hidden = where & (difference_moved == NOT_VISIBLE) & (ratio_moved == NOT_VISIBLE)
        text = f"The two scales point opposite ways: the difference became {absolute}, the ratio {relative}"
        out[where] = f"{text}; give both."
        out[hidden] = f"{text}, by estimates whose change is not yet visible; give both."
    return out
