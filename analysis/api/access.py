"""Tokens and the audit, for clients."""

from __future__ import annotations

from typing import Any

from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.utils import extend_schema, extend_schema_view
from rest_framework import mixins, serializers, viewsets
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.pagination import CursorPagination
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.pages import ADDRESS, Pages
from analysis.api.views import PROBLEM, Base, choice_of, number_of, parameter, text_of, user_of
from catalog.access.models import READ, SCOPES, TOKEN_STATES, Audit, Token
from catalog.access.selectors import AuditFilter, audit_list, tokens_all, tokens_of
from catalog.access.services.tokens import NAME_LENGTH, token_create, token_revoke
from catalog.roles import Right, api_needs, may

REFUSED = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}


class TokenAskedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=NAME_LENGTH, help_text="To know it again by.")
    scopes = serializers.ListField(child=serializers.ChoiceField(choices=SCOPES), default=[READ], max_length=20)
    days = serializers.IntegerField(required=False, min_value=1, max_value=100_000, help_text="Until it expires.")


class TokenSerializer(serializers.ModelSerializer[Token]):
    owner = serializers.CharField(source="owner.username", read_only=True)
    state = serializers.ChoiceField(choices=TOKEN_STATES, read_only=True)

    class Meta:
        model = Token
        fields = ["id", "name", "owner", "hint", "scopes", "state", "created_at", "expires_at", "last_used_at"]
        read_only_fields = fields


class TokenMadeSerializer(TokenSerializer):
    token = serializers.CharField(allow_null=True, help_text="Shown this once; null in a repeated answer.")

    class Meta(TokenSerializer.Meta):
        fields = [*TokenSerializer.Meta.fields, "token"]
        read_only_fields = fields


class SignedIn(Base):
    """For whoever is signed in or has a token."""

    def check_permissions(self, request: Request) -> None:
        if not request.user.is_authenticated:
            self.permission_denied(request)
        super().check_permissions(request)


@extend_schema_view(list=extend_schema(parameters=[parameter("all", "1: everybody's, for admins", ["0", "1"])]))
class TokenViewSet(SignedIn, mixins.ListModelMixin, viewsets.GenericViewSet[Token]):
    """One's own tokens. A token cannot make another: only a person who is signed in does."""

    queryset = Token.objects.none()
    serializer_class = TokenSerializer
    pagination_class = Pages
    lookup_value_regex = r"\d{1,18}"
    shown_once = ("token",)

    def get_queryset(self) -> QuerySet[Token]:
        if getattr(self, "swagger_fake_view", False):
            return Token.objects.none()
        everybody = may(self.request, Right.MANAGE)
        if self.action == "list" and choice_of(self.request, "all", "01") != "1":
            everybody = False
        return tokens_all() if everybody else tokens_of(user_of(self.request))

    @extend_schema(request=TokenAskedSerializer, responses={201: TokenMadeSerializer, **REFUSED})
    def create(self, request: Request) -> Response:
        """Makes a token, whose secret is in this answer and nowhere else."""
        if isinstance(request.auth, Token):
            raise PermissionDenied("A token cannot make another; sign in to do so.")
        asked = TokenAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        person: User = user_of(request)
        made, secret = token_create(owner=person, actor=person, **asked.validated_data)
        response = Response({**TokenSerializer(made).data, "token": secret}, status=201)
        response.headers["Cache-Control"] = "no-store"
        return response

    @extend_schema(responses={204: None, **REFUSED})
    def destroy(self, request: Request, pk: str) -> Response:
        """Refuses the token from now on."""
        token = self.get_queryset().filter(pk=int(pk)).first()
        if token is None:
            raise NotFound
        token_revoke(token=token, actor=user_of(request))
        return Response(status=204)


class AuditSerializer(serializers.ModelSerializer[Audit]):
    actor = serializers.CharField(source="actor.username", allow_null=True, default=None)
    token = serializers.CharField(source="token.name", allow_null=True, default=None)
    before = serializers.DictField(allow_null=True)
    after = serializers.DictField(allow_null=True)

    class Meta:
        model = Audit
        fields = ["id", "at", "actor", "token", "action", "object_type", "object_id", "before", "after"]
        read_only_fields = fields


class Newest(CursorPagination):
    ordering = "-id"
    page_size = 50
    page_size_query_param = "limit"
    max_page_size = 200

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        named = {"next": ADDRESS, "previous": ADDRESS, "results": schema}
        return {"type": "object", "required": list(named), "properties": named}


@extend_schema_view(
    list=extend_schema(
        parameters=[
            parameter("actor", "Name of who did it"),
            parameter("action", "Such as run.publish"),
            parameter("object_type", "Such as analysis.analysisrun"),
            parameter("object_id", "Number of the object", kind=int),
        ],
        responses={200: AuditSerializer(many=True), 401: PROBLEM, 403: PROBLEM},
    )
)
class AuditViewSet(Base, mixins.ListModelMixin, viewsets.GenericViewSet[Audit]):
    """Who did what, when, with which token; the newest first. Append-only. ``actor`` null: the house itself."""

    queryset = Audit.objects.none()
    serializer_class = AuditSerializer
    pagination_class = Newest
    permission_classes = [api_needs(Right.MANAGE)]

    def get_queryset(self) -> QuerySet[Audit]:
        wanted = AuditFilter(
            text_of(self.request, "actor")[:150],
            text_of(self.request, "action")[:60],
            text_of(self.request, "object_type")[:60],
            number_of(self.request, "object_id"),
        )
        return audit_list(wanted)
