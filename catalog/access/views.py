"""Signing in and out, and one's own tokens. Plain forms throughout."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.contrib.auth import authenticate, login, logout
from django.contrib.auth.decorators import login_required
from django.contrib.auth.models import User
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.utils.http import url_has_allowed_host_and_scheme
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy
from django.views.decorators.cache import never_cache
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_http_methods, require_POST, require_safe

from catalog.access.address import counted_address
from catalog.access.errors import AccessError, SignInRefused
from catalog.access.models import Token
from catalog.access.selectors import AuditFilter, audit_list, scopes_open_to, tokens_all, tokens_of
from catalog.access.services.signing_in import sign_in_try
from catalog.access.services.tokens import token_create, token_revoke
from catalog.roles import RIGHT_WORDS, Right, may, needs, roles_of

NAME_LENGTH, PASSWORD_LENGTH = 150, 4096
AUDIT_PAGE = 50
AUDIT_ASKED = ("actor", "action", "object_type", "object_id", "before")
WRONG = gettext_lazy("The name or the password is not right.")


@sensitive_post_parameters("password")
@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
def sign_in(request: HttpRequest) -> HttpResponse:
    """``next``: the page of this site that is opened afterwards."""
    then = _next(request)
    context: dict[str, object] = {"next": then, "name": ""}
    if request.method != "POST":
        return render(request, "sign_in.html", context)
    name, password = request.POST.get("username", ""), request.POST.get("password", "")
    context["name"] = name[:NAME_LENGTH]
    try:
        user = sign_in_try(name=name, address=counted_address(request), check=lambda: _user(request, name, password))
    except SignInRefused as error:
        context["error"] = str(error)
        response = render(request, "sign_in.html", context, status=429)
        response.headers["Retry-After"] = str(error.wait_s)
        return response
    if user is None:
        context["error"] = WRONG
        return render(request, "sign_in.html", context, status=400)
    login(request, user)
    return redirect(then or reverse("browse"))


def _user(request: HttpRequest, name: str, password: str) -> User | None:
    readable = 0 < len(name) <= NAME_LENGTH and len(password) <= PASSWORD_LENGTH and "\x00" not in name + password
    found = authenticate(request, username=name, password=password) if readable else None
    return found if isinstance(found, User) else None


def _next(request: HttpRequest) -> str:
    """Where to go afterwards, as long as it is on this site; empty otherwise."""
    asked = request.POST.get("next", request.GET.get("next", ""))
    safe = url_has_allowed_host_and_scheme(asked, allowed_hosts={request.get_host()}, require_https=request.is_secure())
    return asked if safe else ""


@require_POST
def sign_out(request: HttpRequest) -> HttpResponse:
    logout(request)
    messages.success(request, _("You are signed out."))
    return redirect("browse")


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@login_required
def tokens(request: HttpRequest) -> HttpResponse:
    """One's own; with ``?all=1`` everybody's, for those who may. POST makes one, and its answer alone shows it."""
    context: dict[str, object] = {}
    status = 200
    if request.method == "POST":
        try:
            context["made"], context["secret"] = token_create(
                owner=_person(request),
                name=request.POST.get("name", ""),
                scopes=request.POST.getlist("scope"),
                days=_days(request.POST.get("days", "")),
                actor=_person(request),
            )
            status = 201
        except AccessError as error:
            context["error"], status = str(error), error.status
    everybody = request.GET.get("all") == "1" and may(request, Right.MANAGE)
    context |= {
        "rows": tokens_all()[:500] if everybody else tokens_of(_person(request)),
        "everybody": everybody,
        "scopes": [(scope, RIGHT_WORDS.get(scope, "")) for scope in scopes_open_to(request.user)],
        "roles": roles_of(request.user),
        "days": min(settings.TOONEMO_TOKEN_DAYS, settings.TOONEMO_TOKEN_MOST_DAYS),
        "most_days": settings.TOONEMO_TOKEN_MOST_DAYS,
        "given": request.POST if status >= 400 else {},
    }
    return render(request, "tokens.html", context, status=status)


@require_POST
@login_required
def revoke(request: HttpRequest, pk: int) -> HttpResponse:
    """One's own; anybody's for those who may. Of others' one does not even learn that it is there."""
    token = Token.objects.filter(pk=pk).first()
    if token is None or (token.owner_id != request.user.pk and not may(request, Right.MANAGE)):
        raise Http404
    token_revoke(token=token, actor=_person(request))
    messages.success(request, _("The token “%(name)s” is refused from now on.") % {"name": token.name})
    back = reverse("tokens")
    return redirect(f"{back}?all=1" if request.GET.get("all") == "1" else back)


@require_safe
@needs(Right.MANAGE)
def audit(request: HttpRequest) -> HttpResponse:
    """The newest first; ``?before=ID`` goes on. Never counted: the trail only grows."""
    get = request.GET
    number, before = _number(get.get("object_id", "")), _number(get.get("before", ""))
    wanted = AuditFilter(
        get.get("actor", "")[:150], get.get("action", "")[:60], get.get("object_type", "")[:60], number
    )
    rows = audit_list(wanted)
    if before is not None:
        rows = rows.filter(pk__lt=before)
    page = list(rows[: AUDIT_PAGE + 1])
    context = {
        "rows": page[:AUDIT_PAGE],
        "wanted": wanted,
        "older": page[AUDIT_PAGE - 1].pk if len(page) > AUDIT_PAGE else None,
        "begun": before is not None,
    }
    return render(request, "audit.html", context)


def _number(text: str) -> int | None:
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 18 else None


def _days(text: str) -> int | None:
    """None where nothing was typed; -1, which is refused, where it is no number."""
    if not text.strip():
        return None
    return int(text) if text.isascii() and text.isdecimal() and len(text) <= 6 else -1


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
