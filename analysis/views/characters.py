"""The list of characters, and what editors change of one: names, colour, drawings, and whom these name."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.core.files.uploadedfile import UploadedFile
from django.core.paginator import Paginator
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.http import require_POST, require_safe

from analysis.errors import AnalysisError, NamingImpossible
from analysis.limits_request import limits_of
from analysis.models import CharacterExample
from analysis.selectors.characters import characters_listed
from analysis.selectors.naming import examples_current, naming_current, naming_proposal, namings_all
from analysis.selectors.visible import runs_visible
from analysis.services.characters import character_change, character_create
from analysis.services.finds import MAX_BYTES, faces_request
from analysis.services.naming import (
    example_add_face,
    example_add_picture,
    example_withdraw,
    naming_confirm,
    naming_withdraw,
)
from catalog.colour import contrast_of, is_colour, nearest_enough
from catalog.errors import CatalogError
from catalog.models import Character, Series
from catalog.roles import Right, needs
from catalog.services.characters import CharacterChanges

PAGE_SIZE = 60
SHOWN = 24  # of the faces that would be named
MOST_AT_ONCE = 10


@require_safe
def characters(request: HttpRequest) -> HttpResponse:
    """Everybody, with the number of episodes that may be seen here."""
    words = request.GET.get("words", "").strip()[:200].replace("\x00", "")
    rows = characters_listed(runs_visible(limits_of(request)), words)
    page = Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
    face = request.GET.get("face", "")
    picked = face if face.isascii() and face.isdecimal() and len(face) <= 18 else ""
    return render(request, "characters.html", {"page": page, "words": words, "face": picked})


@needs(Right.INGEST)
def character_new(request: HttpRequest) -> HttpResponse:
    error, given = "", {"name": request.GET.get("name", "")[:200]}
    if request.method == "POST":
        given = {name: value for name, value in request.POST.items() if isinstance(value, str)}
        try:
            made = character_create(actor=_person(request), changes=changes_from(given))
        except CatalogError as refused:
            error = str(refused)
        else:
            _tell_of_colour(request, made)
            return redirect("character-edit", slug=made.slug)
    context = {"given": given, "error": error, "series": Series.objects.order_by("title", "pk")}
    return render(request, "character_new.html", context, status=400 if error else 200)


@needs(Right.INGEST)
def character_edit(request: HttpRequest, slug: str) -> HttpResponse:
    found = _character(slug)
    error = ""
    given = {
        "name": found.name,
        "aliases": "\n".join(found.aliases),
        "colour": found.colour,
        "series": found.series.slug if found.series else "",
    }
    if request.method == "POST":
        given = {name: value for name, value in request.POST.items() if isinstance(value, str)}
        try:
            found = character_change(character=found, actor=_person(request), changes=changes_from(given))
        except CatalogError as refused:
            error = str(refused)
        else:
            messages.success(request, _("Saved."))
            _tell_of_colour(request, found)
            return redirect("character-edit", slug=slug)
    colour = given.get("colour", "")
    context = {
        "character": found,
        "given": given,
        "error": error,
        "series": Series.objects.order_by("title", "pk"),
        "contrast": contrast_of(colour) if is_colour(colour) else None,
        "better": nearest_enough(colour) if is_colour(colour) else "",
        "examples": list(examples_current(found)),
        "namings": namings_all(found)[:5],
        "current": naming_current(found),
        "most_mb": MAX_BYTES >> 20,
    }
    return render(request, "character_edit.html", context, status=400 if error else 200)


@require_POST
@needs(Right.CORRECT)
def example_add(request: HttpRequest, slug: str) -> HttpResponse:
    """``picture``, once or more; or ``face``, the id of a face that was found."""
    found = _character(slug)
    pictures = request.FILES.getlist("picture")[:MOST_AT_ONCE]
    face = request.POST.get("face", "")

    def add() -> object:
        if face:
            number = int(face) if face.isascii() and face.isdecimal() and len(face) <= 18 else 0
            return example_add_face(character=found, actor=_person(request), face_id=number)
        return [_add(found, request, picture) for picture in pictures]

    done = (
        _("The face is one of the drawings now.") if face else _("The pictures are being read; look again in a moment.")
    )
    if not face and not pictures:
        messages.error(request, _("Choose one picture or more."))
        return redirect("character-edit", slug=slug)
    return _then(request, add, done, slug)


def _add(found: Character, request: HttpRequest, picture: UploadedFile[bytes]) -> object:
    data = picture.read(MAX_BYTES + 1)
    return example_add_picture(character=found, actor=_person(request), picture=data)


@require_POST
@needs(Right.CORRECT)
def example_remove(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    found = _character(slug)
    row = get_object_or_404(CharacterExample, pk=pk, character=found)
    return _then(
        request,
        lambda: example_withdraw(example=row, actor=_person(request)),
        _("It is no drawing of it any more."),
        slug,
    )


@require_safe
@needs(Right.CORRECT)
def example_picture(request: HttpRequest, slug: str, pk: int) -> HttpResponse:
    """The face that was read, as we drew it anew: never the bytes that were sent."""
    row = CharacterExample.objects.filter(pk=pk, character__slug=slug, withdrawn_at__isnull=True).first()
    if row is None or row.crop is None:
        raise Http404
    response = HttpResponse(bytes(row.crop), content_type="image/png")
    response.headers["X-Content-Type-Options"] = "nosniff"
    response.headers["Content-Security-Policy"] = "sandbox; default-src 'none'"
    response.headers["Cache-Control"] = "private, max-age=3600"
    return response


@require_safe
@needs(Right.CORRECT)
def naming(request: HttpRequest, slug: str) -> HttpResponse:
    """Which faces would be named, before anything is."""
    found = _character(slug)
    context: dict[str, object] = {"character": found, "current": naming_current(found), "proposal": None, "error": ""}
    try:
        proposal = naming_proposal(found)
    except NamingImpossible as error:
        context["error"] = str(error)
    else:
        surest, unsurest = proposal.named[: SHOWN // 2], proposal.named[SHOWN // 2 :][-SHOWN // 2 :]
        faces_request(t.face_id for t in (*surest, *unsurest) if t.face_id is not None)
        context |= {"proposal": proposal, "groups": [(_("The most alike"), surest), (_("The least alike"), unsurest)]}
    return render(request, "naming.html", context)


@require_POST
@needs(Right.CORRECT)
def naming_save(request: HttpRequest, slug: str) -> HttpResponse:
    """``undo`` withdraws what was named."""
    found = _character(slug)
    if request.POST.get("undo"):
        return _then(
            request,
            lambda: naming_withdraw(character=found, actor=_person(request)),
            _("Taken back. The ratings follow within a few minutes."),
            slug,
        )
    return _then(
        request,
        lambda: naming_confirm(character=found, actor=_person(request)),
        _("Named. The ratings follow within a few minutes."),
        slug,
    )


def changes_from(given: dict[str, str]) -> CharacterChanges:
    """Other names: one a line."""
    return CharacterChanges(
        name=given.get("name", ""),
        aliases=given.get("aliases", "").splitlines(),
        series=given.get("series", ""),
        colour=given.get("colour") or None,
    )


def _tell_of_colour(request: HttpRequest, character: Character) -> None:
    if not contrast_of(character.colour).enough:
        messages.warning(
            request, _("The colour is hard to see on one of the two backgrounds. It is saved all the same.")
        )


def _then(request: HttpRequest, act: Callable[[], object], done: str, slug: str) -> HttpResponse:
    try:
        act()
    except AnalysisError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("character-edit", slug=slug)


def _character(slug: str) -> Character:
    return get_object_or_404(Character.objects.select_related("series"), slug=slug)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
