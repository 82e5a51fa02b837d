"""All checks of SMART in their order, and their command line: `python -m conformance.smart BASE --config FILE`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterable, Sequence
from pathlib import Path

from conformance.check import Check
from conformance.runner import run_checks
from conformance.smart import (
    attacks_assertion,
    attacks_code,
    attacks_refresh,
    backend,
    escalation_bundle,
    escalation_search,
    escalation_write,
    flows,
    g10,
    g10_consent,
    granular_scopes,
    introspection,
    openid,
    refresh,
    refusals,
    transport,
    well_known,
)
from conformance.smart.configuration import ConfigurationError, read_configuration
from conformance.smart.context import SmartContext
from conformance.table import print_results

GROUPS: tuple[Iterable[Check], ...] = (
    well_known.checks,
    transport.checks,
    *flows.groups,
    *openid.groups,
    *refresh.groups,
    backend.checks,
    introspection.checks,
    g10.checks,
    refusals.checks,
    g10_consent.checks,
    granular_scopes.checks,
    attacks_code.checks,
    attacks_assertion.checks,
    attacks_refresh.checks,
    escalation_search.checks,
    escalation_write.checks,
    escalation_bundle.checks,
)
CHECKS: tuple[Check, ...] = tuple(check for group in GROUPS for check in group)


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the checks that were asked for and print what they found; 0 where none failed, 1 where one did, 2 for misuse."""
    parser = argparse.ArgumentParser(prog="python -m conformance.smart", description=__doc__)
    parser.add_argument("base", help="the address of the FHIR API, such as http://localhost:8080/fhir")
    parser.add_argument("--config", required=True, type=Path, help="a JSON file; see conformance/README.md")
    parser.add_argument("--only", action="append", default=[], metavar="TEXT", help="checks whose id contains this")
    parser.add_argument("--insecure", action="store_true", help="take any TLS certificate")
    given = parser.parse_args(arguments)
    try:
        configuration = read_configuration(given.config, given.base)
    except ConfigurationError as error:
        print(error, file=sys.stderr)
        return 2
    asked = [check for check in CHECKS if not given.only or any(text in check.id for text in given.only)]
    if not asked:
        print("There is no such check.", file=sys.stderr)
        return 2
    with SmartContext(configuration, verify=not given.insecure) as context:
        results = print_results(run_checks(asked, context), sys.stdout)
    return 1 if any(result.outcome in ("fail", "error") for result in results) else 0
