"""Work as it goes on: what waits and why, pausing, order, many at once, and events as a stream."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import NotFound, PermissionDenied
from rest_framework.negotiation import BaseContentNegotiation
from rest_framework.renderers import BaseRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api import serializers as shape
from analysis.api.streams import EventStream, nothing_to_come
from analysis.api.views import PROBLEM, Base, user_of
from analysis.limits import NO_LIMITS, Limits
from analysis.models import AnalysisRun, Queue, QueueName, RunStatus
from analysis.selectors.queue import pauses, waiting, workers
from analysis.selectors.runs import run_list, runs_progress
from analysis.services.bulk_runs import ACTIONS, MOST, PUBLISHING, Summary, runs_bulk
from analysis.services.priorities import MOVES, run_prioritise
from analysis.services.queues import MOST_REASON, queue_pause, queue_resume
from catalog.roles import Right, api_needs, may

PK = OpenApiParameter("id", int, OpenApiParameter.PATH, description="Id of a run")
LAST = OpenApiParameter(
    "Last-Event-ID", str, OpenApiParameter.HEADER, description="Id of the last event that was read; goes on after it"
)


class Looking(Base):
    """For those who look after runs, whatever is hidden to them elsewhere."""

    permission_classes: Any = [api_needs(Right.SEE_RUNS)]

    @property
    def limits(self) -> Limits:
        return NO_LIMITS

    def run_of(self, pk: str) -> AnalysisRun:
        found = run_list().filter(pk=int(pk)).first()
        if found is None:
            raise NotFound
        return found


class PriorityField(serializers.Field[Any, Any, Any, Any]):
    """A whole number, or a word; the service says which there are."""

    def to_internal_value(self, data: Any) -> int | str:
        if isinstance(data, str) or (isinstance(data, int) and not isinstance(data, bool)):
            return data
        raise serializers.ValidationError(f"A whole number, or one of {', '.join(MOVES)}.")

    def to_representation(self, value: Any) -> Any:
        return value


class PrioritySerializer(serializers.Serializer[Any]):
    to = PriorityField(help_text="A number from -1000 to 1000; or raise, lower (by one), top (before all others).")


class PriorityView(Looking):
    permission_classes: Any = [api_needs(Right.ANALYSE)]

    @extend_schema(
        operation_id="runs_priority",
        parameters=[PK],
        request={"application/json": {"type": "object", "required": ["to"], "properties": {
            "to": {"oneOf": [{"type": "integer", "minimum": -1000, "maximum": 1000},
                             {"type": "string", "enum": list(MOVES)}]}}}},
        responses={200: shape.RunSerializer, 400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM},
    )  # fmt: skip
    def post(self, request: Request, pk: str) -> Response:
        """Which run goes first. What a worker holds is finished before the order counts."""
        asked = PrioritySerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        run = run_prioritise(run=self.run_of(pk), to=asked.validated_data["to"], actor=user_of(request))
        return Response(shape.RunSerializer(run, context={"progress": runs_progress([run.pk])}).data)


class BulkSerializer(serializers.Serializer[Any]):
    action = serializers.ChoiceField(choices=ACTIONS)
    runs = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**62), required=False, max_length=MOST
    )
    episodes = serializers.ListField(
        child=serializers.IntegerField(min_value=1, max_value=2**62), required=False, max_length=MOST,
        help_text="With analyse.",
    )  # fmt: skip
    bundle = serializers.CharField(
        required=False, max_length=140, help_text="With analyse and again; else the default."
    )


class DoneSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(help_text="As it was asked.")
    run = serializers.IntegerField(source="run.pk", help_text="The run that it is about now.")


class RefusedSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    code = serializers.CharField()
    reason = serializers.CharField()


class SummarySerializer(serializers.Serializer[Summary]):
    """Each id that was asked is in one of the two."""

    action = serializers.CharField()
    of = serializers.ChoiceField(choices=["run", "episode"])
    done = DoneSerializer(many=True)
    refused = RefusedSerializer(many=True)


class BulkView(Looking):
    permission_classes: Any = [api_needs(Right.SEE_RUNS)]

    @extend_schema(
        operation_id="runs_bulk",
        request=BulkSerializer,
        responses={200: SummarySerializer, 400: PROBLEM, 401: PROBLEM, 403: PROBLEM},
    )
    def post(self, request: Request) -> Response:
        """The same for many: cancel, retry, publish, rollback, raise, lower, top, again; analyse for episodes."""
        asked = BulkSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        if not may(request, Right.PUBLISH if values["action"] in PUBLISHING else Right.ANALYSE):
            raise PermissionDenied
        summary = runs_bulk(
            action=values["action"],
            runs=values.get("runs", ()),
            episodes=values.get("episodes", ()),
            bundle=values.get("bundle"),
            actor=user_of(request),
        )
        return Response(SummarySerializer(summary).data)


class PauseSerializer(serializers.Serializer[Any]):
    queue = serializers.ChoiceField(choices=QueueName.values, default=QueueName.ALL.value)
    reason = serializers.CharField(required=False, allow_blank=True, max_length=MOST_REASON, default="")


class ResumeSerializer(serializers.Serializer[Any]):
    queue = serializers.ChoiceField(choices=QueueName.values, default=QueueName.ALL.value)


class QueueStateSerializer(serializers.Serializer[Any]):
    queue = serializers.ChoiceField(choices=QueueName.values)
    paused = serializers.BooleanField()
    since = serializers.DateTimeField(allow_null=True)
    by = serializers.CharField(allow_null=True)
    reason = serializers.CharField()


class WaitingSerializer(serializers.Serializer[Any]):
    place = serializers.IntegerField(help_text="From 1, in the order in which workers take parts.")
    run = serializers.IntegerField(source="run.pk")
    episode = serializers.IntegerField(source="run.episode_id")
    priority = serializers.IntegerField(source="run.priority")
    asked_at = serializers.DateTimeField(source="run.created_at")
    parts = serializers.IntegerField(help_text="That wait.")
    under_way = serializers.IntegerField(help_text="Parts that workers hold.")
    not_before = serializers.DateTimeField(
        source="later", allow_null=True, help_text="After a fault, it is tried again then."
    )


class WorkerSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    queues = serializers.ListField(child=serializers.CharField())
    processes = serializers.IntegerField()
    alive = serializers.BooleanField()
    ended = serializers.BooleanField(help_text="It went in order; else it stopped answering.")
    seen_at = serializers.DateTimeField(allow_null=True)
    parts = serializers.ListField(
        child=serializers.ListField(child=serializers.IntegerField()), help_text="[run, part] that it holds."
    )


class WorkSerializer(serializers.Serializer[Any]):
    queues = QueueStateSerializer(many=True)
    running = serializers.ListField(child=serializers.IntegerField(), help_text="Ids of runs.")
    waiting = WaitingSerializer(many=True)
    workers = WorkerSerializer(many=True)


class QueueView(Looking):
    @extend_schema(operation_id="queue", responses={200: WorkSerializer, 401: PROBLEM, 403: PROBLEM})
    def get(self, request: Request) -> Response:
        """What is paused, what goes on, what waits in which order, and which workers there are."""
        paused = pauses()
        states = [
            {
                "queue": name,
                "paused": name in paused,
                "since": paused[name].since if name in paused else None,
                "by": None if name not in paused or (by := paused[name].by) is None else by.get_username(),
                "reason": paused[name].reason if name in paused else "",
            }
            for name in QueueName.values
        ]
        running = AnalysisRun.objects.filter(status=RunStatus.RUNNING).order_by("pk").values_list("pk", flat=True)
        work = {"queues": states, "running": list(running), "waiting": waiting(), "workers": workers()}
        return Response(WorkSerializer(work).data)


def _state(queue: Queue) -> dict[str, Any]:
    return {
        "queue": queue.name,
        "paused": queue.paused_at is not None,
        "since": queue.paused_at,
        "by": None if queue.paused_by is None else queue.paused_by.get_username(),
        "reason": queue.reason,
    }


class PauseView(Looking):
    permission_classes: Any = [api_needs(Right.MANAGE)]

    @extend_schema(
        operation_id="queue_pause",
        request=PauseSerializer,
        responses={200: QueueStateSerializer, 400: PROBLEM, 401: PROBLEM, 403: PROBLEM},
    )
    def post(self, request: Request) -> Response:
        """Nothing is begun from now on; what is under way is finished. Twice is as good as once."""
        asked = PauseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        values = asked.validated_data
        queue = queue_pause(name=values["queue"], actor=user_of(request), reason=values["reason"])
        return Response(QueueStateSerializer(_state(queue)).data)


class ResumeView(Looking):
    permission_classes: Any = [api_needs(Right.MANAGE)]

    @extend_schema(
        operation_id="queue_resume",
        request=ResumeSerializer,
        responses={200: QueueStateSerializer, 400: PROBLEM, 401: PROBLEM, 403: PROBLEM},
    )
    def post(self, request: Request) -> Response:
        """Work goes on, where no other pause stands over it."""
        asked = ResumeSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        queue = queue_resume(name=asked.validated_data["queue"], actor=user_of(request))
        return Response(QueueStateSerializer(_state(queue)).data)


class AsEvents(BaseContentNegotiation):
    """Browsers ask for ``text/event-stream`` alone; errors are JSON all the same."""

    def select_renderer(
        self, request: Request, renderers: Iterable[BaseRenderer], format_suffix: str | None = None
    ) -> tuple[BaseRenderer, str]:
        first = next(iter(renderers))
        return first, str(first.media_type)


STREAM: Any = {
    (200, "text/event-stream"): OpenApiTypes.STR,
    401: PROBLEM,
    403: PROBLEM,
    503: OpenApiResponse(shape.ProblemSerializer, description="Too many streams are open; see Retry-After"),
}


class EventsView(Looking):
    content_negotiation_class = AsEvents

    @extend_schema(operation_id="runs_events", parameters=[LAST], responses=STREAM)
    def get(self, request: Request) -> Any:
        """What happens to all runs and queues, as server-sent events, and how far active runs are."""
        return _stream(request, None)


class RunEventsView(Looking):
    content_negotiation_class = AsEvents

    @extend_schema(
        operation_id="run_events",
        parameters=[PK, LAST],
        responses={**STREAM, 204: OpenApiResponse(description="The run has ended and all was read"), 404: PROBLEM},
    )
    def get(self, request: Request, pk: str) -> Any:
        """The same of one run; ends when the run has ended."""
        run = self.run_of(pk)
        if nothing_to_come(request.headers.get("Last-Event-ID", ""), run):
            return Response(status=204)
        return _stream(request, run)


def _stream(request: Request, run: AnalysisRun | None) -> HttpResponseBase:
    if request.method == "HEAD":
        response: HttpResponseBase = Response(content_type="text/event-stream")
    else:
        last = request.headers.get("Last-Event-ID", "")
        response = StreamingHttpResponse(
            EventStream(person=user_of(request).pk, last=last, run=run), content_type="text/event-stream"
        )
    response.headers["Cache-Control"] = "no-store"
    response.headers["X-Accel-Buffering"] = "no"  # nginx would hold events back
    return response
