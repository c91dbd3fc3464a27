"""Which regression a change is evaluated with: fixed before the data are looked at."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from qi_equity import _validate
from qi_equity.errors import InputTypeError, OptionError

__all__ = ["ChangeModel", "read_model"]

Trend = Literal["none", "own", "shared"]
TRENDS: tuple[Trend, ...] = ("none", "own", "shared")
PHASE_INS = ("drop", "ramp")


@dataclass(frozen=True, slots=True)
class ChangeModel:
    """Terms of the regression with which a change is evaluated; name it before the data are looked at.

    Every stratum has a level of its own and a step of its own at each change. Time is counted from the first
    change, so that the level is that at the change (counted from the start of the study it would be another
    quantity, a common error).

    Parameters
    ----------
    trend : {"none", "own", "shared"}
        A straight line (on the link scale) through the whole time: none; one of each stratum's own; or one
        for all strata, groups and sites, together.
    slope : bool
        Whether the trend may bend at each change, so that the change builds up or wears off.
    phase_in : {"drop", "ramp"}
        What is done with the first periods after the change, when ``evaluate_change(phase_in=...)`` names
        some: left out, or a step that grows in equal parts.

    Raises
    ------
    OptionError
        If a value is not allowed, or ``slope`` is asked for without a trend of each stratum's own.
    InputTypeError
        If ``slope`` is neither True nor False.

    References
    ----------
    .. [1] Wagner, Soumerai, Zhang, Ross-Degnan. Segmented regression analysis of interrupted time series
       studies in medication use research. J Clin Pharm Ther 2002;27:299-309.
    .. [2] Xiao, Augusto, Wagenaar. Reflection on modern methods: a common error in the segmented regression
       parameterization of interrupted time-series analyses. Int J Epidemiol 2021;50:1011-5.

    Examples
    --------
    >>> import qi_equity as qe
    >>> qe.ChangeModel(trend="own").name
    'level+trend'
    """

    trend: Trend = "none"
    slope: bool = False
    phase_in: Literal["drop", "ramp"] = "drop"

    def __post_init__(self) -> None:
        _validate.one_of("trend", self.trend, TRENDS)
        _validate.one_of("phase_in", self.phase_in, PHASE_INS)
        if not isinstance(self.slope, bool):
            raise InputTypeError(f"slope={self.slope!r} is not allowed; give True or False.")
        if self.slope and self.trend != "own":
            raise OptionError(
                f"slope=True with trend={self.trend!r} is not allowed: only a trend of each stratum's own "
                "can bend; use trend='own'."
            )

    @property
    def name(self) -> str:
        """The model in words that ``model=`` reads.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.ChangeModel(trend="own", slope=True).name
        'level+trend+slope'
        """
        trend = {"none": "", "own": "+trend", "shared": "+shared trend"}[self.trend]
        return "level" + trend + ("+slope" if self.slope else "")

    def to_dict(self) -> dict[str, Any]:
        """Give the model as a dictionary that JSON can hold.

        Returns
        -------
        dict
            ``trend, slope, phase_in``: the arguments.

        Examples
        --------
        >>> import qi_equity as qe
        >>> qe.ChangeModel(trend="shared").to_dict()
        {'trend': 'shared', 'slope': False, 'phase_in': 'drop'}
        """
        return {"trend": self.trend, "slope": self.slope, "phase_in": self.phase_in}


_NAMED = {
    model.name: model
    for model in (
        ChangeModel(),
        ChangeModel(trend="own"),
        ChangeModel(trend="shared"),
        ChangeModel(trend="own", slope=True),
    )
}


def read_model(model: object) -> ChangeModel:
    """Read the argument ``model`` of ``evaluate_change``."""
    if isinstance(model, ChangeModel):
        return model
    if not isinstance(model, str):
        raise InputTypeError(
            f"model={model!r} is of type {type(model).__name__}; give one of {list(_NAMED)} or a ChangeModel."
        )
    return _NAMED[_validate.one_of("model", model, tuple(_NAMED))]
