"""Recommendations and evenings over the API. Nothing that is asked is kept."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.views import PROBLEM, Base, parameter
from analysis.recommend import SLIDERS
from analysis.recommending_json import evening_json, recommendations_json
from analysis.recommending_request import asked_of_address, asked_of_json, minutes_of
from analysis.selectors.recommending import Asked, evening_for, recommendations_for

LIKE = parameter("like", "Ids of episodes that are liked, with commas")
STEPS = [
    parameter(name, "Steps from -2 to 2; 0: as it is. A negative step asks for the opposite", kind=int)
    for name in SLIDERS
]
COUNT = parameter("count", "How many, 1 to 50", kind=int)
MINUTES = parameter("minutes", "How long the evening is, 1 to 360", kind=int)


class LikedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()
    series = serializers.CharField(help_text="Slug.")
    duration_ms = serializers.IntegerField(allow_null=True)


class ReasonSerializer(serializers.Serializer[Any]):
    term = serializers.CharField(help_text="A key of terms.")
    value = serializers.FloatField(help_text="What the term adds to the score.")
    places = serializers.IntegerField(help_text="At least so many places lower without the term.")
    words = serializers.CharField()


class RecommendedSerializer(serializers.Serializer[Any]):
    episode = LikedSerializer()
    score = serializers.FloatField(help_text="The sum of terms; 0 is a usual episode.")
    terms = serializers.DictField(child=serializers.FloatField())
    alike = serializers.FloatField(help_text="How like (0 to 1) it is to the nearest one above it.")
    why = serializers.CharField()
    reasons = ReasonSerializer(many=True)


class RecommendationsSerializer(serializers.Serializer[Any]):
    asked = serializers.DictField(help_text="What was understood: like, sliders, limits, count.")
    liked = LikedSerializer(many=True)
    compared = serializers.IntegerField(help_text="Among how many of the best the places of reasons are counted.")
    results = RecommendedSerializer(many=True)


class RefusalSerializer(serializers.Serializer[Any]):
    code = serializers.ChoiceField(choices=["nothing_fits", "no_calm_end"])
    shortest_ms = serializers.IntegerField(allow_null=True, help_text="The least time that would do; null: none would.")


class EveningSerializer(serializers.Serializer[Any]):
    asked = serializers.DictField()
    liked = LikedSerializer(many=True)
    total_ms = serializers.IntegerField()
    of_best = serializers.FloatField(help_text="At least this part of what the best evening of all can be worth.")
    calmer_than = serializers.FloatField(help_text="The part of all episodes that is less calm than the last one.")
    why = serializers.CharField()
    results = RecommendedSerializer(many=True, help_text="In the order of playing.")
    refusal = RefusalSerializer(allow_null=True, help_text="Why there is no evening, and what would do.")


class AskedSerializer(serializers.Serializer[Any]):
    like = serializers.ListField(child=serializers.IntegerField(), required=False)
    sliders = serializers.DictField(child=serializers.IntegerField(), required=False, help_text=", ".join(SLIDERS))
    count = serializers.IntegerField(required=False)


class AskedEveningSerializer(AskedSerializer):
    minutes = serializers.IntegerField()


class RecommendationsView(Base):
    """Episodes like those that are liked, or as the sliders ask, within limits, with reasons."""

    rate = "search"

    @extend_schema(
        parameters=[LIKE, *STEPS, COUNT],
        responses={200: RecommendationsSerializer, 400: PROBLEM, 404: PROBLEM},
        operation_id="recommendations",
    )
    def get(self, request: Request) -> Response:
        return self._answer(asked_of_address(request._request.GET, self.limits))

    @extend_schema(
        request=AskedSerializer,
        responses={200: RecommendationsSerializer, 400: PROBLEM, 404: PROBLEM},
        operation_id="recommendations_post",
    )
    def post(self, request: Request) -> Response:
        """The same as JSON. Writes nothing, so anybody may."""
        return self._answer(asked_of_json(request.data, self.limits))

    def _answer(self, asked: Asked) -> Response:
        return Response(recommendations_json(recommendations_for(asked)))


class EveningView(Base):
    """Episodes that fit into an evening together, from the liveliest to the calmest."""

    rate = "search"

    @extend_schema(
        parameters=[MINUTES, LIKE, *STEPS],
        responses={200: EveningSerializer, 400: PROBLEM, 404: PROBLEM},
        operation_id="recommendations_evening",
    )
    def get(self, request: Request) -> Response:
        address = request._request.GET
        asked = asked_of_address(address, self.limits)
        return self._answer(asked, minutes_of(address.get("minutes", "")))

    @extend_schema(
        request=AskedEveningSerializer,
        responses={200: EveningSerializer, 400: PROBLEM, 404: PROBLEM},
        operation_id="recommendations_evening_post",
    )
    def post(self, request: Request) -> Response:
        """The same as JSON. Writes nothing, so anybody may."""
        asked = asked_of_json(request.data, self.limits)
        return self._answer(asked, minutes_of(dict(request.data).get("minutes", "")))

    def _answer(self, asked: Asked, minutes: int) -> Response:
        return Response(evening_json(evening_for(asked, minutes)))
