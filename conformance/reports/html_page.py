"""A run as one HTML page, for the people who put two systems together: what failed first, with what was asked and answered.

The page needs nothing else: no script, no font, no file beside it. It can be printed and sent by mail.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Sequence
from html import escape

from conformance.check import Result
from conformance.http_log import Exchange
from conformance.reports.run import OUTCOMES, WORDS, GroupResults, Run, plain
from conformance.reports.style import STYLE

MOST_EXCHANGES = 12
"""Of one check that are shown: the last ones, which are nearest to what failed."""


def html_page(run: Run) -> str:
    """The page."""
    title = f"Conformance of {run.base_url}"
    parts = (
        "<!doctype html>",
        f'<html lang="en"><head><meta charset="utf-8"><title>{escape(title)}</title>',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        f"<style>{STYLE}</style></head><body><main>",
        _head(run),
        _summary(run),
        _failures(run),
        _list("What it could claim", _COULD_CLAIM, run, lambda result: result.could_claim),
        _notes(run),
        _all_checks(run),
        "</main></body></html>\n",
    )
    return plain("\n".join(parts))


_CODE = re.compile("`([^`]+)`")
_COULD_CLAIM = "These work, but the CapabilityStatement does not say so, and clients that read it will not use them."


def _head(run: Run) -> str:
    verdict = "Everything that was checked is as it should be." if run.is_good else "Some of it is not as it should be."
    left = f'<p class="left">These test resources could not be deleted: {escape(", ".join(run.left))}</p>'
    return (
        f"<h1>Conformance to FHIR R4</h1><p class='verdict {'pass' if run.is_good else 'fail'}'>{verdict}</p>"
        "<dl>"
        f"<dt>Server</dt><dd>{escape(run.base_url)}</dd><dt>Software</dt><dd>{escape(run.software)}</dd>"
        f"<dt>Begun</dt><dd>{escape(run.began.strftime('%Y-%m-%d %H:%M:%S %Z'))}</dd>"
        f"<dt>Took</dt><dd>{run.took.total_seconds():.0f} seconds</dd>"
        f"<dt>Run</dt><dd><code>{escape(run.tag)}</code>, the tag of all resources that it made</dd></dl>"
        f"{left if run.left else ''}"
    )


def _summary(run: Run) -> str:
    heads = "".join(f'<th scope="col">{WORDS[outcome]}</th>' for outcome in OUTCOMES)
    rows = "".join(_summary_row(group, f"#{_anchor(group.title)}") for group in run.groups)
    total = _summary_row(GroupResults("All", run.results), "")
    return (
        f'<h2>By group</h2><table><thead><tr><th scope="col">Group</th><th scope="col">checks</th>{heads}</tr></thead>'
        f"<tbody>{rows}</tbody><tfoot>{total}</tfoot></table>"
        "<p>A check is skipped where the server's CapabilityStatement does not claim what it is about, or where it does "
        "not apply for the reason that stands beside it. A check that broke says nothing about the server.</p>"
    )


def _summary_row(group: GroupResults, link: str) -> str:
    counts = group.counts()
    name = f'<a href="{link}">{escape(group.title)}</a>' if link else escape(group.title)
    cells = "".join(f'<td class="{outcome if counts[outcome] else ""}">{counts[outcome]}</td>' for outcome in OUTCOMES)
    return f'<tr><th scope="row">{name}</th><td>{len(group.results)}</td>{cells}</tr>'


def _failures(run: Run) -> str:
    failed = [result for result in run.results if result.outcome in ("fail", "error")]
    if not failed:
        return "<h2>What failed</h2><p>Nothing.</p>"
    return f"<h2>What failed</h2>{''.join(map(_failure, failed))}"


def _failure(result: Result) -> str:
    shown = result.exchanges[-MOST_EXCHANGES:]
    left_out = len(result.exchanges) - len(shown)
    before = f"<p>{left_out} earlier requests are left out.</p>" if left_out else ""
    return (
        f'<section class="failure" id="{_anchor(result.check.id)}"><h3>{_mark(result)} {_prose(result.check.sentence)}</h3>'
        f"<p><strong>{'Found' if result.outcome == 'fail' else 'The check broke'}:</strong> {_prose(result.reason)}</p>"
        f"<p>Asked for by {_clause(result)}. Check <code>{escape(result.check.id)}</code>.</p>"
        f"{before}{''.join(map(_exchange, shown))}</section>"
    )


def _exchange(exchange: Exchange) -> str:
    status = exchange.status if exchange.status is not None else "no answer"
    asked = _lines(exchange.request_headers, exchange.request_body)
    answered = _lines(exchange.response_headers, exchange.response_body)
    return (
        f"<details><summary><code>{escape(exchange.method)} {escape(exchange.url)}</code> → {status}</summary>"
        f"<h4>Request</h4><pre>{asked}</pre><h4>Answer</h4><pre>{answered}</pre></details>"
    )


def _lines(headers: Sequence[tuple[str, str]], body: str) -> str:
    return escape("\n".join([*(f"{name}: {value}" for name, value in headers), "", _indented(body)]).strip())


def _indented(body: str) -> str:
    """JSON in lines, as it is read most easily; anything else as it is."""
    if not body.lstrip().startswith(("{", "[")):
        return body
    try:
        return json.dumps(json.loads(body), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return body


def _list(title: str, words: str, run: Run, holds: Callable[[Result], bool]) -> str:
    found = [result for result in run.results if holds(result)]
    if not found:
        return ""
    items = "".join(
        f"<li>{_prose(result.check.sentence)} <small>{_prose(result.reason)}</small></li>" for result in found
    )
    return f"<h2>{title}</h2><p>{words}</p><ul>{items}</ul>"


def _notes(run: Run) -> str:
    noted = [(result, note) for result in run.results for note in result.notes]
    if not noted:
        return ""
    items = "".join(
        f"<li>{_prose(note)} <small><code>{escape(result.check.id)}</code></small></li>" for result, note in noted
    )
    return f"<h2>What is allowed but not advised</h2><ul>{items}</ul>"


def _all_checks(run: Run) -> str:
    return "<h2>All checks</h2>" + "".join(
        f'<details class="group" id="{_anchor(group.title)}"><summary>{escape(group.title)} ({len(group.results)})</summary>'
        f"<table><tbody>{''.join(map(_row, group.results))}</tbody></table></details>"
        for group in run.groups
    )


def _row(result: Result) -> str:
    reason = f"<br><small>{_prose(result.reason)}</small>" if result.reason else ""
    name = f"<code>{escape(result.check.id)}</code>"
    return (
        f"<tr><td>{_mark(result)}</td><td>{_prose(result.check.sentence)}{reason}<br>"
        f"<small>{name} · {_clause(result)}</small></td></tr>"
    )


def _mark(result: Result) -> str:
    return f'<span class="mark {result.outcome}">{WORDS[result.outcome]}</span>'


def _clause(result: Result) -> str:
    clause = result.check.clause
    return f'<a href="{escape(clause)}">{escape(clause.removeprefix("https://"))}</a>'


def _prose(text: str) -> str:
    """A sentence, with what stands between backticks as code."""
    return _CODE.sub(r"<code>\1</code>", escape(text))


def _anchor(text: str) -> str:
    return "".join(character if character.isalnum() else "-" for character in text.lower())
