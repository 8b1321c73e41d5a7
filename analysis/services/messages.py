"""What the rest of the house says to workers: a task's name and ids, after commit. Nobody imports a worker.

A message is a hint, never a fact: the rows say what is to do, and the sweep says it again where a message was lost.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

import structlog
from celery import current_app
from django.db import transaction
from kombu.exceptions import OperationalError

SEGMENT_ANALYSE = "workers.segment_analyse"
RUN_FINALISE = "workers.run_finalise"
RUN_THUMBNAILS = "workers.run_thumbnails"
RUN_FIND_INDEX = "workers.run_find_index"
LAYER_DERIVE = "workers.layer_derive"
FIND_READ = "workers.find_read"
MOMENT_PICTURE = "workers.moment_picture"
UPLOAD_CHECK = "workers.upload_check"
IMPORT_LOOK = "workers.import_look"
IMPORT_CARRY_OUT = "workers.import_carry_out"
WATCH_LOOK = "workers.watch_look"
WEBHOOK_DELIVER = "workers.webhook_deliver"
RUNS_SWEEP = "workers.runs_sweep"

INFERENCE, DEFAULT = "inference", "default"

_AT_ONCE = {"max_retries": 1, "interval_start": 0, "interval_step": 0, "interval_max": 0}  # nobody waits for a broker

logger = structlog.get_logger(__name__)


def segments_send(segment_ids: Iterable[int], *, countdown: float = 0.0) -> None:
    """Asks for segments to be analysed, once the transaction has committed."""
    ids = list(segment_ids)
    if ids:
        transaction.on_commit(partial(_send, SEGMENT_ANALYSE, ids, INFERENCE, countdown))


def finalise_send(run_id: int) -> None:
    transaction.on_commit(partial(_send, RUN_FINALISE, [run_id], DEFAULT, 0.0))


def thumbnails_send(run_id: int) -> None:
    transaction.on_commit(partial(_send, RUN_THUMBNAILS, [run_id], DEFAULT, 0.0))


def find_index_send(run_id: int) -> None:
    """Asks for a run's faces to become findable, or to be so no longer."""
    transaction.on_commit(partial(_send, RUN_FIND_INDEX, [run_id], DEFAULT, 0.0))


def layer_send(episode_id: int, *, countdown: float = 0.0) -> None:
    """Asks for what people said of an episode to be worked into its results."""
    transaction.on_commit(partial(_send, LAYER_DERIVE, [episode_id], DEFAULT, countdown))


def find_read_send(find_ids: Iterable[int]) -> None:
    """Asks for pictures that somebody looks for to be read."""
    ids = list(find_ids)
    if ids:
        transaction.on_commit(partial(_send, FIND_READ, ids, INFERENCE, 0.0))


def moment_pictures_send(face_ids: Iterable[int]) -> None:
    """Asks for pictures of moments, one for each face."""
    ids = list(face_ids)
    if ids:
        transaction.on_commit(partial(_send, MOMENT_PICTURE, ids, DEFAULT, 0.0))


def upload_checks_send(upload_ids: Iterable[int]) -> None:
    """Asks for files that were sent to be looked at."""
    ids = list(upload_ids)
    if ids:
        transaction.on_commit(partial(_send, UPLOAD_CHECK, ids, DEFAULT, 0.0))


def import_looks_send(plan_ids: Iterable[int]) -> None:
    """Asks for previews of imports to be made."""
    ids = list(plan_ids)
    if ids:
        transaction.on_commit(partial(_send, IMPORT_LOOK, ids, DEFAULT, 0.0))


def import_carries_send(plan_ids: Iterable[int]) -> None:
    """Asks for confirmed imports to be carried out."""
    ids = list(plan_ids)
    if ids:
        transaction.on_commit(partial(_send, IMPORT_CARRY_OUT, ids, DEFAULT, 0.0))


def webhook_send(delivery_ids: Iterable[int], *, countdown: float = 0.0) -> None:
    """Asks for what webhooks are told to be sent."""
    ids = list(delivery_ids)
    if ids:
        transaction.on_commit(partial(_send, WEBHOOK_DELIVER, ids, DEFAULT, countdown))


def _send(task: str, ids: list[int], queue: str, countdown: float) -> None:
    """A broker that is away loses nothing: the rows stand, and the sweep sends again."""
    try:
        with current_app.connection_for_write(transport_options=_AT_ONCE) as connection:
            producer = current_app.amqp.Producer(connection)
            for one in ids:
                current_app.send_task(
                    task, args=[one], queue=queue, countdown=countdown or None, producer=producer, retry=False
                )
    except (OperationalError, OSError) as error:
        logger.warning("message_not_sent", task=task, count=len(ids), reason=str(error))
