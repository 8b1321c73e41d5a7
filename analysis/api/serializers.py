"""What clients read. No path of a media file, no name of an uploaded file, no user."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework import serializers

from analysis.models import AnalysisRun, EmotionProfile, ModelBundle, RunStatus, Scene, SceneEmotion
from analysis.selectors.profiles import Rating, rating_of
from catalog.models import Character, Episode, Series
from ml.types import EMOTIONS, UNCLEAR, ShotKind

EMOTION_NAMES = [str(e) for e in EMOTIONS]
LANE_EMOTIONS = [(name, name) for name in (*EMOTION_NAMES, UNCLEAR)]


class SeriesSerializer(serializers.ModelSerializer[Series]):
    class Meta:
        model = Series
        fields: ClassVar = ["slug", "title", "year", "synopsis"]


class CharacterSerializer(serializers.ModelSerializer[Character]):
    series = serializers.SlugRelatedField[Series](slug_field="slug", read_only=True, allow_null=True)

    class Meta:
        model = Character
        fields: ClassVar = ["slug", "name", "aliases", "series", "colour"]


class EpisodeSerializer(serializers.ModelSerializer[Episode]):
    series = serializers.SlugRelatedField[Series](slug_field="slug", read_only=True)
    duration_ms = serializers.IntegerField(read_only=True, allow_null=True)
    published_run = serializers.IntegerField(
        source="shown_run", read_only=True, allow_null=True, help_text="The run whose results the episode shows."
    )

    class Meta:
        model = Episode
        fields: ClassVar = [
            "id",
            "series",
            "ordering",
            "identity",
            "season",
            "number",
            "number_end",
            "part",
            "title",
            "year",
            "synopsis",
            "duration_ms",
            "published_run",
        ]


class BundleSerializer(serializers.ModelSerializer[ModelBundle]):
    characters = serializers.ListField(child=serializers.CharField(), read_only=True)
    emotions = serializers.ListField(child=serializers.ChoiceField(choices=EMOTION_NAMES), read_only=True)

    class Meta:
        model = ModelBundle
        fields: ClassVar = ["id", "name", "version", "digest", "characters", "emotions", "card"]


class RunSerializer(serializers.ModelSerializer[AnalysisRun]):
    bundle = serializers.CharField(source="bundle.__str__", read_only=True)
    status = serializers.ChoiceField(choices=RunStatus.choices, read_only=True)
    progress = serializers.SerializerMethodField(help_text="In [0, 1]: content analysed.")
    stage = serializers.SerializerMethodField(help_text="waiting, reading, stopping, together or ended.")
    film_per_second = serializers.SerializerMethodField(help_text="Seconds of film; null where not measured yet.")
    drawings_per_second = serializers.SerializerMethodField(help_text="Null where not measured yet.")
    seconds_left = serializers.SerializerMethodField(help_text="From measured rates; null where nobody can tell.")
    seconds_left_low = serializers.SerializerMethodField(help_text="With `high`: the range of nine in ten.")
    seconds_left_high = serializers.SerializerMethodField()

    class Meta:
        model = AnalysisRun
        fields: ClassVar = [
            "id",
            "episode",
            "bundle",
            "source_sha256",
            "config",
            "status",
            "partial",
            "priority",
            "created_at",
            "started_at",
            "finished_at",
            "frames",
            "drawings",
            "faces",
            "timings",
            "error_code",
            "error_detail",
            "progress",
            "stage",
            "film_per_second",
            "drawings_per_second",
            "seconds_left",
            "seconds_left_low",
            "seconds_left_high",
        ]

    def get_progress(self, run: AnalysisRun) -> float:
        found = self.context.get("progress", {}).get(run.pk)
        return round(found.share, 4) if found else 0.0

    def get_stage(self, run: AnalysisRun) -> str:
        found = self.context.get("progress", {}).get(run.pk)
        return str(found.stage) if found else ("waiting" if run.is_active else "ended")

    def get_film_per_second(self, run: AnalysisRun) -> float | None:
        return self._number(run, "rate")

    def get_drawings_per_second(self, run: AnalysisRun) -> float | None:
        return self._number(run, "drawings_rate")

    def get_seconds_left(self, run: AnalysisRun) -> float | None:
        return self._number(run, "left_s")

    def get_seconds_left_low(self, run: AnalysisRun) -> float | None:
        return self._number(run, "left_low_s")

    def get_seconds_left_high(self, run: AnalysisRun) -> float | None:
        return self._number(run, "left_high_s")

    def _number(self, run: AnalysisRun, name: str) -> float | None:
        found = self.context.get("progress", {}).get(run.pk)
        value = getattr(found, name) if found else None
        return None if value is None else round(value, 3)


class AnalyseSerializer(serializers.Serializer[Any]):
    """``config``: sampling (drawings, every-N, per-second) and segment_ms."""

    bundle = serializers.CharField(required=False, max_length=140, help_text="NAME or NAME-VERSION; else the default.")
    config = serializers.DictField(required=False)
    force = serializers.BooleanField(default=False, help_text="Analyse again although it succeeded before.")


class SubtitleOptionsSerializer(serializers.Serializer[Any]):
    """Query parameters of subtitles; ``characters`` becomes a list of slugs."""

    characters = serializers.CharField(
        required=False, allow_blank=True, max_length=2000, help_text="Only these: slugs with commas between them."
    )
    neutral = serializers.BooleanField(default=False, help_text="Neutral faces are named too.")

    def validate_characters(self, text: str) -> list[str]:
        return [slug.strip() for slug in text.split(",") if slug.strip()]


class ShareSerializer(serializers.Serializer[Any]):
    """A share of the time in which the face can be read, with its 95 % interval."""

    share = serializers.FloatField(help_text="The published one: corrected, then drawn toward the baseline.")
    low = serializers.FloatField()
    high = serializers.FloatField()
    level = serializers.CharField(help_text="In words, from the bounds.")
    runs_per_minute = serializers.FloatField()
    longest_ms = serializers.IntegerField()
    peak_start_ms = serializers.IntegerField(allow_null=True)
    peak_end_ms = serializers.IntegerField(allow_null=True)
    raw = serializers.FloatField(allow_null=True, help_text="As the model reads it.")
    corrected = serializers.FloatField(allow_null=True, help_text="By the bundle's confusion matrix, if it has one.")
    baseline = serializers.FloatField(
        allow_null=True, help_text="The character's share in the series' other episodes; null where not known."
    )


class EndingSerializer(serializers.Serializer[Any]):
    """What the face shows in the last 30 seconds of the story, as read. ``emotion`` null: mixed."""

    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    readable_ms = serializers.IntegerField()
    shares = serializers.DictField(child=serializers.FloatField())
    emotion = serializers.ChoiceField(choices=EMOTION_NAMES, allow_null=True)


class CheckedSerializer(serializers.Serializer[Any]):
    """People checked a random sample of shots; the shares and bounds are made from it (docs/certifying.md)."""

    shots = serializers.IntegerField(help_text="Checked.")
    of = serializers.IntegerField(help_text="Shots that they were drawn from.")
    people = serializers.IntegerField(help_text="Who checked all of them.")
    applied = serializers.BooleanField(
        help_text="False: this run sees the character too much in shots that could not be drawn."
    )
    wider = serializers.BooleanField(help_text="The bounds are wider than they were without the check.")
    power = serializers.FloatField(
        allow_null=True, help_text="How far the model is trusted beside the sample, from 0 to 1."
    )


class ReactionSerializer(serializers.Serializer[Any]):
    """The character begins to show ``emotion`` within 2 s after ``to`` did, more often than chance gives."""

    to = serializers.CharField(help_text="Slug of a character")
    emotion = serializers.ChoiceField(choices=EMOTION_NAMES)
    times = serializers.IntegerField()
    of = serializers.IntegerField(help_text="How often `to` began to show it while both were in the scene.")
    by_chance = serializers.FloatField(help_text="How often random turns of the scene give it, on average.")
    p = serializers.FloatField(help_text="After Holm's correction over all pairs and emotions of the episode.")
    at_ms = serializers.ListField(child=serializers.IntegerField(), help_text="When `to` began, each time.")


# Made once: a serializer of its own for each share of each row takes longer than all the rest.
_SHARE, _ENDING, _CHECKED, _REACTION = ShareSerializer(), EndingSerializer(), CheckedSerializer(), ReactionSerializer()


def _rating(profile: EmotionProfile) -> Rating:
    """Worked out once for each row."""
    found: Rating | None = profile.__dict__.get("_rating")
    if found is None:
        found = profile.__dict__["_rating"] = rating_of(profile)
    return found


class ProfileSerializer(serializers.ModelSerializer[EmotionProfile]):
    """A character in a run. An emotion that is not in ``shares`` is not modelled: unknown, never 0."""

    character = serializers.SlugRelatedField[Character](slug_field="slug", read_only=True)
    episode = serializers.IntegerField(source="run.episode_id", read_only=True)
    enough_evidence = serializers.BooleanField(source="enough", read_only=True)
    ratings_version = serializers.IntegerField(
        source="run.ratings_version", read_only=True, help_text="Of the arithmetic; 0: from before it was kept."
    )
    bias_corrected = serializers.SerializerMethodField(
        help_text="Whether the bundle brought a matrix of its mistakes to correct by."
    )
    baseline_episodes = serializers.SerializerMethodField(help_text="Other episodes that the baseline is made from.")
    known_ms = serializers.SerializerMethodField(help_text="For how long people said what the face shows.")
    checked = serializers.SerializerMethodField(help_text="Null where nobody checked a sample.")
    shares = serializers.SerializerMethodField()
    ending = serializers.SerializerMethodField(help_text="Null where too little of the face is seen at the end.")
    reactions = serializers.SerializerMethodField(help_text="Whom the character follows; empty where nobody.")

    class Meta:
        model = EmotionProfile
        fields: ClassVar = [
            "id",
            "run",
            "episode",
            "character",
            "visible_ms",
            "readable_ms",
            "drawings",
            "shots",
            "enough_evidence",
            "ratings_version",
            "bias_corrected",
            "baseline_episodes",
            "known_ms",
            "checked",
            "shares",
            "ending",
            "reactions",
        ]

    def get_bias_corrected(self, profile: EmotionProfile) -> bool:
        return _rating(profile).bias_corrected

    def get_baseline_episodes(self, profile: EmotionProfile) -> int:
        return _rating(profile).others

    def get_known_ms(self, profile: EmotionProfile) -> int:
        return _rating(profile).known_ms

    @extend_schema_field(CheckedSerializer(allow_null=True))
    def get_checked(self, profile: EmotionProfile) -> Any:
        checked = _rating(profile).checked
        return None if checked is None else _CHECKED.to_representation(checked)

    @extend_schema_field(EndingSerializer(allow_null=True))
    def get_ending(self, profile: EmotionProfile) -> Any:
        ending = _rating(profile).ending
        return None if ending is None else _ENDING.to_representation(ending)

    @extend_schema_field(ReactionSerializer(many=True))
    def get_reactions(self, profile: EmotionProfile) -> Any:
        return [_REACTION.to_representation(reaction) for reaction in _rating(profile).reactions]

    @extend_schema_field(serializers.DictField(child=ShareSerializer()))
    def get_shares(self, profile: EmotionProfile) -> dict[str, Any]:
        return {str(e.emotion): _SHARE.to_representation(e) for e in _rating(profile).emotions}


class SceneEmotionSerializer(serializers.ModelSerializer[SceneEmotion]):
    character = serializers.SlugRelatedField[Character](slug_field="slug", read_only=True)
    emotion = serializers.ChoiceField(choices=EMOTION_NAMES, read_only=True)

    class Meta:
        model = SceneEmotion
        fields: ClassVar = [
            "character",
            "emotion",
            "visible_ms",
            "readable_ms",
            "share",
            "baseline",
            "score",
            "best_start_ms",
            "best_end_ms",
        ]


class SceneSerializer(serializers.ModelSerializer[Scene]):
    episode = serializers.IntegerField(source="run.episode_id", read_only=True)
    emotions = SceneEmotionSerializer(many=True, read_only=True)

    class Meta:
        model = Scene
        fields: ClassVar = ["id", "run", "episode", "index", "start_ms", "end_ms", "emotions"]


class ShotSpanSerializer(serializers.Serializer[Any]):
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    kind = serializers.ChoiceField(choices=[str(k) for k in ShotKind])


class LaneSpanSerializer(serializers.Serializer[Any]):
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    emotion = serializers.ChoiceField(choices=LANE_EMOTIONS)
    confidence = serializers.FloatField()


class LaneSerializer(serializers.Serializer[Any]):
    """``character`` null: faces of nobody the bundle knows."""

    character = serializers.CharField(source="character.slug", allow_null=True, default=None)
    visible_ms = serializers.IntegerField()
    faces = serializers.IntegerField()
    spans = LaneSpanSerializer(many=True)


class TimelineSerializer(serializers.Serializer[Any]):
    format = serializers.IntegerField(help_text="Version of this format: 1.")
    episode = serializers.IntegerField()
    run = serializers.IntegerField()
    duration_ms = serializers.IntegerField()
    shots = ShotSpanSerializer(many=True)
    lanes = LaneSerializer(many=True)


class FoundEpisodeSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField()
    title = serializers.CharField()


class ExplainedSerializer(serializers.Serializer[Any]):
    name = serializers.CharField()
    value = serializers.FloatField()
    words = serializers.CharField()


class ResultSerializer(serializers.Serializer[Any]):
    episode = FoundEpisodeSerializer()
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    score = serializers.FloatField()
    verdict = serializers.ChoiceField(
        choices=["yes", "no", "unknown"], required=False, help_text="Only where the question asks for one."
    )
    because = serializers.DictField(help_text="The parts of the score.")
    explain = ExplainedSerializer(
        many=True, required=False, help_text="With ?explain=1: from what went in to the score."
    )


class QuerySerializer(serializers.Serializer[Any]):
    """A query as JSON; docs/search.md tells the clauses."""

    version = serializers.IntegerField()
    target = serializers.ChoiceField(choices=["scenes", "moments", "episodes", "characters"])
    order = serializers.ChoiceField(choices=["most", "least", "calmest"], required=False)
    emotion = serializers.ChoiceField(choices=EMOTION_NAMES, allow_null=True, required=False)
    character = serializers.CharField(allow_null=True, required=False)
    clauses = serializers.ListField(child=serializers.DictField(), required=False)
    where = serializers.ListField(child=serializers.DictField(), required=False, help_text="Conditions, of version 2.")


@extend_schema_serializer(component_name="SearchAnswer")
class AnswerSerializer(serializers.Serializer[Any]):
    query = QuerySerializer(allow_null=True)
    echo = serializers.CharField(help_text="What was understood; searched for again it gives the same query.")
    unused = serializers.ListField(child=serializers.CharField())
    answer = serializers.ChoiceField(choices=["results", "refused"])
    results = ResultSerializer(many=True)
    counts = serializers.DictField(
        child=serializers.IntegerField(), required=False, help_text="Episodes or characters: yes, unknown, no."
    )
    because = serializers.DictField(required=False, help_text="Only when refused: code and nearest names.")


class ProblemSerializer(serializers.Serializer[Any]):
    """An error (RFC 9457)."""

    type = serializers.CharField()
    title = serializers.CharField()
    status = serializers.IntegerField()
    detail = serializers.CharField()
    code = serializers.CharField()
