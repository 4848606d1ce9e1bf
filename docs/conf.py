"""The site: ``nox -s docs``, or ``sphinx-build -W docs docs/_build/html``.

Pages are Markdown that reads as well on a code host, so links lead to files of the checkout;
``outside.py`` turns those that leave this folder into pages of the site, or into a path.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

project = "ofa-plugins"
author = "the ofa-plugins authors"
copyright = f"2026, {author}"
html_title = "ofa-plugins"

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "outside"]
source_suffix = {".md": "markdown"}
exclude_patterns = ["_build", "search.md"]  # outside.py copies it: Sphinx has its own page search
root_doc = "index"

myst_heading_anchors = 4
myst_enable_extensions = ["colon_fence"]

autodoc_mock_imports = ["torch", "torchvision", "horovod", "onnx", "onnxruntime", "psutil"]
autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autodoc_preserve_defaults = True
autodoc_default_options = {"members": True}
napoleon_numpy_docstring = False
napoleon_use_ivar = True
napoleon_use_rtype = False
python_use_unqualified_type_names = True
python_maximum_signature_line_length = 88
add_module_names = False

html_theme = "furo"
html_static_path = ["_static"]
html_css_files = ["site.css"]
html_copy_source = False
html_show_sphinx = False
html_theme_options = {
    "sidebar_hide_name": False,
    "light_css_variables": {
        "color-brand-primary": "#1d5e8f",
        "color-brand-content": "#1d5e8f",
        "font-stack--monospace": "ui-monospace, SFMono-Regular, Menlo, Consolas, monospace",
    },
    "dark_css_variables": {
        "color-brand-primary": "#7db8e8",
        "color-brand-content": "#7db8e8",
    },
}
pygments_style = "friendly"
pygments_dark_style = "github-dark"
