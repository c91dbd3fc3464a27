"""Array-likes in, arrays of one shape out: the only checks that formulas make."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from numpy.typing import ArrayLike, NDArray

from qi_equity.errors import InputTypeError, OptionError

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]
BoolArray = NDArray[np.bool_]


def floats(arguments: Mapping[str, ArrayLike]) -> tuple[FloatArray, ...]:
    """Return the arguments (name to value) as float arrays of one shape (..., T); never to be written into.

    Raises
    ------
    InputTypeError
        If one does not hold numbers.
    OptionError
        If the shapes do not fit together or there is no period.
    """
    arrays = [_float(name, value) for name, value in arguments.items()]
    shape = _shape(dict(zip(arguments, arrays, strict=True)))
    if shape[-1] == 0:
        raise OptionError(f"{', '.join(arguments)}: shape {shape} holds no period; give at least one.")
    return tuple(np.broadcast_to(a, shape) for a in arrays)


def mask(name: str, value: ArrayLike | None, shape: tuple[int, ...]) -> BoolArray:
    """Return a boolean array of ``shape``; all true where nothing is given.

    Raises
    ------
    InputTypeError
        If it does not hold booleans (positions are not a mask).
    OptionError
        If its shape does not fit.
    """
    array = np.asarray(True if value is None else value)
    if array.dtype != np.bool_:
        raise InputTypeError(f"{name} holds {array.dtype}; give booleans, True where a period belongs to it.")
    try:
        return np.broadcast_to(array, shape)
    except ValueError as error:
        raise OptionError(
            f"{name} has shape {array.shape}, which does not fit data of shape {shape}; give a flag a period."
        ) from error


def counts(name: str, value: ArrayLike) -> IntArray:
    """Return an array of whole numbers of 0 or more.

    Raises
    ------
    InputTypeError
        If it holds anything else.
    """
    array = np.asarray(value)
    if array.dtype.kind not in "iu" or (array.size and array.min() < 0):
        raise InputTypeError(
            f"{name}={value!r} does not hold whole numbers of 0 or more; give counts of points."
        )
    return array.astype(np.int64)


def _holds_text(value: ArrayLike) -> bool:
    """Say whether a value holds text, which numpy would read as the number that is written."""
    array = np.asarray(value)
    objects = array.ravel().tolist() if array.dtype.kind == "O" else []
    return array.dtype.kind in "SU" or any(isinstance(one, str | bytes) for one in objects)


def _float(name: str, value: ArrayLike) -> FloatArray:
    try:
        if _holds_text(value):
            raise TypeError(f"{name} holds text")
        return np.atleast_1d(np.asarray(value, dtype=np.float64))
    except (TypeError, ValueError) as error:
        raise InputTypeError(
            f"{name} of type {type(value).__name__} cannot be read as numbers; give an array of shape "
            "(..., T), with NaN where nothing was observed."
        ) from error


def _shape(arrays: Mapping[str, FloatArray]) -> tuple[int, ...]:
    try:
        return np.broadcast_shapes(*(a.shape for a in arrays.values()))
    except ValueError as error:
        shapes = ", ".join(f"{name} {a.shape}" for name, a in arrays.items())
        raise OptionError(
            f"The shapes do not fit together: {shapes}; give arrays of one shape (..., T), time last."
        ) from error
