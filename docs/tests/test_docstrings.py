"""What becomes of docstrings before Sphinx reads them."""

import pytest

from docs.docstrings import restructured, with_fields


@pytest.mark.parametrize(
    ("markdown", "lines"),
    [
        ("Text.\n\nMore.", "Text.\n\nMore."),
        (
            "Text:\n```json\n{\n\n  1}\n```\nMore.",
            "Text:\n\n.. code-block:: json\n\n    {\n\n      1}\n\nMore.",
        ),
        ("```ignore\nx\n```", "\n.. code-block:: text\n\n    x\n"),
        ("Text.\n\n    x = 1\n\n    y = 2\n\nMore.", None),
        ("## Format\nText.", "**Format**\n\nText."),
        ("Text:\n- one\n- two\n  more\n- three", "Text:\n\n- one\n- two\n  more\n- three"),
        ("- one\n\n  more\n- two", "- one\n\n  more\n- two"),
        (
            "Text.\n\nArgs:\n    x: One.\n\n        More.",
            "Text.\n\nArgs:\n    x: One.\n\n        More.",
        ),
    ],
    ids=["text", "fence", "rust", "indented code", "heading", "list", "paragraphs", "section"],
)
def test_markdown(markdown: str, lines: str | None) -> None:
    if lines is None:
        lines = "Text.\n\n::\n\n    x = 1\n\n    y = 2\n\nMore."
    assert restructured(markdown.splitlines()) == lines.split("\n")


def test_returns_and_raises_become_fields() -> None:
    google = """Does it.

Args:
    x: One.

Returns:
    On success:

    - 200: this

Raises:
    ValueError: Some say:

        - so

    http.client.HTTPException: None.

Example:
    >>> f(1)
"""
    fields = """Does it.

Args:
    x: One.


:returns: On success:

    - 200: this


:raises ValueError: Some say:

        - so

:raises http.client.HTTPException: None.

Example:
    >>> f(1)
"""
    assert list(with_fields(google.splitlines())) == fields.splitlines()
