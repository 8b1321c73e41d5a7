"""The limits of a request: a signed cookie, which only ``/limits/`` writes. Nothing else is kept of anybody.

A cookie that was altered, or signed with another key, closes everything: who wanted limits must not get none.
"""

from __future__ import annotations

from django.conf import settings
from django.core import signing
from django.http import HttpRequest, HttpResponseBase
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from analysis.limits import NO_LIMITS, NOTHING, Limits, LimitsInvalid, limits_format, limits_parse

COOKIE = "limits"
PRESETS_COOKIE = "limit_presets"
KEPT_S = 400 * 86_400  # the longest that browsers keep a cookie
MOST_PRESETS = 12
MOST_NAME = 40
SUGGESTED = (
    (gettext_lazy("Little anger and fear"), "angry<=10%, scared<=10%"),
    (gettext_lazy("No long fright"), "scared run<=5s"),
)
_SALT = "toonemo.limits"

Presets = tuple[tuple[str, str], ...]  # (name, limits as text)


def limits_of(request: HttpRequest) -> Limits:
    """What the browser asks for; NOTHING where that cannot be read."""
    if COOKIE not in request.COOKIES:
        return NO_LIMITS
    text = _unsigned(request, COOKIE)
    try:
        return limits_parse(text) if isinstance(text, str) else NOTHING
    except LimitsInvalid:
        return NOTHING


def limits_keep(response: HttpResponseBase, limits: Limits) -> None:
    """Empty limits take the cookie away."""
    if limits:
        _keep(response, COOKIE, limits_format(limits))
    else:
        response.delete_cookie(COOKIE, samesite="Lax")


def presets_of(request: HttpRequest) -> Presets:
    """Of whoever owns the browser; suggestions until they were changed, and where they cannot be read."""
    rows = _unsigned(request, PRESETS_COOKIE) if PRESETS_COOKIE in request.COOKIES else None
    return tuple((str(name), str(text)) for name, text in (rows if isinstance(rows, list) else SUGGESTED))


def presets_keep(response: HttpResponseBase, presets: Presets) -> None:
    _keep(response, PRESETS_COOKIE, [list(p) for p in presets])


def preset_named(presets: Presets, name: str) -> Limits:
    """Raises LimitsInvalid where there is none of that name."""
    for known, text in presets:
        if known == name:
            return limits_parse(text)
    raise LimitsInvalid(_("There is no preset called “%(name)s”.") % {"name": name[:MOST_NAME]})


def preset_saved(presets: Presets, name: str, limits: Limits, was: str = "") -> Presets:
    """With that preset in place of one of the same name, or of the one that it ``was`` called; else last. Raises
    LimitsInvalid.
    """
    name = " ".join(name.split())
    if not 0 < len(name) <= MOST_NAME:
        raise LimitsInvalid(_("A preset has a name of 1 to %(most_name)s characters.") % {"most_name": MOST_NAME})
    if not limits:
        raise LimitsInvalid(_("A preset limits something."))
    replaced = [p[0] for p in presets if p[0] in (name, was)]
    place = next((i for i, p in enumerate(presets) if p[0] in replaced), len(presets))
    kept = [p for p in presets if p[0] not in replaced]
    if len(kept) >= MOST_PRESETS:
        raise LimitsInvalid(
            _("A browser keeps %(most_presets)s presets; delete one first.") % {"most_presets": MOST_PRESETS}
        )
    found = (*kept[:place], (name, limits_format(limits)), *kept[place:])
    if len(signing.dumps([list(p) for p in found], salt=_SALT, compress=True)) > 3_500:
        raise LimitsInvalid(_("The presets are too long for a cookie; delete one first."))
    return found


def _unsigned(request: HttpRequest, name: str) -> object:
    """What the cookie holds; None where it was altered."""
    try:
        found: object = signing.loads(request.COOKIES[name], salt=f"{_SALT}.{name}")
    except (signing.BadSignature, ValueError):
        return None
    return found


def _keep(response: HttpResponseBase, name: str, value: object) -> None:
    response.set_cookie(
        name,
        signing.dumps(value, salt=f"{_SALT}.{name}", compress=True),
        max_age=KEPT_S,
        secure=bool(settings.SESSION_COOKIE_SECURE),
        httponly=True,
        samesite="Lax",
    )
