"""The wordings of the scale of progress from 0.5 to 5.0, which people set and nothing computes."""

from __future__ import annotations

import pandas as pd

from qi_equity import _validate

__all__ = ["progress_scale"]

_LIFE_QI = "blog.lifeqisystem.com/ihi-progress-scores"
_SQE = "view.pagetiger.com/QIIC, page 6"

# Meaning, and whether the source was read for it.
_SCALES: dict[str, tuple[str, dict[float, tuple[str, bool]]]] = {
    "life-qi": (
        _LIFE_QI,
        {
            0.5: ("intends to take part", True),
            1.0: ("charter and team are there", True),
            1.5: ("planning has begun", True),
            2.0: ("activity, but no changes", True),
            2.5: ("changes tested, no improvement yet", True),
            3.0: ("modest improvement: small-scale implementation, 20 % of expected results", True),
            3.5: ("improvement", True),
            4.0: ("significant improvement: implementation begun, half of the goals or more", True),
            4.5: ("sustainable improvement: key measures begin to show that it lasts", False),
            5.0: ("outstanding lasting results: all goals met, the organisation changed", True),
        },
    ),
    "sqe": (
        _SQE,
        {
            1.0: ("team is forming", True),
            2.0: ("changes planned but not yet tested", True),
            3.0: ("20 % of numeric goals met, or each measure 20 % of the way to its target", True),
            4.0: (
                "changes implemented for the target population; outcome measures improve and stay so",
                True,
            ),
        },
    ),
}


def progress_scale(version: str) -> pd.DataFrame:
    """Give one wording of the scale of progress of a project, from 0.5 to 5.0.

    The scale is set by people in a conversation, monthly, with a justification; it is never computed here.
    Two wordings circulate that differ in what a step asks, so a score is only readable with the version that
    it was set by (:attr:`Progress.scale_version`); networks are told to adapt the wording to themselves.

    Parameters
    ----------
    version : {"life-qi", "sqe"}
        "life-qi": as Life QI tells the scale of the Institute for Healthcare Improvement; "sqe": another
        wording, of which four steps are known.

    Returns
    -------
    pandas.DataFrame
        One row a step: ``score`` (higher is further), ``meaning`` (in our words; empty: not known),
        ``source``, ``confirmed`` (whether the source was read for it; the title of step 4.5 was not).

    Raises
    ------
    OptionError
        If there is no such version.

    Examples
    --------
    >>> from qi_equity.pdsa.checklists.progress import progress_scale
    >>> progress_scale("life-qi").set_index("score")["meaning"][2.5]
    'changes tested, no improvement yet'
    """
    source, known = _SCALES[_validate.one_of("version", version, list(_SCALES))]
    steps = [step / 2 for step in range(1, 11)]
    rows = [(step, *known.get(step, ("", False))) for step in steps]
    frame = pd.DataFrame(rows, columns=["score", "meaning", "confirmed"])
    frame.insert(2, "source", source)
    return frame.astype({"meaning": "str", "source": "str"})
