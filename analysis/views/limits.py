"""The page on which limits are set. They stay in the browser's cookie; a link only proposes them."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import quote

from django.contrib import messages
from django.core.paginator import Paginator
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_http_methods

from analysis.hidden_words import limits_words, reason_words
from analysis.limits import NO_LIMITS, NOTHING, Limits, LimitsInvalid, limits_format, limits_parse
from analysis.limits.form import limits_from_form, minutes_field, rows_of
from analysis.limits_request import (
    limits_keep,
    limits_of,
    preset_named,
    preset_saved,
    presets_keep,
    presets_of,
)
from analysis.selectors.hidden import episodes_hidden, explain
from analysis.selectors.visible import characters_check, episodes_count
from catalog.models import Character, Episode
from ml.types import EMOTIONS

PAGE_SIZE = 24


@require_http_methods(["GET", "HEAD", "POST"])
def limits(request: HttpRequest) -> HttpResponse:
    if request.method == "POST":
        try:
            return _done(request)
        except LimitsInvalid as error:
            messages.error(request, str(error))
            return _page(request, NO_LIMITS if limits_of(request).closed else limits_of(request), status=400)
    try:
        return _page(request, _proposed(request))
    except LimitsInvalid as error:
        messages.error(request, str(error))
        return _page(request, limits_of(request), status=400)


def _proposed(request: HttpRequest) -> Limits:
    """What the form shall hold: what is being tried, what a link proposes, or what is set."""
    if "draft" in request.GET:
        found = limits_from_form(request.GET.dict())
    elif "limits" in request.GET:
        found = limits_parse(request.GET["limits"])
    else:
        return limits_of(request)
    characters_check(found)
    return found


def _done(request: HttpRequest) -> HttpResponse:
    """Raises LimitsInvalid."""
    response = redirect("limits")
    presets, name = presets_of(request), request.POST.get("preset", "")
    match request.POST.get("do"):
        case "clear":
            limits_keep(response, NO_LIMITS)
        case "use":
            limits_keep(response, preset_named(presets, name))
        case "delete":
            presets_keep(response, tuple(p for p in presets if p[0] != name))
        case "save":
            presets_keep(response, preset_saved(presets, name, _of_form(request), request.POST.get("was", "")))
        case "count":
            return _page(request, _of_form(request))
        case _:
            limits_keep(response, _of_form(request))
    return response


def _of_form(request: HttpRequest) -> Limits:
    found = limits_from_form(request.POST.dict())
    characters_check(found)
    return found


def _page(request: HttpRequest, draft: Limits, status: int = 200) -> HttpResponse:
    """``draft`` that is closed: what is set cannot be read; the form is empty, and nothing counts as shown."""
    current = limits_of(request)
    first, others, own = rows_of(NO_LIMITS if draft.closed else draft)
    names = dict(Character.objects.order_by("name", "pk").values_list("slug", "name"))
    hidden = episodes_hidden(draft) if draft and not draft.closed else Episode.objects.none()
    page = Paginator(hidden, PAGE_SIZE).get_page(request.GET.get("page"))
    shown = list(page.object_list)
    reasons = [[reason_words(r, h) for r in h.reasons] for h in explain(shown, draft)]
    text = "" if draft.closed else limits_format(draft)
    presets = presets_of(request)
    context = {
        "draft": draft,
        "current": current,
        "changed": draft != current,
        "unreadable": current == NOTHING,
        "first": first,
        "others": others,
        "own": [(row, names.get(row.character, row.character)) for row in own],
        "length": minutes_field(draft),
        "names": names,
        "emotions": EMOTIONS,
        "words": limits_words(draft, names),
        "total": episodes_count(),
        "shown": episodes_count(draft),
        "page": page,
        "hidden": list(zip(shown, reasons, strict=True)),
        "link": _link(request, text) if text else "",
        "presets": [(name, text, _preset_words(text, names), _link(request, text)) for name, text in presets],
        "editing": next((name for name, _ in presets if name == request.GET.get("preset")), ""),
    }
    return render(request, "limits.html", context, status=status)


def _link(request: HttpRequest, text: str) -> str:
    """An address that proposes these limits to whoever opens it."""
    return request.build_absolute_uri(f"{reverse('limits')}?limits={quote(text)}")


def _preset_words(text: str, names: Mapping[str, str]) -> str:
    """What a preset says; as it was written where this version no longer reads it."""
    try:
        return "; ".join(limits_words(limits_parse(text), names))
    except LimitsInvalid:
        return text
