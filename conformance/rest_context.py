"""What the checks of the REST API work with: the API, what the server claims, and the resources of the run."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

import httpx

from conformance.api import Api
from conformance.check import Failure
from conformance.http_log import HttpLog, recorded_client
from conformance.records import Records
from conformance.statement import Statement

TIMEOUT_SECONDS = 60
PATIENCE_SECONDS = 10.0
Made = TypeVar("Made")


class RestContext:
    """One a run. Close it in the end, which takes the run's resources away; `left` then names what could not be.

    base_url: of the FHIR API. token: an access token that may do everything, or None. options: of the HTTP client, such as
    `verify` or `transport`. patience: how many seconds a search may take to show what was written.
    """

    def __init__(self, base_url: str, token: str | None = None, tag: str | None = None, **options: Any) -> None:
        self.base_url = base_url.rstrip("/")
        self.log = HttpLog([token] if token else [])
        self.notes: list[str] = []
        self.http = recorded_client(self.log, **{"timeout": TIMEOUT_SECONDS, **options})
        self.api = Api(self.http, self.base_url, token)
        self.records = Records(self.api, tag)
        self.left: list[str] = []
        self.patience = PATIENCE_SECONDS
        self._statement: Statement | None = None
        self._shared: dict[str, object] = {}

    def __enter__(self) -> RestContext:
        return self

    def __exit__(self, *_: object) -> None:
        self.left = self.records.remove_all()
        self.http.close()

    @property
    def statement(self) -> Statement:
        """What the server claims, read once; nothing where it cannot be read, which a check of its own finds."""
        if self._statement is None:
            try:
                self._statement = Statement(self.api.resource("metadata"))
            except (Failure, httpx.HTTPError):
                self._statement = Statement()
        return self._statement

    def shared(self, name: str, make: Callable[[RestContext], Made]) -> Made:
        """Something that several checks work with, such as a population to search in: made once, by the first that asks.

        Raises a Failure where it could not be made, then and whenever it is asked for.
        """
        if name not in self._shared:
            try:
                self._shared[name] = make(self)
            except Failure as failure:
                self._shared[name] = failure
        made: Any = self._shared[name]
        if isinstance(made, Failure):
            raise Failure(str(made))
        return made  # type: ignore[no-any-return]

    def borrow(self, other: RestContext, names: tuple[str, ...]) -> None:
        """Take over what another context of the same data has made for several checks, where its name begins so."""
        self._shared.update({name: made for name, made in other._shared.items() if name.startswith(names)})
