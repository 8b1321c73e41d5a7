"""What is drawn over an episode's picture: as JSON for a stretch, as an SVG picture for a moment."""

from __future__ import annotations

from typing import Any

from django.http import Http404, HttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.conditional import conditional
from analysis.api.serializers import LANE_EMOTIONS
from analysis.api.subtitles import ByAddress
from analysis.api.views import PROBLEM, Base
from analysis.overlay_svg import overlay_svg
from analysis.selectors.episodes import episode_get
from analysis.selectors.hidden import hidden_check
from analysis.selectors.overlays import FORMAT, LONGEST_MS, USUAL_MS, OverlayRequest, overlays_of, overlays_request
from analysis.selectors.runs import run_published

EPISODE = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Id of an episode")
MOST_MS = 2**31 - 1


class StretchSerializer(serializers.Serializer[Any]):
    """Query parameters."""

    from_ms = serializers.IntegerField(default=0, min_value=0, max_value=MOST_MS, help_text="Where the stretch begins.")
    to_ms = serializers.IntegerField(
        required=False,
        min_value=1,
        max_value=MOST_MS,
        help_text=f"Where it ends, at most {LONGEST_MS} ms later; {USUAL_MS} ms later if not said.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        length = attrs.setdefault("to_ms", attrs["from_ms"] + USUAL_MS) - attrs["from_ms"]
        if not 0 < length <= LONGEST_MS:
            raise serializers.ValidationError({"to_ms": f"It is 1 to {LONGEST_MS} ms after from_ms."})
        return attrs


class MomentSerializer(serializers.Serializer[Any]):
    """Query parameters."""

    at_ms = serializers.IntegerField(default=0, min_value=0, max_value=MOST_MS, help_text="The moment; 0 if not said.")


class OverlayCharacterSerializer(serializers.Serializer[Any]):
    slug = serializers.CharField()
    name = serializers.CharField()
    colour = serializers.CharField()


class OverlayFaceSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    track = serializers.IntegerField(allow_null=True, help_text="The same for one face along a shot.")
    character = serializers.CharField(
        source="character.slug", allow_null=True, default=None, help_text="Slug; null: nobody the bundle knows."
    )
    box = serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, help_text="left, top, right, bottom"
    )
    outline = serializers.ListField(
        child=serializers.ListField(child=serializers.ListField(child=serializers.FloatField())),
        help_text="Closed rings of [x, y] around the mask, to be filled even-odd; empty where there is no mask.",
    )
    emotion = serializers.ChoiceField(choices=LANE_EMOTIONS)
    confidence = serializers.FloatField()
    corrected = serializers.BooleanField(help_text="A person said what it shows.")


class OverlayDrawingSerializer(serializers.Serializer[Any]):
    pts_ms = serializers.IntegerField()
    shown_ms = serializers.IntegerField(help_text="The drawing is shown for so long.")
    faces = OverlayFaceSerializer(many=True)


class OverlaysSerializer(serializers.Serializer[Any]):
    """Places in pixels of the decoded picture, which is ``width`` x ``height``."""

    format = serializers.IntegerField(help_text="Version of this format: 1.")
    episode = serializers.IntegerField()
    run = serializers.IntegerField()
    width = serializers.IntegerField()
    height = serializers.IntegerField()
    from_ms = serializers.IntegerField()
    to_ms = serializers.IntegerField()
    characters = OverlayCharacterSerializer(many=True, help_text="Whoever the run sees.")
    drawings = OverlayDrawingSerializer(many=True, help_text="In time order; those without a face are left out.")


class _Overlay(Base):
    def asked(self, pk: int, start_ms: int, end_ms: int) -> OverlayRequest:
        """Raises Http404, NotFound, and EpisodeHidden where limits hide the episode."""
        episode = episode_get(pk)
        if episode is None:
            raise Http404
        hidden_check(pk, self.limits)
        run = run_published(episode)
        if run is None:
            raise NotFound("The episode shows no analysis yet.")
        return overlays_request(episode=episode, run=run, start_ms=start_ms, end_ms=end_ms)


class OverlaysView(_Overlay):
    def selectable(self) -> Any:
        return OverlaysSerializer

    @extend_schema(
        operation_id="episodes_overlays",
        parameters=[EPISODE, StretchSerializer],
        responses={200: OverlaysSerializer, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, pk: str) -> HttpResponseBase:
        """Faces of a stretch of an episode: boxes, outlines of masks, names, emotions, drawing by drawing."""
        stretch = StretchSerializer(data=request.query_params)
        stretch.is_valid(raise_exception=True)
        asked = self.asked(int(pk), stretch.validated_data["from_ms"], stretch.validated_data["to_ms"])
        return conditional(request, asked.tag, lambda: Response(overlays_json(asked)), self.chosen)


class OverlayPictureView(_Overlay):
    content_negotiation_class = ByAddress

    @extend_schema(
        operation_id="episodes_overlay_svg",
        parameters=[EPISODE, MomentSerializer],
        responses={(200, "image/svg+xml"): OpenApiTypes.STR, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, pk: int) -> HttpResponseBase:
        """Masks, names and emotions of one moment as a picture without a background, to lay over the film's."""
        moment = MomentSerializer(data=request.query_params)
        moment.is_valid(raise_exception=True)
        at_ms = moment.validated_data["at_ms"]
        asked = self.asked(pk, at_ms, at_ms + 1)
        return conditional(request, f"svg-{asked.tag}", lambda: _picture(asked))


def overlays_json(asked: OverlayRequest) -> Any:
    width, height = asked.size
    data = {
        "format": FORMAT,
        "episode": asked.episode.pk,
        "run": asked.run.pk,
        "width": width,
        "height": height,
        "from_ms": asked.start_ms,
        "to_ms": asked.end_ms,
        "characters": [dict(zip(("slug", "name", "colour"), row, strict=True)) for row in asked.characters],
        "drawings": overlays_of(asked),
    }
    return OverlaysSerializer(data).data


def _picture(asked: OverlayRequest) -> HttpResponse:
    response = HttpResponse(overlay_svg(overlays_of(asked), asked.size), content_type="image/svg+xml")
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'; style-src 'unsafe-inline'"
    response.headers["X-Content-Type-Options"] = "nosniff"
    return response
