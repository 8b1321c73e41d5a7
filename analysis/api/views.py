"""The resources. Reading is open to all and shows published runs only; who looks after runs sees every one."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar

from django.contrib.auth.models import User
from django.db.models import QuerySet
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema, extend_schema_view
from rest_framework import viewsets
from rest_framework.authentication import SessionAuthentication
from rest_framework.decorators import action
from rest_framework.exceptions import NotFound, ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.renderers import JSONRenderer
from rest_framework.request import Request
from rest_framework.response import Response

from analysis.api import serializers as shape
from analysis.api.characters import CharacterAcrossSerializer
from analysis.api.conditional import Tagged
from analysis.api.fields import Tree, fields_check, fields_narrow, fields_parse, fields_prune
from analysis.api.limits import LimitedSchema, limits_asked
from analysis.api.pages import Pages
from analysis.api.parsers import SafeJSONParser
from analysis.api.problems import handle
from analysis.limits import NO_LIMITS, Limits
from analysis.models import AnalysisRun, RunStatus
from analysis.search.answer import Answer, registry_load, search, search_query
from analysis.search.languages import LANGUAGES
from analysis.search.query_json import query_from_json
from analysis.selectors.comparing import comparison_json, runs_compare
from analysis.selectors.episodes import SORTS, EpisodeFilter, episodes_find
from analysis.selectors.hidden import hidden_check
from analysis.selectors.runs import run_published, runs_progress, runs_published
from analysis.selectors.timelines import timeline_of
from analysis.selectors.visible import episodes_visible, runs_listed, runs_visible
from analysis.services.publishing import run_publish, run_rollback
from analysis.services.runs import run_cancel, run_request, run_retry
from catalog.access.authentication import TokenAuthentication
from catalog.access.idempotency import IdempotentPosts
from catalog.models import Character, Episode, Series
from catalog.roles import Right, api_needs, may
from ml.types import EMOTIONS

PROBLEM = OpenApiResponse(shape.ProblemSerializer, description="Problem details (RFC 9457)")
TIMELINE_FORMAT = 1


class Base(Tagged, IdempotentPosts):
    rate = ""  # the name of a rate of its own, where it is expensive
    authentication_classes = [TokenAuthentication, SessionAuthentication]
    permission_classes: Any = [AllowAny]
    parser_classes: Any = [SafeJSONParser]
    renderer_classes: Any = [JSONRenderer]
    schema = LimitedSchema()

    chosen: Tree = {}

    def get_exception_handler(self) -> Any:
        return handle

    def selectable(self) -> Any:
        """The form of the answer from which a client may choose fields; None: it may not."""
        return None

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        super().initial(request, *args, **kwargs)
        if "fields" in request.query_params and (form := self.selectable()) is not None:
            self.chosen = fields_parse(request.query_params["fields"])
            fields_check(self.chosen, form())

    def finalize_response(self, request: Request, response: Any, *args: Any, **kwargs: Any) -> Any:
        if self.chosen and isinstance(response, Response) and response.status_code == 200:
            data = response.data
            paged = isinstance(data, dict) and "results" in data and "next" in data
            pruned = fields_prune(data["results"] if paged else data, self.chosen)
            response.data = {**data, "results": pruned} if paged else pruned
        return super().finalize_response(request, response, *args, **kwargs)

    @property
    def sees_runs(self) -> bool:
        """Whether those that no episode shows are shown too."""
        return bool(may(self.request, Right.SEE_RUNS))

    @property
    def limits(self) -> Limits:
        """Raises LimitsInvalid and LimitsUnreadable."""
        return limits_asked(self.request)

    def permitted_runs(self) -> QuerySet[AnalysisRun]:
        return AnalysisRun.objects.all() if self.sees_runs else runs_published()

    def visible_runs(self) -> QuerySet[AnalysisRun]:
        """With limits, only what visible episodes show, whoever asks."""
        return runs_visible(self.limits) if self.limits else self.permitted_runs()


class ReadViewSet(Base, viewsets.ReadOnlyModelViewSet[Any]):
    """Lists and shows. ``forms``: what further actions answer with, where fields may be chosen of it."""

    pagination_class: Any = Pages
    forms: ClassVar[Mapping[str, Any]] = {}

    def selectable(self) -> Any:
        return self.get_serializer_class() if self.action in ("list", "retrieve") else self.forms.get(self.action)

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        """What nobody asked for is not worked out."""
        return fields_narrow(super().get_serializer(*args, **kwargs), self.chosen)


class LimitedViewSet(ReadViewSet, ABC):
    """Of what belongs to episodes. One that limits hide is answered with why."""

    @abstractmethod
    def episode_of(self, pk: int) -> int | None:
        """The episode of the object, whatever the limits; None where there is no such object to see."""

    def get_object(self) -> Any:
        if self.limits:
            episode = self.episode_of(int(self.kwargs["pk"]))
            if episode is not None:
                hidden_check(episode, self.limits)
        return super().get_object()


def parameter(name: str, description: str, enum: list[str] | None = None, kind: Any = str) -> OpenApiParameter:
    return OpenApiParameter(name, kind, OpenApiParameter.QUERY, description=description, enum=enum)


EXPLAIN = parameter("explain", "1: with the parts of each result's score", ["0", "1"])


def explained(request: Request) -> bool:
    """Raises ValidationError where it is neither 0 nor 1."""
    return choice_of(request, "explain", "01") == "1"


LANGUAGE = parameter("lang", "Of question and echo; else that of the question's words", list(LANGUAGES))


def spoken(request: Request) -> str | None:
    """Raises ValidationError where it is no language that search knows."""
    return choice_of(request, "lang", LANGUAGES) or None


def text_of(request: Request, name: str) -> str:
    return str(request.query_params.get(name, ""))


def choice_of(request: Request, name: str, choices: Iterable[str]) -> str:
    """A query parameter that is one of these, or empty. Raises ValidationError."""
    value = text_of(request, name)
    known = tuple(map(str, choices))
    if value not in ("", *known):
        raise ValidationError({name: f"It is one of {', '.join(known)}."})
    return value


def number_of(request: Request, name: str) -> int | None:
    """A query parameter as an id. Raises NotFound where it cannot be one."""
    value = text_of(request, name)
    if value == "":
        return None
    if not (value.isascii() and value.isdecimal() and len(value) <= 18):
        raise NotFound
    return int(value)


def user_of(request: Request) -> User:
    """Whoever asks, where the permissions let nobody through who is not signed in."""
    assert isinstance(request.user, User)
    return request.user


class SeriesViewSet(ReadViewSet):
    """Series, by title."""

    queryset = Series.objects.order_by("title", "pk")
    serializer_class = shape.SeriesSerializer
    lookup_field = "slug"
    lookup_value_regex = "[^/]+"


class CharacterViewSet(ReadViewSet):
    """Characters, by name; one of them with what is usual for it over its episodes."""

    queryset = Character.objects.select_related("series").order_by("name", "pk")
    serializer_class = shape.CharacterSerializer
    lookup_field = "slug"
    lookup_value_regex = "[^/]+"

    def get_serializer_class(self) -> Any:
        """One character comes with what is usual for it over its episodes."""
        return CharacterAcrossSerializer if self.action == "retrieve" else shape.CharacterSerializer


@extend_schema_view(
    list=extend_schema(
        parameters=[
            parameter("series", "Slug of a series"),
            parameter("character", "Slug of a character who is seen"),
            parameter("emotion", "Some rated character shows it", [str(e) for e in EMOTIONS]),
            parameter("words", "Words of the title"),
            parameter("sort", "Order; most and least need an emotion", list(SORTS)),
        ]
    )
)
class EpisodeViewSet(LimitedViewSet):
    """Episodes. `published_run` is the run whose results the episode shows; null: none yet."""

    forms = {"timeline": shape.TimelineSerializer}
    queryset = Episode.objects.none()
    serializer_class = shape.EpisodeSerializer
    lookup_value_regex = r"\d{1,18}"

    def get_queryset(self) -> QuerySet[Episode]:
        wanted = {name: text_of(self.request, name)[:300] for name in ("series", "character", "words")}
        wanted["emotion"] = choice_of(self.request, "emotion", EMOTIONS)
        wanted["sort"] = choice_of(self.request, "sort", SORTS)
        among = episodes_visible(self.limits)
        return episodes_find(EpisodeFilter(**wanted) if self.action == "list" else EpisodeFilter(), among)

    def episode_of(self, pk: int) -> int | None:
        return pk

    @extend_schema(responses={200: shape.TimelineSerializer, 404: PROBLEM}, filters=False)
    @action(detail=True, pagination_class=None)
    def timeline(self, request: Request, pk: str) -> Response:
        """What the published run shows over time: a lane of spans per character, and the shots."""
        episode = self.get_object()
        run = run_published(episode)
        if run is None:
            raise NotFound("The episode shows no analysis yet.")
        found = timeline_of(run, episode.duration_ms or 0)
        data = {
            "format": TIMELINE_FORMAT,
            "episode": episode.pk,
            "run": run.pk,
            "duration_ms": found.duration_ms,
            "shots": found.shots,
            "lanes": found.lanes,
        }
        return Response(shape.TimelineSerializer(data).data)

    @extend_schema(
        request=shape.AnalyseSerializer,
        responses={202: shape.RunSerializer, 400: PROBLEM, 401: PROBLEM, 403: PROBLEM, 404: PROBLEM, 409: PROBLEM},
        filters=False,
    )
    @action(detail=True, methods=["post"], permission_classes=[api_needs(Right.ANALYSE)], pagination_class=None)
    def analyse(self, request: Request, pk: str) -> Response:
        """Asks for a run. The same request twice gives the same run."""
        asked = shape.AnalyseSerializer(data=request.data)
        asked.is_valid(raise_exception=True)
        run = run_request(
            episode=self.get_object(),
            bundle_name=asked.validated_data.get("bundle"),
            config=asked.validated_data.get("config"),
            requested_by=user_of(request),
            force=asked.validated_data["force"],
        )
        return Response(_run_data(run), status=202)


def _run_data(run: AnalysisRun) -> Any:
    return shape.RunSerializer(run, context={"progress": runs_progress([run.pk])}).data


@extend_schema_view(
    list=extend_schema(
        parameters=[
            parameter("episode", "Id of an episode", kind=int),
            parameter("status", "Only runs of this status", list(RunStatus.values)),
        ]
    )
)
class RunViewSet(LimitedViewSet):
    """Runs, the newest first: one analysis of one episode by one bundle each. Everybody sees those that episodes show;
    whoever looks after runs sees all of them, whatever limits hide elsewhere.
    """

    queryset = AnalysisRun.objects.none()
    serializer_class = shape.RunSerializer
    lookup_value_regex = r"\d{1,18}"

    @property
    def limits(self) -> Limits:
        return NO_LIMITS if self.sees_runs else super().limits

    def episode_of(self, pk: int) -> int | None:
        return self.permitted_runs().filter(pk=pk).values_list("episode_id", flat=True).first()

    def get_queryset(self) -> QuerySet[AnalysisRun]:
        runs = runs_listed(self.limits).filter(pk__in=self.permitted_runs().values("pk"))
        if self.action == "list":
            if (episode := number_of(self.request, "episode")) is not None:
                runs = runs.filter(episode_id=episode)
            if status := choice_of(self.request, "status", RunStatus.values):
                runs = runs.filter(status=status)
        return runs

    def get_serializer(self, *args: Any, **kwargs: Any) -> Any:
        rows = args[0] if args else None
        shown = rows if kwargs.get("many") else [rows]
        asked = not self.chosen or {"progress", "seconds_left"} & set(self.chosen)
        kwargs["context"] = {**self.get_serializer_context(), "progress": _progress(shown) if asked else {}}
        return fields_narrow(shape.RunSerializer(*args, **kwargs), self.chosen)

    @extend_schema(request=None, responses={200: shape.RunSerializer, 401: PROBLEM, 403: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"], permission_classes=[api_needs(Right.ANALYSE)])
    def cancel(self, request: Request, pk: str) -> Response:
        """Stops the run; what a worker holds stops within two seconds."""
        return Response(_run_data(run_cancel(run=self.get_object(), actor=user_of(request))))

    @extend_schema(request=None, responses={200: shape.RunSerializer, 401: PROBLEM, 403: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"], permission_classes=[api_needs(Right.ANALYSE)])
    def retry(self, request: Request, pk: str) -> Response:
        """Does again what failed or was cancelled, and only that."""
        return Response(_run_data(run_retry(run=self.get_object(), actor=user_of(request))))

    @extend_schema(request=None, responses={200: shape.RunSerializer, 401: PROBLEM, 403: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"], permission_classes=[api_needs(Right.PUBLISH)])
    def publish(self, request: Request, pk: str) -> Response:
        """The episode shows this run from now on."""
        run = self.get_object()
        run_publish(run=run, actor=user_of(request))
        return Response(_run_data(run))

    @extend_schema(request=None, responses={200: shape.RunSerializer, 401: PROBLEM, 403: PROBLEM, 409: PROBLEM})
    @action(detail=True, methods=["post"], permission_classes=[api_needs(Right.PUBLISH)])
    def rollback(self, request: Request, pk: str) -> Response:
        """The run's episode shows again what it showed before; answers with that run."""
        shown = run_rollback(episode=self.get_object().episode, actor=user_of(request))
        return Response(_run_data(shown.run))

    @extend_schema(responses={200: OpenApiTypes.OBJECT, 404: PROBLEM, 409: PROBLEM}, filters=False)
    @action(detail=True, url_path=r"compare/(?P<other>\d{1,18})", pagination_class=None)
    def compare(self, request: Request, pk: str, other: str) -> Response:
        """What would change if the episode showed the second run and not the first: ratings, levels, limits."""
        second = self.get_queryset().filter(pk=int(other)).first()
        if second is None:
            raise NotFound
        return Response(comparison_json(runs_compare(self.get_object(), second)))


def _progress(rows: Any) -> dict[int, Any]:
    return runs_progress([row.pk for row in rows if isinstance(row, AnalysisRun)]) if rows else {}


class SearchView(Base):
    """Asked in plain words. The answer is that of ``manage.py search --json``."""

    rate = "search"

    @extend_schema(
        parameters=[parameter("q", "The question, such as: happiest Jerry scenes"),
                    parameter("page", "From 1; the Link header names the next", kind=int), EXPLAIN, LANGUAGE],
        responses={200: shape.AnswerSerializer},
        operation_id="search",
    )  # fmt: skip
    def get(self, request: Request) -> Response:
        page = number_of(request, "page") or 1
        return answered(
            request,
            search(
                text_of(request, "q"),
                min(page, 10_000),
                explain=explained(request),
                language=spoken(request),
                limits=self.limits,
            ),
        )


class QueryView(Base):
    """The same for a query that is JSON already. Writes nothing, so anybody may."""

    rate = "search"

    @extend_schema(
        parameters=[EXPLAIN, LANGUAGE],
        request=shape.QuerySerializer,
        responses={200: shape.AnswerSerializer, 400: PROBLEM},
        operation_id="query",
    )
    def post(self, request: Request) -> Response:
        query = query_from_json(request.data)
        page = number_of(request, "page") or 1
        explain = explained(request)
        language = spoken(request) or "en"
        answer = search_query(
            query, registry_load(), min(page, 10_000), explain=explain, language=language, limits=self.limits
        )
        return answered(request, answer)


def answered(request: Request, answer: Answer) -> Response:
    response = Response(answer.to_json())
    if answer.more:
        parameters = request.query_params.copy()
        parameters["page"] = str(answer.next_page)
        response.headers["Link"] = f'<{request.path}?{parameters.urlencode()}>; rel="next"'
    return response


@extend_schema(exclude=True)
class NothingHere(Base):
    """Whatever else is asked for under the API's address."""

    def initial(self, request: Request, *args: Any, **kwargs: Any) -> None:
        raise NotFound
