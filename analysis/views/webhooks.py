"""Pages for admins: webhooks, what was sent to each, and a button to try one."""

from __future__ import annotations

from collections.abc import Callable

from django.contrib import messages
from django.contrib.auth.models import User
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.utils.translation import gettext as _
from django.views.decorators.cache import never_cache
from django.views.decorators.http import require_http_methods, require_POST

from analysis.errors import AnalysisError
from analysis.models import Delivery, Webhook, WebhookEvent
from analysis.selectors.webhooks import LOGGED, deliveries_of, webhooks_list
from analysis.services.webhooks import (
    delivery_again,
    webhook_change,
    webhook_create,
    webhook_delete,
    webhook_rotate,
    webhook_test,
)
from catalog.roles import Right, needs


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.MANAGE)
def webhooks(request: HttpRequest) -> HttpResponse:
    """POST sets one up, and its answer alone shows the secret."""
    context: dict[str, object] = {"events": WebhookEvent.choices, "given": {}}
    status = 200
    if request.method == "POST":
        chosen = request.POST.getlist("event")
        try:
            context["made"] = webhook_create(
                name=request.POST.get("name", ""),
                url=request.POST.get("url", "").strip(),
                events=chosen,
                actor=_person(request),
            )
            status = 201
        except AnalysisError as error:
            context |= {"error": str(error), "given": request.POST, "chosen": chosen}
            status = 400
    return render(request, "webhooks.html", {**context, "rows": webhooks_list()}, status=status)


@never_cache
@require_http_methods(["GET", "HEAD", "POST"])
@needs(Right.MANAGE)
def webhook(request: HttpRequest, pk: int) -> HttpResponse:
    """One of them with its log. POST changes it."""
    found = get_object_or_404(webhooks_list(), pk=pk)
    if request.method == "POST":
        given = request.POST
        return _then(
            request,
            pk,
            lambda: webhook_change(
                webhook=found,
                actor=_person(request),
                name=given.get("name", ""),
                url=given.get("url", "").strip(),
                events=given.getlist("event"),
                active=given.get("active") == "1",
            ),
            "Saved.",
        )
    return render(request, "webhook.html", _shown(found))


@never_cache
@require_POST
@needs(Right.MANAGE)
def webhook_act(request: HttpRequest, pk: int) -> HttpResponse:
    """``do``: test, rotate or delete."""
    found, actor = get_object_or_404(Webhook, pk=pk), _person(request)
    match request.POST.get("do"):
        case "test":
            said = "A test is on its way; look at the log in a moment."
            return _then(request, pk, lambda: webhook_test(webhook=found, actor=actor), said)
        case "rotate":
            webhook_rotate(webhook=found, actor=actor)
            fresh = webhooks_list().get(pk=pk)
            return render(request, "webhook.html", {**_shown(fresh), "made": fresh})
        case "delete":
            webhook_delete(webhook=found, actor=actor)
            messages.success(request, _("The webhook “%(name)s” is deleted.") % {"name": found.name})
            return redirect("webhooks")
    messages.error(request, _("There is no such button."))
    return redirect("webhook", pk=pk)


@require_POST
@needs(Right.MANAGE)
def again(request: HttpRequest, pk: int, delivery: int) -> HttpResponse:
    row = get_object_or_404(Delivery, webhook_id=pk, pk=delivery)
    return _then(
        request, pk, lambda: delivery_again(delivery=row, actor=_person(request)), _("It is being sent once more.")
    )


def _shown(found: Webhook) -> dict[str, object]:
    return {"webhook": found, "events": WebhookEvent.choices, "rows": deliveries_of(found)[:LOGGED]}


def _then(request: HttpRequest, pk: int, act: Callable[[], object], done: str) -> HttpResponse:
    try:
        act()
    except AnalysisError as error:
        messages.error(request, str(error))
    else:
        messages.success(request, done)
    return redirect("webhook", pk=pk)


def _person(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user
