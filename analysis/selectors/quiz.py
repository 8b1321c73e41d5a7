"""Moments for the quiz: clear ones of episodes that may be seen, what people checked first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from django.db.models import F, QuerySet

from analysis.limits import Limits
from analysis.models import AnalysisRun, CertificationAnswer, Correction, EmotionSpan
from analysis.quiz import LEAST_MS, PLAIN, SURE, Candidate, choices
from analysis.samples import label_at
from analysis.selectors.behind import SpanShown, spans_shown
from analysis.selectors.visible import runs_visible
from catalog.models import Episode
from ml.types import Emotion

EPISODES = 40  # looked through for one game
CHECKED = 20  # of these, so many that people checked something of


@dataclass(frozen=True, slots=True)
class Asked:
    """One question. ``also``: a second feeling that the model sees a little of; ``checked``: a person said so."""

    shown: SpanShown
    episode: Episode
    choices: tuple[Emotion, ...]
    also: Emotion | None
    checked: bool
    bundle: str


def candidates(limits: Limits) -> list[Candidate]:
    """Of some episodes drawn by lot. A stretch counts where a person said what it shows, or where a calibrated model is
    sure of it.
    """
    runs = runs_visible(limits).filter(episode__source__isnull=False)
    said = runs.filter(episode__in=_checked_episodes()).order_by("?").values_list("pk", flat=True)[:CHECKED]
    chosen = [*said, *runs.order_by("?").values_list("pk", flat=True)[:EPISODES]][:EPISODES]
    calibrated = {
        pk
        for pk, card in AnalysisRun.objects.filter(pk__in=chosen).values_list("pk", "bundle__card__calibration")
        if isinstance(card, dict) and card.get("emotion_temperature")
    }
    spans = list(
        EmotionSpan.objects.filter(run__in=set(chosen), strength__gte=SURE, end_ms__gte=F("start_ms") + LEAST_MS)
        .exclude(emotion=str(Emotion.NEUTRAL))
        .values_list("pk", "run_id", "run__episode_id", "character_id", "emotion", "start_ms", "end_ms")
    )
    people = _said({row[2] for row in spans})
    found = []
    for pk, run_id, episode_id, character_id, emotion, start_ms, end_ms in spans:
        checked = _is_said(people.get((episode_id, character_id), ()), emotion, (start_ms + end_ms) // 2)
        if checked or (checked is None and run_id in calibrated):
            found.append(Candidate(pk, episode_id, emotion, bool(checked)))
    return found


def asked(span_id: int, limits: Limits) -> Asked | None:
    """None where there is no such moment, any more, that may be shown."""
    span = (
        EmotionSpan.objects.filter(pk=span_id, run__in=runs_visible(limits))
        .select_related("scene", "character", "run__episode__source", "run__episode__series", "run__bundle")
        .first()
    )
    if span is None:
        return None
    (shown,) = spans_shown([span])
    episode, bundle = span.run.episode, span.run.bundle
    also = shown.face.second if shown.face is not None and shown.face.second_share >= PLAIN else None
    people = _said({episode.pk}).get((episode.pk, span.character_id), ())
    checked = bool(_is_said(people, span.emotion, (span.start_ms + span.end_ms) // 2))
    offered = tuple(choices(shown.emotion, bundle.emotions, span.pk, None if checked else also))
    return Asked(shown, episode, offered, None if checked else also, checked, str(bundle))


Said = tuple[int, int, str]  # start_ms, end_ms, what shows then


def _checked_episodes() -> QuerySet[Correction, tuple[int]]:
    return Correction.objects.filter(withdrawn_at__isnull=True).exclude(emotion="").order_by().values_list("episode_id")


def _said(episodes: Iterable[int]) -> dict[tuple[int, int], Sequence[Said]]:
    """What people said, by episode and character; two queries."""
    ids = list(episodes)
    found: dict[tuple[int, int], list[Said]] = defaultdict(list)
    rows = Correction.objects.filter(
        episode__in=ids, withdrawn_at__isnull=True, character__isnull=False, source_sha256=F("episode__source__sha256")
    ).exclude(emotion="")
    for episode, character, start, end, emotion in rows.values_list(
        "episode_id", "character_id", "start_ms", "end_ms", "emotion"
    ):
        if character is not None:
            found[episode, character].append((start, end, emotion))
    answers = CertificationAnswer.objects.filter(
        certification__episode__in=ids, withdrawn_at__isnull=True, certification__withdrawn_at__isnull=True,
        certification__source_sha256=F("certification__episode__source__sha256"),
    )  # fmt: skip
    for episode, character, pieces in answers.values_list(
        "certification__episode_id", "certification__character_id", "pieces"
    ):
        found[episode, character] += [(int(a), int(b), str(label)) for a, b, label in pieces]
    return dict(found)


def _is_said(people: Sequence[Said], emotion: str, at_ms: int) -> bool | None:
    """Whether people say so of that time; None where they said nothing. All must agree."""
    labels = {label for one in people if (label := label_at([one], at_ms)) is not None}
    return None if not labels else labels == {emotion}
