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

#: Everything is inside the class, since a notebook has many outputs in one page. Selectors have it
#: twice, since notebook applications style tables by up to two classes, which would win over one.
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
.stepflow-timeline tbody tr{background:none}
.stepflow-timeline table.plain{width:auto}
.stepflow-timeline .plain th,.stepflow-timeline .plain td{padding-right:32px}
.stepflow-timeline table+.note{margin-top:6px}
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
""".replace(".stepflow-timeline ", ".stepflow-timeline.stepflow-timeline ")
).replace("\n", "")

#: The style of a whole page, after that of a timeline.
REPORT_STYLE = """
html{background:#fff}
@media(prefers-color-scheme:dark){html{background:#0d1117}}
body{margin:0}
.stepflow-report{max-width:1100px;margin:0 auto;padding:16px 20px;border-radius:0}
.stepflow-report h1{font-size:24px;line-height:1.25;margin:0 0 4px}
.stepflow-report h2{font-size:17px;margin:26px 0 8px;padding-bottom:4px;
border-bottom:1px solid var(--line)}
.stepflow-report h3{font-size:15px;margin:22px 0 6px}
.stepflow-report h4{font-size:12px;margin:8px 0 3px;color:var(--muted)}
.stepflow-report h4.status.failed{color:var(--failed)}
.stepflow-report .headline{font-size:16px}
.stepflow-report .headline .status,.stepflow-report h3 .status{font-weight:600}
.stepflow-report dl{display:flex;flex-wrap:wrap;gap:2px 24px;margin:8px 0;font-size:12px}
.stepflow-report dl div{display:flex;gap:6px}
.stepflow-report dt{color:var(--muted);white-space:nowrap}
.stepflow-report dd{margin:0;font-family:ui-monospace,Menlo,Consolas,monospace}
.stepflow-report .failures{border-left:4px solid var(--failed);background:var(--raised);
padding:8px 12px;border-radius:0 6px 6px 0;margin:12px 0}
.stepflow-report .failures ul{margin:0;padding:0;list-style:none}
.stepflow-report .failures li+li{margin-top:4px}
.stepflow-report .failures a{font-weight:600;color:var(--failed)}
.stepflow-report .graph{overflow:auto;border:1px solid var(--line);border-radius:8px}
.stepflow-report .graph svg{display:block;margin:0 auto}
.stepflow-report details{border:1px solid var(--line);border-radius:6px;margin:6px 0;
padding:0 10px}
.stepflow-report details[open]{padding-bottom:8px}
.stepflow-report .graph+.note,.stepflow-report details .note{margin:8px 0 0}
.stepflow-report summary{cursor:pointer;padding:6px 0;display:flex;flex-wrap:wrap;gap:2px 10px;
align-items:baseline;list-style:none}
.stepflow-report summary::-webkit-details-marker{display:none}
.stepflow-report summary::before{content:'▸';color:var(--muted);width:8px}
.stepflow-report details[open]>summary::before{content:'▾'}
.stepflow-report summary code{margin-left:auto;color:var(--muted);font-size:12px}
.stepflow-report details:target{border-color:var(--link);box-shadow:0 0 0 1px var(--link)}
.stepflow-report pre{margin:0;padding:8px 10px;background:var(--raised);border-radius:6px;
font:12px/1.45 ui-monospace,Menlo,Consolas,monospace;white-space:pre-wrap;overflow-wrap:anywhere;
max-height:400px;overflow:auto}
.stepflow-report footer{margin-top:28px}
@media(max-width:600px){.stepflow-report{padding:12px}
.stepflow-report h1{font-size:20px}.stepflow-report summary code{margin-left:0}}
@media print{
.stepflow-report,.stepflow-timeline{--canvas:#fff;--raised:#f6f8fa;--line:#d1d9e0;--text:#1f2328;
--muted:#59636e;--completed:#1a7f37;--failed:#cf222e;--running:#0969da;--cancelled:#9a6700}
html{background:#fff}
.stepflow-report{max-width:none;padding:0}
.stepflow-report details::details-content{content-visibility:visible;height:auto}
.stepflow-report details{padding-bottom:8px;break-inside:avoid-page}
.stepflow-report pre{max-height:none;overflow:visible}
.stepflow-report summary::before{content:''}
.stepflow-report .graph{overflow:visible}
.stepflow-report tr{break-inside:avoid}}
""".replace("\n", "")
