"""A driver diagram as text for Graphviz."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable

from qi_equity.errors import InputTypeError
from qi_equity.pdsa.records.project import Project
from qi_equity.pdsa.reporting import driver_words as words

__all__ = ["drivers_dot"]

_LETTERS = 32


def drivers_dot(project: Project) -> str:
    r"""Write the driver diagram of a project in the DOT language of Graphviz, which draws it elsewhere.

    From left to right: aim, primary drivers, secondary drivers, change ideas. Texts are escaped, so that
    nothing written by people is read as part of the language.

    Parameters
    ----------
    project : Project
        Whose diagram.

    Returns
    -------
    str
        The text of a ``.dot`` file, in UTF-8 when written.

    Raises
    ------
    InputTypeError
        If ``project`` is no Project.

    References
    ----------
    .. [1] The DOT language. https://graphviz.org/doc/info/lang.html

    Examples
    --------
    >>> from qi_equity import pdsa
    >>> project = pdsa.Project(id="p", name="Fewer haemorrhages", site="North",
    ...                        drivers=[pdsa.Driver(id="d1", name='Seen "early"')])
    >>> print(drivers_dot(project))
    digraph "Fewer haemorrhages" {
      rankdir=LR;
      node [shape=box, fontname="sans-serif"];
      edge [dir=none];
      "p" [label="No aim is recorded yet", penwidth=2];
      "d1" [label="Seen \"early\""];
      "p" -> "d1";
    }
    """
    if not isinstance(project, Project):
        raise InputTypeError(f"project={project!r:.80} is of type {type(project).__name__}; give a Project.")
    aims = [line for aim in project.aims for line in _wrapped(words.aim_words(aim))]
    lines = [
        f"digraph {_quoted([words.one_line(project.name)])} {{",
        "  rankdir=LR;",
        '  node [shape=box, fontname="sans-serif"];',
        "  edge [dir=none];",
        f"  {_node(project.id)} [label={_quoted(aims or [words.NO_AIM])}, penwidth=2];",
        *(f"  {_node(d.id)} [label={_quoted(_wrapped([d.name]))}];" for d in project.drivers),
    ]
    for idea in project.ideas:
        label = _quoted(_wrapped([idea.name, words.idea_words(project, idea)]))
        lines.append(f"  {_node(idea.id)} [label={label}, style=rounded];")
    lines += [f"  {_node(left)} -> {_node(right)};" for left, right in words.links_of(project)]
    if len(project.ideas) > 1:
        lines.append(f"  {{ rank=same; {'; '.join(_node(idea.id) for idea in project.ideas)}; }}")
    return "\n".join([*lines, "}"])


def _node(identifier: str) -> str:
    return _quoted([identifier])


def _wrapped(texts: Iterable[str]) -> list[str]:
    return [line for text in texts for line in textwrap.wrap(words.one_line(text), _LETTERS)]


def _quoted(lines: Iterable[str]) -> str:
    """Quote lines: Graphviz reads backslashes, quotes and named characters such as ``&lt;`` otherwise."""
    safe = (line.replace("&", "&amp;").replace("\\", "\\\\").replace('"', '\\"') for line in lines)
    return '"' + "\\n".join(safe) + '"'
