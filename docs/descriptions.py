"""A Sphinx extension that describes each page to search engines by its first paragraph."""

import html
import re
from typing import Any

from sphinx.application import Sphinx
from sphinx.util.typing import ExtensionMetadata

# Search results show about this many characters.
_LENGTH = 160


def setup(app: Sphinx) -> ExtensionMetadata:
    """Add the description to each page.

    Returns:
        That pages can be read side by side.
    """
    app.connect("html-page-context", _describe)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def _describe(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], doctree: object
) -> None:
    if doctree is None:
        # A page that Sphinx makes itself, such as the index.
        return
    paragraph = re.search(r"<p>(.*?)</p>", context["body"], re.DOTALL)
    text = html.unescape(re.sub(r"<[^>]+>", "", paragraph[1])) if paragraph else ""
    words = " ".join(text.split()) or f"{context['title']}: {app.config.project}"
    if len(words) > _LENGTH:
        words = words[:_LENGTH].rpartition(" ")[0] + " …"
    context["metatags"] += f'<meta name="description" content="{html.escape(words)}">\n'
