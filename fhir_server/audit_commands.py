"""`fhir-server audit`: move old AuditEvents away."""

from __future__ import annotations

import os
from datetime import datetime
from pathlib import Path

import click

from fhir_server.audit.archive import archive
from fhir_server.audit.journal import Journal, audit_folder
from fhir_server.services import new_id, system_clock
from fhir_server.serving import mongodb_for
from fhir_server.settings import Settings
from fhir_server.store.database import connected


@click.group()
def audit() -> None:
    """Move old AuditEvents away."""


@audit.command("archive")
@click.option("--before", required=True, type=click.DateTime(["%Y-%m-%d"]), help="The first day that is kept, by UTC.")
@click.argument("path", type=click.Path(path_type=Path))
def archive_(before: datetime, path: Path) -> None:
    """Move AuditEvents out of the store into a new file: NDJSON, packed by gzip.

    Searches find them no more; `fhir-server load` brings them back. Works while the server runs.

    \b
    Example:
      fhir-server audit archive --before 2026-01-01 audit-2025.ndjson.gz
    """
    settings = Settings.from_environ(os.environ)
    with mongodb_for(settings, "fhir-server audit archive", shared=True):
        uri = os.environ.get("FHIR_MONGODB_URI") or settings.mongodb_uri or ""
        with connected(uri, settings.database) as database:
            journal = Journal(audit_folder(settings), new_id)
            try:
                moved = archive(database, journal, system_clock, before.date(), path)
            except OSError as error:
                raise click.ClickException(f"The file cannot be written: {error}") from None
    click.echo(f"{moved:,} AuditEvents are in {path} now.")
