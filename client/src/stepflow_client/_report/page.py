"""A run as one page of HTML, which needs no other file and no network."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any

from stepflow_api import __version__
from stepflow_api.errors import one_line
from stepflow_api.graph import flow_graph, layout, svg
from stepflow_api.types import UNSET
from stepflow_client._report.fragment import (
    escape,
    status_html,
    time_text,
    timeline_rows,
)
from stepflow_client._report.style import REPORT_STYLE, TIMELINE_STYLE
from stepflow_client._report.values import resolve
from stepflow_client._report.words import counted, duration, headline

if TYPE_CHECKING:
    from stepflow_api.models import FlowError, FlowResult, Step, StepRunResponse
    from stepflow_client._core.records import RunRecord
    from stepflow_client.timeline import Timeline, TimelineItem, TimelineStep

#: Maximum number of characters of a value, so that browsers open the page of any run.
VALUE_LIMIT = 20_000

#: Maximum number of failures that the top of the page names.
FAILURES = 5

#: The worst first: a step of several items has one colour.
_WORST = ("failed", "running", "runnable", "blocked", "skipped", "completed")


def report_page(timeline: Timeline, record: RunRecord) -> str:
    """Return the page of a run; the record is about the items of the timeline."""
    return "\n".join([*_Page(timeline, record).lines(), ""])


class _Page:
    def __init__(self, timeline: Timeline, record: RunRecord) -> None:
        self._record = record
        self._timeline = timeline
        self._run = timeline.run
        self._is_batch = self._run.items.total > 1
        flow_steps = (record.flow.steps or []) if record.flow is not None else []
        self._flow_steps: dict[str, Step] = {step.id: step for step in flow_steps}
        # Ids may contain anything, so anchors are numbers.
        ids = dict.fromkeys(
            [
                *self._flow_steps,
                *(one.step_id for item in self._timeline.items for one in item.steps),
            ]
        )
        self._numbers = {step_id: number for number, step_id in enumerate(ids)}
        self._with_steps = {
            item.index
            for item in self._timeline.items
            if item.steps or record.steps.get(item.index)
        }

    def lines(self) -> Iterator[str]:
        name = escape(self._run.flow_name or "unnamed flow")
        status = str(self._run.status)
        yield '<!doctype html>\n<html lang="en">\n<head>\n<meta charset="utf-8">'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # Nothing in the page can load or run anything, whatever the run's data are.
        policy = "default-src 'none'; style-src 'unsafe-inline'"
        yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        yield '<meta name="color-scheme" content="light dark">'
        yield f"<title>{name}: {escape(status)}</title>"
        yield f"<style>{TIMELINE_STYLE}{REPORT_STYLE}</style>\n</head>\n<body>"
        yield '<main class="stepflow-timeline stepflow-report">'
        yield f"<h1>{name}</h1>"
        words = headline(self._timeline).removeprefix(status)
        yield f'<p class="headline">{status_html(status)}{escape(words)}</p>'
        yield from self._facts()
        yield from self._failures()
        yield from self._graph()
        yield "<section><h2>Timeline</h2>"
        yield from timeline_rows(self._timeline, self._anchor)
        yield "</section>"
        yield f"<section><h2>{'Items' if self._is_batch else 'Steps'}</h2>"
        for item in self._timeline.items:
            yield from self._item(item)
        yield "</section>"
        yield f'<footer class="note">stepflow-client {__version__}</footer>'
        yield "</main>\n</body>\n</html>"

    def _facts(self) -> Iterator[str]:
        run = self._run
        facts = [
            ("run", str(run.run_id)),
            ("flow", run.flow_id),
            ("created", time_text(run.created_at)),
        ]
        if run.completed_at is not None:
            facts.append(("finished", time_text(run.completed_at)))
        if run.parent_run_id is not None:
            facts.append(("created by run", str(run.parent_run_id)))
        yield "<dl>"
        for name, value in facts:
            yield f"<div><dt>{name}</dt><dd>{escape(value)}</dd></div>"
        yield "</dl>"

    def _failures(self) -> Iterator[str]:
        failed = [item for item in self._timeline.items if item.index in self._errors()]
        if not failed:
            return
        yield '<section class="failures"><ul>'
        for item in failed[:FAILURES]:
            error = self._errors()[item.index]
            step = _first_failed(item) if error.step not in self._numbers else error.step
            place = f"item {item.index}" if self._is_batch else ""
            if step is not None:
                place = f"{place}, step {step}" if place else f"step {step}"
            link = f'<a href="#{self._anchor(item.index, step)}">{escape(place or "run")}</a>'
            reason = one_line(": ".join(error.causes))
            yield f"<li>{link}: {escape(reason)} (code {error.code})</li>"
        if len(failed) > FAILURES:
            yield f"<li>and {counted(len(failed) - FAILURES, 'failed item')} below</li>"
        yield "</ul></section>"

    def _errors(self) -> dict[int, FlowError]:
        results = self._record.results.items()
        return {index: one.error for index, one in results if one.error is not None}

    def _graph(self) -> Iterator[str]:
        flow = self._record.flow
        if flow is None:
            yield '<p class="note">The server does not have the flow any more.</p>'
            return
        if not flow.steps:
            return
        statuses: dict[str, str] = {}
        for item in self._timeline.items:
            for one in item.steps:
                if one.started_at is None and str(one.status) == "blocked":
                    continue
                status, other = str(one.status), statuses.get(one.step_id)
                statuses[one.step_id] = (
                    status if other is None else min(status, other, key=_badness)
                )
        first = self._timeline.items[0].index if self._timeline.items else None
        links = (
            {} if first is None else {id: f"#{self._anchor(first, id)}" for id in self._flow_steps}
        )
        positions = layout(flow_graph(flow))
        # A wide picture can be scrolled on a small screen: smaller than this, nobody can read it.
        smallest = round(positions.width * 0.75)
        yield '<section><h2>Flow</h2><div class="graph">'
        yield f'<div style="min-width:{smallest}px">'
        yield svg(positions, statuses=statuses, links=links)
        yield "</div></div>"
        if self._is_batch:
            yield '<p class="note">A step has the worst status that it has in the items below.</p>'
        yield "</section>"

    def _item(self, item: TimelineItem) -> Iterator[str]:
        index = item.index
        yield f'<article id="{self._anchor(index, None)}">'
        if self._is_batch:
            seconds = f" {duration(item.seconds)}" if item.seconds is not None else ""
            yield f"<h3>Item {index} {status_html(str(item.status))}{seconds}</h3>"
        if index in self._record.inputs:
            yield from _value("Input", self._record.inputs[index])
        elif self._flow_steps:
            yield '<p class="note">This server does not report the inputs of runs.</p>'
        yield from _result("Output", self._record.results.get(index))
        known = self._record.steps.get(index, {})
        times = {one.step_id: one for one in item.steps}
        if index not in self._with_steps:
            yield '<p class="note">This server does not report the steps.</p>' * bool(
                self._flow_steps
            )
        else:
            for step_id in self._numbers:
                yield from self._step(index, step_id, times.get(step_id), known)
        yield "</article>"

    def _step(
        self,
        index: int,
        step_id: str,
        times: TimelineStep | None,
        known: Mapping[str, StepRunResponse],
    ) -> Iterator[str]:
        one = known.get(step_id)
        status = str(one.status if times is None and one is not None else times and times.status)
        has_run = (times is not None or one is not None) and status not in ("blocked", "runnable")
        seconds = "" if times is None or times.seconds is None else duration(times.seconds)
        flow_step = self._flow_steps.get(step_id)
        component = flow_step.component if flow_step is not None else ""
        is_open = " open" if status == "failed" else ""
        state = status_html(status) if has_run else '<span class="note">not run</span>'
        yield f'<details id="{self._anchor(index, step_id)}"{is_open}><summary>'
        yield f"<b>{escape(step_id)}</b> {state} <span>{seconds}</span>"
        yield f"<code>{escape(component or '')}</code></summary>"
        if flow_step is not None and flow_step.input is not None:
            item_input = self._record.inputs.get(index, UNSET)
            value = resolve(flow_step.input, item_input, lambda id: _output(known.get(id)))
            yield from _value("Input", value)
        result = one.result if one is not None else None
        yield from _result("Output", result)
        if has_run and result is None and status in ("completed", "failed"):
            yield '<p class="note">This server does not report the outputs of steps.</p>'
        if times is not None and times.started_at is not None:
            finished = f", finished {time_text(times.completed_at)}" if times.completed_at else ""
            attempts = f", {times.attempts} attempts" if (times.attempts or 1) > 1 else ""
            yield f'<p class="note">started {time_text(times.started_at)}{finished}{attempts}</p>'
        yield "</details>"

    def _anchor(self, index: int, step_id: str | None) -> str:
        number = None
        if step_id is not None and index in self._with_steps:
            number = self._numbers.get(step_id)
        return f"item-{index}" if number is None else f"item-{index}-step-{number}"


def _badness(status: str) -> int:
    return _WORST.index(status) if status in _WORST else len(_WORST)


def _first_failed(item: TimelineItem) -> str | None:
    return next((one.step_id for one in item.steps if str(one.status) == "failed"), None)


def _output(step: StepRunResponse | None) -> Any:
    if step is None or step.result is None or not step.result.is_success:
        return UNSET
    return step.result.output


def _result(name: str, result: FlowResult | None) -> Iterator[str]:
    if result is None:
        return
    if result.error is None:
        if result.is_success:
            yield from _value(name, result.output)
        return
    error = result.error
    yield f'<h4 class="status failed">Error {error.code}</h4>'
    yield f"<pre>{escape(_cut(chr(10).join(error.causes)))}</pre>"
    if error.data is not None:
        yield "<details><summary>details</summary>"
        yield f"<pre>{escape(_cut(error.details))}</pre></details>"


def _value(name: str, value: Any) -> Iterator[str]:
    text = value if isinstance(value, str) else json.dumps(value, indent=2, ensure_ascii=False)
    kind = " (text)" if isinstance(value, str) else ""
    yield f"<h4>{name}{kind}</h4><pre>{escape(_cut(text))}</pre>"


def _cut(text: str) -> str:
    if len(text) <= VALUE_LIMIT:
        return text
    return f"{text[:VALUE_LIMIT]}… ({len(text):,} characters)"
