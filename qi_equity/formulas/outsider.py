"""What an outsider can work out: the whole numbers that published sums leave open."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from qi_equity import _validate
from qi_equity.errors import DataError, OptionError
from qi_equity.formulas._arrays import FloatArray, IntArray
from qi_equity.formulas._outsider_bounds import propagate, split
from qi_equity.formulas._outsider_search import Found, search

if TYPE_CHECKING:
    from scipy.sparse import csr_array

__all__ = ["Knowledge", "Left", "whole_numbers_left"]


@dataclass(frozen=True, slots=True, eq=False)
class Knowledge:
    r"""All that an outsider knows of V whole numbers :math:`z`.

    .. math:: l \le z \le u, \qquad s_l \le S z \le s_u, \qquad z_v \in A_v \text{ for some } v

    Parameters
    ----------
    lower, upper : ndarray of float, shape (V,)
        Least and greatest value of each number; infinite where there is none.
    sums : scipy.sparse.csr_array, shape (M, V)
        Coefficients of what is known together: ones for a published total, other numbers for a rate.
    sum_lower, sum_upper : ndarray of float, shape (M,)
        Least and greatest value of each row of ``sums @ z``; infinite where there is none.
    allowed : mapping of int to array of int, optional
        The only values that some of the numbers can have, by their position.

    Raises
    ------
    OptionError
        If the shapes do not fit together.

    Examples
    --------
    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> total = csr_array(np.ones((1, 2)))
    >>> known = Knowledge(np.array([1.0, 0]), np.array([7.0, 99]), total, np.array([9.0]), np.array([9.0]))
    >>> known.sums.shape
    (1, 2)
    """

    lower: FloatArray
    upper: FloatArray
    sums: csr_array
    sum_lower: FloatArray
    sum_upper: FloatArray
    allowed: Mapping[int, IntArray] = field(default_factory=dict)

    def __post_init__(self) -> None:
        size, rows = np.shape(self.lower), np.shape(self.sum_lower)
        shapes = {"upper": np.shape(self.upper), "sum_upper": np.shape(self.sum_upper)}
        if shapes != {"upper": size, "sum_upper": rows} or self.sums.shape != (*rows, *size):
            raise OptionError(
                f"The shapes do not fit together: lower {size}, upper {shapes['upper']}, sums "
                f"{self.sums.shape}, sum_lower {rows}, sum_upper {shapes['sum_upper']}; wanted are (V,), "
                "(V,), (M, V), (M,), (M,)."
            )


@dataclass(frozen=True, slots=True, eq=False)
class Left:
    """The whole numbers an outsider is left with for each of K sums of the unknown numbers.

    Parameters
    ----------
    lowest, highest : ndarray of float, shape (K,)
        Least and greatest possible whole number; infinite where there is none.
    values : tuple of K arrays of int
        Possible whole numbers that were found, in order.
    n_left : ndarray of int, shape (K,)
        How many were found.
    exact : ndarray of bool, shape (K,)
        Whether these are all; where not, there are at least so many.
    """

    lowest: FloatArray
    highest: FloatArray
    values: tuple[IntArray, ...]
    n_left: IntArray
    exact: np.ndarray[tuple[int], np.dtype[np.bool_]]


def whole_numbers_left(knowledge: Knowledge, cells: csr_array, *, enough: int, bounds: bool = True) -> Left:
    """Find the whole numbers that each cell can have, given all that is known together.

    Bounds are first carried from sum to sum until nothing changes; what is then settled or says nothing drops
    out, and the rest falls apart into blocks without common sums. In a block, solutions at random corners
    give possible values of all its cells at once. Where the sums form two nested families (a table with
    margins, nested groupings too), the matrix is totally unimodular, and every whole number between two
    possible ones is possible; elsewhere each further number is shown to be possible, or not, by integer
    programming (HiGHS). Nothing is assumed possible without a solution in whole numbers.

    Parameters
    ----------
    knowledge : Knowledge
        What is known of V numbers.
    cells : scipy.sparse.csr_array of whole numbers, shape (K, V)
        The sums of these numbers that are asked about; a row with a single 1 asks about one number.
    enough : int
        How many whole numbers are enough, >= 1: more need not be found.
    bounds : bool
        Whether lowest and highest are wanted even for cells with enough numbers; without them these are
        the lowest and highest of the numbers found, and the search is faster.

    Returns
    -------
    Left
        For every cell at least ``enough`` numbers, or all there are.

    Raises
    ------
    OptionError
        If the shapes do not fit or ``enough`` is below 1.
    DataError
        If no whole numbers fit all that is said to be known.

    References
    ----------
    .. [1] Willenborg and de Waal, Elements of Statistical Disclosure Control (Springer, 2001), chapter 6: the
       attacker's problem of tables with suppressed cells.
    .. [2] Schrijver, Theory of Linear and Integer Programming (Wiley, 1986), section 19.3: total
       unimodularity of the incidence matrix of two nested (laminar) families.

    Examples
    --------
    Of two numbers it is known that they make 9, and that the first is 1 to 7 and the second 5 or more:

    >>> import numpy as np
    >>> from scipy.sparse import csr_array
    >>> total, nine = csr_array(np.ones((1, 2))), np.array([9.0])
    >>> known = Knowledge(np.array([1.0, 5]), np.array([7.0, np.inf]), total, nine, nine)
    >>> left = whole_numbers_left(known, csr_array(np.eye(2)), enough=3)
    >>> left.lowest.tolist(), left.highest.tolist(), left.values[0].tolist()
    ([1.0, 5.0], [4.0, 8.0], [1, 2, 3, 4])
    """
    needed = _validate.whole_number("enough", enough, at_least=1)
    if cells.shape[1] != len(knowledge.lower):
        raise OptionError(
            f"cells has shape {cells.shape}; give one column for each of the {len(knowledge.lower)} numbers."
        )
    lower, upper = propagate(
        knowledge.lower, knowledge.upper, knowledge.sums, knowledge.sum_lower, knowledge.sum_upper,
        knowledge.allowed,
    )  # fmt: skip
    if (lower > upper).any():
        raise contradiction()
    fixed, blocks = split(knowledge, lower, upper, cells)
    found = [Found.single(int(v)) for v in fixed]
    for block in blocks:
        answers = search(block, needed, bounds)
        if answers is None:
            raise contradiction()
        for cell, answer in zip(block.cells, answers, strict=True):
            found[cell] = answer.moved(int(fixed[cell]))
    return Left(
        lowest=np.array([f.lowest for f in found], dtype=np.float64),
        highest=np.array([f.highest for f in found], dtype=np.float64),
        values=tuple(f.values for f in found),
        n_left=np.array([len(f.values) for f in found], dtype=np.int64),
        exact=np.array([f.exact for f in found], dtype=bool),
    )


def contradiction() -> DataError:
    """Say that nothing fits what is said to be known."""
    return DataError(
        "No whole numbers fit all that is said to be known: a sum, rate or rounding contradicts the others; "
        "check that they come from the same counts and that the rule is the one by which they were published."
    )
