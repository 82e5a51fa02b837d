"""`fhir-server token`, `client` and `user`: access tokens to try things with, registered apps, and who may sign in."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, get_args

import click
import orjson

from fhir_server.audit.journal import JournalError
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
            except JournalError as fault:
                raise click.ClickException(fault.issues[0].text) from None


def _print(value: Any) -> None:
    click.echo(orjson.dumps(value, option=orjson.OPT_INDENT_2).decode())


@click.command()
@click.option("--scope", required=True, help='Such as "patient/*.rs" or "system/*.cruds".')
@click.option("--patient", help="The logical id of the patient that patient/ scopes are about.")
@click.option("--user", "user_name", help="The name of the user to act for; user/ scopes need one.")
@click.option("--client", "client_id", help="The client_id of the app to make it for.")
@click.option("--seconds", default=3600, show_default=True, type=click.IntRange(1, 86_400), help="How long it lasts.")
def token(scope: str, patient: str | None, user_name: str | None, client_id: str | None, seconds: int) -> None:
    """Print an access token, and nothing else.

    For administrators, to try things out: nobody is asked to sign in or to agree.

    \b
    Examples:
      fhir-server token --scope "system/*.rs"
      fhir-server token --scope "patient/*.rs" --patient demo-patient-00001
      fhir-server token --scope "user/*.rs" --user doctor
    """
    with _services("token") as services:
        sub = None if user_name is None else user_commands.sub_of(services, user_name)
        answer = issue_token(services, scope, sub, patient, seconds, client_id)
        click.echo(answer["access_token"])


@click.group()
def client() -> None:
    """Register apps, list them, change their secrets, shut them out."""


@client.command()
@click.option("--name", required=True, help="What users are told the app is called.")
@click.option("--type", "client_type", required=True, type=click.Choice(get_args(ClientType)))
@click.option("--scope", required=True, help="All that it may ask for, separated by blanks.")
@click.option("--redirect-uri", "redirect_uris", multiple=True, help="Where users are sent back to.")
@click.option("--launch-uri", "launch_uris", multiple=True, help="Where it is launched from a chart.")
@click.option("--origin", "origins", multiple=True, help="Where its web pages are, if not at its redirect URIs.")
@click.option("--may-introspect", is_flag=True, help="It is a resource server, which may ask about every token.")
@click.option("--jwks", type=click.Path(exists=True, path_type=Path), help="A file with its public keys.")
@click.option("--jwks-uri", help="Where its public keys are fetched.")
@click.option("--publisher", help="Who makes the app, as users are told.")
@click.option("--policy-uri", help="Its privacy policy, which users are shown.")
@click.option("--tos-uri", help="Its terms of use, which users are shown.")
def add(
    name: str,
    client_type: ClientType,
    scope: str,
    redirect_uris: tuple[str, ...],
    launch_uris: tuple[str, ...],
    origins: tuple[str, ...],
    may_introspect: bool,
    jwks: Path | None,
    jwks_uri: str | None,
    publisher: str | None,
    policy_uri: str | None,
    tos_uri: str | None,
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
                allowed_origins=origins,
                may_introspect=may_introspect,
                jwks=keys,
                jwks_uri=jwks_uri,
                publisher=publisher,
                policy_uri=policy_uri,
                tos_uri=tos_uri,
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


@user.command("disable")
@click.argument("name")
def disable_user(name: str) -> None:
    """Let a user in no more; their sessions end, and all that they allowed."""
    with _services("user disable") as services:
        _print(user_commands.disable_user(services, name))


@user.command("enable")
@click.argument("name")
def enable_user(name: str) -> None:
    """Let a disabled user in again."""
    with _services("user enable") as services:
        _print(user_commands.enable_user(services, name))


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


@client.command()
@click.argument("client_id")
def enable(client_id: str) -> None:
    """Let an app in again; what was granted to it before stays ended."""
    with _services("client enable") as services:
        _print(commands.enable_client(services, client_id))


@client.command("registration-token")
def registration_token() -> None:
    """Print a token with which one app can register itself, where FHIR_CLIENT_REGISTRATION is on."""
    with _services("client registration-token") as services:
        _print(commands.initial_access_token(services))
