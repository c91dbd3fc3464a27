"""Sphinx settings. Notebooks of examples/ are the tutorials: one source, copied in at build time."""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

from qi_equity._version import __version__

here = Path(__file__).parent
tutorials = here / "tutorials"
for notebook in sorted((here.parent / "examples").glob("*.ipynb")):
    shutil.copyfile(notebook, tutorials / notebook.name)
runpy.run_path(str(here / "methods" / "_figures.py"), run_name="__main__")

project = "qi_equity"
author = "The qi_equity developers"
version = release = __version__
extensions = [
    "myst_nb",
    "sphinx.ext.autodoc",
    "sphinx.ext.autosummary",
    "sphinx.ext.mathjax",
    "numpydoc",
]
templates_path = ["_templates"]
exclude_patterns = [
    "_build",
    "_templates",
    "jupyter_execute",
    *(
        f"methods/{part}"
        for part in ("_figures", "_in_control", "_coverage", "_gap_chart", "_calibration", "_run_lengths")
    ),
]
html_theme = "pydata_sphinx_theme"
html_title = "qi_equity"
html_theme_options = {"show_toc_level": 2, "navigation_with_keys": False}
html_static_path = ["_static"]

myst_enable_extensions = ["colon_fence", "dollarmath"]
myst_heading_anchors = 3
nb_execution_mode = "force"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
# A figure keeps its alt text only in the notebook; the page shows the picture and the printed text.
suppress_warnings = ["mystnb.unknown_mime_type"]

autosummary_generate = True
autodoc_typehints = "none"
numpydoc_show_class_members = False
