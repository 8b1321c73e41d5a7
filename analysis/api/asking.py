"""Faces to ask people about, what they say, where they differ and how far they agree. For whoever may correct."""

from __future__ import annotations

from typing import Any

from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.correction_shapes import LABELS_SAID, MOST_MS, SAYS, AgreementSerializer
from analysis.api.views import PROBLEM, Base, choice_of, number_of, parameter, text_of, user_of
from analysis.layer import Says
from analysis.models import AskedFace
from analysis.selectors.agreement import AgreementFound, agreement_of
from analysis.selectors.asking import LOOKS, NEW, Ask, Scope, asks_next, words_latest
from analysis.selectors.hidden import hidden_check
from analysis.selectors.visible import is_visible
from analysis.services.asking import face_answer, face_settle, face_undo
from analysis.services.corrections import CorrectionRequest
from catalog.models import Episode
from catalog.roles import Right, api_needs

REFUSED = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}
MOST_ASKED = 50


class WordSerializer(serializers.Serializer[Any]):
    """What one person says of a face. ``settles``: said to end a disagreement."""

    id = serializers.IntegerField()
    face = serializers.IntegerField(source="face_id", help_text="Of the asked face, to settle what people say of it.")
    episode = serializers.IntegerField(source="face.episode_id")
    subject = serializers.CharField(source="face.subject.slug", help_text="Slug: whom the face is read as.")
    start_ms = serializers.IntegerField(source="face.start_ms")
    end_ms = serializers.IntegerField(source="face.end_ms")
    says = serializers.ChoiceField(choices=SAYS)
    character = serializers.CharField(source="character.slug", allow_null=True, default=None)
    emotion = serializers.CharField(help_text="Empty: as read.")
    settles = serializers.BooleanField()
    made_by = serializers.CharField(source="made_by.username")
    made_at = serializers.DateTimeField()
    withdrawn_at = serializers.DateTimeField(allow_null=True)


class FaceQuestionSerializer(serializers.Serializer[Any]):
    """One face to ask about: that which is read as ``subject`` from ``start_ms`` to ``end_ms``."""

    episode = serializers.IntegerField(source="episode.pk")
    subject = serializers.CharField(source="subject.slug", help_text="Slug: whom the face is read as.")
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    face = serializers.IntegerField(
        source="face_id",
        allow_null=True,
        help_text="What stands for it: /moments/ID/face is its picture.",
    )
    asked = serializers.IntegerField(source="asked_id", allow_null=True, help_text="Where somebody answered before.")
    box = serializers.SerializerMethodField(help_text="[x1, y1, x2, y2] in parts of the picture, or null.")
    widest = serializers.CharField(source="emotion", help_text="The emotion with the widest interval; or empty.")
    gain = serializers.FloatField(
        allow_null=True, help_text="By how much of a share an answer is expected to narrow that interval."
    )
    words = WordSerializer(many=True, help_text="Who said what; only where people differ.")
    counts = serializers.IntegerField(allow_null=True, help_text="Of the words, which counts now.")

    @extend_schema_field(serializers.ListField(child=serializers.FloatField(), allow_null=True))
    def get_box(self, ask: Ask) -> list[float] | None:
        return None if ask.box is None else [round(x, 5) for x in ask.box]


class SaidSerializer(serializers.Serializer[Any]):
    says = serializers.ChoiceField(choices=SAYS, default=str(Says.CHARACTER))
    character = serializers.CharField(
        required=False, allow_null=True, max_length=120, help_text="Slug: it is who; else whom it is read as."
    )
    emotion = serializers.ChoiceField(choices=LABELS_SAID, required=False, allow_blank=True, default="")


class FaceAnswerSerializer(SaidSerializer):
    episode = serializers.IntegerField(min_value=1, max_value=10**18)
    subject = serializers.CharField(max_length=120, help_text="Slug: whom the face is read as.")
    start_ms = serializers.IntegerField(min_value=0, max_value=MOST_MS)
    end_ms = serializers.IntegerField(min_value=1, max_value=MOST_MS)


class PairSerializer(serializers.Serializer[Any]):
    people = serializers.SerializerMethodField()
    agreement = AgreementSerializer()

    @extend_schema_field(serializers.ListField(child=serializers.CharField()))
    def get_people(self, pair: Any) -> list[str]:
        return [pair.first, pair.second]


class MixedSerializer(serializers.Serializer[Any]):
    first = serializers.CharField()
    second = serializers.CharField()
    times = serializers.IntegerField()


class AgreementFoundSerializer(serializers.Serializer[AgreementFound]):
    """``alpha``: Krippendorff's, for names; null where chance alone would always agree or nobody was asked twice."""

    faces = serializers.IntegerField(help_text="That two or more people answered without knowing of each other.")
    alpha = serializers.FloatField(allow_null=True)
    pairs = PairSerializer(many=True)
    mixed = MixedSerializer(many=True, help_text="Labels that people gave the same face, the most frequent first.")
    differing = serializers.IntegerField(help_text="Faces that people differ about or differed about.")
    open = serializers.IntegerField(help_text="Of these, not settled.")
    shots = serializers.IntegerField(help_text="Shots of samples that two or more people answered.")
    shots_alpha = serializers.FloatField(allow_null=True)
    shot_pairs = PairSerializer(many=True)


class _Editors(Base):
    permission_classes = [api_needs(Right.CORRECT)]


class NextFacesView(_Editors):
    @extend_schema(
        parameters=[
            parameter("episode", "Id of an episode", kind=int),
            parameter("character", "Slug of whom the face is read as"),
            parameter("look", "new: nobody answered; second: others did; disputed: people differ", list(LOOKS)),
            parameter("limit", f"At most {MOST_ASKED}; 10 if not said", kind=int),
        ],
        responses={200: FaceQuestionSerializer(many=True), **REFUSED},
        operation_id="faces_next",
    )
    def get(self, request: Request) -> Response:
        """The faces whose answer is expected to narrow a published interval most, the best first. Chosen faces are no
        random sample: to check an episode, use its certification.
        """
        look = choice_of(request, "look", LOOKS) or NEW
        episode = number_of(request, "episode")
        if episode is not None:
            hidden_check(episode, self.limits)
        limit = min(number_of(request, "limit") or 10, MOST_ASKED)
        scope = Scope(episode, text_of(request, "character")[:120], look)
        asks = asks_next(user_of(request).pk, scope, limit)
        if self.limits:
            asks = [ask for ask in asks if self.is_shown(ask.episode.pk)]
        return Response(FaceQuestionSerializer(asks, many=True).data)

    def is_shown(self, episode: int) -> bool:
        return is_visible(episode, self.limits)


class FaceAnswersView(_Editors):
    @extend_schema(
        parameters=[parameter("mine", "1: only what you said", ["0", "1"])],
        responses={200: WordSerializer(many=True), **REFUSED},
        operation_id="faces_answers",
    )
    def get(self, request: Request) -> Response:
        """The last 50 answers that were not taken back, the newest first."""
        mine = choice_of(request, "mine", "01") == "1"
        found = words_latest(person_id=user_of(request).pk if mine else None, most=MOST_ASKED)
        return Response(WordSerializer(found, many=True).data)

    @extend_schema(
        request=FaceAnswerSerializer, responses={201: WordSerializer, **REFUSED}, operation_id="faces_answer"
    )
    def post(self, request: Request) -> Response:
        """One answer. Ratings follow within a minute or so. Answering the same face again replaces your answer."""
        asked = FaceAnswerSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = dict(asked.validated_data)
        episode = Episode.objects.select_related("source").filter(pk=values.pop("episode")).first()
        if episode is None:
            raise NotFound("There is no such episode.")
        hidden_check(episode.pk, self.limits)
        word = face_answer(episode=episode, actor=user_of(request), asked=CorrectionRequest(**values))
        return Response(WordSerializer(word).data, status=201)


class LastAnswerView(_Editors):
    @extend_schema(request=None, responses={200: WordSerializer, **REFUSED}, operation_id="faces_undo")
    def delete(self, request: Request) -> Response:
        """Takes back what you said last; again, what you said before. It stays in the history."""
        word = face_undo(actor=user_of(request))
        word.refresh_from_db()
        return Response(WordSerializer(word).data)


class SettleView(_Editors):
    @extend_schema(request=SaidSerializer, responses={201: WordSerializer, **REFUSED}, operation_id="faces_settle")
    def post(self, request: Request, pk: str) -> Response:
        """Ends a disagreement about an asked face: this counts, whatever others said."""
        face = get_object_or_404(AskedFace.objects.select_related("subject"), pk=pk)
        hidden_check(face.episode_id, self.limits)
        asked = SaidSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        character = given.get("character")
        if given["says"] == Says.CHARACTER and character is None:
            character = face.subject.slug
        word = face_settle(
            face=face, actor=user_of(request), says=given["says"], character=character, emotion=given["emotion"]
        )
        return Response(WordSerializer(word).data, status=201)


class AgreementView(_Editors):
    @extend_schema(responses={200: AgreementFoundSerializer, **REFUSED}, operation_id="agreement")
    def get(self, request: Request) -> Response:
        """How far people agree who said something of the same face, or answered the same sample."""
        return Response(AgreementFoundSerializer(agreement_of()).data)
