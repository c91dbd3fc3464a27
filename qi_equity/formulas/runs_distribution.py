"""Exact distributions of runs about a centre line: crossings with longest run, and the number of runs."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import ArrayLike

from qi_equity._validate import number, whole_number
from qi_equity.errors import OptionError
from qi_equity.formulas._arrays import FloatArray, IntArray, counts

__all__ = ["joint_distribution", "perla_limits", "runs_count_limits"]

_BLOCK = 32

# Fewest and most runs for 10 to 40 useful points.
_PERLA = (
    (3, 9), (3, 10), (3, 11), (4, 11), (4, 12), (5, 12), (5, 13), (5, 13), (6, 14), (6, 15), (6, 16),
    (7, 16), (7, 17), (7, 17), (8, 18), (8, 18), (9, 19), (9, 20), (10, 20), (10, 21), (11, 22),
    (11, 22), (11, 23), (11, 24), (12, 24), (12, 25), (13, 25), (13, 26), (14, 26), (14, 27), (15, 27),
)  # fmt: skip


def joint_distribution(n_useful: int, longest: ArrayLike, chance: float = 0.5) -> FloatArray:
    r"""Joint distribution of crossings and longest run in a series of independent points.

    .. math:: P(C = c, L \le l), \qquad c = 0, \ldots, n - 1

    By a recursion over points in which only the starts of runs are kept.

    Parameters
    ----------
    n_useful : int
        Points not on the centre line and not missing, >= 1.
    longest : array_like of int, shape (M,)
        Lengths l, >= 0.
    chance : float
        Chance that a point lies above the centre line, in [0, 1]; 1/2 if nothing has changed.

    Returns
    -------
    numpy.ndarray of float, shape (n_useful, M)
        Probabilities in [0, 1], one row for each number of crossings.

    Raises
    ------
    InputTypeError
        If ``n_useful`` or ``longest`` does not hold whole numbers, or ``chance`` is not a number.
    OptionError
        If one of them is out of range.

    References
    ----------
    .. [1] Wentzel-Larsen, Anhøj, Joint distribution for number of crossings and longest run in independent
       Bernoulli observations. The R package crossrun. PLoS One 2019;14:e0223233.

    Examples
    --------
    >>> (joint_distribution(4, [2, 4]) * 2**4).astype(int).tolist()
    [[0, 2], [2, 6], [6, 6], [2, 2]]
    """
    n = whole_number("n_useful", n_useful, at_least=1)
    lengths = np.minimum(np.atleast_1d(counts("longest", longest)), n)
    p = number("chance", chance, at_least=0, at_most=1)
    if lengths.ndim > 1:
        raise OptionError(f"longest has shape {lengths.shape}; give a list of lengths.")
    blocks = [_joint(n, lengths[i : i + _BLOCK], p) for i in range(0, len(lengths), _BLOCK)]
    return np.concatenate([np.empty((n, 0)), *blocks], axis=1)


def runs_count_limits(above: ArrayLike, below: ArrayLike, *, tail: float = 0.05) -> tuple[IntArray, IntArray]:
    r"""Fewest and most runs about the centre line to be expected, given the points on each side of it.

    .. math:: \max\{r : P(R \le r) \le \alpha\}, \qquad \min\{r : P(R \ge r) \le \alpha\}

    Given the number of points above and below, every order is as likely as any other; no fair coin is
    assumed. A chart signals when it has fewer runs than the first or more than the second, as Provost and
    Murray read their table; each tail of that is smaller than ``tail``.

    Parameters
    ----------
    above, below : array_like of int, of shapes that fit together
        Useful points on each side of the centre line, >= 0.
    tail : float
        Probability of each tail, in (0, 0.5).

    Returns
    -------
    fewest, most : numpy.ndarray of int
        Number of runs. Where no number is rare enough, 0 and ``above + below``, so that nothing signals.

    Raises
    ------
    InputTypeError
        If ``above`` or ``below`` does not hold whole numbers of 0 or more, or ``tail`` is not a number.
    OptionError
        If shapes do not fit together or ``tail`` is out of range.

    References
    ----------
    .. [1] Swed, Eisenhart, Tables for testing randomness of grouping in a sequence of alternatives. Ann Math
       Statist 1943;14:66-87.
    .. [2] Provost, Murray, The Health Care Data Guide, 2011, for the rule; the text was not seen.

    Examples
    --------
    >>> fewest, most = runs_count_limits([5, 12], [5, 12])
    >>> fewest.tolist(), most.tolist()
    ([3, 8], [9, 18])
    """
    alpha = number("tail", tail, above=0, below=0.5)
    pairs = counts("above", above), counts("below", below)
    try:
        over, under = np.broadcast_arrays(*pairs)
    except ValueError as error:
        raise OptionError(
            f"above has shape {pairs[0].shape} and below {pairs[1].shape}, which do not fit together; give "
            "arrays of one shape."
        ) from error
    step = int(under.max(initial=0)) + 1
    different, back = np.unique(over * step + under, return_inverse=True)
    limits = [_runs_limits(pair // step, pair % step, alpha) for pair in different.tolist()]
    table = np.array(limits, dtype=np.int64).reshape(-1, 2)[back.reshape(over.shape)]
    return table[..., 0], table[..., 1]


def perla_limits(n_useful: ArrayLike) -> tuple[IntArray, IntArray]:
    """Fewest and most runs by the table of Perla, Provost and Murray.

    Not confirmed: only a transcription by others was seen. Its rows for an even number of points agree with
    :func:`runs_count_limits` for as many points above as below, but for 30 points (22 for 21); those for an
    odd number follow no one exact rule.

    Parameters
    ----------
    n_useful : array_like of int, any shape
        Points not on the centre line and not missing, >= 0.

    Returns
    -------
    fewest, most : numpy.ndarray of int, shape of ``n_useful``
        Number of runs; a chart signals when it has fewer or more. Outside of 10 to 40 points, where there is
        no table, 0 and ``n_useful``, so that nothing signals.

    Raises
    ------
    InputTypeError
        If ``n_useful`` does not hold whole numbers of 0 or more.

    References
    ----------
    .. [1] Perla, Provost, Murray, The run chart: a simple analytical tool for learning from variation in
       healthcare processes. BMJ Qual Saf 2011;20:46-51.

    Examples
    --------
    >>> fewest, most = perla_limits([24, 41])
    >>> fewest.tolist(), most.tolist()
    ([8, 0], [18, 41])
    """
    n = counts("n_useful", n_useful)
    table = np.array(_PERLA, dtype=np.int64)
    listed = (n >= 10) & (n < 10 + len(table))
    row = np.where(listed, n - 10, 0)
    return np.where(listed, table[row, 0], 0), np.where(listed, table[row, 1], n)


def _joint(n: int, longest: IntArray, chance: float) -> FloatArray:
    """Follow, for each length and side, the unfinished runs and (in a ring) the runs that began lately."""
    sides = np.array([chance, 1 - chance])[:, np.newaxis]
    too_long = sides ** (longest[:, np.newaxis, np.newaxis] + 1)
    ring = int(longest.max()) + 2
    began = np.zeros((ring, len(longest), 2, n))
    began[0, :, :, 0] = 1
    going = np.zeros(began.shape[1:])
    which = np.arange(len(longest))
    for t in range(1, n + 1):
        going = (going + began[(t - 1) % ring]) * sides
        old = np.flatnonzero(longest < t)
        going[old] -= began[(t - 1 - longest[old]) % ring, which[old]] * too_long[old]
        began[t % ring, :, :, 0] = 0
        began[t % ring, :, :, 1:] = going[:, ::-1, :-1]
    return np.asarray(np.clip(going.sum(axis=1), 0, 1).T)


def _runs_limits(above: int, below: int, tail: float) -> tuple[int, int]:
    """Add up numbers of orders as whole numbers, so that a tail of exactly ``tail`` is one."""
    orders = _orders(above, below)
    total = sum(orders)
    fewest, most, low, high = 0, above + below, 0, 0
    for runs in range(len(orders)):
        low += orders[runs]
        if low and low / total <= tail:
            fewest = runs
    for runs in range(len(orders) - 1, -1, -1):
        high += orders[runs]
        if high and high / total <= tail:
            most = runs
    return fewest, most


def _orders(above: int, below: int) -> list[int]:
    """Count the orders of the points that make 0, 1, 2, ... runs."""
    if not above or not below:
        return [0, 1]
    orders = [0, 0]
    for runs in range(2, above + below + 1):
        half = runs // 2
        many, few = math.comb(above - 1, half - 1), math.comb(below - 1, half - 1)
        if runs % 2 == 0:
            orders.append(2 * many * few)
        else:
            orders.append(many * math.comb(below - 1, half) + math.comb(above - 1, half) * few)
    return orders
