"""Pages of lists: by offset where lists are short, by cursor where they are long and change under the reader.

A cursor is signed, and says after which row the next page begins and of which run that row was. A run that the list
has begun is read to its end even if the episode shows another one meanwhile, and each episode comes once: nothing is
repeated, nothing is lost. Where that cannot be kept the cursor is refused, never answered with a wrong page.
"""

from __future__ import annotations

import hashlib
import json
import time
from abc import ABC, abstractmethod
from dataclasses import dataclass
from typing import Any, ClassVar

from django.core import signing
from django.db.models import Exists, OuterRef, Q, QuerySet
from rest_framework.exceptions import ValidationError
from rest_framework.pagination import BasePagination, LimitOffsetPagination
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.utils.urls import replace_query_param

from analysis.errors import CursorInvalid, CursorStale
from analysis.limits import limits_format
from analysis.models import AnalysisRun
from analysis.selectors.visible import is_visible

USUAL, MOST = 50, 200
FORMAT = 1
OLDEST_H = 24
LONGEST = 1_000  # characters of a cursor
_SALT = "toonemo.cursor"
_ELSE = ("cursor", "limit", "fields", "limits")  # what may differ from page to page, or is looked at apart


def page_size(request: Request) -> int:
    """Raises ValidationError."""
    text = request.query_params.get("limit", str(USUAL))
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) > 0):
        raise ValidationError({"limit": f"It is a number from 1 to {MOST}."})
    return min(int(text), MOST)


class Pages(LimitOffsetPagination):
    """``limit`` and ``offset``; a number that is none is refused."""

    default_limit = USUAL
    max_limit = MOST

    def get_limit(self, request: Request) -> int | None:
        return page_size(request)

    def get_offset(self, request: Request) -> int:
        text = request.query_params.get("offset", "0")
        if not (text.isascii() and text.isdecimal() and len(text) <= 18):
            raise ValidationError({"offset": "It is a number from 0 on."})
        return int(text)

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        count = {"type": "integer", "minimum": 0, "description": "Rows of all pages"}
        named = {"count": count, "next": ADDRESS, "previous": ADDRESS, "results": schema}
        return {"type": "object", "required": list(named), "properties": named}

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("limit", f"Rows of a page, 1 to {MOST}; {USUAL} if not said", _LIMIT),
            _parameter("offset", "Rows before the page", {"type": "integer", "minimum": 0, "default": 0}),
        ]


ADDRESS = {"type": ["string", "null"], "format": "uri"}
_LIMIT = {"type": "integer", "minimum": 1, "default": USUAL}


def _parameter(name: str, description: str, form: dict[str, Any]) -> dict[str, Any]:
    return {"name": name, "required": False, "in": "query", "description": description, "schema": form}


@dataclass(frozen=True, slots=True)
class Place:
    """After which row a page begins. ``episode``, ``run``: the row's; ``run`` 0: the rows belong to no run."""

    episode: int
    run: int
    row: int
    more: tuple[int, ...] = ()


class CursorPages(ABC, BasePagination):
    """``limit`` and ``cursor``; what is the same for both kinds of lists."""

    def paginate_queryset(self, queryset: Any, request: Request, view: Any = None) -> list[Any]:
        """One row more than the page tells whether another page follows."""
        if "offset" in request.query_params:
            raise ValidationError({"offset": "This list has no offset. Follow the address in next."})
        self.request, self.view, size = request, view, page_size(request)
        rows = self.rows(queryset, self._place(), size + 1)
        self.after = self.place_of(rows[size - 1]) if len(rows) > size else None
        return rows[:size]

    @abstractmethod
    def rows(self, queryset: QuerySet[Any], place: Place | None, most: int) -> list[Any]:
        """At most so many rows, from those after ``place`` on."""

    @abstractmethod
    def place_of(self, row: Any) -> Place:
        """Where a page that ends with ``row`` is gone on with."""

    def get_paginated_response(self, data: Any) -> Response:
        return Response({"next": self._next(), "results": data})

    def get_paginated_response_schema(self, schema: dict[str, Any]) -> dict[str, Any]:
        following = {**ADDRESS, "description": "The next page; null at the end."}
        return {
            "type": "object",
            "required": ["next", "results"],
            "properties": {"next": following, "results": schema},
        }

    def get_schema_operation_parameters(self, view: Any) -> list[dict[str, Any]]:
        return [
            _parameter("limit", f"Rows of a page, 1 to {MOST}; {USUAL} if not said", _LIMIT),
            _parameter("cursor", "Where the page begins, as `next` of the page before says", {"type": "string"}),
        ]

    def _next(self) -> str | None:
        if self.after is None:
            return None
        place = self.after
        told = [FORMAT, _hour(), self._question(), self._sight(), place.episode, place.run, place.row, list(place.more)]
        cursor = signing.Signer(salt=_SALT).sign_object(told)
        return replace_query_param(self.request.build_absolute_uri(), "cursor", cursor)

    def _place(self) -> Place | None:
        """Raises CursorInvalid, CursorStale."""
        cursor = self.request.query_params.get("cursor")
        if cursor is None:
            return None
        try:
            told = signing.Signer(salt=_SALT).unsign_object(cursor[: LONGEST + 1])
            version, hour, question, sight, episode, run, row, more = told
        except (signing.BadSignature, ValueError, TypeError):
            raise CursorInvalid("The cursor is none that this list gave. Begin the list again.") from None
        if version != FORMAT or question != self._question():
            raise CursorInvalid("The cursor belongs to another list, or to other filters.")
        if _hour() - hour > OLDEST_H:
            raise CursorStale("The cursor is older than a day. Begin the list again.")
        if sight != self._sight():
            raise CursorStale("The limits, or what you may see, are others than when the list was begun.")
        return Place(episode, run, row, tuple(more))

    def _question(self) -> str:
        """Which list, filtered how."""
        asked = sorted((k, v) for k, values in self.request.query_params.lists() for v in values if k not in _ELSE)
        return _digest([self.request.path.rstrip("/"), asked])

    def _sight(self) -> str:
        """Under which limits, by whom."""
        return _digest([limits_format(self.view.limits), self.view.sees_runs])


class RunPages(CursorPages):
    """Rows that belong to runs, episode by episode. ``view.rows()`` are the rows without regard to which run is shown,
    ``view.visible_runs()`` what may be seen now; ``within`` is the order in a run.
    """

    within: ClassVar[tuple[str, ...]]

    def place_of(self, row: Any) -> Place:
        return Place(row.run.episode_id, row.run_id, row.pk)

    def rows(self, queryset: QuerySet[Any], place: Place | None, most: int) -> list[Any]:
        found: list[Any] = [] if place is None else self._rest(place, most)
        if len(found) < most:
            runs = self._runs(place)[: most - len(found)]  # each has one row at least
            rows = self.view.rows().filter(run_id__in=list(runs)).order_by("run__episode_id", "run_id", *self.within)
            found += rows[: most - len(found)]
        return found

    def _rest(self, place: Place, most: int) -> list[Any]:
        """What follows in the run that the last page ended in."""
        own = list(self.view.rows().filter(run_id=place.run).order_by(*self.within).values_list("pk", flat=True))
        if place.row not in own:
            raise CursorStale(f"Run {place.run} was derived anew or is gone. Begin the list again.")
        if self.view.limits and not is_visible(place.episode, self.view.limits):
            raise CursorStale("The limits hide now what the list was in the middle of. Begin the list again.")
        after = own[own.index(place.row) + 1 :][:most]
        return list(self.view.rows().filter(pk__in=after).order_by(*self.within)) if after else []

    def _runs(self, place: Place | None) -> QuerySet[AnalysisRun, int]:
        """Those that have rows and come after the place; an episode that was begun does not come again."""
        runs = self.view.visible_runs().filter(Exists(self.view.rows().filter(run_id=OuterRef("pk"))))
        if place is not None:
            later = Q(episode_id__gt=place.episode)
            if self.view.sees_runs and not self.view.limits:  # who sees every run
                later |= Q(episode_id=place.episode, pk__gt=place.run)
            runs = runs.filter(later)
        ids: QuerySet[AnalysisRun, int] = runs.order_by("episode_id", "pk").values_list("pk", flat=True)
        return ids


class ScenePages(RunPages):
    within = ("index",)


class ProfilePages(RunPages):
    """Who is seen longest comes first."""

    within = ("-visible_ms", "pk")


class TimePages(CursorPages):
    """Rows that belong to an episode's time and to no run, in the order of the episode."""

    def place_of(self, row: Any) -> Place:
        return Place(row.episode_id, 0, row.pk, (row.start_ms,))

    def rows(self, queryset: QuerySet[Any], place: Place | None, most: int) -> list[Any]:
        if place is not None:
            start = place.more[0]
            queryset = queryset.filter(
                Q(episode_id__gt=place.episode)
                | Q(episode_id=place.episode, start_ms__gt=start)
                | Q(episode_id=place.episode, start_ms=start, pk__gt=place.row)
            )
        return list(queryset.order_by("episode_id", "start_ms", "pk")[:most])


def _hour() -> int:
    """Of the clock. No finer, so that a page has the same tag when it is asked for again."""
    return int(time.time()) // 3600


def _digest(parts: Any) -> str:
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]
