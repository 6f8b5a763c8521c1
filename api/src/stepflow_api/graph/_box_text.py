"""The texts in the boxes of nodes, and how wide they are."""

from __future__ import annotations

import math
import unicodedata

from stepflow_api.graph._graph import Node

__all__ = ["LINE_HEIGHT", "PADDING", "TEXT_SIZE", "TITLE_SIZE", "box_texts", "box_width"]

LINE_HEIGHT = 17.0
PADDING = 12.0
MIN_WIDTH = 72.0
MAX_WIDTH = 230.0

#: Sizes of the texts, in pixels: the id, and the lines below it.
TITLE_SIZE = 13.0
TEXT_SIZE = 11.0


def text_width(text: str, size: float) -> float:
    """Return the estimated width of a text in a sans-serif font, in pixels.

    Args:
        text: The text.
        size: The font's size in pixels.
    """
    if text.isascii():
        narrow = sum(map(text.count, "fijlrt.,:;|!'()[]/ "))
        return size * (0.6 * len(text) - 0.25 * narrow)
    return sum(size * (1.0 if unicodedata.east_asian_width(c) in "FW" else 0.6) for c in text)


def box_texts(node: Node) -> tuple[str, ...]:
    """Return the texts in a node's box: the id, then smaller ones."""
    lines = [node.id, node.component, " · ".join(node.notes)]
    if node.kind == "missing":
        lines[1] = "no such step"
    sizes = (TITLE_SIZE * 1.12, TEXT_SIZE, TEXT_SIZE)
    return tuple(
        _cut(" ".join(line.split()) or "(no id)", size)
        for line, size in zip(lines, sizes, strict=True)
        if line or size is sizes[0]
    )


def _cut(text: str, size: float) -> str:
    limit = MAX_WIDTH - 2 * PADDING
    # No character is narrower than a quarter of the size.
    text = text if len(text) <= limit else f"{text[: int(limit)]}…"
    if text_width(text, size) <= limit:
        return text
    while text_width(f"{text}…", size) > limit:
        text = text[:-1]
    return f"{text}…"


def box_width(texts: tuple[str, ...]) -> float:
    """Return the width of a box with these texts, in pixels."""
    width = max(
        text_width(text, TITLE_SIZE * 1.12 if at == 0 else TEXT_SIZE)
        for at, text in enumerate(texts)
    )
    return max(MIN_WIDTH, math.ceil(width + 2 * PADDING))
