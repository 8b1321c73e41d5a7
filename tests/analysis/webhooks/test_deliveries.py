"""What webhooks are told: with the event or not at all, at least once, for a day."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.db import IntegrityError, transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone

from analysis.errors import WebhookInvalid
from analysis.models import AnalysisRun, Delivery, DeliveryAttempt, Webhook, WebhookEvent
from analysis.services import deliveries as service
from analysis.services.corrections import CorrectionRequest, correction_add, correction_withdraw
from analysis.services.deliveries import (
    Outcome,
    deliveries_forget,
    deliveries_resend,
    delivery_claim,
    delivery_end,
    webhooks_tell,
)
from analysis.services.publishing import run_publish
from analysis.services.runs import run_cancel, run_request
from analysis.services.webhooks import (
    delivery_again,
    webhook_change,
    webhook_create,
    webhook_delete,
    webhook_rotate,
    webhook_test,
)
from analysis.webhooks.backoff import WAITS_S
from catalog.access.models import Audit
from catalog.events import announce
from tests.analysis import world
from tests.tokens import bearer, somebody

pytestmark = pytest.mark.django_db
URL = "https://hooks.example.org/toonemo"
EVERY = [str(event) for event in WebhookEvent]


@pytest.fixture
def admin() -> User:
    return somebody("admin")


def hook(actor: User, *events: str, **more: Any) -> Webhook:
    return webhook_create(**{"name": "Mine", "url": URL, "events": events or EVERY, "actor": actor, **more})


def told() -> list[tuple[str, Any]]:
    return list(Delivery.objects.order_by("pk").values_list("event", "data"))


def later(seconds: float) -> None:
    """Time passes for what waits."""
    step = timedelta(seconds=seconds)
    Delivery.objects.update(due_at=F("due_at") - step)
    Delivery.objects.filter(leased_until__isnull=False).update(leased_until=F("leased_until") - step)


def send(outcome: Outcome, pk: int | None = None) -> bool:
    pk = pk or Delivery.objects.latest("pk").pk
    parcel = delivery_claim(pk)
    return parcel is not None and delivery_end(parcel, outcome)


NO, YES = Outcome(503, 5, answer="busy"), Outcome(204, 5)


def test_who_asked_is_told_what_happens_and_nobody_else(admin: User) -> None:
    mine = hook(admin)
    hook(admin, "episode.imported", name="Other")
    off = hook(admin, name="Off")
    webhook_change(webhook=off, actor=admin, active=False)
    episode = world.analysed_episode(1, "The Missing Cheese", 60_000)
    run = AnalysisRun.objects.get()
    row = correction_add(
        episode=episode, actor=admin,
        asked=CorrectionRequest(start_ms=0, end_ms=5_000, subject="tom", says="nobody"),
    )  # fmt: skip
    correction_withdraw(correction=row, actor=admin)
    second = run_request(episode=episode, requested_by=admin, force=True)
    run_cancel(run=second, actor=admin)
    announce("episode.imported", episode=episode.pk, replaced=False)
    of_mine = list(mine.deliveries.order_by("pk").values_list("event", "data"))
    ids = {"run": run.pk, "episode": episode.pk}
    assert of_mine == [
        ("run.finished", {**ids, "partial": False, "error_code": ""}),
        ("run.published", {**ids, "before": None}),
        ("correction.added", {"correction": row.pk, "episode": episode.pk}),
        ("correction.withdrawn", {"correction": row.pk, "episode": episode.pk}),
        ("run.cancelled", {"run": second.pk, "episode": episode.pk, "partial": False, "error_code": ""}),
        ("episode.imported", {"episode": episode.pk, "replaced": False}),
    ]
    assert Delivery.objects.filter(webhook__name="Other").count() == 1
    assert not Delivery.objects.filter(webhook=off).exists()


def test_publishing_again_what_is_shown_tells_nobody(admin: User) -> None:
    world.analysed_episode(1, "E", 20_000)
    hook(admin)
    run_publish(run=AnalysisRun.objects.get(), actor=admin)
    assert told() == []


def test_what_is_undone_is_told_to_nobody(admin: User) -> None:
    hook(admin)
    with transaction.atomic():
        webhooks_tell("run.failed", {"run": 1})
        transaction.set_rollback(True)
    assert told() == []


def test_an_attempt_that_fails_is_made_again_ever_later_for_a_day(admin: User) -> None:
    mine = hook(admin)
    webhooks_tell("run.failed", {"run": 1})
    row = Delivery.objects.get()
    for wait_s in WAITS_S:
        assert send(NO)
        assert not send(YES), "not before it is due"
        row.refresh_from_db()
        due_in = (row.due_at - timezone.now()).total_seconds()
        assert wait_s * 0.95 < due_in <= wait_s * 1.11
        later(wait_s * 1.2)
    assert send(NO)
    row.refresh_from_db()
    mine.refresh_from_db()
    assert (row.status, row.attempts, DeliveryAttempt.objects.count()) == ("failed", 11, 11)
    assert not mine.active
    assert "could not be delivered for a day; at last it answered 503" in mine.note
    assert Audit.objects.filter(action="webhook.off", object_id=mine.pk).exists()
    webhooks_tell("run.failed", {"run": 2})
    assert Delivery.objects.count() == 1, "one that is off is told nothing"


def test_turned_on_again_what_waits_is_sent(admin: User) -> None:
    mine = hook(admin)
    webhooks_tell("run.failed", {"run": 1})
    send(NO)
    webhook_change(webhook=mine, actor=admin, active=False)
    later(3600)
    assert deliveries_resend() == []
    assert not send(YES)
    webhook_change(webhook=mine, actor=admin, active=True)
    assert send(YES)
    row = Delivery.objects.get()
    assert (row.status, row.attempts) == ("delivered", 1)


def test_what_was_delivered_is_not_sent_again_unless_somebody_says_so(admin: User) -> None:
    hook(admin)
    webhooks_tell("run.failed", {"run": 1})
    assert send(YES)
    later(86_400)
    assert not send(YES)
    row = Delivery.objects.get()
    delivery_again(delivery=row, actor=admin)
    parcel = delivery_claim(row.pk)
    assert parcel is not None
    assert parcel.message == row.message


def test_two_workers_do_not_send_the_same_and_a_dead_one_holds_nothing_for_long(admin: User) -> None:
    hook(admin)
    webhooks_tell("run.failed", {"run": 1})
    pk = Delivery.objects.get().pk
    dead = delivery_claim(pk)
    assert dead is not None
    assert delivery_claim(pk) is None
    assert deliveries_resend() == []
    later(61)
    assert deliveries_resend() == [pk]
    assert send(YES)
    assert not delivery_end(dead, NO), "it comes back from the dead, and changes nothing"
    assert Delivery.objects.get().status == "delivered"
    assert DeliveryAttempt.objects.count() == 1


def test_one_that_says_it_is_gone_is_turned_off_at_once(admin: User) -> None:
    mine = hook(admin)
    webhooks_tell("run.failed", {"run": 1})
    send(Outcome(410, 5))
    mine.refresh_from_db()
    assert (mine.active, "(410)" in mine.note) == (False, True)


@pytest.mark.parametrize("status", [None, 199, 301, 302, 404, 500, 599])
def test_only_2xx_is_taken(admin: User, status: int | None) -> None:
    hook(admin)
    webhooks_tell("run.failed", {"run": 1})
    send(Outcome(status, 5, error="" if status else "ConnectError: refused", answer="x\x00" * 5_000))
    row = Delivery.objects.get()
    assert row.status == "waiting"
    attempt = DeliveryAttempt.objects.get()
    assert len(attempt.answer) <= 2_000
    assert attempt.status == status


def test_a_test_is_tried_once_and_turns_nothing_off(admin: User) -> None:
    mine = hook(admin, "run.failed")
    webhook_test(webhook=mine, actor=admin)
    send(NO)
    row = Delivery.objects.get()
    mine.refresh_from_db()
    assert (row.event, row.status, mine.active) == ("webhook.test", "failed", True)
    webhook_change(webhook=mine, actor=admin, active=False)
    with pytest.raises(WebhookInvalid, match="is off"):
        webhook_test(webhook=mine, actor=admin)


def test_a_secret_that_was_changed_signs_for_a_day(admin: User) -> None:
    mine = hook(admin)
    before = mine.secret
    fresh = webhook_rotate(webhook=mine, actor=admin)
    webhooks_tell("run.failed", {"run": 1})
    webhooks_tell("run.failed", {"run": 2})
    first, second = Delivery.objects.order_by("pk")
    parcel = delivery_claim(first.pk)
    assert parcel is not None
    assert parcel.secrets == (fresh.secret, before)
    Webhook.objects.update(previous_until=timezone.now() - timedelta(seconds=1))
    parcel = delivery_claim(second.pk)
    assert parcel is not None
    assert parcel.secrets == (fresh.secret,)
    assert parcel.body["type"] == "run.failed"
    assert set(parcel.body) == {"type", "timestamp", "data"}


def test_old_deliveries_are_forgotten(admin: User, settings: Any) -> None:
    settings.TOONEMO_WEBHOOK_KEEP_DAYS = 3
    hook(admin)
    for run in (1, 2):
        webhooks_tell("run.failed", {"run": run})
    first = Delivery.objects.order_by("pk")[0]
    Delivery.objects.filter(pk=first.pk).update(created_at=timezone.now() - timedelta(days=4))
    assert deliveries_forget() == 1
    assert not Delivery.objects.filter(pk=first.pk).exists()


@pytest.mark.parametrize(
    "wrong",
    [{"name": ""}, {"name": "x" * 81}, {"events": []}, {"events": ["everything"]}, {"url": "http://example.org/"},
     {"url": "https://127.0.0.1/"}, {"url": "https://localhost/"}, {"url": ""}],
)  # fmt: skip
def test_what_a_webhook_cannot_be(admin: User, wrong: dict[str, Any]) -> None:
    with pytest.raises(WebhookInvalid):
        hook(admin, **{**{"name": "x"}, **wrong})
    mine = hook(admin)
    with pytest.raises(WebhookInvalid):
        webhook_change(webhook=mine, actor=admin, **wrong)


def test_the_database_keeps_the_rules(admin: User) -> None:
    mine = hook(admin)
    webhooks_tell("run.failed", {"run": 1})
    changes: list[tuple[Any, dict[str, Any]]] = [
        (Webhook, {"events": []}), (Webhook, {"events": ["x"]}), (Webhook, {"secret": "x"}), (Webhook, {"note": "x"}),
        (Delivery, {"status": "delivered"}), (Delivery, {"ended_at": timezone.now()}),
        (Delivery, {"leased_until": timezone.now()}),
    ]  # fmt: skip
    for model, change in changes:
        with pytest.raises(IntegrityError), transaction.atomic():
            model.objects.update(**change)
    assert mine.active


def test_every_change_is_in_the_audit_and_no_secret_is(admin: User) -> None:
    mine = hook(admin)
    webhook_change(webhook=mine, actor=admin, name="Yours")
    webhook_change(webhook=mine, actor=admin, name="Yours")
    webhook_rotate(webhook=mine, actor=admin)
    webhook_delete(webhook=mine, actor=admin)
    rows = Audit.objects.filter(object_type="analysis.webhook").order_by("pk")
    assert [r.action for r in rows] == ["webhook.create", "webhook.change", "webhook.rotate", "webhook.delete"]
    assert "whsec_" not in str([(r.before, r.after) for r in rows])


def test_a_message_to_a_worker_goes_out_after_the_commit(
    admin: User, monkeypatch: pytest.MonkeyPatch, django_capture_on_commit_callbacks: Any
) -> None:
    hook(admin)
    sent: list[Any] = []
    monkeypatch.setattr("analysis.services.messages._send", lambda *given: sent.append(given))
    with django_capture_on_commit_callbacks(execute=True):
        webhooks_tell("run.failed", {"run": 1})
        assert sent == []
    assert sent == [("workers.webhook_deliver", [Delivery.objects.get().pk], "default", 0.0)]
    assert service.MOST_COUNTDOWN_S <= 60


def test_the_api_sets_one_up_changes_it_and_shows_the_log(admin: User) -> None:
    client = Client(headers=bearer(admin, "manage"))

    def ask(method: str, address: str, body: Any = None, status: int = 200) -> Any:
        answer = getattr(client, method)(f"/api/v1/webhooks/{address}", body, content_type="application/json")
        assert answer.status_code == status, answer.content
        return answer.json() if answer.content else None

    made = ask("post", "", {"name": "A", "url": URL, "events": ["run.failed"]}, 201)
    assert made["secret"].startswith("whsec_")
    pk = made["id"]
    assert "secret" not in ask("get", f"{pk}/")
    assert "whsec_" not in str(ask("get", ""))
    assert ask("patch", f"{pk}/", {"events": ["run.finished", "run.failed"]})["events"] == [
        "run.finished",
        "run.failed",
    ]
    fresh = ask("post", f"{pk}/rotate/")
    assert fresh["secret"] != made["secret"]
    assert ask("post", f"{pk}/test/", status=202)["status"] == "waiting"
    send(Outcome(500, 12, answer="Oh"))
    (row,) = ask("get", f"{pk}/deliveries/")["results"]
    assert (row["event"], row["status"], row["tries"][0]["status"]) == ("webhook.test", "failed", 500)
    assert ask("post", f"{pk}/deliveries/{row['id']}/again/", status=202)["message"] == row["message"]
    assert ask("post", f"{pk}/deliveries/{row['id'] + 1}/again/", status=404)["code"] == "not_found"
    refused = ask("post", "", {"name": "A", "url": "https://10.0.0.1/", "events": ["run.failed"]}, 400)
    assert refused["code"] == "webhook_invalid"
    ask("delete", f"{pk}/", status=204)
    ask("get", f"{pk}/", status=404)


def test_a_repeated_answer_holds_no_secret(admin: User) -> None:
    client = Client(headers={**bearer(admin), "Idempotency-Key": "one"})
    body = {"name": "A", "url": URL, "events": ["run.failed"]}
    first = client.post("/api/v1/webhooks/", body, content_type="application/json").json()
    again = client.post("/api/v1/webhooks/", body, content_type="application/json").json()
    assert again == {**first, "secret": None}
    assert Webhook.objects.count() == 1


def test_the_pages(client: Client, admin: User) -> None:
    client.force_login(admin)
    assert b"There are none yet" in client.get("/webhooks/").content
    refused = client.post("/webhooks/", {"name": "Mine", "url": "http://x.example/", "event": ["run.failed"]})
    assert (refused.status_code, b"begins with https://" in refused.content) == (400, True)
    made = client.post("/webhooks/", {"name": "Mine", "url": URL, "event": ["run.failed"]})
    assert made.status_code == 201
    mine = Webhook.objects.get()
    assert mine.secret.encode() in made.content
    assert "no-store" in made["Cache-Control"]
    address = f"/webhooks/{mine.pk}/"
    assert mine.secret.encode() not in client.get(address).content
    client.post(f"{address}act", {"do": "test"})
    send(Outcome(None, 20, error="ConnectError: <refused>"))
    page = client.get(address).content.decode()
    assert "ConnectError: &lt;refused&gt;" in page
    row = Delivery.objects.get()
    assert client.post(f"{address}deliveries/{row.pk}/again").status_code == 302
    rotated = client.post(f"{address}act", {"do": "rotate"})
    mine.refresh_from_db()
    assert mine.secret.encode() in rotated.content
    client.post(address, {"name": "Yours", "url": URL, "event": ["run.finished"]})
    mine.refresh_from_db()
    assert (mine.name, mine.events, mine.active) == ("Yours", ["run.finished"], False)
    client.post(f"{address}act", {"do": "delete"})
    assert not Webhook.objects.exists()
    assert client.get(address).status_code == 404
