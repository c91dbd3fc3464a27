"""What records and tables of counts have in common on their way in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity._version import __version__
from qi_equity.data import dates
from qi_equity.data.bad_rows import BadRows
from qi_equity.data.dates import DateOrder
from qi_equity.data.measure import Measure
from qi_equity.data.scheme import Scheme
from qi_equity.errors import InputTypeError, OptionError

BY = "by "
# Names of columns that results have; a further stratum cannot have one of them.
_RESERVED = frozenset(
    [
        *("site", "group", "period", "numerator", "denominator", "unrecorded", "value", "sd", "status"),
        *("phase", "centre_line", "sigma", "lower", "upper", "lower_2s", "upper_2s", "baseline", "excluded"),
        *("kind", "arm"),
        *("special_cause", "improvement", "concern", "rule", "start", "end", "n_points", "side", "meaning"),
        *("n_useful", "longest_run", "longest_run_max", "crossings", "crossings_min", "n_signals"),
        *("runs_tests", "can_signal_low", "can_signal_high", "can_signal_improvement"),
        *("can_signal_deterioration", "false_signal_probability", "false_signal_error"),
        "expected_false_signals_all",
        *("variation", "variation_side", "variation_text", "assurance", "assurance_text"),
        *("births", "known", "not_stated", "not_known", "missing", "n_known", "n_not_stated", "n_not_known"),
        *("n_missing", "n_periods", "events", "unknown_events", "unknown_births"),
        *("rate_none", "rate_all", "lowest", "highest"),
        *("code", "severity", "text", "label", "reason", "problem"),
    ]
)


def check_measure(measure: object) -> Measure:
    """Return the measure, or say how to get one."""
    if not isinstance(measure, Measure):
        raise InputTypeError(
            f"measure={measure!r} is of type {type(measure).__name__}; give a Measure such as "
            "qe.measures['pph_1500']."
        )
    return measure


def roles(places: Mapping[str, str | None], by: str | Sequence[str]) -> dict[str, str]:
    """Give role to column for all columns that are named; further strata have the role ``by <name>``.

    Raises
    ------
    InputTypeError
        If a name is not text.
    OptionError
        If a further stratum has the name of a column of the results.
    """
    named = {role: column for role, column in places.items() if column is not None}
    wrong = {role: column for role, column in named.items() if not isinstance(column, str)}
    if wrong:
        role, column = next(iter(wrong.items()))
        raise InputTypeError(f"{role}={column!r} is not text; give the name of a column.")
    further = _validate.names("by", by)
    taken = [name for name in further if name in _RESERVED]
    if taken:
        raise OptionError(
            f"by={list(further)!r}: results have columns named {taken!r} already; rename yours."
        )
    return named | {f"{BY}{name}": name for name in further}


def read_as_of(as_of: str | date | None, date_order: DateOrder | None) -> pd.Timestamp | None:
    """Read the day on which the data were drawn.

    Raises
    ------
    OptionError
        If it is not a date that can be read in one way.
    """
    if as_of is None:
        return None
    read = dates.read([as_of], date_order)
    if read.levels[0] != "day":
        problem = read.problems[0] or f"names a {read.levels[0]}"
        raise OptionError(f"as_of={as_of!r}: {problem}. Give a day, such as '2024-03-31'.")
    return pd.Timestamp(read.stamps[0]).normalize()


def refuse_after(
    stamps: NDArray[np.datetime64], drawn: pd.Timestamp | None, column: str, bad: BadRows
) -> None:
    """Note the rows that are later than the day on which the data were drawn."""
    if drawn is not None:
        bad.add(stamps >= np.datetime64(drawn + pd.Timedelta(days=1)), f"{column} is after as_of")


def method_of(
    function: str,
    frame: object,
    columns: Mapping[str, str],
    every: str,
    scheme: Scheme | None,
    grouping: str | None,
    **details: Any,
) -> dict[str, Any]:
    """Record what was done, and the source that a pandas frame carries in ``attrs``."""
    attrs = getattr(frame, "attrs", None)
    source = attrs.get("source") if isinstance(attrs, Mapping) else None
    return {
        "made_by": function,
        "source": source if isinstance(source, str) else None,
        "library": f"qi_equity {__version__}",
        "columns": dict(columns),
        "every": every,
        "scheme": None if scheme is None else f"{scheme.id} ({scheme.version})",
        "grouping": grouping,
        **details,
    }
