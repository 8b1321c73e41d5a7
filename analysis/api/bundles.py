"""Model bundles: what is known of them, what they would change over the catalogue, and publishing them as a whole."""

from __future__ import annotations

from typing import Any

from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api import serializers as shape
from analysis.api.views import PROBLEM, ReadViewSet, user_of
from analysis.models import ModelBundle
from analysis.selectors.comparing import bundles_compare, bundles_json
from analysis.services.bundle_publishing import bundle_publish, bundle_rollback
from catalog.roles import Right, api_needs


class PublishBundleSerializer(serializers.Serializer[Any]):
    dry_run = serializers.BooleanField(default=False, help_text="Say what would happen, and do nothing.")


class SwitchedSerializer(serializers.Serializer[Any]):
    """``runs``: per episode id, the run it showed and the run it shows."""

    runs = serializers.DictField(child=serializers.ListField(child=serializers.IntegerField()))
    left = serializers.IntegerField(help_text="Episodes that stay as they are.")
    dry_run = serializers.BooleanField()


class BundleViewSet(ReadViewSet):
    """Model bundles, each with its card: what it knows, how it was made and how well it reads."""

    queryset = ModelBundle.objects.order_by("name", "version", "pk")
    serializer_class = shape.BundleSerializer
    lookup_value_regex = r"\d{1,18}"

    @extend_schema(responses={200: OpenApiTypes.OBJECT, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM})
    @action(
        detail=True,
        url_path=r"compare/(?P<other>\d{1,18})",
        permission_classes=[api_needs(Right.PUBLISH)],
        pagination_class=None,
    )
    def compare(self, request: Request, pk: str, other: str) -> Response:
        """What would change over the catalogue if it showed the second bundle's runs and not the first's."""
        second = self.get_queryset().filter(pk=int(other)).first()
        if second is None:
            raise NotFound
        return Response(bundles_json(bundles_compare(self.get_object(), second)))

    @extend_schema(
        request=PublishBundleSerializer,
        responses={200: SwitchedSerializer, 401: PROBLEM, 403: PROBLEM, 409: PROBLEM},
    )
    @action(detail=True, methods=["post"], permission_classes=[api_needs(Right.PUBLISH)])
    def publish(self, request: Request, pk: str) -> Response:
        """Every episode that shows another bundle shows its newest whole run of this one: all of them or none."""
        asked = PublishBundleSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        done = bundle_publish(bundle=self.get_object(), actor=user_of(request), dry_run=asked.validated_data["dry_run"])
        return Response(SwitchedSerializer(done).data)

    @extend_schema(request=None, responses={200: SwitchedSerializer, 401: PROBLEM, 403: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"], permission_classes=[api_needs(Right.PUBLISH)])
    def rollback(self, request: Request, pk: str) -> Response:
        """Undoes the last publication of the bundle as a whole."""
        return Response(SwitchedSerializer(bundle_rollback(bundle=self.get_object(), actor=user_of(request))).data)
