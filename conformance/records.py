"""The resources that a run makes on a server: each carries the run's tag, and all are taken away in the end."""

from __future__ import annotations

import secrets
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx

from conformance.api import FHIR_JSON, Api, resource_of
from conformance.check import Failure

TAG_SYSTEM = "urn:conformance-kit:run"
MOST_ROUNDS = 4
AT_ONCE = 4


class Records:
    """What a run made. tag: the code under which it can be found, which no other run has."""

    def __init__(self, api: Api, tag: str | None = None) -> None:
        self.tag = tag or secrets.token_hex(6)
        self._api = api
        self._made: dict[str, None] = {}

    def tagged(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """The resource with the run's tag added to those that it has."""
        meta = dict(resource.get("meta", {}))
        meta["tag"] = [*meta.get("tag", []), {"system": TAG_SYSTEM, "code": self.tag}]
        return {**resource, "meta": meta}

    def text(self, words: str = "") -> str:
        """A text that nothing else on the server has: for names, identifiers and codes. Lower case letters and digits."""
        return f"{words}{self.tag}{secrets.token_hex(4)}"

    def create(self, resource: Mapping[str, Any]) -> dict[str, Any]:
        """Create a resource with the run's tag; it, as the server has it. Raises a Failure where the server refuses."""
        response = self.post(resource)
        if response.status_code != 201:
            raise Failure(
                f"Creating a {resource['resourceType']} was answered {response.status_code}, where 201 was expected: "
                f"{response.text[:300]}"
            )
        path = _path_of(response, str(resource["resourceType"]))
        made = resource_of(response) if response.content else self._api.resource(path)
        if f"{resource['resourceType']}/{made.get('id')}" != path:
            raise Failure(f"{path} was created, and the answer has the id {made.get('id')!r}.")
        return made

    def post(self, resource: Mapping[str, Any], **headers: str) -> httpx.Response:
        """The answer to creating a resource with the run's tag. headers: their names with `_` for `-`."""
        response = self._api.send("POST", str(resource["resourceType"]), self.tagged(resource), **headers)
        if response.status_code in (200, 201):
            self.note(_path_of(response, str(resource["resourceType"])))
        return response

    def post_text(
        self, type_name: str, text: str | bytes, media_type: str = FHIR_JSON, **headers: str
    ) -> httpx.Response:
        """The answer to creating something from a text, as it is: in another format, or wrong. The caller tags it."""
        named = {"Content-Type": media_type, **{name.replace("_", "-"): value for name, value in headers.items()}}
        content = text if isinstance(text, bytes) else text.encode()
        response = self._api.request("POST", type_name, content=content, headers=named)
        if response.status_code in (200, 201):
            self.note(_path_of(response, type_name))
        return response

    def put(self, resource: Mapping[str, Any], **headers: str) -> httpx.Response:
        """The answer to an update, or a creation under a chosen id, of a resource with the run's tag."""
        path = f"{resource['resourceType']}/{resource['id']}"
        response = self._api.send("PUT", path, self.tagged(resource), **headers)
        if response.status_code in (200, 201):
            self.note(path)
        return response

    def note(self, path: str) -> None:
        """Remember `Type/id`, made in some other way, to be taken away."""
        if path:
            self._made[path] = None

    def remove_all(self) -> list[str]:
        """Delete what was made, the last first; `Type/id` of what could not be deleted.

        What others still refer to may be refused, so several rounds are made.
        """
        left = list(reversed(self._made))
        for _ in range(MOST_ROUNDS):
            with ThreadPoolExecutor(AT_ONCE) as pool:
                remaining = [path for path, gone in zip(left, pool.map(self._gone, left), strict=True) if not gone]
            if not remaining or len(remaining) == len(left):
                return remaining
            left = remaining
        return left

    def _gone(self, path: str) -> bool:
        try:
            return self._api.request("DELETE", path).status_code in (200, 202, 204, 404, 410)
        except httpx.HTTPError:
            return False


def _path_of(response: httpx.Response, type_name: str) -> str:
    """`Type/id` of what an answer says was made; empty where it does not say."""
    location = response.headers.get("Location") or response.headers.get("Content-Location") or ""
    parts = location.split("/_history/")[0].rstrip("/").split("/")
    if len(parts) >= 2 and parts[-2] == type_name:
        return f"{type_name}/{parts[-1]}"
    try:
        body = response.json()
    except ValueError:
        return ""
    found = body.get("id") if isinstance(body, dict) and body.get("resourceType") == type_name else None
    return f"{type_name}/{found}" if found else ""
