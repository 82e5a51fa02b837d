"""The FHIR API, as the checks use it: with one access token, and answers that say what is in them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, NoReturn

import httpx

from conformance.check import Failure

FHIR_JSON = "application/fhir+json"
MOST_PAGES = 100


@dataclass(frozen=True, slots=True)
class Api:
    """base_url: of the API. token: None to ask without one. Paths are relative to the base."""

    http: httpx.Client
    base_url: str
    token: str | None

    def request(self, method: str, path: str, **options: Any) -> httpx.Response:
        """Any request. options: as `httpx` takes them."""
        headers = {"Accept": FHIR_JSON, **options.pop("headers", {})}
        if self.token is not None:
            headers["Authorization"] = f"Bearer {self.token}"
        address = path if path.startswith(("http:", "https:")) else f"{self.base_url}/{path}".rstrip("/")
        return self.http.request(method, address, headers=headers, **options)

    def get(self, path: str, **options: Any) -> httpx.Response:
        return self.request("GET", path, **options)

    def send(self, method: str, path: str, resource: Any, **headers: str) -> httpx.Response:
        """Send a resource. headers: their names with `_` for `-`."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.request(method, path, json=resource, headers={"Content-Type": FHIR_JSON, **named})

    def resource(self, path: str) -> dict[str, Any]:
        """The resource at an address. Raises a Failure where there is none."""
        return resource_of(self.get(path))

    def found(self, path: str) -> list[dict[str, Any]]:
        """All resources that a search finds, over all its pages. Raises a Failure."""
        return resources_of(self, self.get(path))

    def found_by_post(self, type_name: str, parameters: dict[str, str]) -> list[dict[str, Any]]:
        """The same by POST to `_search`."""
        return resources_of(self, self.request("POST", f"{type_name}/_search", data=parameters))


def resource_of(response: httpx.Response) -> dict[str, Any]:
    """The resource of a good answer. Raises a Failure."""
    if response.status_code not in (200, 201):
        raise Failure(f"{said(response)}, where 200 was expected: {response.text[:300]}")
    return json_of(response)


def json_of(response: httpx.Response, **options: Any) -> dict[str, Any]:
    """The JSON object of any answer. options: as `json.loads` takes them. Raises a Failure where there is none."""
    try:
        found = json.loads(response.content, object_pairs_hook=_answered, **options)
    except ValueError:
        raise Failure(f"{said(response)} with a body that is not JSON.") from None
    if not isinstance(found, dict):
        raise Failure(f"{said(response)} with a body that is no resource.")
    return found


class _Answered(dict[str, Any]):
    """A JSON object of an answer: what a check looks for in it and it lacks is what the server did wrong."""

    def __missing__(self, name: str) -> NoReturn:
        raise Failure(f"There is no {name!r} in {json.dumps(self)[:200]}.")


def _answered(pairs: list[tuple[str, Any]]) -> _Answered:
    """Members that are null count as missing."""
    return _Answered((name, value) for name, value in pairs if value is not None)


def resources_of(api: Api, response: httpx.Response) -> list[dict[str, Any]]:
    """The resources in a Bundle and in the pages that follow it. Raises a Failure."""
    found: list[dict[str, Any]] = []
    for _ in range(MOST_PAGES):
        bundle = resource_of(response)
        entries = [entry for entry in bundle.get("entry", []) if "resource" in entry]
        found += [entry["resource"] for entry in entries if entry.get("search", {}).get("mode") != "outcome"]
        following = [link["url"] for link in bundle.get("link", []) if link.get("relation") == "next"]
        if not following:
            return found
        response = api.get(following[0])
    raise Failure(f"{said(response)} with more than {MOST_PAGES} pages.")


def keys_of(resources: list[dict[str, Any]]) -> set[str]:
    """`Type/id` of each resource."""
    return {f"{resource.get('resourceType')}/{resource.get('id')}" for resource in resources}


def said(response: httpx.Response) -> str:
    """What was asked and the status of the answer, for a reason."""
    request = response.request
    return f"{request.method} {request.url.raw_path.decode()} was answered {response.status_code}"
