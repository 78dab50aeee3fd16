"""The site of the documentation: ``sphinx-build -W docs site``."""
# ruff: noqa: INP001 - Sphinx reads this file, nobody imports it

from importlib.metadata import version as _version

project = "gracethd · resilience"
author = ""
release = version = _version("gracethd")
extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
html_theme = "furo"
html_title = project
html_show_copyright = False
html_show_sphinx = False
exclude_patterns = ["_build"]

myst_heading_anchors = 3
myst_enable_extensions = ["colon_fence"]

autodoc_typehints = "none"  # docstrings give shapes and units, which hints cannot
autodoc_member_order = "bysource"
napoleon_google_docstring = False
napoleon_use_rtype = False
