"""Files that are sent in pieces, by tus 1.0: core, creation, creation-with-upload, checksum, expiration, termination.

What was sent is looked at by a worker and nowhere else. A file goes on where it broke off: ask with HEAD, send on with
PATCH. https://tus.io/protocols/resumable-upload has the protocol.
"""

from __future__ import annotations

import base64
import binascii
import re
from typing import Any

from django.utils.http import http_date
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from analysis.api.problems import problem
from analysis.api.views import PROBLEM, Base, parameter, text_of, user_of
from analysis.services.ingest import upload_begin, upload_give_up, upload_go_on
from catalog.errors import UploadInvalid
from catalog.models import Upload, UploadStatus
from catalog.probing import max_bytes
from catalog.roles import Right, api_needs
from catalog.selectors import sha256_known, uploads_of
from catalog.services.uploads import DIGESTS, HEX, Checksum, upload_get, upload_offset

VERSION = "1.0.0"
EXTENSIONS = "creation,creation-with-upload,checksum,expiration,termination"
PIECE = "application/offset+octet-stream"
OVERRIDES = ("PATCH", "DELETE", "HEAD", "OPTIONS")
NUMBER = re.compile(r"[0-9]{1,18}\Z")
REFUSED = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 412: PROBLEM}
OF_ONE = {**REFUSED, 404: PROBLEM, 410: PROBLEM}
DISK = {413: PROBLEM, 500: PROBLEM, 507: PROBLEM}


def header(name: str, description: str, required: bool = True) -> OpenApiParameter:
    return OpenApiParameter(name, OpenApiTypes.STR, OpenApiParameter.HEADER, required=required, description=description)


TUS = header("Tus-Resumable", "1.0.0")
CHECKSUM = header("Upload-Checksum", "sha1 or sha256, a space, the digest of this piece in Base64", required=False)
PIECE_BODY = {PIECE: OpenApiTypes.BINARY}


class ErrorSerializer(serializers.Serializer[Any]):
    code = serializers.CharField()
    detail = serializers.CharField()


class UploadSerializer(serializers.ModelSerializer[Upload]):
    url = serializers.SerializerMethodField()
    video = serializers.SerializerMethodField(help_text="Null until it was looked at")
    error = serializers.SerializerMethodField(help_text="Null, or why it is refused")

    class Meta:
        model = Upload
        fields = ("token", "url", "name", "size", "offset", "status", "sha256", "video", "error", "created_at",
                  "expires_at")  # fmt: skip

    def get_url(self, row: Upload) -> str:
        return str(reverse("api-upload", args=[row.token], request=self.context.get("request")))

    def get_video(self, row: Upload) -> dict[str, Any] | None:
        keep = ("container", "codec", "width", "height", "duration_ms", "frames")
        return None if row.facts is None else {name: row.facts[name] for name in keep}

    def get_error(self, row: Upload) -> dict[str, str] | None:
        return {"code": row.error_code, "detail": row.error_detail} if row.error_code else None


class KnownEpisodeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="pk")
    series = serializers.CharField(source="series.title")
    identity = serializers.CharField()
    title = serializers.CharField()


class KnownSerializer(serializers.Serializer[Any]):
    known = serializers.BooleanField()
    episode = KnownEpisodeSerializer(allow_null=True, help_text="The episode that has this very file")
    upload = serializers.CharField(allow_null=True, help_text="Token of a whole upload of yours with this content")


class TusBase(Base):
    """What every answer of the protocol has. Only those who may add episodes send; anybody may ask what can be sent."""

    rate = "upload"

    def get_permissions(self) -> Any:
        return [AllowAny()] if self.request.method == "OPTIONS" else [api_needs(Right.INGEST)()]

    def dispatch(self, request: Any, *args: Any, **kwargs: Any) -> Any:
        """``X-HTTP-Method-Override``: for clients that can send GET and POST only."""
        wanted = request.headers.get("X-HTTP-Method-Override", "").upper()
        if request.method == "POST" and wanted in OVERRIDES:
            request.method = wanted
        return super().dispatch(request, *args, **kwargs)

    def finalize_response(self, request: Any, response: Any, *args: Any, **kwargs: Any) -> Any:
        response.headers["Tus-Resumable"] = VERSION
        if response.status_code == 412:
            response.headers["Tus-Version"] = VERSION
        if response.status_code == 460:
            response.reason_phrase = "Checksum Mismatch"
        return super().finalize_response(request, response, *args, **kwargs)

    def speaks_other(self) -> Response | None:
        """An answer to who speaks another version of the protocol."""
        if self.request.headers.get("Tus-Resumable") == VERSION:
            return None
        detail = f"Say which version of tus you speak: the header Tus-Resumable with {VERSION}."
        return problem(412, "tus_version", detail)

    @extend_schema(responses={204: OpenApiResponse(description="Tus-Version, Tus-Extension, Tus-Max-Size")}, auth=[])
    def options(self, request: Any, *args: Any, **kwargs: Any) -> Response:
        """What the protocol can do here."""
        headers = {
            "Tus-Version": VERSION,
            "Tus-Extension": EXTENSIONS,
            "Tus-Max-Size": str(max_bytes()),
            "Tus-Checksum-Algorithm": ",".join(DIGESTS),
            "Allow": ", ".join(self.allowed_methods),
        }
        return Response(status=204, headers=headers)

    def receive(self, upload: Upload, offset: int) -> Upload | Response:
        """The body of the request, as it comes, into the file."""
        length = self.request.headers.get("Content-Length", "")
        if not NUMBER.match(length):
            return problem(411, "length_required", "Say with Content-Length how many bytes the piece has.")
        checksum = checksum_of(self.request.headers.get("Upload-Checksum"))
        body = self.request._request
        return upload_go_on(upload, offset=offset, length=int(length), read=body.read, checksum=checksum)


class UploadsView(TusBase):
    @extend_schema(responses={200: UploadSerializer(many=True), **REFUSED}, operation_id="uploads_list")
    def get(self, request: Request) -> Response:
        """Your files that were not added yet."""
        rows = uploads_of(user_of(request))
        return Response(UploadSerializer(rows, many=True, context={"request": request}).data)

    @extend_schema(
        parameters=[
            TUS,
            header("Upload-Length", "Bytes of the whole file"),
            header("Upload-Metadata", "filename and, if known, sha256 (64 digits), each with its value in Base64"),
            CHECKSUM,
        ],
        request=PIECE_BODY,
        responses={
            201: OpenApiResponse(description="Location has the address of the upload"),
            **REFUSED, 409: PROBLEM, 411: PROBLEM, 415: PROBLEM, 423: PROBLEM, 429: PROBLEM, 460: PROBLEM, **DISK,
        },
        operation_id="upload_create",
    )  # fmt: skip
    def post(self, request: Request) -> Response:
        """Begins an upload; its first bytes may come along."""
        other = self.speaks_other()
        if other is not None:
            return other
        if "Upload-Defer-Length" in request.headers:
            raise UploadInvalid("The size of the file must be known: send Upload-Length, not Upload-Defer-Length.")
        said = metadata_of(request.headers.get("Upload-Metadata", ""))
        first = has_body(request)
        if first and request.content_type != PIECE:
            raise UnsupportedMediaType(request.content_type or "")
        upload = upload_begin(
            owner=user_of(request),
            name=said.get("filename") or said.get("name") or "",
            size=number_in(request, "Upload-Length"),
            sha256=said.get("sha256", "").lower(),
        )
        if first:
            received = self.receive(upload, 0)
            if isinstance(received, Response):
                upload_give_up(upload, actor=user_of(request))
                return received
            upload = received
        address = str(reverse("api-upload", args=[upload.token], request=request))
        return Response(status=201, headers={"Location": address, **state_headers(upload)})


class UploadView(TusBase):
    @extend_schema(responses={200: UploadSerializer, **OF_ONE}, operation_id="upload_read")
    def get(self, request: Request, token: str) -> Response:
        """How far it is, and what it is once a worker has looked at it."""
        upload = upload_get(user_of(request), token)
        return Response(UploadSerializer(upload, context={"request": request}).data)

    def head(self, request: Request, token: str) -> Response:
        """Where to go on."""
        other = self.speaks_other()
        if other is not None:
            return other
        upload = upload_get(user_of(request), token)
        upload.offset = upload_offset(upload)
        headers = {"Upload-Length": str(upload.size), "Cache-Control": "no-store"}
        return Response(status=200, headers={**headers, **state_headers(upload)})

    @extend_schema(
        parameters=[TUS, header("Upload-Offset", "Where this piece begins, as HEAD says"), CHECKSUM],
        request=PIECE_BODY,
        responses={
            204: OpenApiResponse(description="Upload-Offset says where the next piece begins"),
            **OF_ONE, 409: PROBLEM, 411: PROBLEM, 415: PROBLEM, 423: PROBLEM, 460: PROBLEM, **DISK,
        },
        operation_id="upload_append",
    )  # fmt: skip
    def patch(self, request: Request, token: str) -> Response:
        """Sends a piece."""
        other = self.speaks_other()
        if other is not None:
            return other
        if request.content_type != PIECE:
            raise UnsupportedMediaType(request.content_type or "")
        upload = upload_get(user_of(request), token)
        received = self.receive(upload, number_in(request, "Upload-Offset"))
        if isinstance(received, Response):
            return received
        return Response(status=204, headers=state_headers(received))

    @extend_schema(
        parameters=[TUS],
        responses={204: OpenApiResponse(description="It is gone"), **OF_ONE, 423: PROBLEM},
        operation_id="upload_remove",
    )
    def delete(self, request: Request, token: str) -> Response:
        """Removes the upload and what was sent of it."""
        other = self.speaks_other()
        if other is not None:
            return other
        upload_give_up(upload_get(user_of(request), token), actor=user_of(request))
        return Response(status=204)


class KnownView(Base):
    permission_classes = [api_needs(Right.INGEST)]

    @extend_schema(
        parameters=[
            OpenApiParameter("sha256", str, required=True, description="Of the whole file, 64 digits"),
            parameter("size", "Bytes of the file; then both must fit", kind=int),
        ],
        responses={200: KnownSerializer, 400: PROBLEM, 401: PROBLEM, 403: PROBLEM},
        operation_id="upload_known",
    )
    def get(self, request: Request) -> Response:
        """Whether a file is here already, so that it need not be sent."""
        digest, size = text_of(request, "sha256").lower(), text_of(request, "size")
        if not HEX.fullmatch(digest):
            raise UploadInvalid("sha256 has 64 digits from 0 to 9 and a to f.")
        if size and not NUMBER.match(size):
            raise UploadInvalid("size is a whole number of bytes.")
        episode, upload = sha256_known(user_of(request), digest, int(size) if size else None)
        found = {"known": episode is not None, "episode": episode, "upload": upload.token if upload else None}
        return Response(KnownSerializer(found).data)


def has_body(request: Request) -> bool:
    length = request.headers.get("Content-Length", "")
    return bool(NUMBER.match(length)) and int(length) > 0


def state_headers(upload: Upload) -> dict[str, str]:
    headers = {"Upload-Offset": str(upload.offset)}
    if upload.status == UploadStatus.OPEN:
        headers["Upload-Expires"] = http_date(upload.expires_at.timestamp())
    return headers


def number_in(request: Request, name: str) -> int:
    """Raises UploadInvalid."""
    text = request.headers.get(name, "")
    if not NUMBER.match(text):
        raise UploadInvalid(f"The header {name} must be a whole number of bytes.")
    return int(text)


def metadata_of(text: str) -> dict[str, str]:
    """``filename ZmlsbQ==,sha256 ...``. Raises UploadInvalid."""
    found: dict[str, str] = {}
    for pair in text.split(","):
        key, _, value = pair.strip().partition(" ")
        if not key:
            continue
        if key in found:
            raise UploadInvalid("Upload-Metadata names something twice.")
        try:
            found[key] = base64.b64decode(value.strip(), validate=True).decode("utf-8")
        except (binascii.Error, UnicodeDecodeError, ValueError) as error:
            raise UploadInvalid("Upload-Metadata holds a value that is no Base64 of UTF-8.") from error
    return found


def checksum_of(text: str | None) -> Checksum | None:
    """Raises UploadInvalid."""
    if text is None:
        return None
    algorithm, _, value = text.strip().partition(" ")
    try:
        digest = base64.b64decode(value.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise UploadInvalid("Upload-Checksum holds no Base64.") from error
    if DIGESTS.get(algorithm) != len(digest):
        raise UploadInvalid(f"Upload-Checksum is one of {', '.join(DIGESTS)}, a space, and the digest in Base64.")
    return Checksum(algorithm, digest)
