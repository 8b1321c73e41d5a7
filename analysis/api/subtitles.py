"""Subtitles as files: the address says the form, so ``Accept`` is not asked."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, ClassVar

from django.http import Http404
from django.http.response import HttpResponse, HttpResponseBase
from django.utils.cache import get_conditional_response
from django.utils.http import content_disposition_header, quote_etag
from django.utils.text import get_valid_filename
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework.exceptions import NotFound
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request

from analysis.api import serializers as shape
from analysis.api.views import PROBLEM, Base
from analysis.selectors.episodes import episode_get
from analysis.selectors.hidden import hidden_check
from analysis.selectors.runs import run_published
from analysis.selectors.subtitles import Form, subtitles_request, subtitles_text

TYPES: dict[Form, str] = {"vtt": "text/vtt; charset=utf-8", "srt": "application/x-subrip"}
EPISODE = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Id of an episode")


class ByAddress(BaseContentNegotiation):
    """Errors are JSON; a player that asks for ``text/vtt`` alone must not be refused for it."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


class SubtitlesView(Base):
    """What each character's face shows, while it shows it, by the run that the episode shows."""

    content_negotiation_class = ByAddress
    form: ClassVar[Form]

    def answer(self, request: Request, pk: int) -> HttpResponseBase:
        options = shape.SubtitleOptionsSerializer(data=request.query_params)
        options.is_valid(raise_exception=True)
        episode = episode_get(pk)
        if episode is None:
            raise Http404
        hidden_check(pk, self.limits)
        run = run_published(episode)
        if run is None:
            raise NotFound("The episode shows no analysis yet.")
        asked = subtitles_request(episode=episode, run=run, **options.validated_data)
        tag = quote_etag(asked.tag(self.form))
        response = get_conditional_response(request._request, etag=tag)
        if response is None:
            response = HttpResponse(subtitles_text(asked, self.form), content_type=TYPES[self.form])
            name = get_valid_filename(f"{episode.series.slug}.{episode.identity}.emotions.{self.form}")
            response.headers["Content-Disposition"] = content_disposition_header(False, name) or "inline"
        response.headers["ETag"] = tag
        response.headers["Cache-Control"] = "private, no-cache"
        return response


class VttView(SubtitlesView):
    form = "vtt"

    @extend_schema(
        operation_id="episodes_subtitles_vtt",
        parameters=[EPISODE, shape.SubtitleOptionsSerializer],
        responses={(200, "text/vtt"): OpenApiTypes.STR, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, pk: int) -> Any:
        """The emotions of an episode as WebVTT: colour and word, bold where the reading is sure."""
        return self.answer(request, pk)


class SrtView(SubtitlesView):
    form = "srt"

    @extend_schema(
        operation_id="episodes_subtitles_srt",
        parameters=[EPISODE, shape.SubtitleOptionsSerializer],
        responses={(200, "application/x-subrip"): OpenApiTypes.STR, 400: PROBLEM, 404: PROBLEM},
    )
    def get(self, request: Request, pk: int) -> Any:
        """The same as SubRip: words alone."""
        return self.answer(request, pk)
