"""A rating card that other sites show in a frame, and oEmbed, by which they find it.

A frame on another site brings none of the visitor's cookies, so the card keeps the limits in its own address, those of
whoever put it there, and on our own pages also those of the browser.
"""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any
from urllib.parse import parse_qs, urlencode, urlsplit

from django.http import Http404, HttpRequest, HttpResponse, JsonResponse
from django.shortcuts import render
from django.template.loader import render_to_string
from django.urls import Resolver404, resolve, reverse
from django.views.decorators.clickjacking import xframe_options_exempt
from django.views.decorators.http import require_safe

from analysis.errors import EpisodeHidden
from analysis.limits import Limits, LimitsInvalid, limits_format, limits_parse
from analysis.limits_request import limits_of
from analysis.selectors.episodes import EpisodeCard, episode_cards, episode_get
from analysis.selectors.hidden import hidden_check
from analysis.selectors.visible import characters_check

WIDTH, HEIGHT = 420, 300
LEAST_WIDTH, LEAST_HEIGHT = 240, 200
LONGEST_ADDRESS = 2_000
FRAMED = (
    "default-src 'none'; style-src 'self'; img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors *"
)
KEPT_S = 3600  # how long another site may keep what oEmbed says


@require_safe
@xframe_options_exempt
def card(request: HttpRequest, pk: int) -> HttpResponse:
    """The only page that other sites may frame: it holds no form and no script."""
    try:
        limits = limits_in(request, request.GET.getlist("limits"))
        found, status = _card(pk, limits), HTTPStatus.OK
        hidden = None
    except EpisodeHidden as error:
        found, status, hidden = None, HTTPStatus.NOT_FOUND, error.hidden
    except LimitsInvalid as error:
        return _framed(render(request, "card.html", {"refused": str(error)}, status=HTTPStatus.BAD_REQUEST))
    if found is None and hidden is None:
        raise Http404
    return _framed(render(request, "card.html", {"card": found, "hidden": hidden}, status=status))


def _framed(response: HttpResponse) -> HttpResponse:
    response.headers["Content-Security-Policy"] = FRAMED
    return response


@require_safe
def oembed(request: HttpRequest) -> HttpResponse:
    """oEmbed 1.0: ``url`` is the address of an episode's page here."""
    form = request.GET.get("format", "json")
    if form != "json":
        return _refused(HTTPStatus.NOT_IMPLEMENTED, "Only JSON is made; ask with format=json.")
    address = request.GET.get("url", "")
    asked = _asked_for(request, address)
    if asked is None:
        return _refused(HTTPStatus.NOT_FOUND, "The url is not that of an episode on this site.")
    pk, wanted = asked
    try:
        size = _size(request.GET.get("maxwidth"), WIDTH), _size(request.GET.get("maxheight"), HEIGHT)
        limits = limits_in(request, wanted)
        found = _card(pk, limits)
    except EpisodeHidden:
        return _refused(HTTPStatus.NOT_FOUND, "Limits hide this episode.")
    except ValueError as error:  # also limits that cannot be read
        return _refused(HTTPStatus.BAD_REQUEST, str(error))
    if found is None:
        return _refused(HTTPStatus.NOT_FOUND, "There is no such episode.")
    return JsonResponse(_told(request, found, limits_format(_of_address(wanted)), size))


def _told(request: HttpRequest, found: EpisodeCard, limits: str, size: tuple[int, int]) -> Mapping[str, Any]:
    width, height = max(LEAST_WIDTH, size[0]), max(LEAST_HEIGHT, size[1])
    query = f"?{urlencode({'limits': limits})}" if limits else ""
    address = request.build_absolute_uri(reverse("card", args=[found.episode.pk])) + query
    frame = {"address": address, "title": found.episode.title, "width": width, "height": height}
    return {
        "version": "1.0",
        "type": "rich",
        "title": f"{found.episode.title} · {found.episode.series.title}",
        "provider_name": "ToonEmo",
        "provider_url": request.build_absolute_uri("/"),
        "cache_age": KEPT_S,
        "html": render_to_string("parts/card_frame.html", frame).strip(),
        "width": width,
        "height": height,
    }


def oembed_address(request: HttpRequest, pk: int) -> str:
    """Where oEmbed is asked about an episode."""
    page = request.build_absolute_uri(reverse("episode", args=[pk]))
    return f"{request.build_absolute_uri(reverse('oembed'))}?{urlencode({'url': page})}"


def limits_in(request: HttpRequest, texts: list[str]) -> Limits:
    """Those of the browser and those that are named, all of them. Raises LimitsInvalid."""
    return limits_of(request).meet(_of_address(texts)) if texts else limits_of(request)


def _of_address(texts: list[str]) -> Limits:
    found = Limits()
    for text in texts:
        asked = limits_parse(text)
        characters_check(asked)
        found = found.meet(asked)
    return found


def _card(pk: int, limits: Limits) -> EpisodeCard | None:
    """None where there is no such episode. Raises EpisodeHidden."""
    episode = episode_get(pk)
    if episode is None:
        return None
    hidden_check(pk, limits)
    return episode_cards([episode])[0]


def _asked_for(request: HttpRequest, address: str) -> tuple[int, list[str]] | None:
    """The episode and the limits that an address of ours names; None where it is no episode's page here."""
    try:
        parts = urlsplit(address[: LONGEST_ADDRESS + 1])
        found = resolve(parts.path if parts.path.endswith("/") else f"{parts.path}/")
    except (ValueError, Resolver404):
        return None
    here = parts.scheme in ("http", "https") and parts.netloc.lower() == request.get_host().lower()
    if not here or len(address) > LONGEST_ADDRESS or found.url_name not in ("episode", "card"):
        return None
    return int(found.kwargs["pk"]), parse_qs(parts.query, max_num_fields=20).get("limits", [])


def _size(text: str | None, usual: int) -> int:
    """At most the usual. Raises ValueError."""
    if text is None:
        return usual
    if not (text.isascii() and text.isdecimal() and len(text) <= 9 and int(text) > 0):
        raise ValueError("maxwidth and maxheight are numbers of pixels.")
    return min(usual, int(text))


def _refused(status: HTTPStatus, detail: str) -> HttpResponse:
    return JsonResponse({"error": detail}, status=status)
