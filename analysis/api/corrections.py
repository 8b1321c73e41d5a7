"""What people say of faces, and the samples that they check. Everybody may read; editors write."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework.exceptions import NotFound
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api import correction_shapes as shape
from analysis.api.pages import TimePages
from analysis.api.views import PROBLEM, Base, LimitedViewSet, choice_of, number_of, parameter, text_of, user_of
from analysis.models import Certification, Correction
from analysis.selectors.certify import CertificationState, certification_find, certifications_of, question_next
from analysis.selectors.hidden import hidden_check
from analysis.selectors.runs import run_published
from analysis.selectors.visible import episodes_visible
from analysis.services.certify import certification_answer, certification_start, certification_withdraw
from analysis.services.corrections import CorrectionRequest, correction_add, correction_withdraw
from catalog.models import Episode
from catalog.roles import Right, api_needs, may

REFUSED = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}
CHARACTER = parameter("character", "Slug of the character whose sample it is")


@extend_schema_view(
    list=extend_schema(
        parameters=[
            parameter("episode", "Id of an episode", kind=int),
            parameter("withdrawn", "1: also those that no longer count", ["0", "1"]),
        ]
    )
)
class CorrectionViewSet(LimitedViewSet):
    """What people say of single faces; kept by every run. Never changed, only withdrawn."""

    queryset = Correction.objects.none()
    serializer_class = shape.CorrectionSerializer
    pagination_class = TimePages
    lookup_value_regex = r"\d{1,18}"

    def get_permissions(self) -> Any:
        return super().get_permissions() if self.request.method in SAFE_METHODS else [api_needs(Right.CORRECT)()]

    def episode_of(self, pk: int) -> int | None:
        return Correction.objects.filter(pk=pk).values_list("episode_id", flat=True).first()

    def get_queryset(self) -> QuerySet[Correction]:
        rows = Correction.objects.select_related("subject", "character", "episode")
        if self.limits:
            rows = rows.filter(episode_id__in=episodes_visible(self.limits).values("pk"))
        if self.action == "list":
            if (episode := number_of(self.request, "episode")) is not None:
                rows = rows.filter(episode_id=episode)
            if choice_of(self.request, "withdrawn", "01") != "1":
                rows = rows.filter(withdrawn_at__isnull=True)
        return rows.order_by("episode_id", "start_ms", "pk")

    @extend_schema(request=shape.CorrectionAskedSerializer, responses={201: shape.CorrectionSerializer, **REFUSED})
    def create(self, request: Request) -> Response:
        """What the episode shows follows at once."""
        asked = shape.CorrectionAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        episode = Episode.objects.filter(pk=values.pop("episode")).first()
        if episode is None:
            raise NotFound("There is no such episode.")
        hidden_check(episode.pk, self.limits)
        box = values.pop("box", None)
        wanted = CorrectionRequest(**values, box=None if box is None else (box[0], box[1], box[2], box[3]))
        row = correction_add(episode=episode, actor=user_of(request), asked=wanted)
        return Response(shape.CorrectionSerializer(row).data, status=201)

    @extend_schema(responses={200: shape.CorrectionSerializer, **REFUSED})
    def destroy(self, request: Request, pk: str) -> Response:
        """Withdraws it: it no longer counts, and stays in the history."""
        row = correction_withdraw(correction=self.get_object(), actor=user_of(request))
        return Response(shape.CorrectionSerializer(row).data)


class _OfEpisode(Base):
    def get_permissions(self) -> Any:
        return super().get_permissions() if self.request.method in SAFE_METHODS else [api_needs(Right.CORRECT)()]

    @property
    def episode(self) -> Episode:
        """Raises Http404, and EpisodeHidden where limits hide it."""
        episode = get_object_or_404(Episode, pk=self.kwargs["pk"])
        hidden_check(episode.pk, self.limits)
        return episode

    def answer(self, request: Request, row: Certification, status: int = 200) -> Response:
        """The state of that sample and, for editors, the shot to look at next."""
        person = user_of(request).pk if may(request, Right.CORRECT) else None
        state = next(s for s in certifications_of(row.episode, person) if s.row.pk == row.pk)
        return Response(self.shown(state, person), status=status)

    def shown(self, state: CertificationState, person: int | None) -> Any:
        run = run_published(state.row.episode)
        question = question_next(state.row, run, person) if person is not None else None
        return shape.CertificationSerializer(state, context={"next": question}).data


class CertificationView(_OfEpisode):
    """Random samples of shots to check, one per character."""

    @extend_schema(
        parameters=[CHARACTER],
        responses={200: shape.CertificationSerializer(many=True), 404: PROBLEM},
        operation_id="certification_list",
    )
    def get(self, request: Request, pk: str) -> Response:
        """The samples that count. Editors also read which shot comes next; what the model says of it is not told."""
        person = user_of(request).pk if may(request, Right.CORRECT) else None
        wanted = text_of(request, "character")
        found = certifications_of(self.episode, person)
        return Response([self.shown(s, person) for s in found if wanted in ("", s.row.character.slug)])

    @extend_schema(
        request=shape.CertificationAskedSerializer,
        responses={201: shape.CertificationSerializer, **REFUSED},
        operation_id="certification_start",
    )
    def post(self, request: Request, pk: str) -> Response:
        """Draws a sample of the shots in which the published run sees the character. It is fixed from then on."""
        asked = shape.CertificationAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = certification_start(episode=self.episode, actor=user_of(request), **asked.validated_data)
        return self.answer(request, row, 201)

    @extend_schema(
        parameters=[CHARACTER],
        responses={204: None, **REFUSED},
        operation_id="certification_withdraw",
    )
    def delete(self, request: Request, pk: str) -> Response:
        """Withdraws the sample of ``?character=`` with its answers."""
        row = certification_find(self.episode, text_of(request, "character"))
        certification_withdraw(certification=row, actor=user_of(request))
        return Response(status=204)


class AnswersView(_OfEpisode):
    @extend_schema(
        request=shape.AnswerAskedSerializer,
        responses={200: shape.CertificationSerializer, **REFUSED},
        operation_id="certification_answer",
    )
    def post(self, request: Request, pk: str) -> Response:
        """What one shot of the sample shows. With the last one, the rating becomes a checked one."""
        asked = shape.AnswerAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        row = certification_find(self.episode, values["character"])
        pieces = [(p["start_ms"], p["end_ms"], p["label"]) for p in values["pieces"]]
        certification_answer(certification=row, actor=user_of(request), place=values["place"], pieces=pieces)
        return self.answer(request, row)
