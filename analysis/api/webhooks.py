"""Webhooks, for clients that set them up themselves. For admins alone."""

from __future__ import annotations

from typing import Any

from django.db.models import QuerySet
from django.shortcuts import get_object_or_404
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.views import PROBLEM, ReadViewSet, user_of
from analysis.models import Delivery, DeliveryAttempt, Webhook, WebhookEvent
from analysis.selectors.webhooks import deliveries_of, webhooks_list
from analysis.services.webhooks import (
    delivery_again,
    webhook_change,
    webhook_create,
    webhook_delete,
    webhook_rotate,
    webhook_test,
)
from catalog.roles import Right, api_needs

REFUSED = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}


class WebhookSerializer(serializers.ModelSerializer[Webhook]):
    waiting = serializers.IntegerField(help_text="Deliveries that were not taken yet.")
    last_status = serializers.CharField(allow_null=True, help_text="Of the last delivery.")
    last_at = serializers.DateTimeField(allow_null=True)

    class Meta:
        model = Webhook
        fields = ["id", "name", "url", "events", "active", "note", "made_at", "waiting", "last_status", "last_at"]
        read_only_fields = fields


class WebhookMadeSerializer(serializers.ModelSerializer[Webhook]):
    secret = serializers.CharField(allow_null=True, help_text="Shown this once; null in a repeated answer.")

    class Meta:
        model = Webhook
        fields = ["id", "name", "url", "events", "active", "note", "made_at", "secret"]
        read_only_fields = fields


class WebhookAskedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField(max_length=80)
    url = serializers.CharField(max_length=500, help_text="Begins with https://")
    events = serializers.ListField(child=serializers.ChoiceField(choices=WebhookEvent.choices), max_length=50)


class WebhookChangeSerializer(serializers.Serializer[Any]):
    """What is left out stays."""

    name = serializers.CharField(max_length=80, required=False)
    url = serializers.CharField(max_length=500, required=False)
    events = serializers.ListField(
        child=serializers.ChoiceField(choices=WebhookEvent.choices), max_length=50, required=False
    )
    active = serializers.BooleanField(required=False)


class AttemptSerializer(serializers.ModelSerializer[DeliveryAttempt]):
    class Meta:
        model = DeliveryAttempt
        fields = ["at", "status", "error", "ms", "answer"]
        read_only_fields = fields


class DeliverySerializer(serializers.ModelSerializer[Delivery]):
    tries = AttemptSerializer(many=True)

    class Meta:
        model = Delivery
        fields = ["id", "message", "event", "data", "status", "created_at", "due_at", "ended_at", "attempts", "tries"]
        read_only_fields = fields


class WebhookViewSet(ReadViewSet):
    """Addresses of other programs that are told what happens."""

    queryset = Webhook.objects.none()
    serializer_class = WebhookSerializer
    permission_classes = [api_needs(Right.MANAGE)]
    lookup_value_regex = r"\d{1,18}"
    shown_once = ("secret",)

    def get_queryset(self) -> QuerySet[Webhook]:
        return webhooks_list()

    @extend_schema(request=WebhookAskedSerializer, responses={201: WebhookMadeSerializer, **REFUSED})
    def create(self, request: Request) -> Response:
        """Sets one up. Its secret is in this answer and is not told again."""
        asked = WebhookAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        row = webhook_create(actor=user_of(request), **asked.validated_data)
        return _secret(row, 201)

    @extend_schema(request=WebhookChangeSerializer, responses={200: WebhookSerializer, **REFUSED})
    def partial_update(self, request: Request, pk: str) -> Response:
        """Changes what is given; turned on again, what waits is sent."""
        asked = WebhookChangeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        webhook_change(webhook=self.get_object(), actor=user_of(request), **asked.validated_data)
        return Response(WebhookSerializer(self.get_object()).data)

    @extend_schema(responses={204: None, **REFUSED})
    def destroy(self, request: Request, pk: str) -> Response:
        """Deletes it with its log, and what still waits."""
        webhook_delete(webhook=self.get_object(), actor=user_of(request))
        return Response(status=204)

    @extend_schema(request=None, responses={202: DeliverySerializer, **REFUSED})
    @action(detail=True, methods=["post"])
    def test(self, request: Request, pk: str) -> Response:
        """Sends a test, once. Its delivery tells how it went."""
        row = webhook_test(webhook=self.get_object(), actor=user_of(request))
        return Response(DeliverySerializer(row).data, status=202)

    @extend_schema(request=None, responses={200: WebhookMadeSerializer, **REFUSED})
    @action(detail=True, methods=["post"])
    def rotate(self, request: Request, pk: str) -> Response:
        """A new secret. For a day, what is sent is signed with the one before as well."""
        return _secret(webhook_rotate(webhook=self.get_object(), actor=user_of(request)), 200)

    @extend_schema(responses={200: DeliverySerializer(many=True), **REFUSED}, filters=False)
    @action(detail=True)
    def deliveries(self, request: Request, pk: str) -> Response:
        """What was sent, the newest first, with every attempt and how the answer began."""
        page = self.paginate_queryset(deliveries_of(self.get_object()))
        return self.get_paginated_response(DeliverySerializer(page, many=True).data)

    @extend_schema(request=None, responses={202: DeliverySerializer, **REFUSED})
    @action(detail=True, methods=["post"], url_path=r"deliveries/(?P<delivery>\d{1,18})/again")
    def again(self, request: Request, pk: str, delivery: str) -> Response:
        """Sends one once more, under the same id."""
        row = get_object_or_404(Delivery, webhook=self.get_object(), pk=int(delivery))
        again = delivery_again(delivery=row, actor=user_of(request))
        return Response(DeliverySerializer(again).data, status=202)


def _secret(row: Webhook, status: int) -> Response:
    response = Response(WebhookMadeSerializer(row).data, status=status)
    response.headers["Cache-Control"] = "no-store"
    return response
