"""What editors change of characters: names, colours, drawings, and whom the drawings name."""

from __future__ import annotations

from typing import Any

from django.http import HttpResponse
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema, extend_schema_field
from rest_framework import serializers
from rest_framework.parsers import FormParser, JSONParser, MultiPartParser
from rest_framework.permissions import SAFE_METHODS
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.serializers import CharacterSerializer
from analysis.api.views import PROBLEM, Base, CharacterViewSet, user_of
from analysis.errors import ExampleInvalid, NamingImpossible
from analysis.models import CharacterExample, Naming
from analysis.selectors.naming import Proposal, examples_current, naming_current, naming_proposal
from analysis.services.characters import character_change, character_create
from analysis.services.finds import MAX_BYTES
from analysis.services.naming import (
    example_add_face,
    example_add_picture,
    example_withdraw,
    naming_confirm,
    naming_withdraw,
)
from catalog.colour import contrast_of
from catalog.models import Character
from catalog.roles import Right, api_needs
from catalog.services.characters import MOST_ALIASES, MOST_NAME, CharacterChanges

REFUSED = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}
MOST_NAMED = 200


class CharacterAskedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=MOST_NAME, required=False)
    aliases = serializers.ListField(
        child=serializers.CharField(max_length=MOST_NAME), max_length=MOST_ALIASES, required=False
    )
    series = serializers.CharField(max_length=120, required=False, allow_blank=True, help_text="Slug; empty: none.")
    colour = serializers.RegexField(r"^#[0-9a-fA-F]{6}$", required=False, help_text="Like #8a8f98.")


class CharacterMadeSerializer(CharacterSerializer):
    contrast = serializers.SerializerMethodField(
        help_text="Of the colour with light and with dark pages; from 3 on it is easy to tell."
    )

    class Meta(CharacterSerializer.Meta):
        fields = [*CharacterSerializer.Meta.fields, "contrast"]

    @extend_schema_field(serializers.ListField(child=serializers.FloatField()))
    def get_contrast(self, character: Character) -> list[float]:
        found = contrast_of(character.colour)
        return [round(found.light, 2), round(found.dark, 2)]


class CharacterEditViewSet(CharacterViewSet):
    def get_permissions(self) -> Any:
        return super().get_permissions() if self.request.method in SAFE_METHODS else [api_needs(Right.INGEST)()]

    @extend_schema(request=CharacterAskedSerializer, responses={201: CharacterMadeSerializer, **REFUSED})
    def create(self, request: Request) -> Response:
        """A new character; its slug is made of the name and stays."""
        made = character_create(actor=user_of(request), changes=_changes(request))
        return Response(CharacterMadeSerializer(made).data, status=201)

    @extend_schema(request=CharacterAskedSerializer, responses={200: CharacterMadeSerializer, **REFUSED})
    def partial_update(self, request: Request, slug: str) -> Response:
        """Changes what is given. ``aliases`` takes the place of all that there were."""
        found = get_object_or_404(Character, slug=slug)
        changed = character_change(character=found, actor=user_of(request), changes=_changes(request))
        return Response(CharacterMadeSerializer(changed).data)


def _changes(request: Request) -> CharacterChanges:
    asked = CharacterAskedSerializer(data=request.data)
    asked.is_valid(raise_exception=True)
    return CharacterChanges(**asked.validated_data)


class DrawingSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    state = serializers.SerializerMethodField()
    face = serializers.IntegerField(source="face_id", allow_null=True, help_text="Where it is a face of an episode.")
    error = serializers.CharField(help_text="Why a picture cannot be one, or empty.")
    made_at = serializers.DateTimeField()

    @extend_schema_field(serializers.ChoiceField(choices=["waiting", "read", "failed", "expired"]))
    def get_state(self, row: CharacterExample) -> str:
        if row.error:
            return "failed"
        if row.embedding is not None:
            return "read"
        return "waiting" if row.find_id is not None else "expired"


class DrawingAskedSerializer(serializers.Serializer[Any]):
    """One of both."""

    picture = serializers.FileField(required=False, help_text="PNG, JPEG, WebP, BMP or GIF, at most 8 MB")
    face = serializers.IntegerField(
        required=False, min_value=1, max_value=10**18, help_text="Id of a face, as find names it"
    )


class NamedSerializer(serializers.Serializer[Any]):
    episode = serializers.IntegerField(source="episode.pk")
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    face = serializers.IntegerField(source="face_id", allow_null=True)
    likeness = serializers.FloatField()


class NamingSerializer(serializers.Serializer[Naming]):
    version = serializers.IntegerField()
    drawings = serializers.ListField(source="examples", child=serializers.IntegerField())
    threshold = serializers.FloatField()
    made_at = serializers.DateTimeField()


class ProposalSerializer(serializers.Serializer[Proposal]):
    """What the drawings would name. Nothing is named before it is confirmed."""

    threshold = serializers.FloatField(source="examples.threshold", help_text="Least likeness for a name.")
    drawings = serializers.ListField(source="example_ids", child=serializers.IntegerField())
    odd = serializers.SerializerMethodField(help_text="Drawings that look little like the rest.")
    tracks = serializers.SerializerMethodField(help_text="How many stretches would be named.")
    unknown = serializers.IntegerField(help_text="Stretches with a face of nobody known, in all.")
    episodes = serializers.IntegerField()
    named = serializers.SerializerMethodField(help_text=f"The most alike first, at most {MOST_NAMED}.")

    @extend_schema_field(serializers.ListField(child=serializers.IntegerField()))
    def get_odd(self, proposal: Proposal) -> list[int]:
        return [example.pk for example in proposal.odd]

    @extend_schema_field(serializers.IntegerField())
    def get_tracks(self, proposal: Proposal) -> int:
        return len(proposal.named)

    @extend_schema_field(NamedSerializer(many=True))
    def get_named(self, proposal: Proposal) -> Any:
        return NamedSerializer(proposal.named[:MOST_NAMED], many=True).data


class NamingStateSerializer(serializers.Serializer[Any]):
    current = NamingSerializer(allow_null=True, help_text="What is named now, or null.")
    proposal = ProposalSerializer(allow_null=True, help_text="What would be, or null where it cannot be.")
    impossible = serializers.CharField(help_text="Why nothing can be proposed, or empty.")


class _OfCharacter(Base):
    permission_classes = [api_needs(Right.CORRECT)]

    @property
    def character(self) -> Character:
        return get_object_or_404(Character, slug=self.kwargs["slug"])


class DrawingsView(_OfCharacter):
    parser_classes = [MultiPartParser, FormParser, JSONParser]

    @extend_schema(responses={200: DrawingSerializer(many=True), **REFUSED}, operation_id="character_drawings")
    def get(self, request: Request, slug: str) -> Response:
        """The drawings by which a character is known that no bundle knows."""
        return Response(DrawingSerializer(examples_current(self.character), many=True).data)

    @extend_schema(
        request={"multipart/form-data": DrawingAskedSerializer, "application/json": DrawingAskedSerializer},
        responses={201: DrawingSerializer, **REFUSED, 429: PROBLEM},
        operation_id="character_drawing_add",
    )
    def post(self, request: Request, slug: str) -> Response:
        """A picture, which a worker reads, or a face of an episode."""
        asked = DrawingAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given, actor = asked.validated_data, user_of(request)
        if ("picture" in given) == ("face" in given):
            raise ExampleInvalid("Send a picture, or say which face.")
        if "face" in given:
            row = example_add_face(character=self.character, actor=actor, face_id=given["face"])
        else:
            data = given["picture"].read(MAX_BYTES + 1)
            row = example_add_picture(character=self.character, actor=actor, picture=data)
        return Response(DrawingSerializer(row).data, status=201)


class DrawingView(_OfCharacter):
    @extend_schema(responses={204: None, **REFUSED}, operation_id="character_drawing_remove")
    def delete(self, request: Request, slug: str, pk: str) -> HttpResponse:
        """Takes a drawing away; what was named by it stays named."""
        row = get_object_or_404(CharacterExample, pk=pk, character=self.character)
        example_withdraw(example=row, actor=user_of(request))
        return Response(status=204)


class NamingView(_OfCharacter):
    @extend_schema(responses={200: NamingStateSerializer, **REFUSED}, operation_id="character_naming")
    def get(self, request: Request, slug: str) -> Response:
        """What is named after the drawings, and what would be."""
        character, proposal, impossible = self.character, None, ""
        try:
            proposal = naming_proposal(character)
        except NamingImpossible as error:
            impossible = str(error)
        state = {"current": naming_current(character), "proposal": proposal, "impossible": impossible}
        return Response(NamingStateSerializer(state).data)

    @extend_schema(request=None, responses={201: NamingSerializer, **REFUSED}, operation_id="character_naming_confirm")
    def post(self, request: Request, slug: str) -> Response:
        """Names what the proposal shows, in every run of the same classifier. Ratings follow within minutes."""
        row, _ = naming_confirm(character=self.character, actor=user_of(request))
        return Response(NamingSerializer(row).data, status=201)

    @extend_schema(responses={200: NamingSerializer, **REFUSED}, operation_id="character_naming_withdraw")
    def delete(self, request: Request, slug: str) -> Response:
        """Takes the naming back; whoever it named is nobody known again."""
        row = naming_withdraw(character=self.character, actor=user_of(request))
        return Response(NamingSerializer(row).data)
