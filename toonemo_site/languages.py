"""In which language a page is. The API is always in English: what a program reads does not depend on such headers."""

from __future__ import annotations

from collections.abc import Callable

from django.conf import settings
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseBase
from django.utils import translation
from django.utils.cache import patch_vary_headers
from django.views.decorators.cache import cache_control
from django.views.decorators.csrf import csrf_exempt
from django.views.decorators.http import require_POST, require_safe
from django.views.i18n import JavaScriptCatalog, set_language

_catalog = JavaScriptCatalog.as_view(packages=["toonemo_site"])


class LanguageMiddleware:
    """By the cookie of the switch in the footer, else by what the browser prefers, else English."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        api = request.path_info.startswith("/api/")
        language = settings.LANGUAGE_CODE if api else translation.get_language_from_request(request)
        request.LANGUAGE_CODE = language
        with translation.override(language):
            response = self.get_response(request)
        if response.headers.get("Content-Type", "").startswith("text/html"):
            response.headers.setdefault("Content-Language", language)
            if not api:
                patch_vary_headers(response, ["Accept-Language", "Cookie"])
        return response


@csrf_exempt
@require_POST
def language_set(request: HttpRequest) -> HttpResponse:
    """Django's own. Without a token: a page that shows the switch then needs no cookie, and a language harms nobody."""
    return set_language(request)


@require_safe
@cache_control(public=True, max_age=3600)
def words_for_scripts(request: HttpRequest, language: str) -> HttpResponseBase:
    """What scripts write on pages, in one language, as a script."""
    if language not in dict(settings.LANGUAGES):
        raise Http404("There is no such language.")
    with translation.override(language):
        return _catalog(request)
