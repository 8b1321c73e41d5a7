"""Celery's side of a run: an id in, one call out. Queues: ``inference`` for segments, ``default`` for the rest."""

from __future__ import annotations

from typing import Any

from celery import current_app, shared_task
from celery.signals import worker_init, worker_ready, worker_shutdown, worker_shutting_down
from django.db import connections

from analysis.models import QueueName
from analysis.selectors.queue import is_paused
from analysis.services import messages
from workers import going_home, presence
from workers.beat_guard import BeatGuard
from workers.patience import patiently

current_app.steps["consumer"].add(BeatGuard)


@shared_task(bind=True, name=messages.SEGMENT_ANALYSE, ignore_result=True)  # type: ignore[untyped-decorator]
def segment_analyse(self: Any, segment_id: int) -> str:
    from workers.runner import segment_run

    return str(segment_run(segment_id, worker=self.request.hostname or ""))


@shared_task(name=messages.RUN_FINALISE, ignore_result=True)  # type: ignore[untyped-decorator]
def run_finalise(run_id: int) -> None:
    from analysis.services.finalise import run_finalise as finalise

    if not patiently(lambda: is_paused(QueueName.DEFAULT)):
        patiently(lambda: finalise(run_id))


@shared_task(name=messages.RUN_THUMBNAILS, ignore_result=True)  # type: ignore[untyped-decorator]
def run_thumbnails(run_id: int) -> None:
    from workers.thumbnails import thumbnails_write

    thumbnails_write(run_id)


@shared_task(name=messages.RUN_FIND_INDEX, ignore_result=True)  # type: ignore[untyped-decorator]
def run_find_index(run_id: int) -> None:
    from analysis.services.find_index import find_index_update

    patiently(lambda: find_index_update(run_id))


@shared_task(name=messages.LAYER_DERIVE, ignore_result=True)  # type: ignore[untyped-decorator]
def layer_derive(episode_id: int) -> None:
    from analysis.services.asking import layer_catch_up

    patiently(lambda: layer_catch_up(episode_id))


@shared_task(name=messages.FIND_READ, ignore_result=True)  # type: ignore[untyped-decorator]
def find_read(find_id: int) -> None:
    from workers.finding import find_read as read

    read(find_id)


@shared_task(name=messages.MOMENT_PICTURE, ignore_result=True)  # type: ignore[untyped-decorator]
def moment_picture(face_id: int) -> None:
    from workers.thumbnails import moment_write

    moment_write(face_id)


@shared_task(name=messages.UPLOAD_CHECK, ignore_result=True)  # type: ignore[untyped-decorator]
def upload_check(upload_id: int) -> None:
    from catalog.services.upload_checks import upload_check as check

    patiently(lambda: check(upload_id))


@shared_task(name=messages.IMPORT_LOOK, ignore_result=True)  # type: ignore[untyped-decorator]
def import_look(plan_id: int) -> None:
    from catalog.services.plan_look import plan_look

    patiently(lambda: plan_look(plan_id))


@shared_task(name=messages.IMPORT_CARRY_OUT, ignore_result=True)  # type: ignore[untyped-decorator]
def import_carry_out(plan_id: int) -> None:
    from analysis.services.ingest import import_carry_out as carry_out

    patiently(lambda: carry_out(plan_id))


@shared_task(name=messages.WATCH_LOOK, ignore_result=True)  # type: ignore[untyped-decorator]
def watch_look() -> None:
    from analysis.services.ingest import folder_watch

    folder_watch()


@shared_task(name=messages.WEBHOOK_DELIVER, ignore_result=True)  # type: ignore[untyped-decorator]
def webhook_deliver(delivery_id: int) -> None:
    from workers.webhooks import delivery_send

    delivery_send(delivery_id)


@shared_task(name=messages.RUNS_SWEEP, ignore_result=True)  # type: ignore[untyped-decorator]
def runs_sweep() -> None:
    from workers.sweep import runs_sweep as sweep

    sweep()


@worker_init.connect  # type: ignore[untyped-decorator]
def on_init(**kwargs: Any) -> None:
    going_home.stay()


@worker_ready.connect  # type: ignore[untyped-decorator]
def on_ready(sender: Any, **kwargs: Any) -> None:
    """Tells which bundles this machine has; the connection is closed so that no child inherits it."""
    from workers.bundles import bundles_sync

    patiently(bundles_sync)
    connections.close_all()
    presence.begin(sender.hostname, sorted(sender.app.amqp.queues.consume_from), sender.controller.concurrency)


@worker_shutting_down.connect  # type: ignore[untyped-decorator]
def on_shutting_down(**kwargs: Any) -> None:
    going_home.go_home()


@worker_shutdown.connect  # type: ignore[untyped-decorator]
def on_shutdown(**kwargs: Any) -> None:
    presence.end()
