"""Tables of the placebos: one row a stratum and kind, and one row a stratum and fake date."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from qi_equity.change.estimate import Effects
from qi_equity.change.model import ChangeModel
from qi_equity.change.sensitivity import space
from qi_equity.change.sensitivity.models import change_of
from qi_equity.change.sensitivity.placebo import (
    FakeDates,
    Windows,
    fake_dates,
    placebo_models,
    size_of,
    told_apart,
    windows_of,
)
from qi_equity.change.study import Study
from qi_equity.data.cells import Bools, Floats
from qi_equity.spc.words import plural

__all__ = ["DATE_COLUMNS", "PLACEBO_COLUMNS", "placebo_tables"]

PLACEBO_COLUMNS = {
    "kind": "str",
    "analysis": "str",
    "before": "int64",
    "after": "int64",
    "fakes": "int64",
    "as_large": "int64",
    "share": "float64",
    "told_apart": "int64",
    "p": "float64",
    "smallest_p": "float64",
    "text": "str",
}
DATE_COLUMNS = {
    "analysis": "str",
    "at": "datetime64[us]",
    "ratio": "float64",
    "ratio_lower": "float64",
    "ratio_upper": "float64",
    "told_apart": "bool",
    "as_large": "bool",
}

_NONE_IN_TIME = "Too few periods before the change for a fake date."
_IN_TIME = "At {} of {} before the change it looks as large; {} would be called a change."
_NOT_KNOWN = "At {} before the change; how large the change looks in such windows is not known."
_NO_SITES = "No other site with this group has a change that can be set beside it."
_UNTOUCHED = (
    "Of {} without the change at that time, {} as large; the smallest p that this can give is {:.2g}."
)
_OTHERS = (
    "All sites had the change: set beside {}, of which {} as far from the rest. This says whether a site "
    "stands out, not whether the change did anything. The smallest p that this can give is {:.2g}."
)


def placebo_tables(
    study: Study, model: ChangeModel, harmonics: int, confidence: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Run the placebos in time, and in space where there are several sites.

    Returns
    -------
    placebo, dates : pandas.DataFrame
        Strata (text) with the columns of ``PLACEBO_COLUMNS``, and of ``DATE_COLUMNS``.
    """
    windows = windows_of(study)
    rows, dates = [], []
    for name, other, number in placebo_models(study, model, harmonics):
        found = fake_dates(study, windows, other, number, confidence)
        usable = _usable(study, found.effects, other, number) & (found.at >= 0)
        of_real = np.where(_usable(study, found.real, other, number), _size(study, found.real), np.nan)[0]
        large = usable & (_size(study, found.effects) >= of_real)
        apart = usable & told_apart(found.effects, means=study.family == "gaussian")
        rows.append(_in_time(study, name, windows, usable, large, apart, of_real))
        dates.append(_dates(study, name, found, usable, large, apart))
    if "site" in study.strata and len(study.series.sites) > 1:
        rows.append(_in_space(study, windows, model, harmonics, confidence))
    placebo = pd.concat(rows, ignore_index=True)
    order = np.argsort(placebo.pop("_row").to_numpy(), kind="stable")
    return placebo.iloc[order].reset_index(drop=True), pd.concat(dates, ignore_index=True)


def _size(study: Study, effects: Effects) -> Floats:
    return size_of(effects, means=study.family == "gaussian")


def _usable(study: Study, effects: Effects, model: ChangeModel, harmonics: int) -> Bools:
    """Tell which changes have a size; a trend or season for which there are too few events has none."""
    plain = model.trend == "none" and not harmonics
    return np.asarray(~np.isnan(_size(study, effects)) & (plain | ~effects.exact[..., 0]))


def _frame(study: Study, columns: dict[str, Any]) -> pd.DataFrame:
    frame = study.strata.astype("str").reset_index(drop=True)
    frame = frame.assign(**columns).astype({n: t for n, t in PLACEBO_COLUMNS.items() if n in columns})
    return frame.assign(_row=np.arange(len(frame)))


def _in_time(
    study: Study, name: str, windows: Windows, usable: Bools, large: Bools, apart: Bools, real: Floats
) -> pd.DataFrame:
    fakes, as_large, told = (a.sum(axis=0) for a in (usable, large, apart))
    known = ~np.isnan(real)
    share = np.where(known & (fakes > 0), as_large / np.maximum(fakes, 1), np.nan)
    texts = []
    for count, many, called, sure in zip(fakes, as_large, told, known, strict=True):
        dates = plural(int(count), "fake date")
        text = _IN_TIME.format(many, dates, called) if sure else _NOT_KNOWN.format(dates)
        texts.append(text if count else _NONE_IN_TIME)
    nothing = np.full(len(fakes), np.nan)
    return _frame(study, {
        "kind": "time", "analysis": name, "before": windows.before, "after": windows.after, "fakes": fakes,
        "as_large": as_large, "share": share, "told_apart": told, "p": nothing, "smallest_p": nothing,
        "text": texts,
    })  # fmt: skip


def _dates(
    study: Study, name: str, found: FakeDates, usable: Bools, large: Bools, apart: Bools
) -> pd.DataFrame:
    stratum, step = np.nonzero(usable.T)
    frame = study.strata.astype("str").iloc[stratum].reset_index(drop=True)
    ratio = found.effects.ratio
    return frame.assign(
        analysis=name,
        at=study.series.cells.periods[found.at[step, stratum]],
        ratio=ratio.estimate[step, stratum, 0],
        ratio_lower=ratio.lower[step, stratum, 0],
        ratio_upper=ratio.upper[step, stratum, 0],
        told_apart=apart[step, stratum],
        as_large=large[step, stratum],
    ).astype(DATE_COLUMNS)


def _in_space(
    study: Study, windows: Windows, model: ChangeModel, harmonics: int, confidence: float
) -> pd.DataFrame:
    """Set each site beside those without the change at that time; where there are none, beside all others."""
    free = space.beside_untouched(study, windows, model, harmonics, confidence)
    all_had_it = free.others.max(initial=0) == 0
    if all_had_it:
        own = change_of(study, study.schedule, model, harmonics, confidence)
        free = space.beside_others(study, own, confidence)
    said, who = (_OTHERS, "other site") if all_had_it else (_UNTOUCHED, "site")
    texts = [
        said.format(
            plural(int(n), who),
            "1 looks" if k == 1 and not all_had_it else f"{k} lie" if all_had_it else f"{k} look",
            p,
        )
        if n
        else _NO_SITES
        for n, k, p in zip(free.others, free.as_large, free.smallest_p, strict=True)
    ]
    share = np.where(free.others > 0, free.as_large / np.maximum(free.others, 1), np.nan)
    return _frame(study, {
        "kind": "space", "analysis": "as evaluated", "before": free.windows.before,
        "after": free.windows.after, "fakes": free.others, "as_large": free.as_large, "share": share,
        "told_apart": np.zeros(len(share), dtype=np.int64), "p": free.p, "smallest_p": free.smallest_p,
        "text": texts,
    })  # fmt: skip
