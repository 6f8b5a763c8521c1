"""A graph as SVG, without network, fonts or scripts."""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Mapping

from stepflow_api.errors import printable
from stepflow_api.graph._box_text import LINE_HEIGHT, PADDING, TEXT_SIZE, TITLE_SIZE
from stepflow_api.graph._layout import Box, Layout, Line

__all__ = ["printable_xml", "svg"]

# No variables of CSS: other programs than browsers read this too. Everything is inside the class,
# since the style of an image in a page applies to the whole page.
_COLOURS = """
.stepflow-graph .canvas{{fill:{canvas}}}
.stepflow-graph .box{{fill:{box};stroke:{line}}}
.stepflow-graph .end{{fill:{end};stroke:{end_line}}}
.stepflow-graph .missing{{stroke:{bad};stroke-dasharray:4 3}}
.stepflow-graph .title{{fill:{title}}}
.stepflow-graph .text{{fill:{text}}}
.stepflow-graph .line{{stroke:{line}}}
.stepflow-graph .head{{fill:{line}}}
.stepflow-graph .line.invalid{{stroke:{bad}}}
.stepflow-graph .head.invalid{{fill:{bad}}}
.stepflow-graph .box.completed{{fill:{ok_box};stroke:{ok}}}
.stepflow-graph .box.failed{{fill:{bad_box};stroke:{bad}}}
.stepflow-graph .box.running{{fill:{end};stroke:{end_line}}}
.stepflow-graph .sign.completed{{fill:{ok}}}
.stepflow-graph .sign.failed{{fill:{bad}}}
.stepflow-graph .sign.running{{fill:{end_line}}}
"""
_LIGHT = _COLOURS.format(
    canvas="#ffffff",
    box="#f6f8fa",
    line="#818b98",
    end="#ddf4ff",
    end_line="#54aeff",
    bad="#cf222e",
    title="#1f2328",
    text="#59636e",
    ok="#1a7f37",
    ok_box="#dafbe1",
    bad_box="#ffebe9",
)
_DARK = _COLOURS.format(
    canvas="#0d1117",
    box="#161b22",
    line="#7d8590",
    end="#0c2d4d",
    end_line="#388bfd",
    bad="#ff7b72",
    title="#e6edf3",
    text="#9198a1",
    ok="#3fb950",
    ok_box="#12261e",
    bad_box="#3c1618",
)
_STYLE = (
    ".stepflow-graph{font-family:system-ui,-apple-system,'Segoe UI',Roboto,sans-serif}"
    f".stepflow-graph text{{font-size:{TEXT_SIZE:g}px;text-anchor:middle}}"
    f".stepflow-graph .title{{font-size:{TITLE_SIZE:g}px;font-weight:600}}"
    f".stepflow-graph .sign{{font-size:{TITLE_SIZE:g}px;font-weight:700;fill:#818b98}}"
    ".stepflow-graph .status{stroke-width:1.6}"
    ".stepflow-graph .not-run{opacity:.45}"
    "@media print{.stepflow-graph *{-webkit-print-color-adjust:exact;print-color-adjust:exact}}"
    ".stepflow-graph .line{fill:none;stroke-width:1.3}"
    ".stepflow-graph .conditional{stroke-dasharray:5 4}"
    f"{_LIGHT}@media(prefers-color-scheme:dark){{{_DARK}}}"
).replace("\n", "")

# What XML 1.0 cannot contain, not even escaped.
_NOT_XML = re.compile("[^\t\n\r\u0020-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")


# Colours alone are lost in print and on some eyes.
_SIGNS = {"completed": "✓", "failed": "✗", "running": "▸", "skipped": "⤼"}


def svg(
    layout: Layout,
    *,
    statuses: Mapping[str, str] | None = None,
    links: Mapping[str, str] | None = None,
) -> str:
    """Draw a graph as SVG: one element with everything in it, in light and dark colours.

    Dashed lines are read under a condition, and red is what servers reject. A box has its step's
    id, component and what it reads of the input as a tooltip.

    Args:
        layout: Where everything is drawn.
        statuses: Status of each step of a run, by id, such as `completed` or `failed`: its box has
            a colour and a sign, and other steps are faint.
        links: Where the boxes of steps are links to, by id.
    """
    width, height = round(layout.width), round(layout.height)
    name = _escape(f"Flow {layout.graph.name}" if layout.graph.name else "Flow")
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" class="stepflow-graph" role="img"'
            f' width="{width}" height="{height}" viewBox="0 0 {width} {height}"'
            f' style="max-width:100%;height:auto">',
            f"<title>{name}</title>",
            f"<style>{_STYLE}</style>",
            f'<rect class="canvas" width="{width}" height="{height}" rx="8"/>',
            *(part for line in layout.lines for part in _line(line)),
            *(part for box in layout.boxes for part in _box(box, statuses, links or {})),
            "</svg>\n",
        ]
    )


def printable_xml(text: str) -> str:
    """Return text without the characters that XML cannot contain."""
    return _NOT_XML.sub("\ufffd", text)


def _escape(text: str) -> str:
    # A mark that changes the direction of text would change that of what follows.
    return html.escape(printable(printable_xml(text), keep="\n\t\r"))


def _line(line: Line) -> Iterator[str]:
    x1, y1, x2, y2 = line.x1, line.y1, line.x2, line.y2
    kinds = " conditional" * line.is_conditional + " invalid" * line.is_invalid
    start = line.y0 + 7 if line.has_tail else line.y0
    end = y2 - 7 if line.has_head else y2
    bend = (y2 - y1) / 2
    way = f"M{x1:.1f} {start:.1f}V{y1:.1f}C{x1:.1f} {y1 + bend:.1f} {x2:.1f} {y2 - bend:.1f}"
    way += f" {x2:.1f} {end:.1f}"
    if line.y3 > y2:
        way += f"V{line.y3:.1f}"
    yield f'<path class="line{kinds}" d="{way}"/>'
    for x, y, size, has in ((x2, y2, -8, line.has_head), (x1, line.y0, 8, line.has_tail)):
        if has:
            kind = " invalid" * line.is_invalid
            yield f'<path class="head{kind}" d="M{x:.1f} {y:.1f}l-4 {size}h8z"/>'


def _box(box: Box, statuses: Mapping[str, str] | None, links: Mapping[str, str]) -> Iterator[str]:
    node = box.node
    status = statuses.get(node.id) if statuses is not None and node.kind == "step" else None
    tooltip = [node.id or "(no id)", node.component, *node.notes]
    tooltip += [f"reads input {path}" for path in node.inputs]
    tooltip += [f"reads variable {path}" for path in node.variables]
    if status is not None:
        tooltip.insert(1, status)
    kind = {"step": "box", "missing": "box missing"}.get(node.kind, "end")
    if status is not None:
        kind += f" status {_escape(status)}"
    radius = 6 if node.kind in ("step", "missing") else box.height / 2
    link = links.get(node.id) if node.kind == "step" else None
    if link is not None:
        yield f'<a href="{_escape(link)}">'
    is_faint = statuses is not None and node.kind == "step" and status is None
    faint = ' class="not-run"' if is_faint else ""
    yield f"<g{faint}><title>{_escape(chr(10).join(filter(None, tooltip)))}</title>"
    yield (
        f'<rect class="{kind}" x="{box.x:.1f}" y="{box.y:.1f}" width="{box.width:.1f}"'
        f' height="{box.height:.1f}" rx="{radius:g}"/>'
    )
    middle = box.x + box.width / 2
    for at, text in enumerate(box.lines):
        y = box.y + PADDING / 2 + LINE_HEIGHT * (at + 0.75)
        yield (
            f'<text class="{"text" if at else "title"}" x="{middle:.1f}" y="{y:.1f}">'
            f"{_escape(text)}</text>"
        )
    if status is not None:
        yield (
            f'<text class="sign {_escape(status)}" x="{box.x + 10:.1f}" y="{box.y + 15:.1f}">'
            f"{_SIGNS.get(status, '○')}</text>"
        )
    yield "</g>" if link is None else "</g></a>"
