"""Settings of the site, for Sphinx."""

from stepflow_api import __version__

project = "Stepflow SDK for Python"
version = release = __version__
extensions = [
    "docs.descriptions",
    "docs.docstrings",
    "myst_parser",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
]
# The site has a front page of its own.
exclude_patterns = ["README.md"]

html_theme = "furo"
html_title = f"{project} {version}"
html_css_files = ["site.css"]
html_show_copyright = False
html_show_sphinx = False
html_static_path = ["static"]
myst_enable_extensions = ["colon_fence"]
myst_heading_anchors = 3

# Of a terminal, copy the commands.
copybutton_only_copy_prompt_lines = True
copybutton_prompt_text = "$ "

autodoc_default_options = {"exclude-members": "model_config", "members": True}
autodoc_member_order = "bysource"
# Docstrings put code between single backticks.
default_role = "code"
maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_display_short_literal_types = True
python_use_unqualified_type_names = True
