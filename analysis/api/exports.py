"""Everything that is shown as a stream: a line of JSON for each thing, or a table that spreadsheets read."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, ClassVar, Literal, cast

from django.http import StreamingHttpResponse
from django.http.response import HttpResponseBase
from django.urls import URLPattern, path
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.utils.encoders import JSONEncoder

from analysis.api import serializers as shape
from analysis.api.conditional import conditional
from analysis.api.subtitles import ByAddress
from analysis.api.views import Base, number_of, parameter, text_of
from analysis.models import EmotionProfile, Scene
from analysis.selectors import exports as select
from analysis.selectors.profiles import rating_of
from catalog.models import Episode

Form = Literal["csv", "ndjson"]
TYPES: Mapping[Form, str] = {"csv": "text/csv; charset=utf-8", "ndjson": "application/x-ndjson"}
FORMULA = tuple("=+-@\t\r\n")
TOGETHER = 200  # lines that are sent at once

Line = Sequence[Any]


class SpanSerializer(serializers.Serializer[Any]):
    """A stretch in which one emotion of one character shows. ``strength``: its mean probability."""

    episode = serializers.IntegerField()
    run = serializers.IntegerField()
    scene = serializers.IntegerField()
    character = serializers.CharField()
    emotion = serializers.ChoiceField(choices=shape.EMOTION_NAMES)
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    strength = serializers.FloatField()


SPAN_FIELDS = tuple(SpanSerializer().fields)


def episodes_json(asked: select.ExportRequest) -> Iterator[Any]:
    return map(shape.EpisodeSerializer().to_representation, select.episodes_export(asked))


def profiles_json(asked: select.ExportRequest) -> Iterator[Any]:
    return map(shape.ProfileSerializer().to_representation, select.profiles_export(asked))


def scenes_json(asked: select.ExportRequest) -> Iterator[Any]:
    return map(shape.SceneSerializer().to_representation, select.scenes_export(asked))


def spans_json(asked: select.ExportRequest) -> Iterator[Any]:
    for row in select.spans_export(asked):
        yield dict(zip(SPAN_FIELDS, row, strict=False))


EPISODE_COLUMNS = ("id", "series", "ordering", "identity", "season", "number", "number_end", "part", "title", "year",
                   "duration_ms", "published_run")  # fmt: skip
PROFILE_COLUMNS = ("episode", "series", "title", "run", "character", "emotion", "share_0to1", "low_0to1", "high_0to1",
                   "level", "enough_evidence", "runs_per_minute", "longest_ms", "visible_ms", "readable_ms",
                   "drawings", "shots")  # fmt: skip
SCENE_COLUMNS = ("episode", "series", "title", "run", "scene", "index", "start_ms", "end_ms", "character", "emotion",
                 "share_0to1", "score_0to1", "visible_ms", "readable_ms", "best_start_ms", "best_end_ms")  # fmt: skip
SPAN_COLUMNS = ("episode", "series", "title", "run", "scene", "character", "emotion", "start_ms", "end_ms",
                "strength_0to1")  # fmt: skip


def episodes_table(asked: select.ExportRequest) -> Iterator[Line]:
    for found in episodes_json(asked):
        yield [found[name] for name in EPISODE_COLUMNS]


def profiles_table(asked: select.ExportRequest) -> Iterator[Line]:
    """A line for each emotion; one that the bundle cannot express has none."""
    for profile in select.profiles_export(asked):
        for e in rating_of(profile).emotions:
            yield [
                *_of(profile),
                *(profile.character.slug, str(e.emotion), e.share, e.low, e.high, e.level),
                *(int(profile.enough), e.runs_per_minute, e.longest_ms),
                *(profile.visible_ms, profile.readable_ms, profile.drawings, profile.shots),
            ]


def scenes_table(asked: select.ExportRequest) -> Iterator[Line]:
    """A line for each emotion of each character; one without for a scene in which nobody known is seen."""
    for scene in select.scenes_export(asked):
        begin = [*_of(scene), scene.pk, scene.index, scene.start_ms, scene.end_ms]
        emotions = scene.emotions.all()
        for e in emotions:
            yield [
                *begin,
                *(e.character.slug, e.emotion, e.share, e.score),
                *(e.visible_ms, e.readable_ms, e.best_start_ms, e.best_end_ms),
            ]
        if not emotions:
            yield [*begin, *[None] * 8]


def spans_table(asked: select.ExportRequest) -> Iterator[Line]:
    for episode, *found, series, title in select.spans_export(asked):
        yield [episode, series, title, *found]


def _of(row: EmotionProfile | Scene) -> Line:
    episode: Episode = row.run.episode
    return [episode.pk, episode.series.slug, episode.title, row.run_id]


Rows = Callable[[select.ExportRequest], Iterator[Any]]
KINDS: Mapping[str, tuple[Rows, Rows, Sequence[str], str]] = {
    "episodes": (episodes_json, episodes_table, EPISODE_COLUMNS, "Every episode, in the form of `episodes/`"),
    "profiles": (profiles_json, profiles_table, PROFILE_COLUMNS, "Every rating, in the form of `profiles/`"),
    "scenes": (scenes_json, scenes_table, SCENE_COLUMNS, "Every scene, in the form of `scenes/`"),
    "spans": (spans_json, spans_table, SPAN_COLUMNS, "Every stretch in which a character shows an emotion"),
}
AS = {
    "ndjson": "A line of JSON for each.",
    "csv": "A table with a header; names say the unit. A text that a spreadsheet would take for a formula begins "
    "with an apostrophe.",
}


class ExportView(Base):
    """The rows of what episodes show now, whatever is published while they are read."""

    rate = "export"
    content_negotiation_class = ByAddress
    kind: ClassVar[str]
    form: ClassVar[Form]

    def answer(self, request: Request) -> HttpResponseBase:
        asked = select.ExportRequest(
            self.limits,
            series=text_of(request, "series"),
            episode=number_of(request, "episode"),
            character="" if self.kind == "episodes" else text_of(request, "character"),
        )
        return conditional(request, asked.tag(f"{self.kind}.{self.form}"), lambda: self._stream(asked))

    def _stream(self, asked: select.ExportRequest) -> HttpResponseBase:
        as_json, as_table, columns, _ = KINDS[self.kind]
        lines = _json_lines(as_json(asked)) if self.form == "ndjson" else _csv_lines(columns, as_table(asked))
        response = StreamingHttpResponse(_together(lines), content_type=TYPES[self.form])
        response.headers["Content-Disposition"] = f'attachment; filename="toonemo-{self.kind}.{self.form}"'
        return response


class _Echo:
    """What csv.writer writes to: it gives each line back."""

    def write(self, line: str) -> str:
        return line


def _csv_lines(columns: Line, rows: Iterable[Line]) -> Iterator[str]:
    write = csv.writer(_Echo()).writerow
    yield cast(str, write(columns))
    for row in rows:
        yield cast(str, write([_unharmful(value) for value in row]))


def _unharmful(value: Any) -> Any:
    """A text that begins as a formula does is none after an apostrophe."""
    return f"'{value}" if isinstance(value, str) and value.lstrip(" ").startswith(FORMULA) else value


def _json_lines(rows: Iterable[Any]) -> Iterator[str]:
    for row in rows:
        yield json.dumps(row, cls=JSONEncoder, ensure_ascii=False, separators=(",", ":"), allow_nan=False) + "\n"


def _together(lines: Iterator[str]) -> Iterator[bytes]:
    waiting: list[str] = []
    for line in lines:
        waiting.append(line)
        if len(waiting) >= TOGETHER:
            yield "".join(waiting).encode()
            waiting.clear()
    yield "".join(waiting).encode()


def _view(kind: str, form: Form) -> type[ExportView]:
    _, _, _, words = KINDS[kind]
    parameters = [parameter("series", "Slug of a series"), parameter("episode", "Id of an episode", kind=int)]
    if kind != "episodes":
        parameters.append(parameter("character", "Slug of a character"))

    class Export(ExportView):
        @extend_schema(
            operation_id=f"export_{kind}_{form}",
            summary=f"{words.split(',')[0]}, as {form.upper()}",
            description=f"{words}. {AS[form]}",
            parameters=parameters,
            responses={(200, TYPES[form].partition(";")[0]): OpenApiTypes.STR},
        )
        def get(self, request: Request) -> HttpResponseBase:
            return self.answer(request)

    Export.kind, Export.form = kind, form
    return Export


def routes() -> list[URLPattern]:
    return [
        path(f"export/{kind}.{form}", _view(kind, form).as_view(), name=f"api-export-{kind}-{form}")
        for kind in KINDS
        for form in TYPES
    ]
