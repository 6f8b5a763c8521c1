"""The style of timelines and reports, in light and dark colours, on screens and paper."""

from __future__ import annotations

_LIGHT = (
    "--canvas:#fff;--raised:#f6f8fa;--line:#d1d9e0;--text:#1f2328;--muted:#59636e;--link:#0969da;"
    "--completed:#1a7f37;--failed:#cf222e;--running:#0969da;--cancelled:#9a6700;--other:#818b98;"
)
_DARK = (
    "--canvas:#0d1117;--raised:#161b22;--line:#3d444d;--text:#e6edf3;--muted:#9198a1;--link:#58a6ff;"
    "--completed:#3fb950;--failed:#f85149;--running:#58a6ff;--cancelled:#d29922;--other:#7d8590;"
)

#: Everything is inside the class, since a notebook has many outputs in one page.
TIMELINE_STYLE = (
    f".stepflow-timeline{{{_LIGHT}color-scheme:light dark}}"
    f"@media(prefers-color-scheme:dark){{.stepflow-timeline{{{_DARK}}}}}"
    """
.stepflow-timeline{background:var(--canvas);color:var(--text);padding:8px 12px;border-radius:8px;
font:14px/1.45 system-ui,-apple-system,'Segoe UI',Roboto,sans-serif;overflow-wrap:anywhere}
.stepflow-timeline p{margin:0 0 6px}
.stepflow-timeline .note,.stepflow-timeline .id{color:var(--muted);font-size:12px}
.stepflow-timeline table{border-collapse:collapse;width:100%;table-layout:auto;margin:0;
font-size:13px;color:inherit;background:none}
.stepflow-timeline th,.stepflow-timeline td{padding:3px 10px 3px 0;text-align:left;
vertical-align:middle;border:0;border-top:1px solid var(--line);background:none;color:inherit;
max-width:none}
.stepflow-timeline th{font-weight:600;font-size:12px;color:var(--muted);border-top:0}
.stepflow-timeline td.time,.stepflow-timeline th.time{text-align:right;white-space:nowrap;
font-variant-numeric:tabular-nums}
.stepflow-timeline td.status{white-space:nowrap}
.stepflow-timeline td.track,.stepflow-timeline th.track{width:50%;padding-right:0}
.stepflow-timeline th.track span{float:right}
.stepflow-timeline tr.item td{font-weight:600}
.stepflow-timeline tr.step.inner td:first-child{padding-left:14px}
.stepflow-timeline .bar{height:10px;min-width:2px;border-radius:2px;background:var(--other);
box-sizing:border-box;-webkit-print-color-adjust:exact;print-color-adjust:exact}
.stepflow-timeline tr.item .bar{height:4px}
.stepflow-timeline .status.completed{color:var(--completed)}
.stepflow-timeline .status.failed,.stepflow-timeline .status.recoveryFailed{color:var(--failed)}
.stepflow-timeline .status.running{color:var(--running)}
.stepflow-timeline .status.cancelled{color:var(--cancelled)}
.stepflow-timeline .bar.completed{background:var(--completed)}
.stepflow-timeline .bar.failed{background:var(--failed)}
.stepflow-timeline .bar.running{background:var(--running)}
.stepflow-timeline .bar.cancelled{background:var(--cancelled)}
.stepflow-timeline a{color:inherit;text-decoration-color:var(--muted)}
@media(max-width:600px){.stepflow-timeline .start{display:none}
.stepflow-timeline td.track,.stepflow-timeline th.track{width:30%}
.stepflow-timeline th,.stepflow-timeline td{padding-right:6px}}
"""
).replace("\n", "")
