"""Sets right what got lost: leases of dead workers, messages that a broker forgot, runs that nobody finalised.

And clears away what is left over: answers that have expired, pictures of runs that are gone.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import structlog
from celery import current_app
from django.core.cache import cache
from django.db import transaction

from analysis.models import QueueName
from analysis.selectors.finds import runs_to_index
from analysis.selectors.queue import is_paused
from analysis.selectors.runs import runs_to_finalise, segments_due
from analysis.services.asking import layers_behind
from analysis.services.deliveries import deliveries_forget, deliveries_resend
from analysis.services.features import features_fill
from analysis.services.finds import finds_forget, finds_resend
from analysis.services.ingest import incoming_sweep
from analysis.services.leases import leases_reclaim
from analysis.services.messages import INFERENCE, finalise_send, find_index_send, layer_send, segments_send
from analysis.services.presence import workers_forget
from analysis.services.questions import questions_fill, questions_missing
from analysis.services.run_pace import paces_forget
from catalog.access.services.idempotency import answers_forget
from catalog.access.services.signing_in import attempts_forget
from workers.album import pictures_forget as album_forget
from workers.thumbnails import pictures_forget

MOST_AT_ONCE = 500
MOST_FILLED = 5  # runs from before questions were kept
LAYER_LATE_S = 15.0
PICTURES_EVERY_S = 3600

logger = structlog.get_logger(__name__)


@dataclass(frozen=True, slots=True)
class Swept:
    reclaimed: int
    sent: int
    finalised: int


def queue_depth(queue: str) -> int:
    """Messages that wait in a queue of the broker."""
    with current_app.connection_for_write() as broker:
        return int(broker.default_channel.queue_declare(queue=queue, durable=True).message_count)


def runs_sweep(depth: Callable[[str], int] = queue_depth) -> Swept:
    """Sends again only where fewer messages wait than segments do, so a long queue never grows by being swept."""
    reclaimed = leases_reclaim()
    due = segments_due()
    count = due.count()
    sent: list[int] = []
    if count and not is_paused(QueueName.INFERENCE) and depth(INFERENCE) < count:
        sent = list(due.values_list("pk", flat=True)[:MOST_AT_ONCE])
    ended = [] if is_paused(QueueName.DEFAULT) else runs_to_finalise()
    with transaction.atomic():
        segments_send(sent)
        for run_id in ended:
            finalise_send(run_id)
        for run_id in runs_to_index():
            find_index_send(run_id)
        for episode_id in layers_behind(LAYER_LATE_S)[:MOST_AT_ONCE]:
            layer_send(episode_id)
    for unasked in questions_missing()[:MOST_FILLED]:
        questions_fill(unasked)
    finds_forget()
    finds_resend()
    paces_forget()
    workers_forget()
    album_forget()
    deliveries_resend()
    deliveries_forget()
    answers_forget()
    attempts_forget()
    features_fill(batches=1)
    if cache.add("pictures-swept", 1, PICTURES_EVERY_S):
        pictures_forget()
    incoming_sweep()
    swept = Swept(len(reclaimed), len(sent), len(ended))
    if reclaimed or sent or ended:
        logger.info("runs_swept", reclaimed=swept.reclaimed, sent=swept.sent, finalised=swept.finalised)
    return swept
