"""An episode's emotions as subtitles: of which run, of whom, and what the file says about itself."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Literal, TypeAlias

from django.db.models import Max

from analysis.errors import CharacterUnknown
from analysis.models import AnalysisRun, FaceDetection, Track
from analysis.selectors.bundles import characters_known, is_provisional
from analysis.selectors.runs import run_missing_parts
from analysis.selectors.timelines import timeline_of
from analysis.subtitles.cues import Cue, cues_of, edges_of
from analysis.subtitles.lines import Line, lines_of
from analysis.subtitles.srt import srt
from analysis.subtitles.text import plain, timestamp
from analysis.subtitles.webvtt import SURE, webvtt
from catalog.models import Character, Episode
from ml.types import EMOTIONS, Emotion

Form: TypeAlias = Literal["vtt", "srt"]
FORMAT = 1  # is raised by whatever changes the file for the same faces, so that nobody keeps an old one


@dataclass(frozen=True, slots=True)
class SubtitleRequest:
    """What is asked for, checked; no face is read yet.

    ``names``: what to call the characters whose lines are wanted, by slug. ``note``: what the file says about itself.
    ``state``: changes whenever what was found does: the newest track, which is new whenever tracks are made anew, and
    the number of faces so far while more are coming (a part that failed is done again).
    """

    episode: Episode
    run: AnalysisRun
    names: Mapping[str, str]
    neutral: bool
    note: tuple[str, ...]
    state: tuple[int | None, int | None]

    @property
    def emotions(self) -> tuple[Emotion, ...]:
        """Those that may be named: an emotion that the bundle does not model never is."""
        return tuple(
            e for e in EMOTIONS if e in self.run.bundle.emotions and (self.neutral or e is not Emotion.NEUTRAL)
        )

    def tag(self, form: Form) -> str:
        """A digest of everything that the file follows from, without reading a face."""
        parts = [FORMAT, form, self.run.pk, self.state, sorted(self.names.items()), self.emotions, self.note]
        return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:32]


def subtitles_request(
    *, episode: Episode, run: AnalysisRun, characters: Iterable[str] = (), neutral: bool = False
) -> SubtitleRequest:
    """``characters``: slugs; none means all. Raises CharacterUnknown where the bundle does not know one of them."""
    known = characters_known(run.bundle)
    wanted = list(dict.fromkeys(characters))
    slugs = [c.slug for c in known]
    if unknown := [slug for slug in wanted if slug not in slugs]:
        raise CharacterUnknown(
            f"{run.bundle} knows nobody called {', '.join(unknown)}; it knows {', '.join(sorted(slugs)) or 'nobody'}."
        )
    names = {c.slug: plain(c.name) or c.slug for c in known if not wanted or c.slug in wanted}
    note = _note(episode, run, known, sorted(names.values()) if wanted else [], neutral=neutral)
    newest = Track.objects.filter(run=run).aggregate(newest=Max("pk"))["newest"]
    faces = FaceDetection.objects.filter(run=run).count() if run.is_active else None
    return SubtitleRequest(episode, run, names, neutral, tuple(note), (newest, faces))


def _note(
    episode: Episode, run: AnalysisRun, known: Iterable[Character], only: Iterable[str], *, neutral: bool
) -> list[str]:
    bundle = run.bundle
    not_modelled = [str(e) for e in EMOTIONS if e not in bundle.emotions]
    sentences = [
        f"Emotions by ToonEmo, format {FORMAT}: what each drawn face portrays, as read by a model that can be wrong.",
        "This is not what anybody feels, and it never says for which age an episode is fit.",
        f"{episode}. Run {run.pk}, bundle {bundle} ({bundle.digest[:12]}).",
    ]
    if is_provisional(episode, known):
        sentences.append("Provisional: the bundle was not adapted to this show.")
    else:
        sentences.append("The bundle was adapted to this show.")
    if not_modelled:
        sentences.append(f"The bundle cannot express {', '.join(not_modelled)}; nobody is called that.")
    if run.partial:
        missing = [f"{timestamp(m.start_ms, '.')} to {timestamp(m.end_ms, '.')}" for m in run_missing_parts(run)]
        sentences.append(f"Not analysed: {', '.join(missing)}.")
    if run.is_active:
        sentences.append("A part that was missing is being analysed; its lines come later.")
    if only := ", ".join(only):
        sentences.append(f"Only: {only}.")
    sentences.append("Neutral faces are named." if neutral else "Neutral faces are left out.")
    sentences.append("Faces that nobody knows, or that cannot be read, are left out.")
    sentences.append(f"A word is bold where the reading is sure, {SURE:.0%} or more on average.")
    return sentences


def subtitles_cues(asked: SubtitleRequest) -> tuple[Cue, ...]:
    """Three queries. The character who is seen longest stands lowest, where others above it do not move it."""
    timeline = timeline_of(asked.run, asked.episode.duration_ms or 0)
    cuts = [shot.start_ms for shot in timeline.shots[1:]]
    lines: list[Line] = []
    drawings: list[tuple[int, int]] = []
    for lane in reversed(timeline.known):
        if lane.character is None or lane.character.slug not in asked.names:
            continue
        found = lines_of(lane.character.slug, lane.spans, lane.drawings, cuts)
        lines += [line for line in found if line.emotion in asked.emotions]
        drawings += lane.drawings
    return cues_of(lines, edges_of(drawings))


def subtitles_text(asked: SubtitleRequest, form: Form) -> str:
    """The whole file. The same request gives the same text."""
    cues = subtitles_cues(asked)
    if form == "srt":
        return srt(cues, names=asked.names)
    return webvtt(cues, names=asked.names, note=asked.note, emotions=asked.emotions)
