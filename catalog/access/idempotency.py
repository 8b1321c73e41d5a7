"""``Idempotency-Key`` on every POST of the API: the same key and the same request get the same answer."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Iterator
from typing import Any

from django.core.exceptions import RequestDataTooBig
from django.core.files.uploadedfile import UploadedFile
from django.db import transaction
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.crypto import salted_hmac
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from catalog.access.address import counted_address
from catalog.access.errors import BodyTooLarge
from catalog.access.models import KeptAnswer
from catalog.access.services.idempotency import answer_find, answer_keep, key_check

HEADER = "Idempotency-Key"
REPLAYED = "Idempotency-Replayed"
# Headers that say what is asked, beside the body: those of resumable uploads.
MEANT = ("Content-Type", "Upload-Length", "Upload-Metadata", "Upload-Defer-Length", "Upload-Concat")


class _Replay(Exception):
    def __init__(self, kept: KeptAnswer) -> None:
        super().__init__()
        self.kept = kept


class IdempotentPosts(APIView):
    """A base of views. ``shown_once``: fields of an answer that are secrets, which a repeated answer has as null."""

    shown_once: tuple[str, ...] = ()
    _asked: tuple[str, str, str] | None = None

    def dispatch(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        if request.method != "POST" or HEADER not in request.headers:
            return super().dispatch(request, *args, **kwargs)
        with transaction.atomic():
            response = super().dispatch(request, *args, **kwargs)
            if isinstance(response, Response):
                response.render()
            if response.status_code >= 400:
                transaction.set_rollback(True)  # a refusal leaves nothing behind, and may be tried again
            elif self._asked is not None and REPLAYED not in response.headers:
                self._keep(response)
        return response

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        """After it is known who asks, and that they may."""
        super().initial(request, *args, **kwargs)
        if request.method != "POST" or HEADER not in request.headers:
            return
        owner, key = owner_of(request), key_check(request.headers[HEADER])
        fingerprint = fingerprint_of(request)
        kept = answer_find(owner=owner, key=key, fingerprint=fingerprint)
        if kept is not None:
            raise _Replay(kept)
        self._asked = (owner, key, fingerprint)

    def handle_exception(self, exc: Exception) -> Any:
        if not isinstance(exc, _Replay):
            return super().handle_exception(exc)
        response = HttpResponse(bytes(exc.kept.body), status=exc.kept.status, headers=exc.kept.headers)
        response.headers[REPLAYED] = "true"
        return response

    def _keep(self, response: HttpResponseBase) -> None:
        assert self._asked is not None
        assert isinstance(response, HttpResponse)
        owner, key, fingerprint = self._asked
        body = response.content
        if self.shown_once and isinstance(response, Response) and isinstance(response.data, dict):
            hidden = {name: None for name in self.shown_once if name in response.data}
            body = json.dumps({**response.data, **hidden}, default=str).encode()
        answer_keep(
            owner=owner,
            key=key,
            fingerprint=fingerprint,
            status=response.status_code,
            headers=dict(response.headers),
            body=body,
        )


def owner_of(request: Request) -> str:
    """Keys of different people never meet; those who are not signed in are told apart by their address."""
    if request.user and request.user.is_authenticated:
        return f"user:{request.user.pk}"
    address = salted_hmac("toonemo.idempotency", counted_address(request._request), algorithm="sha256").hexdigest()
    return f"address:{address}"


def fingerprint_of(request: Request) -> str:
    """SHA-256 of all that decides what is done. Of a form its fields and files, since its boundary is by lot.

    Raises BodyTooLarge.
    """
    sha256 = hashlib.sha256()
    form = (request.content_type or "").startswith(("multipart/", "application/x-www-form-urlencoded"))
    try:
        parts: Iterable[bytes] = _form(request) if form else [request._request.body]
        said = [request.headers.get(name, "").partition(";")[0] for name in MEANT]
        for part in (request._request.get_full_path().encode(), json.dumps(said).encode(), *parts):
            sha256.update(len(part).to_bytes(8) + part)
    except RequestDataTooBig as error:
        raise BodyTooLarge("With an Idempotency-Key, a request that is no form holds at most 2.5 MB.") from error
    return sha256.hexdigest()


def _form(request: Request) -> Iterator[bytes]:
    data: Any = request.data
    for name in sorted(data):
        for value in data.getlist(name):
            yield name.encode()
            if isinstance(value, UploadedFile):
                sha256 = hashlib.sha256()
                for chunk in value.chunks():
                    sha256.update(chunk)
                value.seek(0)
                yield sha256.digest()
            else:
                yield str(value).encode()
