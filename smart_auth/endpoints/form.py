"""The body of a request to an OAuth endpoint: a form, read strictly, once, and from nowhere else.

https://www.rfc-editor.org/rfc/rfc6749#section-3.2
"""

from __future__ import annotations

from collections import defaultdict
from urllib.parse import parse_qsl

from authlib.oauth2.rfc6749.requests import OAuth2Payload, OAuth2Request  # type: ignore[import-untyped]
from flask import Request

from smart_auth.errors import invalid_request, quoted

MAX_BYTES = 64 * 1024
MAX_PARAMETERS = 100
FORM = "application/x-www-form-urlencoded"
# Authlib checks that a request came over TLS by its address. Ours is checked once, at start, where it is configured; behind
# a proxy the address of a request says nothing about it.
_ADDRESS = "https://localhost/"


def read_form(request: Request) -> dict[str, str]:
    """The parameters of the body, without those that have no value, which RFC 6749 treats as absent.

    Raises OAuthError (invalid_request) for another media type, for a query, for a parameter that stands twice and for what
    is not UTF-8; RequestEntityTooLarge for a body of more than 64 KB.
    """
    if request.query_string:
        raise invalid_request("The address has a query; parameters stand in the body only.")
    if request.mimetype != FORM:
        raise invalid_request(f"The Content-Type is not {FORM}.")
    request.max_content_length = MAX_BYTES
    try:
        text = request.get_data(cache=False).decode("ascii")
        pairs = parse_qsl(text, keep_blank_values=True, errors="strict", max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise invalid_request(f"The body is not an encoded form of at most {MAX_PARAMETERS} parameters.") from None
    form: dict[str, str] = {}
    for name, value in pairs:
        if name in form:
            raise invalid_request(f"The parameter {quoted(name)} stands twice.")
        form[name] = value
    return {name: value for name, value in form.items() if value}


class FormPayload(OAuth2Payload):  # type: ignore[misc]
    """A form that was read, as Authlib asks for it."""

    def __init__(self, form: dict[str, str]) -> None:
        self._form = form

    @property
    def data(self) -> dict[str, str]:
        return self._form

    @property
    def datalist(self) -> defaultdict[str, list[str]]:
        return defaultdict(list, {name: [value] for name, value in self._form.items()})


class FormRequest(OAuth2Request):  # type: ignore[misc]
    """A request with a form in its body, as Authlib asks for it. Authlib's own also reads the query."""

    def __init__(self, form: dict[str, str], authorization: str | None) -> None:
        super().__init__("POST", _ADDRESS, headers={})
        self.payload = FormPayload(form)
        self.authorization = authorization

    @property
    def form(self) -> dict[str, str]:
        form: dict[str, str] = self.payload.data
        return form
