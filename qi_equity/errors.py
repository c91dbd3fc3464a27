"""The error tree: every mistake in a call or in data ends in a :class:`QiEquityError`."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ColumnError", "DataError", "InputTypeError", "OptionError", "QiEquityError"]


class QiEquityError(Exception):
    """Base of all errors this library raises on purpose.

    Examples
    --------
    >>> import qi_equity as qe
    >>> issubclass(qe.DataError, qe.QiEquityError)
    True
    """


class OptionError(QiEquityError, ValueError):
    """An argument has a value that is not allowed; the message names both and says what is allowed.

    Examples
    --------
    >>> import qi_equity as qe
    >>> issubclass(qe.OptionError, ValueError)
    True
    """


class InputTypeError(QiEquityError, TypeError):
    """An argument is of a kind that cannot be used at all.

    Examples
    --------
    >>> import qi_equity as qe
    >>> issubclass(qe.InputTypeError, TypeError)
    True
    """


class ColumnError(QiEquityError, ValueError):
    """A column that was named is not in the frame; the message offers the nearest names.

    Examples
    --------
    >>> import qi_equity as qe
    >>> issubclass(qe.ColumnError, ValueError)
    True
    """


class DataError(QiEquityError, ValueError):
    """Rows of the data cannot be used.

    Parameters
    ----------
    message : str
        What is wrong, with the first bad rows.
    bad_rows : pandas.DataFrame, optional
        Every bad row, with a column ``problem``.

    Attributes
    ----------
    bad_rows : pandas.DataFrame or None
        Every bad row, so that all can be mended at once.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.DataError("no rows").bad_rows is None
    True
    """

    def __init__(self, message: str, bad_rows: pd.DataFrame | None = None) -> None:
        super().__init__(message)
        self.bad_rows = bad_rows
