"""Settings of the site, for Sphinx."""

project = "Stepflow SDK for Python"
extensions = ["docs.docstrings", "myst_parser", "sphinx.ext.napoleon"]
# The front page includes it.
exclude_patterns = ["README.md"]

html_theme = "furo"
html_title = project
html_copy_source = False
html_show_copyright = False
html_show_sphinx = False
myst_heading_anchors = 3

autodoc_default_options = {"exclude-members": "model_config", "members": True}
autodoc_member_order = "bysource"
# Docstrings put code between single backticks.
default_role = "code"
maximum_signature_line_length = 88
napoleon_numpy_docstring = False
napoleon_use_ivar = True
python_display_short_literal_types = True
python_use_unqualified_type_names = True
