"""Save a figure so that the same figure gives the same bytes, with its description inside."""

from __future__ import annotations

import io
import re
from os import PathLike
from pathlib import Path
from xml.sax.saxutils import escape

from matplotlib.figure import Figure

from qi_equity import _validate

__all__ = ["save_figure"]


def save_figure(figure: Figure, path: str | PathLike[str]) -> Path:
    """Write a figure to a PNG or SVG file; the same figure gives the same bytes.

    The description (``figure.get_label()``, which ``chart.plot()`` sets to ``chart.alt_text()``) is written
    as text of the PNG, or as title and description of the SVG, which screen readers read.

    Parameters
    ----------
    figure : matplotlib.figure.Figure
        What to write; not changed.
    path : str or path
        Where to, ending in ``.png`` or ``.svg``.

    Returns
    -------
    pathlib.Path
        The path.

    Raises
    ------
    OptionError
        If the ending is another.

    Examples
    --------
    >>> import tempfile
    >>> from matplotlib.figure import Figure
    >>> from qi_equity.plot._save import save_figure
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     save_figure(Figure(), folder + "/empty.svg").name
    'empty.svg'
    """
    path = Path(path)
    ending = _validate.one_of("path ending", path.suffix.lower(), (".png", ".svg"))
    title, description = figure.get_suptitle(), str(figure.get_label())
    if ending == ".png":
        words = {"Title": title, "Description": description, "Software": None}
        figure.savefig(
            path,
            format="png",
            dpi=150,
            facecolor="white",
            metadata={k: v for k, v in words.items() if v != ""},
        )
    else:
        written = io.StringIO()
        figure.savefig(written, format="svg", facecolor="white", metadata={"Date": None, "Creator": None})
        path.write_text(_described(_settled(written.getvalue()), title, description), encoding="utf-8")
    return path


def _settled(svg: str) -> str:
    """Renumber the ids that matplotlib draws by chance (letter, ten hexadecimal digits) as they come."""
    found = dict.fromkeys(re.findall(r'\bid="([a-z]*[0-9a-f]{10})"', svg))
    new = {old: f"mark{i}" for i, old in enumerate(found)}
    return re.sub(r'(?<=["#])([a-z]*[0-9a-f]{10})(?=[")])', lambda m: new.get(m[1], m[1]), svg)


def _described(svg: str, title: str, description: str) -> str:
    """Put title and description first in the SVG, and tell screen readers that they are its name."""
    words = f'<title id="title">{escape(title)}</title>\n <desc id="desc">{escape(description)}</desc>'
    return re.sub(
        r"<svg ([^>]*)>",
        lambda m: f'<svg {m[1]} role="img" aria-labelledby="title desc">\n {words}',
        svg,
        count=1,
    )
