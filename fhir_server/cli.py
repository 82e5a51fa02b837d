"""The command line: `fhir-server run`, `load`, `demo-data`, `doctor`; and those of `auth_commands`."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from datetime import UTC, date, datetime
from pathlib import Path

import click
from rich.console import Console

from fhir_server.audit.journal import JournalError
from fhir_server.audit_commands import audit
from fhir_server.auth_commands import client, token, user
from fhir_server.authorization import make_auth_services
from fhir_server.demo_access import DemoAccess, demo_users_left, prepare_demo_access
from fhir_server.doctor import examine, render
from fhir_server.embedded_mongodb import EmbeddedMongoDBError
from fhir_server.greeting import greet
from fhir_server.loading.demo import load_demo_data
from fhir_server.loading.load import load as load_sources
from fhir_server.loading.records import Reject
from fhir_server.loading.report import Report, reporting, write_rejects
from fhir_server.loading.sources import find_sources
from fhir_server.reindexing.publish import publish_changes
from fhir_server.services import system_clock
from fhir_server.serving import mongodb_for, serve
from fhir_server.settings import Settings, SettingsError, describe_settings
from fhir_server.store.database import Database, connected

DEMO_PATIENTS = 100
DEMO_SEED = 1
DEFAULT_REJECTS = Path("load.rejects.ndjson")


def _settings_help() -> str:
    lines = ["\b", "Settings (environment variables):"]
    lines += [f"  {s.name}  {s.help} Default: {s.default}." for s in describe_settings()]
    return "\n".join(lines)


@click.group(epilog=_settings_help())
@click.version_option(package_name="fhir-server")
def main() -> None:
    """A FHIR R4 server on MongoDB.

    \b
    Examples:
      fhir-server run --demo-if-empty
      fhir-server load export/ more-patients.ndjson.gz
      fhir-server doctor
    """
    signal.signal(signal.SIGTERM, _leave)


def _leave(*_: object) -> None:
    raise SystemExit(143)  # so that `with` blocks end, and with them what they started


@main.command()
@click.option("--demo-if-empty", is_flag=True, help=f"Load {DEMO_PATIENTS} demo patients first if the store is empty.")
def run(demo_if_empty: bool) -> None:
    """Start the server and serve until Ctrl-C.

    \b
    Examples:
      fhir-server run
      FHIR_PORT=9090 FHIR_DATA_DIR=/var/lib/fhir fhir-server run
    """
    console = Console(stderr=True)
    with _told_plainly():
        settings = Settings.from_environ(os.environ)
        with mongodb_for(settings, "fhir-server run"):
            _prepare_catalogue(settings)
            if demo_if_empty and _is_empty(settings):
                _demo_data(console, settings, DEMO_PATIENTS, DEMO_SEED, datetime.now(UTC).date())
            greet(console, settings, _demo_access(settings, demo_if_empty))
            serve(settings)


@main.command()
@click.argument("paths", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path))
@click.option(
    "--rejects", default=DEFAULT_REJECTS, type=click.Path(path_type=Path), help="Where rejected records are written."
)
def load(paths: tuple[Path, ...], rejects: Path) -> None:
    """Load Bundles, single resources and NDJSON from files and folders.

    Files may be .json, .ndjson or .jsonl, plain or packed as .gz or .bz2. Transactions are stored whole or not at all;
    the entries of collections and searchsets one by one. Loading a file again adds nothing. Works while the server runs.
    Ends with exit code 1 if anything was rejected.

    \b
    Examples:
      fhir-server load synthea/
      fhir-server load Patient.ndjson.gz Encounter.ndjson.gz --rejects bad.ndjson
    """
    console = Console()
    with _told_plainly():
        settings = Settings.from_environ(os.environ)
        sources = find_sources(paths)
        if not sources:
            raise click.ClickException("There is no .json, .ndjson or .jsonl file (plain, .gz or .bz2) at these paths.")
        total = sum(source.size for source in sources)
        with mongodb_for(settings, "fhir-server load", shared=True):
            _prepare_catalogue(settings)
            with reporting(console, total, f"{len(sources):,} files") as report:
                rejected = load_sources(sources, settings.workers, report.add)
            _finish(console, report, rejected, rejects)


@main.command("demo-data")
@click.option("--patients", default=DEMO_PATIENTS, show_default=True, type=click.IntRange(1), help="How many patients.")
@click.option("--seed", default=DEMO_SEED, show_default=True, help="The same seed makes the same population.")
@click.option(
    "--today",
    type=click.DateTime(["%Y-%m-%d"]),
    default=None,
    help="The day that 'past' and 'future' are counted from; by default today.",
)
def demo_data(patients: int, seed: int, today: datetime | None) -> None:
    """Make a population of invented patients with their records, and store it.

    \b
    Examples:
      fhir-server demo-data
      fhir-server demo-data --patients 16000 --seed 7
    """
    console = Console()
    with _told_plainly():
        settings = Settings.from_environ(os.environ)
        day = today.date() if today else datetime.now(UTC).date()
        with mongodb_for(settings, "fhir-server demo-data", shared=True):
            _prepare_catalogue(settings)
            _demo_data(console, settings, patients, seed, day)


main.add_command(token)
main.add_command(client)
main.add_command(user)
main.add_command(audit)


@main.command()
def doctor() -> None:
    """Say what this machine and its settings offer the server, and what is wrong."""
    sys.exit(render(examine(os.environ)))


def _demo_data(console: Console, settings: Settings, patients: int, seed: int, today: date) -> None:
    with reporting(console, patients, f"{patients:,} demo patients") as report:
        rejected = load_demo_data(patients, seed, today, settings.workers, report.add)
    _finish(console, report, rejected, Path("demo-data.rejects.ndjson"))


def _finish(console: Console, report: Report, rejected: list[Reject], path: Path) -> None:
    report.print_counts(rejected)
    if rejected:
        write_rejects(path, rejected)
        console.print(f"They are in '{path}', each with its OperationOutcome.")
        sys.exit(1)


def _demo_access(settings: Settings, wants_demo: bool) -> DemoAccess | None:
    """How to sign in to the demo; None without one. Raises SettingsError where its users would be open to others."""
    if not settings.auth:
        return None
    with _database(settings) as database:
        auth = make_auth_services(settings, database)
        may_be_open = "demo-users" in settings.allow_insecure
        if settings.is_exposed and not may_be_open and (names := demo_users_left(auth)):
            raise SettingsError(
                [
                    f"Others can reach this server, and it has the demo's users ({', '.join(names)}), whose passwords "
                    "anybody may read. Shut each out with 'fhir-server user disable NAME', or set "
                    "FHIR_ALLOW_INSECURE=demo-users."
                ]
            )
        if not wants_demo or (settings.is_exposed and not may_be_open):
            return None
        return prepare_demo_access(auth, database)


def _is_empty(settings: Settings) -> bool:
    with _database(settings) as database:
        return not set(database.stored_types()) - {"AuditEvent"}


def _prepare_catalogue(settings: Settings) -> None:
    """Say by what is indexed before anything is, so that nothing must be indexed a second time."""
    with _database(settings) as database:
        publish_changes(database, settings.text_search, system_clock())


def _database(settings: Settings) -> AbstractContextManager[Database]:
    return connected(os.environ.get("FHIR_MONGODB_URI") or settings.mongodb_uri or "", settings.database)


@contextmanager
def _told_plainly() -> Iterator[None]:
    """What the operator can mend is told in a sentence, not as a stack trace."""
    try:
        yield
    except JournalError as error:
        raise click.ClickException(error.issues[0].text) from None
    except (SettingsError, EmbeddedMongoDBError, OSError, ValueError) as error:
        raise click.ClickException(str(error)) from None


if __name__ == "__main__":
    main()
