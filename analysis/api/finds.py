"""Draw to find, for clients: send a picture, ask until it was read, read the moments that look like it."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.parsers import FormParser, MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.reverse import reverse

from analysis.api.serializers import EMOTION_NAMES, ProblemSerializer
from analysis.api.views import PROBLEM, Base, number_of, parameter
from analysis.errors import FindRefused
from analysis.finding.alike import Alike
from analysis.limits import Limits
from analysis.models import Find, FindStatus
from analysis.selectors.finds import Filters, Found, comparable, find_by_face, find_by_picture, find_get
from analysis.services.bundles import bundle_find
from analysis.services.finds import MAX_BYTES, box_read, find_request, pictures_request

FIND_FORMAT = 1
BUSY = OpenApiResponse(ProblemSerializer, description="Too many pictures wait")


class FindFiltersSerializer(serializers.Serializer[Any]):
    alike = serializers.ChoiceField(
        choices=[str(a) for a in Alike], required=False, help_text="Else both; a bundle without halves knows only both."
    )
    character = serializers.CharField(required=False, allow_blank=True, max_length=120, help_text="Slug")
    emotion = serializers.ChoiceField(choices=EMOTION_NAMES, required=False, allow_blank=True)
    n = serializers.IntegerField(required=False, min_value=1, max_value=8, help_text="Which face of the picture")
    limit = serializers.IntegerField(required=False, min_value=1, max_value=48, help_text="Moments; 12 if not said")


class FindRequestSerializer(serializers.Serializer[Any]):
    picture = serializers.FileField(help_text="PNG, JPEG, WebP, BMP or GIF, at most 8 MB")
    box = serializers.CharField(
        required=False, allow_blank=True, max_length=80, help_text="Where the face is: left,top,right,bottom in pixels"
    )
    bundle = serializers.CharField(required=False, max_length=140, help_text="Else that of most episodes")


class FoundMomentSerializer(serializers.Serializer[Any]):
    face = serializers.IntegerField(source="face_id")
    episode = serializers.IntegerField(source="episode_id")
    title = serializers.CharField(source="episode")
    scene = serializers.IntegerField(source="scene_id", allow_null=True)
    pts_ms = serializers.IntegerField()
    character = serializers.CharField(source="character.slug", allow_null=True, default=None)
    emotion = serializers.CharField(help_text="Empty: unclear")
    similarity = serializers.FloatField(help_text="The cosine of what is compared")


class ReadFaceSerializer(serializers.Serializer[Any]):
    """A face of the picture that was sent."""

    box = serializers.ListField(child=serializers.FloatField())
    score = serializers.FloatField()
    how = serializers.ChoiceField(choices=["found", "given", "whole"])
    character = serializers.CharField(allow_null=True)
    emotion = serializers.CharField(help_text="Empty: unclear")
    confidence = serializers.FloatField()


class FindAnswerSerializer(serializers.Serializer[Any]):
    format = serializers.IntegerField(help_text="Version of this format: 1.")
    token = serializers.CharField(required=False)
    status = serializers.ChoiceField(choices=FindStatus.choices)
    url = serializers.CharField(required=False, help_text="Where the answer is, until expires_at")
    expires_at = serializers.DateTimeField(required=False)
    error = serializers.DictField(required=False, help_text="Only when failed: code and detail")
    faces = ReadFaceSerializer(many=True, required=False)
    bundle = serializers.CharField(required=False)
    alike = serializers.ChoiceField(choices=[str(a) for a in Alike], required=False)
    exact = serializers.BooleanField(required=False, help_text="Every face in question was compared")
    episodes_searched = serializers.IntegerField(required=False)
    episodes_left_out = serializers.IntegerField(
        required=False, help_text="Read by bundles whose faces cannot be compared"
    )
    results = FoundMomentSerializer(many=True, required=False)


FILTERS = [
    parameter("alike", "In what sense", [str(a) for a in Alike]),
    parameter("character", "Slug of a character"),
    parameter("emotion", "Only this emotion", EMOTION_NAMES),
    parameter("limit", "Moments, at most 48", kind=int),
]


class FindView(Base):
    """Pictures are read by a worker; POST answers at once with the address of the answer."""

    rate = "find"
    parser_classes = [MultiPartParser, FormParser]

    @extend_schema(
        request={"multipart/form-data": FindRequestSerializer},
        responses={202: FindAnswerSerializer, 400: PROBLEM, 409: PROBLEM, 429: BUSY},
        operation_id="find",
    )
    def post(self, request: Request) -> Response:
        asked = FindRequestSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        among = comparable(bundle_find(given["bundle"]) if given.get("bundle") else None, self.limits)
        find = find_request(
            picture=given["picture"].read(MAX_BYTES + 1), bundle=among.bundle, box=box_read(given.get("box", ""))
        )
        return Response(_state(find, request), status=202)

    @extend_schema(
        parameters=[parameter("face", "Id of a face of ours, as a result names it", kind=int), *FILTERS],
        responses={200: FindAnswerSerializer, 400: PROBLEM, 404: PROBLEM},
        operation_id="find_like",
    )
    def get(self, request: Request) -> Response:
        """What is like a moment that was found before. No worker is asked."""
        face = number_of(request, "face")
        if face is None:
            raise FindRefused("Say which face: ?face=ID, or send a picture with POST.")
        filters, limit = filters_of(request, self.limits)
        found = find_by_face(face, filters, limit)
        if found is None:
            raise NotFound
        return Response({"format": FIND_FORMAT, "status": FindStatus.READ, **_results(found)})


class FindAnswerView(Base):
    @extend_schema(
        parameters=[parameter("n", "Which face of the picture, from 1", kind=int), *FILTERS],
        responses={200: FindAnswerSerializer, 400: PROBLEM, 404: PROBLEM},
        operation_id="find_answer",
    )
    def get(self, request: Request, token: str) -> Response:
        """``status`` waiting: ask again in a second. The filters may differ each time."""
        find = find_get(token)
        if find is None:
            raise NotFound("That answer has expired, or never was.")
        filters, limit = filters_of(request, self.limits)
        data = _state(find, request)
        if find.status == FindStatus.READ:
            data |= _results(find_by_picture(find, filters, limit))
        return Response(data)


def filters_of(request: Request, limits: Limits) -> tuple[Filters, int]:
    """Raises ValidationError."""
    asked = FindFiltersSerializer(data=request.query_params)
    asked.is_valid(raise_exception=True)
    given = asked.validated_data
    filters = Filters(
        alike=Alike(given["alike"]) if given.get("alike") else None,
        character=given.get("character", ""),
        emotion=given.get("emotion", ""),
        n=given.get("n", 1),
        limits=limits,
    )
    return filters, given.get("limit", 12)


def _state(find: Find, request: Request) -> dict[str, Any]:
    data: dict[str, Any] = {
        "format": FIND_FORMAT,
        "token": find.token,
        "status": find.status,
        "url": reverse("api-find-answer", args=[find.token], request=request),
        "expires_at": find.expires_at,
        "bundle": str(find.bundle),
    }
    if find.status == FindStatus.FAILED:
        data["error"] = {"code": find.error_code, "detail": find.error_detail}
    if find.status == FindStatus.READ:
        data["faces"] = ReadFaceSerializer(find.faces, many=True).data
    return data


def _results(found: Found) -> dict[str, Any]:
    pictures_request(found.moments)
    return {
        "bundle": str(found.comparable.bundle),
        "alike": str(found.alike),
        "exact": found.exact,
        "episodes_searched": len(found.comparable.runs),
        "episodes_left_out": found.comparable.others,
        "results": FoundMomentSerializer(found.moments, many=True).data,
    }
