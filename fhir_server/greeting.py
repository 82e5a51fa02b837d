"""What the server prints when it starts: where it is, how to sign in, and what to try first."""

from __future__ import annotations

from rich.console import Console
from rich.markup import escape

from fhir_server.demo_access import DemoAccess
from fhir_server.settings import Settings


def greet(console: Console, settings: Settings, demo: DemoAccess | None) -> None:
    """Print it. demo: the users of the demo and a token; None without them."""
    site = settings.base_url.removesuffix("/fhir")

    def line(label: str, text: str) -> None:
        console.print(f"  {label:<10}{escape(text)}", soft_wrap=True, highlight=False)

    console.print()
    line("Open", f"{site}/")
    line("FHIR base", settings.base_url)
    line("API docs", f"{site}/docs")
    if not settings.auth:
        line("Sign-in", "switched off (FHIR_AUTH=off), so this machine only is served.")
        line("Try", f"curl '{settings.base_url}/Patient?_count=2&_pretty=true'")
    elif demo is None:
        line(
            "Sign-in",
            f"{site}/auth/sign-in. Add users with 'fhir-server user add', apps with 'fhir-server client add'.",
        )
        line("Try", "fhir-server token --scope 'system/*.rs' prints a token to call the API with.")
    else:
        line("Sign-in", f"{site}/auth/launch as one of the demo's users, name and password:")
        for name, password, who in demo.users:
            line("", f"{name + ' / ' + password:<25} {who}")
        line("Demo app", f"{site}/demo-app/")
        line("Try", f"TOKEN={demo.token}  # the doctor's, for an hour")
        line("", f"curl -H \"Authorization: Bearer $TOKEN\" '{settings.base_url}/Patient?_count=2&_pretty=true'")
    line("Stop", "Ctrl-C")
    console.print()
