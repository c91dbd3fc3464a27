"""Bring a network's change ideas together with what was seen after them, over its sites."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pandas as pd

from qi_equity import _validate
from qi_equity.change.pooling.compute import METHODS
from qi_equity.change.pooling.two_stage import TESTS
from qi_equity.change.result import ChangeEvaluation
from qi_equity.data.regroup import ALL_GROUPS
from qi_equity.data.table import library
from qi_equity.errors import InputTypeError, OptionError
from qi_equity.pdsa.change_package import notes, tables
from qi_equity.pdsa.change_package.effects import pool_idea
from qi_equity.pdsa.change_package.facts import Case, cases, group_facts, idea_facts
from qi_equity.pdsa.change_package.judged import EXPLAINED, judge
from qi_equity.pdsa.change_package.ladder import LADDER
from qi_equity.pdsa.change_package.result import BestPractice
from qi_equity.pdsa.records.network import Network

__all__ = ["best_practice", "packaged"]


def best_practice(
    network: Network,
    evaluations: Mapping[str, ChangeEvaluation],
    *,
    method: str = "reml",
    interval: str = "knapp-hartung-modified",
) -> BestPractice:
    """Give the change package: what was tried, how strong the evidence is, for whom, and for whom not yet.

    Effects are pooled over sites, by group and over the groups together; the series behind an evaluation
    gives both. That of an idea stands only among all comparisons of the list, so that a list of many ideas
    does not call one an effect by chance.

    Parameters
    ----------
    network : Network
        The records.
    evaluations : mapping of str to ChangeEvaluation
        For each idea that was evaluated, by its network-wide code, what :func:`evaluate_change` returned of a
        series by site and group, with ``at=network.phases(measure, idea=code)``. One measure an idea. Ideas
        without one stay on the list.
    method, interval : str
        How sites are pooled, as for :func:`pool_sites`.

    Returns
    -------
    BestPractice
        ``ideas``, ``groups``, ``notes``, ``method``, ``to_markdown()``, ``to_csv()``, ``disclose()``.

    Raises
    ------
    InputTypeError
        If an argument is not of its type.
    OptionError
        If an evaluation is of a code that no site has, has no sites or further strata, or if evaluations
        differ in their confidence.

    Notes
    -----
    The ladder, weakest first. "idea": nothing was carried out. "tested at one site": a cycle was carried out,
    at one site or more, or a change was evaluated. "replicated": two sites or more were evaluated, and all go
    in the better direction. "pooled effect": over two sites or more, the effect overall or in a group is in
    the better direction and stands among all comparisons. "gap-narrowing shown": besides, a gap narrowed, not
    because those who fared better fared worse, and none widened. An effect over all groups together must also
    stand with the mix of groups held as it was before. Where the outcome of all together worsened,
    an idea stays at "tested at one site".

    References
    ----------
    .. [1] Holm. A simple sequentially rejective multiple test procedure. Scand J Stat 1979;6:65-70.
    .. [2] Taylor et al. Systematic review of the application of the plan-do-study-act method to improve
       quality in healthcare. BMJ Qual Saf 2014;23:290-298.

    Examples
    --------
    >>> import pandas as pd, qi_equity as qe
    >>> from qi_equity import pdsa
    >>> from qi_equity.pdsa.change_package.package import best_practice
    >>> def site(name):
    ...     plan = pdsa.Plan(objective="Weigh", predictions=[pdsa.Prediction(text="Fewer", group="Black")])
    ...     cycle = pdsa.Cycle(name="Cycle 3", idea=f"{name}-w", purpose="implement", plan=plan,
    ...                        do=pdsa.Do(start="2024-01-01", as_planned=True))
    ...     idea = pdsa.ChangeIdea(id=f"{name}-w", code="weigh", name="Weigh all blood loss")
    ...     use = pdsa.MeasureUse(measure="pph_1500", role="outcome")
    ...     return pdsa.Site(name=name, projects=[pdsa.Project(
    ...         name="Bleeding", site=name, ideas=[idea], measures=[use], cycles=[cycle])])
    >>> network = pdsa.Network(name="A network", sites=[site(name) for name in "ABCDE"])
    >>> rows = [(f"{2023 + m // 12}-{m % 12 + 1:02d}", s, g, x - 3 * (m > 11) * (g == "Black"), n)
    ...         for m in range(24) for s in "ABCDE" for g, x, n in (("Black", 6, 60), ("White", 9, 300))]
    >>> frame = pd.DataFrame(rows, columns=["month", "site", "group", "pph", "births"])
    >>> series = qe.from_counts(frame, qe.measures["pph_1500"], period="month", numerator="pph",
    ...                         denominator="births", group="group", site="site")
    >>> at = network.phases("pph_1500", idea="weigh")
    >>> package = best_practice(network, {"weigh": qe.evaluate_change(series, at, reference="White")})
    >>> package.ideas.loc[0, ["code", "strength", "improved_in", "not_tested_for"]].tolist()
    ['weigh', 'gap-narrowing shown', 'Black', '']
    """
    if not isinstance(network, Network):
        raise InputTypeError(f"network is of type {type(network).__name__}; give a Network.")
    options = {
        "method": _validate.one_of("method", method, METHODS),
        "interval": str(_validate.one_of("interval", interval, TESTS)),
    }
    found = cases(network)
    given = _check(evaluations, found)
    groups, unknown = _groups_of(found, given)
    facts, reach = idea_facts(found.values()), group_facts(found.values(), groups, unknown)
    said = notes.of_records(network, found, given)
    return packaged(given, options, facts, reach, said)


def packaged(
    evaluations: Mapping[str, ChangeEvaluation],
    options: Mapping[str, str],
    facts: pd.DataFrame,
    reach: pd.DataFrame,
    said: pd.DataFrame,
    disclosed: str = "",
) -> BestPractice:
    """Make the package from what the records say, as it may be told, and the evaluations."""
    level = 1 - _confidence(evaluations)
    pooled = {
        code: pool_idea(eva, options["method"], options["interval"]) for code, eva in evaluations.items()
    }
    judged = judge(pooled, level, set(reach.loc[~reach["known"], "group"]))
    groups = tables.group_table(reach, pooled, judged)
    ideas = tables.idea_table(facts, reach, groups, pooled, judged)
    return BestPractice(
        evaluations=evaluations,
        options=options,
        method=_method(pooled, options, level, disclosed),
        _facts=facts,
        _reach=reach,
        _said=said,
        _ideas=ideas,
        _groups=groups,
        _notes=notes.notes_of(ideas, groups, pooled, judged, said, disclosed),
    )


def _check(evaluations: Any, found: Mapping[str, Case]) -> dict[str, ChangeEvaluation]:
    """Check the evaluations, and put them in the order of the records."""
    if not isinstance(evaluations, Mapping):
        raise InputTypeError(
            f"evaluations is of type {type(evaluations).__name__}; give a mapping of codes of "
            "change ideas to what evaluate_change() returned."
        )
    wrong = [c for c, e in evaluations.items() if not isinstance(e, ChangeEvaluation)]
    if wrong:
        raise InputTypeError(
            f"evaluations[{wrong[0]!r}] is of type {type(evaluations[wrong[0]]).__name__}; give what "
            "evaluate_change() returned."
        )
    strangers = [code for code in evaluations if code not in found]
    if strangers:
        raise OptionError(
            f"evaluations has {', '.join(map(repr, strangers))}, which no site has as a change idea; give "
            f"codes of the network: {', '.join(map(repr, found)) or 'it has no change idea'}."
        )
    for code, evaluation in evaluations.items():
        columns = list(evaluation.series.cells.strata.columns)
        if sorted(columns) != ["group", "site"]:
            raise OptionError(
                f"evaluations[{code!r}] is of a series by {', '.join(columns)}; give one by site and group "
                "(site=...; further strata are taken together by series.pool())."
            )
    _confidence(evaluations)
    return {code: evaluations[code] for code in found if code in evaluations}


def _confidence(evaluations: Mapping[str, ChangeEvaluation]) -> float:
    levels = {evaluation.options["confidence"] for evaluation in evaluations.values()} or {0.95}
    if len(levels) > 1:
        raise OptionError(
            f"evaluations have confidence={', '.join(map(str, sorted(levels)))}; evaluate all with the same."
        )
    return float(levels.pop())


def _groups_of(
    found: Mapping[str, Case], evaluations: Mapping[str, ChangeEvaluation]
) -> tuple[dict[str, list[str]], list[str]]:
    """Name the groups of each idea, and which labels are no group of people."""
    series = {code: evaluation.series for code, evaluation in evaluations.items()}
    schemes = [own.scheme for own in series.values() if own.scheme]
    unknown = [ALL_GROUPS, *(label for scheme in schemes for label in scheme.unknown)]
    everyone = [g for own in series.values() for g in own.groups]
    everyone += [g for case in found.values() for g in case.groups]
    whole = [g for g in everyone if g not in unknown]
    own_groups = {
        code: (*(series[code].groups if code in series else ()), *c.groups) for code, c in found.items()
    }
    return {code: list(dict.fromkeys([*whole, *own])) for code, own in own_groups.items()}, unknown


def _method(
    pooled: Mapping[str, Any], options: Mapping[str, str], level: float, disclosed: str
) -> dict[str, Any]:
    return {
        "what": "change package of a network",
        "effects": "the first change of each site, adverse outcome after over before: below 1 is better",
        "pooled": {code: dict(idea.by_group.method) for code, idea in pooled.items()},
        **options,
        "confidence": 1 - level,
        "comparisons": EXPLAINED,
        "ladder": list(LADDER),
        "disclosed": disclosed,
        **library(),
    }
