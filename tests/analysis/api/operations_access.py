"""The same for the routes of those who let other programs in: tokens, the audit, webhooks."""

from __future__ import annotations

from analysis.services.webhooks import webhook_create, webhook_test
from catalog.access.models import READ
from catalog.access.services.tokens import token_create
from tests.analysis.api.operations import Asked, Made


def operations_access(made: Made) -> dict[str, Asked]:
    token, _ = token_create(owner=made.staff, actor=made.staff, name="Nightly reader", scopes=[READ])
    events = ["run.finished", "run.failed"]
    hook = webhook_create(name="Our chat", url="https://chat.example/hook", events=events, actor=made.staff)
    delivery = webhook_test(webhook=hook, actor=made.staff)
    one = f"webhooks/{hook.pk}/"
    made_here = {"name": "Dashboard", "scopes": ["read"], "days": 30}
    asked = {"name": "Our player", "url": "https://player.example/hook", "events": ["run.published"]}
    return {
        "tokens_list": Asked("get", "tokens/"),
        "tokens_create": Asked("post", "tokens/", 201, made_here, by_token=False),
        "tokens_destroy": Asked("delete", f"tokens/{token.pk}/", 204),
        "audit_list": Asked("get", "audit/?limit=2"),
        "webhooks_list": Asked("get", "webhooks/"),
        "webhooks_create": Asked("post", "webhooks/", 201, asked),
        "webhooks_retrieve": Asked("get", one),
        "webhooks_partial_update": Asked("patch", one, body={"active": False}),
        "webhooks_destroy": Asked("delete", one, 204),
        "webhooks_test_create": Asked("post", f"{one}test/", 202),
        "webhooks_rotate_create": Asked("post", f"{one}rotate/"),
        "webhooks_deliveries_list": Asked("get", f"{one}deliveries/"),
        "webhooks_deliveries_again_create": Asked("post", f"{one}deliveries/{delivery.pk}/again/", 202),
    }
