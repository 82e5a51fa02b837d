"""`fhir-server token`, `client` and `user`: access tokens to try things with, registered apps, and who may sign in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import click
import orjson

from fhir_server.authorization import make_auth_services
from fhir_server.serving import mongodb_for
from fhir_server.settings import Settings
from fhir_server.store.database import connected
from smart_auth.clients import commands
from smart_auth.model import ClientType, Role
from smart_auth.people import user_commands
from smart_auth.services import AuthServices
from smart_auth.tokens.by_hand import issue_token


@contextmanager
def _services(command: str) -> Iterator[AuthServices]:
    settings = Settings.from_environ(os.environ)
    with mongodb_for(settings, f"fhir-server {command}", shared=True):
        uri = os.environ.get("FHIR_MONGODB_URI") or settings.mongodb_uri or ""
        with connected(uri, settings.database) as database:
            try:
                yield make_auth_services(settings, database)
            except (ValueError, user_commands.UserError) as fault:
                raise click.ClickException(str(fault)) from None


def _print(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


@click.command()
@click.option("--scope", required=True, help='Such as "patient/*.rs" or "system/*.cruds".')
@click.option("--patient", help="The logical id of the patient that patient/ scopes are about.")
@click.option("--seconds", default=3600, show_default=True, type=click.IntRange(1, 86_400), help="How long it lasts.")
def token(scope: str, patient: str | None, seconds: int) -> None:
    """Print an access token, and nothing else.

    \b
    Examples:
      fhir-server token --scope "system/*.rs"
      fhir-server token --scope "patient/*.rs" --patient demo-patient-00001
    """
    with _services("token") as services:
        click.echo(issue_token(services, scope, patient=patient, seconds=seconds)["access_token"])


@click.group()
def client() -> None:
    """Register apps, list them, change their secrets, shut them out."""


@client.command()
@click.option("--name", required=True, help="What users are told the app is called.")
@click.option("--type", "client_type", required=True, type=click.Choice(get_args(ClientType)))
@click.option("--scope", required=True, help="All that it may ask for, separated by blanks.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Where users are sent back to.")
@click.option("--launch-uri", "launch_uris", multiple=True, help="Where it is launched from a chart.")
@click.option("--jwks", type=click.Path(exists=True, path_type=Path), help="A file with its public keys.")
@click.option("--jwks-uri", help="Where its public keys are fetched.")
def add(
    name: str,
    client_type: ClientType,
    scope: str,
    redirect_uris: tuple[str, ...],
    launch_uris: tuple[str, ...],
    jwks: Path | None,
    jwks_uri: str | None,
) -> None:
    """Register an app; prints its client_id, and its client_secret if it has one, as JSON."""
    keys = None if jwks is None else orjson.loads(jwks.read_bytes())
    with _services("client add") as services:
        _print(
            commands.add_client(
                services,
                name,
                client_type,
                scope=scope,
                redirect_uris=redirect_uris,
                launch_uris=launch_uris,
                jwks=keys,
                jwks_uri=jwks_uri,
            )
        )


@click.group()
def user() -> None:
    """Let people sign in, list them, change their passwords."""


@user.command("add")
@click.option("--name", required=True, help="What is typed to sign in.")
@click.option("--display", required=True, help="The name that others see.")
@click.option("--role", required=True, type=click.Choice(get_args(Role)))
@click.option("--fhir-user", help="The user's own resource, such as Practitioner/1.")
@click.option("--patient", "patients", multiple=True, help="Logical id of a patient that the user may act for.")
@click.password_option(help="Asked for if it is not given.")
def add_user(
    name: str, display: str, role: Role, fhir_user: str | None, patients: tuple[str, ...], password: str
) -> None:
    """Add somebody who may sign in."""
    with _services("user add") as services:
        _print(
            user_commands.add_user(
                services,
                name=name,
                password=password,
                display=display,
                role=role,
                fhir_user=fhir_user,
                patients=patients,
            )
        )


@user.command("list")
def list_users() -> None:
    """Print all users as JSON."""
    with _services("user list") as services:
        _print(user_commands.list_users(services))


@user.command()
@click.argument("name")
@click.password_option(help="Asked for if it is not given.")
def passwd(name: str, password: str) -> None:
    """Give a user another password, and end their sessions."""
    with _services("user passwd") as services:
        _print(user_commands.change_password(services, name, password))


@client.command("list")
def list_() -> None:
    """Print all registered apps as JSON, without secrets."""
    with _services("client list") as services:
        _print(commands.list_clients(services))


@client.command()
@click.argument("client_id")
def rotate(client_id: str) -> None:
    """Give an app a new secret; the old one is accepted for a while longer."""
    with _services("client rotate") as services:
        _print(commands.rotate_client(services, client_id))


@client.command()
@click.argument("client_id")
def disable(client_id: str) -> None:
    """Shut an app out; all that was granted to it ends."""
    with _services("client disable") as services:
        _print(commands.disable_client(services, client_id))
