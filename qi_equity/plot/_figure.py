"""The figure that all drawings are made on: it shows itself in notebooks, with its description."""

from __future__ import annotations

import io
from typing import Any

from matplotlib import figure

_DPI = 110


class Figure(figure.Figure):
    """A matplotlib figure that notebooks show without pyplot, whose label is its description."""

    def _repr_mimebundle_(self, **_options: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        """Give the picture, and the description for readers who do not see it."""
        picture = io.BytesIO()
        self.savefig(picture, format="png", dpi=_DPI, facecolor="white")
        data = {"image/png": picture.getvalue(), "text/plain": repr(self)}
        return data, {"image/png": {"alt": str(self.get_label())}}
