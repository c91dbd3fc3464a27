"""One ethnic code for each woman from several records that may disagree."""

from __future__ import annotations

import numbers
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from qi_equity import _validate
from qi_equity.data import periods
from qi_equity.data._scheme_file import MISSING
from qi_equity.data.bad_rows import BadRows, row_labels
from qi_equity.data.frames import as_array, open_frame, to_pandas
from qi_equity.data.scheme import Scheme
from qi_equity.errors import DataError, InputTypeError, OptionError

__all__ = ["resolve_ethnicity"]

METHODS = ("recency", "mode")
RESOLVED_BY = ("only code", "recency", "priority", "mode", "conflict", "tie", "no known code")
_NONE = -1


def resolve_ethnicity(
    records: Any,
    *,
    person: str,
    date: str,
    ethnicity: str,
    source: str | None = None,
    scheme: str | Path | Scheme = "nhs-2001",
    method: Literal["recency", "mode"] = "recency",
    priority: Sequence[str | float] | None = None,
    date_order: periods.DateOrder | None = None,
) -> pd.DataFrame:
    """Give each woman one ethnic code, and say how it was decided.

    A known code beats not stated, which beats not known, which beats missing. Among known codes that differ,
    ``"recency"`` takes that of the latest day; if there are several on that day, that of the source named
    first in ``priority``. ``"mode"`` takes the most frequent. Where that leaves several, she gets none:
    nothing is guessed. Recency suits codes that women stated themselves at booking; mode shows how much the
    choice matters.

    Parameters
    ----------
    records : frame
        One row a record; any frame that narwhals reads.
    person, date, ethnicity : str
        Columns: who, when, and the raw code.
    source : str, optional
        Column that names the source of each record; needs ``priority``.
    scheme : str, Path or Scheme
        The scheme of the codes.
    method : {"recency", "mode"}
        How codes that differ are resolved.
    priority : sequence of str or number, optional
        Sources as they stand in ``source``, the most trusted first; needs ``source`` and
        ``method="recency"``.
    date_order : {"day-first", "month-first"}, optional
        How dates as text such as ``03/04/2024`` are meant.

    Returns
    -------
    pandas.DataFrame
        One row a person, in order of ``person``, whatever the order of the records: ``person``; ``code``,
        without local characters, null if there is none (:func:`from_records` reads null as missing);
        ``label`` of the code; ``resolved_by``: "only code", "recency", "priority", "mode", "conflict"
        (several on the latest day: no code), "tie" (several equally frequent: no code), or "no known code";
        ``n_distinct_codes``, of known codes; ``n_records``.

    Raises
    ------
    OptionError
        If an argument is not allowed, ``source``, ``priority`` and ``method`` do not fit together, or the
        groups of the scheme overlap.
    ColumnError
        If a column is not there.
    DataError
        If codes, dates, persons or sources cannot be read; all such rows are in ``bad_rows``.

    References
    ----------
    .. [1] NHS Digital, GDPPR analytical code, Ethnic_Category (recency with source priority; modal category;
       no code where a rule does not decide).

    Examples
    --------
    >>> import pandas as pd
    >>> import qi_equity as qe
    >>> records = pd.DataFrame({
    ...     "woman": [1, 1, 1, 2, 2],
    ...     "seen": ["2023-05-01", "2023-05-01", "2024-02-10", "2023-07-03", "2024-01-15"],
    ...     "code": ["L", "L", "J", "Z", "99"],
    ... })
    >>> qe.resolve_ethnicity(records, person="woman", date="seen", ethnicity="code")[["code", "resolved_by"]]
      code    resolved_by
    0    J        recency
    1    Z  no known code
    """
    _validate.one_of("method", method, METHODS)
    ranked = _check_priority(source, priority, method)
    scheme = scheme if isinstance(scheme, Scheme) else Scheme.load(scheme)
    if scheme.overlapping:
        raise OptionError(
            f"scheme={scheme.id!r} is overlapping: a woman is counted in every group she names, so there is "
            "no one code to find; use a scheme whose groups do not overlap."
        )
    wanted = {"person": person, "date": date, "ethnicity": ethnicity} | ({"source": source} if source else {})
    table = to_pandas(open_frame(records, "records", wanted))
    if not len(table):
        raise DataError("records has no rows; give at least one record.")
    raw = {argument: as_array(table[argument]) for argument in wanted}
    days, date_problems = periods.read(raw["date"], "day", periods.check_date_order(date_order))
    codes = _read_codes(raw["ethnicity"], scheme)
    ranks = _read_ranks(raw.get("source"), ranked, len(codes))
    bad = BadRows(pd.DataFrame(raw), wanted, row_labels(records, len(codes)))
    _check_rows(raw, wanted, date_problems, codes, ranks, bad)
    people, persons = pd.factorize(raw["person"], sort=True)
    used = _best_known(people, codes, len(persons), len(scheme.known("detail")))
    rows = pd.DataFrame({"person": people, "code": codes, "day": days, "rank": ranks})[used]
    decisions = _decide(rows, len(persons), method)
    return _describe(decisions, persons, np.bincount(people, minlength=len(persons)), scheme)


def _check_priority(
    source: str | None, priority: Sequence[str | float] | None, method: str
) -> list[str | float]:
    """Return the sources in order; source and priority come together, and only with recency."""
    if priority is None and source is None:
        return []
    if priority is None or source is None:
        raise OptionError(
            f"source={source!r} and priority={priority!r} belong together; give the column that names the "
            "source, and its values, the most trusted first, or neither."
        )
    if method != "recency":
        raise OptionError(
            f"priority={priority!r} has no meaning with method={method!r}; leave it out or use 'recency'."
        )
    given: Any = priority
    ranked = [given] if isinstance(given, str) or not isinstance(given, Iterable) else list(given)
    wrong = [v for v in ranked if not isinstance(v, str | numbers.Real)]
    if wrong:
        raise InputTypeError(f"priority holds {wrong!r}; give sources as text or numbers, as in {source!r}.")
    twice = [v for i, v in enumerate(ranked) if v in ranked[:i]]
    if twice:
        raise OptionError(f"priority={ranked!r} names {twice[0]!r} twice; give each once.")
    return ranked


def _read_codes(raw: NDArray[Any], scheme: Scheme) -> NDArray[np.int64]:
    """Turn codes into places among the detailed groups, the unknown last; -1 for an invalid one."""
    labels = scheme.groups("detail")
    inverse, distinct = pd.factorize(raw, use_na_sentinel=False)
    place = {label: i for i, label in enumerate(labels)}
    read = [_NONE if label is None else place[label] for label in scheme.assign(list(distinct), "detail")]
    return np.array(read, dtype=np.int64)[inverse]


def _read_ranks(source: NDArray[Any] | None, ranked: list[str | float], n: int) -> NDArray[np.int64]:
    """Rank the sources, 0 the most trusted; -1 for one that is not ranked."""
    return np.zeros(n, dtype=np.int64) if source is None else pd.Index(ranked).get_indexer(pd.Index(source))


def _check_rows(
    raw: dict[str, NDArray[Any]],
    wanted: dict[str, str],
    date_problems: NDArray[np.object_],
    codes: NDArray[np.int64],
    ranks: NDArray[np.int64],
    bad: BadRows,
) -> None:
    """Raise with every row that cannot be used."""
    person = pd.Series(raw["person"]).astype(object)
    absent = person.isna() | person.map(lambda v: isinstance(v, str) and not v.strip())
    bad.add(absent.to_numpy(dtype=bool), "no person")
    bad.add(codes == _NONE, f"{wanted['ethnicity']} is not a code of the scheme")
    bad.add(ranks == _NONE, f"{wanted.get('source')} is not in priority")
    bad.add_each(date_problems, wanted["date"])
    bad.check(
        "the records of ethnicity",
        "Mend the rows, or leave them out and say so; a code that was not recorded is left blank.",
    )


def _best_known(
    people: NDArray[np.intp], codes: NDArray[np.int64], n: int, n_known: int
) -> NDArray[np.bool_]:
    """Mark the records that count: a person's known codes, or if there are none the best kind of unknown."""
    grade = np.maximum(codes - n_known + 1, 0)
    best = np.full(n, np.iinfo(np.int64).max)
    np.minimum.at(best, people, grade)
    counts: NDArray[np.bool_] = grade == best[people]
    return counts


def _decide(rows: pd.DataFrame, n: int, method: str) -> pd.DataFrame:
    """Give each person the code of the first rule that leaves only one: columns code, rule, distinct."""
    by_person = rows.groupby("person", observed=False, dropna=False)
    distinct = by_person["code"].nunique().reindex(range(n), fill_value=0)
    if method == "mode":
        times = rows.groupby(["person", "code"], observed=False, dropna=False)["code"].transform("size")
        rules = {
            "mode": times == times.groupby(rows["person"], observed=False, dropna=False).transform("max")
        }
        undecided = "tie"
    else:
        latest = rows["day"] == by_person["day"].transform("max")
        trusted = rows["rank"].astype("float64").where(latest, np.inf)
        first = trusted == trusted.groupby(rows["person"], observed=False, dropna=False).transform("min")
        rules = {"recency": latest, "priority": latest & first}
        undecided = "conflict"
    decided = pd.DataFrame({"code": _NONE, "rule": undecided}, index=pd.RangeIndex(n)).assign(
        distinct=distinct
    )
    for rule, left in reversed({"only code": pd.Series(True, index=rows.index), **rules}.items()):
        codes = rows[left].groupby("person", observed=False, dropna=False)["code"].agg(["min", "max"])
        one = codes.loc[codes["min"] == codes["max"], "min"]
        decided.loc[one.index, "code"], decided.loc[one.index, "rule"] = one, rule
    return decided


def _describe(
    decided: pd.DataFrame, persons: Any, n_records: NDArray[np.intp], scheme: Scheme
) -> pd.DataFrame:
    """Put codes, labels and rules into words."""
    labels = scheme.groups("detail")
    # A group without a code of its own is written by its label, which is read back as well; missing is blank.
    code_of = {label: code for code, label in reversed(scheme.codes.items())} | {MISSING: None}
    places = [code_of.get(label, label) for label in labels]
    number = decided["code"].to_numpy(dtype=np.int64)
    unknown = number >= len(scheme.known("detail"))
    return pd.DataFrame(
        {
            "person": persons,
            "code": pd.Categorical(
                np.array([*places, None], dtype=object)[number],
                categories=[c for c in places if c is not None],
            ),
            "label": pd.Categorical.from_codes(number, categories=pd.Index(labels)),
            "resolved_by": pd.Categorical(
                np.where(unknown, "no known code", decided["rule"]), categories=RESOLVED_BY
            ),
            "n_distinct_codes": np.where(unknown, 0, decided["distinct"]),
            "n_records": n_records,
        }
    )
