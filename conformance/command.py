"""The command line: `python -m conformance http://localhost:8080/fhir --report DIR`."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

from conformance.groups import GROUPS, groups_with, run_groups
from conformance.reports.files import write_reports
from conformance.reports.run import Run, grouped
from conformance.rest_context import RestContext
from conformance.smart.configuration import ConfigurationError, read_configuration
from conformance.smart.context import SmartContext
from conformance.table import print_results
from conformance.us_core.plans import DEFAULT_VERSION, GUIDES

TOKEN_VARIABLE = "CONFORMANCE_TOKEN"  # noqa: S105 - its name


def main(arguments: Sequence[str] | None = None) -> int:
    """Run what was asked for, print and report it; 0 where nothing failed, 1 where something did, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m conformance", description=__doc__)
    parser.add_argument("base", help="the address of the FHIR API, such as http://localhost:8080/fhir")
    parser.add_argument(
        "--report", type=Path, metavar="DIR", help="where report.html, junit.xml and testreport.json go"
    )
    parser.add_argument("--token", help=f"an access token that may do everything; or set {TOKEN_VARIABLE}")
    parser.add_argument("--smart", type=Path, metavar="FILE", help="apps and people for the checks of SMART")
    parser.add_argument("--group", action="append", default=[], choices=[group.name for group in GROUPS])
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="checks whose id contains this")
    parser.add_argument("--us-core", choices=GUIDES, default=DEFAULT_VERSION, help="the version of US Core")
    parser.add_argument("--list", action="store_true", help="print the checks and end")
    parser.add_argument("--insecure", action="store_true", help="take any TLS certificate")
    given = parser.parse_args(arguments)
    groups = [group for group in groups_with(given.us_core) if not given.group or group.name in given.group]
    asked = [
        check
        for group in groups
        for check in group.checks
        if not given.only or any(text in check.id for text in given.only)
    ]
    if not asked:
        print("There is no such check.", file=sys.stderr)
        return 2
    if given.list:
        for check in asked:
            print(f"{check.id:60} {check.sentence}")
        return 0
    try:
        configuration = read_configuration(given.smart, given.base) if given.smart else None
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    verify = not given.insecure
    began = datetime.now(UTC)
    with ExitStack() as stack:
        smart = stack.enter_context(SmartContext(configuration, verify=verify)) if configuration else None
        token = given.token or os.environ.get(TOKEN_VARIABLE)
        context = stack.enter_context(RestContext(given.base, token, verify=verify))
        results = print_results(run_groups(groups, given.only, context, smart), sys.stdout)
    if context.left:
        print(f"These resources of the run could not be deleted: {', '.join(context.left)}", file=sys.stderr)
    titles = [(check.id, group.title) for group in groups for check in group.checks]
    took = datetime.now(UTC) - began
    run = Run(
        context.base_url,
        context.records.tag,
        began,
        took,
        context.statement.tree,
        grouped(titles, results),
        context.left,
    )
    if given.report:
        print("\n".join(f"wrote {path}" for path in write_reports(run, given.report)))
    return 0 if run.is_good else 1
