"""The files of a report in their folder."""

from __future__ import annotations

import json
from pathlib import Path

from conformance.reports.html_page import html_page
from conformance.reports.junit import junit_xml
from conformance.reports.run import Run
from conformance.reports.test_report import test_report


def write_reports(run: Run, folder: Path) -> list[Path]:
    """Write all forms of a run into a folder, which is made where it is missing; their paths. Raises OSError."""
    folder.mkdir(parents=True, exist_ok=True)
    contents = {
        "report.html": html_page(run).encode(),
        "junit.xml": junit_xml(run),
        "testreport.json": json.dumps(test_report(run), indent=2, ensure_ascii=False).encode() + b"\n",
    }
    for name, content in contents.items():
        (folder / name).write_bytes(content)
    return [folder / name for name in contents]
