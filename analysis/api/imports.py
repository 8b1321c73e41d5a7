"""Imports through the API: a preview is asked for, a worker makes it, and what it showed is confirmed or dropped."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api.views import PROBLEM, Base, parameter, text_of, user_of
from analysis.services import ingest
from catalog import places
from catalog.errors import PlanUnknown
from catalog.models import Choice, Finding, ImportItem, ImportPlan, PlanKind, PlanStatus
from catalog.roles import Right, api_needs
from catalog.selectors import plans_of
from catalog.services.findings import choices_of
from catalog.services.plans import MOST_FILES, MOST_LIST_BYTES, Said, plan_get, plan_items

REFUSED = {400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM}
MOST_LISTED = 50


class PreviewAskedSerializer(serializers.Serializer[Any]):
    """One of ``uploads``, ``folder`` and ``list``; a list may come with either of the others, where its files are."""

    uploads = serializers.ListField(child=serializers.CharField(max_length=64), required=False, max_length=MOST_FILES)
    folder = serializers.CharField(required=False, max_length=4000, help_text="An address from imports/folders/")
    list = serializers.CharField(required=False, max_length=MOST_LIST_BYTES, help_text="The text of a CSV")
    list_name = serializers.CharField(required=False, max_length=300)
    series = serializers.CharField(required=False, allow_blank=True, max_length=300, help_text="Whatever names say")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        ways = [w for w in ("uploads", "folder", "list") if attrs.get(w)]
        if not ways or (len(ways) > 1 and "list" not in ways) or len(ways) > 2:
            raise serializers.ValidationError("Name uploads, a folder, or a list with one of them.")
        return attrs


class ConfirmSerializer(serializers.Serializer[Any]):
    digest = serializers.CharField(max_length=64, help_text="Of the preview that was looked at")
    choices = serializers.DictField(
        child=serializers.ChoiceField(choices=Choice.choices),
        required=False,
        help_text="By position; a file that is not named is done as its first choice says",
    )
    analyse = serializers.BooleanField(required=False, default=False, help_text="Ask for each to be analysed")
    bundle = serializers.CharField(required=False, allow_blank=True, default="", max_length=140)

    def validate_choices(self, choices: dict[str, str]) -> dict[int, str]:
        if any(not (k.isascii() and k.isdecimal() and len(k) < 8) for k in choices):
            raise serializers.ValidationError("Files are named by their position.")
        return {int(k): v for k, v in choices.items()}


class NameSerializer(serializers.Serializer[Any]):
    series = serializers.CharField(max_length=300)
    title = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)
    season = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=32767)
    number = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=2147483647)
    number_end = serializers.IntegerField(
        required=False, allow_null=True, default=None, min_value=0, max_value=2147483647
    )
    part = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=32767)
    year = serializers.IntegerField(required=False, allow_null=True, default=None, min_value=0, max_value=32767)


class ImportFileSerializer(serializers.ModelSerializer[ImportItem]):
    file = serializers.CharField(source="shown")
    name = serializers.SerializerMethodField(help_text="Series, numbers, title and year as they were understood")
    duration_ms = serializers.SerializerMethodField()
    finding = serializers.ChoiceField(choices=Finding.choices)
    code = serializers.CharField(source="finding_code")
    detail = serializers.CharField(source="finding_detail")
    against = serializers.IntegerField(source="against_id", allow_null=True, help_text="The episode that it meets")
    choices = serializers.SerializerMethodField(help_text="What may be done with it, the usual first")
    episode = serializers.IntegerField(source="episode_id", allow_null=True)

    class Meta:
        model = ImportItem
        fields = ("position", "file", "line", "size", "sha256", "duration_ms", "name", "synopsis", "warnings",
                  "finding", "code", "detail", "against", "part", "choices", "choice", "outcome",
                  "outcome_code", "outcome_detail", "episode")  # fmt: skip

    def get_name(self, row: ImportItem) -> dict[str, Any]:
        return dict(row.name)

    def get_duration_ms(self, row: ImportItem) -> int | None:
        return None if row.facts is None else int(row.facts["duration_ms"])

    def get_choices(self, row: ImportItem) -> list[str]:
        return [str(c) for c in choices_of(row)] if row.finding else []


class ImportSerializer(serializers.ModelSerializer[ImportPlan]):
    kind = serializers.ChoiceField(choices=PlanKind.choices)
    status = serializers.ChoiceField(choices=PlanStatus.choices)
    notes = serializers.SerializerMethodField(help_text="Sentences about the whole")
    looked_at = serializers.SerializerMethodField(help_text="Files that were looked at, of total")
    error = serializers.SerializerMethodField(help_text="Null, or why it failed")

    class Meta:
        model = ImportPlan
        fields = ("id", "kind", "title", "status", "digest", "total", "looked_at", "notes", "error", "analyse",
                  "created_at", "expires_at", "confirmed_at")  # fmt: skip

    def get_notes(self, row: ImportPlan) -> list[str]:
        return [str(n["text"]) for n in row.notes]

    def get_looked_at(self, row: ImportPlan) -> int:
        return row.items.count()

    def get_error(self, row: ImportPlan) -> dict[str, str] | None:
        return {"code": row.error_code, "detail": row.error_detail} if row.error_code else None


class ImportWithFilesSerializer(ImportSerializer):
    files = serializers.SerializerMethodField()

    class Meta(ImportSerializer.Meta):
        fields = (*ImportSerializer.Meta.fields, "files")  # type: ignore[assignment]

    @extend_schema(responses=ImportFileSerializer(many=True))
    def get_files(self, row: ImportPlan) -> list[dict[str, Any]]:
        return [dict(f) for f in ImportFileSerializer(plan_items(row), many=True).data]


class FolderSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    address = serializers.CharField(help_text="To ask for it, and for its preview")


class FoldersSerializer(serializers.Serializer[Any]):
    address = serializers.CharField()
    above = serializers.CharField(allow_null=True)
    folders = FolderSerializer(many=True)
    videos = serializers.ListField(child=serializers.CharField(), help_text="Videos by their names")


class IngestBase(Base):
    permission_classes = [api_needs(Right.INGEST)]

    def plan(self, pk: str) -> ImportPlan:
        """Raises PlanUnknown."""
        if int(pk) >= 2**63:
            raise PlanUnknown("There is no such preview.")
        return plan_get(user_of(self.request), int(pk))


class ImportsView(IngestBase):
    @extend_schema(responses={200: ImportSerializer(many=True), **REFUSED}, operation_id="imports_list")
    def get(self, request: Request) -> Response:
        """Your previews and imports, the newest first."""
        return Response(ImportSerializer(plans_of(user_of(request))[:MOST_LISTED], many=True).data)

    @extend_schema(
        request=PreviewAskedSerializer, responses={202: ImportSerializer, **REFUSED}, operation_id="import_preview"
    )
    def post(self, request: Request) -> Response:
        """Asks for a preview. Nothing is written to the catalogue."""
        asked = PreviewAskedSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given, owner = asked.validated_data, user_of(request)
        series = given.get("series", "")
        if given.get("list"):
            plan = ingest.preview_of_list(
                owner=owner,
                data=given["list"].encode("utf-8"),
                called=given.get("list_name", "list.csv"),
                address=given.get("folder", ""),
                tokens=given.get("uploads", []),
                series=series,
            )
        elif given.get("folder"):
            plan = ingest.preview_of_folder(owner=owner, address=given["folder"], series=series)
        else:
            plan = ingest.preview_of_uploads(owner=owner, tokens=given["uploads"], series=series)
        return Response(ImportSerializer(plan).data, status=202)


class ImportView(IngestBase):
    @extend_schema(responses={200: ImportWithFilesSerializer, **REFUSED}, operation_id="import_read")
    def get(self, request: Request, pk: str) -> Response:
        """The preview, and once confirmed what became of each file."""
        return Response(ImportWithFilesSerializer(self.plan(pk)).data)

    @extend_schema(responses={204: OpenApiResponse(description="Forgotten"), **REFUSED}, operation_id="import_discard")
    def delete(self, request: Request, pk: str) -> Response:
        """Forgets a preview; what was sent stays until it expires."""
        ingest.import_discard(plan=self.plan(pk), actor=user_of(request))
        return Response(status=204)


class ImportConfirmView(IngestBase):
    @extend_schema(
        request=ConfirmSerializer, responses={202: ImportSerializer, **REFUSED}, operation_id="import_confirm"
    )
    def post(self, request: Request, pk: str) -> Response:
        """Writes exactly what the preview with this digest showed; 409 ``import_changed`` says what has changed."""
        asked = ConfirmSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        given = asked.validated_data
        plan = ingest.import_confirm(
            plan=self.plan(pk),
            digest=given["digest"],
            choices=given.get("choices", {}),
            actor=user_of(request),
            analyse=given["analyse"],
            bundle=given["bundle"],
        )
        return Response(ImportSerializer(plan).data, status=202)


class ImportFileView(IngestBase):
    @extend_schema(
        request=NameSerializer, responses={200: ImportWithFilesSerializer, **REFUSED}, operation_id="import_name"
    )
    def put(self, request: Request, pk: str, position: str) -> Response:
        """Says what a file is, where its name does not; the preview changes, and so does its digest."""
        asked = NameSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        plan = self.plan(pk)
        ingest.import_name(plan=plan, position=int(position), said=Said(**asked.validated_data), actor=user_of(request))
        plan.refresh_from_db()
        return Response(ImportWithFilesSerializer(plan).data)


class FoldersView(IngestBase):
    @extend_schema(
        parameters=[parameter("folder", "An address; without one, the folders that may be imported from")],
        responses={200: FoldersSerializer, **REFUSED},
        operation_id="import_folders",
    )
    def get(self, request: Request) -> Response:
        """The server's folders."""
        address = text_of(request, "folder")
        if not address:
            found = {"address": "", "above": None, "folders": places.roots_shown(), "videos": []}
            return Response(FoldersSerializer(found).data)
        return Response(FoldersSerializer(places.listing(address)).data)
