"""What is read from the environment, and what is refused with which sentence."""

from pathlib import Path

import pytest

from fhir_server.settings import Settings, SettingsError, describe_settings
from fhir_server.settings_table import ALL_MODULES, SETTINGS
from smart_auth.settings import is_loopback


def problems_of(**environ: str) -> list[str]:
    with pytest.raises(SettingsError) as refused:
        Settings.from_environ(environ)
    return refused.value.problems


def test_an_empty_environment_gives_the_defaults() -> None:
    settings = Settings.from_environ({"PATH": "/bin", "FHIR_SHARED": "/somewhere/shared"})
    assert settings.mongodb_uri is None
    assert (settings.database, settings.data_dir) == ("fhir", Path("data"))
    assert (settings.host, settings.port, settings.base_url) == ("127.0.0.1", 8080, "http://localhost:8080/fhir")
    assert settings.workers >= 1
    assert settings.modules == ALL_MODULES
    assert settings.auth is True
    assert settings.cors_origins == ()
    assert (settings.max_body_mb, settings.max_transaction_entries, settings.max_concurrent_bundles) == (64, 10000, 4)
    assert settings.log_level == "info"


def test_an_empty_variable_counts_as_unset() -> None:
    assert Settings.from_environ({"FHIR_PORT": " ", "FHIR_MONGODB_URI": ""}).port == 8080


def test_the_base_url_follows_the_port_and_loses_its_last_slash() -> None:
    assert Settings.from_environ({"FHIR_PORT": "9000"}).base_url == "http://localhost:9000/fhir"
    assert Settings.from_environ({"FHIR_BASE_URL": "https://a.org/fhir/"}).base_url == "https://a.org/fhir"


def test_every_wrong_setting_is_listed_at_once() -> None:
    found = problems_of(FHIR_PORT="eighty", FHIR_WORKERS="0", FHIR_LOG_LEVEL="loud")
    assert [problem.split()[0] for problem in found] == ["FHIR_PORT", "FHIR_WORKERS", "FHIR_LOG_LEVEL"]
    assert found[0] == (
        "FHIR_PORT is 'eighty', but it is not a whole number. Accepted: a whole number from 1 to 65535."
    )


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("FHIR_PORT", "70000"),
        ("FHIR_PORT", "٣"),
        ("FHIR_BASE_URL", "ftp://a.org/fhir"),
        ("FHIR_BASE_URL", "http://a.org/fhir?x=1"),
        ("FHIR_BASE_URL", "http:///fhir"),
        ("FHIR_BASE_URL", "http://a.org:port/fhir"),
        ("FHIR_BASE_URL", "http://me:secret@a.org/fhir"),
        ("FHIR_DATABASE", "a b"),
        ("FHIR_DATABASE", "admin"),
        ("FHIR_CORS_ORIGINS", "*"),
        ("FHIR_CORS_ORIGINS", "https://a.org/app"),
        ("FHIR_MODULES", "patient,cardiology"),
        ("FHIR_AUTH", "maybe"),
        ("FHIR_MAX_BODY_MB", "-1"),
        ("FHIR_HOST", "http://a.org"),
        ("FHIR_ALLOW_INSECURE", "everything"),
        ("FHIR_CLIENT_REGISTRATION", "perhaps"),
    ],
)
def test_a_wrong_value_is_refused_by_name(name: str, value: str) -> None:
    (problem,) = problems_of(**{name: value})
    assert problem.startswith(name)
    assert "Accepted: " in problem


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    (problem,) = problems_of(FHIR_WORKER="2")
    assert "Did you mean FHIR_WORKERS?" in problem
    (problem,) = problems_of(FHIR_ZZZZZZZZZZ="2")
    assert "Did you mean" not in problem


def test_a_wrong_database_address_is_refused_without_showing_its_password() -> None:
    (problem,) = problems_of(FHIR_MONGODB_URI="postgres://me:secret@host/")
    assert "mongodb://" in problem
    assert "secret" not in problem


def test_a_part_of_the_modules_is_refused_because_splitting_is_not_built() -> None:
    (problem,) = problems_of(FHIR_MODULES="patient, encounter")
    assert "splitting the server by modules is not built yet" in problem
    assert Settings.from_environ({"FHIR_MODULES": ",".join(reversed(ALL_MODULES))}).modules == ALL_MODULES


def test_authorization_is_on_unless_switched_off() -> None:
    assert Settings.from_environ({}).auth is True
    assert Settings.from_environ({"FHIR_AUTH": "off"}).auth is False


@pytest.mark.parametrize("host", ["0.0.0.0", "192.168.1.5", "::", "fhir.example.org", "127.0.0.1.example.org"])  # noqa: S104
def test_without_authorization_a_host_others_can_reach_is_refused(host: str) -> None:
    (problem,) = problems_of(FHIR_HOST=host, FHIR_AUTH="off", FHIR_BASE_URL="https://fhir.example.org/fhir")
    assert problem.startswith("FHIR_AUTH is off")
    assert host in problem
    assert not is_loopback(host)


def test_without_authorization_a_proxy_must_not_speak_for_the_server() -> None:
    (problem,) = problems_of(FHIR_AUTH="off", FHIR_BASE_URL="https://fhir.example.org/fhir")
    assert problem.startswith("FHIR_AUTH is off")


def test_a_host_others_can_reach_needs_an_https_base_unless_told_otherwise() -> None:
    (problem,) = problems_of(FHIR_HOST="0.0.0.0")  # noqa: S104
    assert problem.startswith("FHIR_BASE_URL is no https address")
    (problem,) = problems_of(FHIR_BASE_URL="http://fhir.example.org/fhir")
    assert "FHIR_ALLOW_INSECURE=http" in problem
    behind_proxy = {"FHIR_HOST": "0.0.0.0", "FHIR_BASE_URL": "https://fhir.example.org/fhir"}  # noqa: S104
    assert Settings.from_environ(behind_proxy).is_exposed
    closed = {"FHIR_HOST": "10.0.0.7", "FHIR_ALLOW_INSECURE": "http, demo-users"}
    assert Settings.from_environ(closed).allow_insecure == {"http", "demo-users"}
    assert not Settings.from_environ({}).is_exposed


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.8.7", "::1", "[::1]"])
def test_a_loopback_host_is_accepted(host: str) -> None:
    assert Settings.from_environ({"FHIR_HOST": host}).host == host.strip("[]")


def test_every_setting_is_described_with_a_default_that_is_itself_accepted() -> None:
    described = describe_settings()
    assert [each.name for each in described] == [each.name for each in SETTINGS]
    assert all(each.default and each.help.endswith(".") and each.accepts for each in described)
    assert {each.field for each in SETTINGS} == set(Settings.__dataclass_fields__)
