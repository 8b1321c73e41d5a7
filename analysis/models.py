"""Runs and what they found.

All times are presentation times in integer milliseconds from the start of the episode. Detections are written with
COPY by the worker that holds the segment's lease; everything below a run goes when the run goes.
"""

from __future__ import annotations

from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Q
from pgvector.django import HalfVectorField

from analysis.layer import Says
from catalog.models import SHA256, Character, Episode, Series
from ml.types import EMBEDDING_SIZE, EMOTIONS, UNCLEAR, ShotKind

EMOTION_CHOICES = [(str(e), str(e)) for e in EMOTIONS]


def _unit(*fields: str) -> Q:
    """Every field lies in [0, 1] or is NULL."""
    condition = Q()
    for name in fields:
        condition &= Q(**{f"{name}__isnull": True}) | Q(**{f"{name}__gte": 0.0, f"{name}__lte": 1.0})
    return condition


class ModelBundle(models.Model):
    """A model that workers can load, as its folder described itself when first seen. Never changed afterwards."""

    name = models.CharField(max_length=100)
    version = models.CharField(max_length=40)
    digest = models.CharField(max_length=64, unique=True, validators=[SHA256])
    characters = ArrayField(models.CharField(max_length=120))
    emotions = ArrayField(models.CharField(max_length=20, choices=EMOTION_CHOICES))
    card = models.JSONField(default=dict)
    created_at = models.DateTimeField(auto_now_add=True)

    class Meta:
        ordering: ClassVar = ["name", "version"]

    def __str__(self) -> str:
        return f"{self.name}-{self.version}"


class RunStatus(models.TextChoices):
    QUEUED = "queued", "Queued"
    RUNNING = "running", "Running"
    SUCCEEDED = "succeeded", "Succeeded"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class AnalysisRun(models.Model):
    """One analysis of one episode by one bundle with one configuration.

        queued ---first segment claimed---> running ---last segment ended, finalised---> succeeded
          |                                    |---every segment failed----------------> failed
          +------------- cancel ---------------+---cancel------------------------------> cancelled
        failed, cancelled, partial succeeded --retry--> queued (what failed or was stopped is done again)

    ``partial``: succeeded, but some segments failed; ``error_code`` and ``error_detail`` say why.
    ``fingerprint``: SHA-256 over source digest, bundle digest and configuration: equal requests, equal results.
    ``finalise_attempts``: how often the last step was begun; it gives up rather than try for ever.
    ``ratings_version``: of the arithmetic that its results were derived by; 0: none yet, or from before it was kept.
    ``layer``: digest of what people had corrected when they were derived; empty: nothing.
    ``strangers``: what share of the time of all faces of the story belongs to nobody known.
    ``find_ready``: its faces, as they are derived now, are among those that *find* compares (FaceVector).
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="runs")
    bundle = models.ForeignKey(ModelBundle, on_delete=models.PROTECT, related_name="runs")
    source_sha256 = models.CharField(max_length=64, validators=[SHA256])
    config = models.JSONField(default=dict)
    fingerprint = models.CharField(max_length=64, validators=[SHA256])
    status = models.CharField(max_length=10, choices=RunStatus.choices, default=RunStatus.QUEUED)
    partial = models.BooleanField(default=False)
    priority = models.SmallIntegerField(default=0, help_text="Higher goes first.")
    requested_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, blank=True, related_name="+"
    )
    created_at = models.DateTimeField(auto_now_add=True)
    started_at = models.DateTimeField(null=True, blank=True)
    finished_at = models.DateTimeField(null=True, blank=True)
    cancel_requested_at = models.DateTimeField(null=True, blank=True)
    frames = models.PositiveIntegerField(default=0)
    drawings = models.PositiveIntegerField(default=0)
    faces = models.PositiveIntegerField(default=0)
    timings = models.JSONField(default=dict, help_text="Seconds per stage, summed over segments.")
    kept_ms = models.PositiveIntegerField(default=0, help_text="Content that was analysed before the last retry.")
    finalise_attempts = models.PositiveSmallIntegerField(default=0)
    ratings_version = models.PositiveSmallIntegerField(default=0)
    layer = models.CharField(max_length=64, blank=True)
    strangers = models.FloatField(default=0.0, db_default=0.0)
    find_ready = models.BooleanField(default=False)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-created_at", "-id"]
        indexes: ClassVar = [models.Index(fields=["status", "-priority", "created_at"], name="run_queue_idx")]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["episode", "fingerprint"],
                condition=Q(status__in=["queued", "running"]),
                name="run_one_active_per_fingerprint",
            ),
            models.CheckConstraint(
                condition=Q(status__in=["queued", "running"], finished_at__isnull=True)
                | Q(status__in=["succeeded", "failed", "cancelled"], finished_at__isnull=False),
                name="run_finished_when_ended",
            ),
            models.CheckConstraint(condition=Q(partial=False) | Q(status="succeeded"), name="run_partial_succeeded"),
            models.CheckConstraint(condition=_unit("strangers"), name="run_strangers_in_unit"),
        ]

    def __str__(self) -> str:
        return f"run {self.pk} of {self.episode_id} ({self.status})"

    @property
    def is_active(self) -> bool:
        return self.status in (RunStatus.QUEUED, RunStatus.RUNNING)


class Publication(models.Model):
    """Which run an episode shows, and which it showed before. At most one row per episode is current."""

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="publications")
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="publications")
    published_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-published_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["episode"], condition=Q(withdrawn_at__isnull=True), name="publication_one_current"
            ),
        ]

    def __str__(self) -> str:
        return f"episode {self.episode_id} shows run {self.run_id}"


class SegmentStatus(models.TextChoices):
    PENDING = "pending", "Pending"
    RUNNING = "running", "Running"
    DONE = "done", "Done"
    FAILED = "failed", "Failed"
    CANCELLED = "cancelled", "Cancelled"


class Segment(models.Model):
    """About 60 s of content, the unit of work. Whoever holds ``lease_token`` may write its rows; nobody else can."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="segments")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    status = models.CharField(max_length=10, choices=SegmentStatus.choices, default=SegmentStatus.PENDING)
    lease_token = models.UUIDField(null=True, blank=True)
    lease_expires_at = models.DateTimeField(null=True, blank=True)
    worker = models.CharField(max_length=200, blank=True)
    attempts = models.PositiveSmallIntegerField(default=0)
    done_ms = models.PositiveIntegerField(default=0, help_text="Content analysed so far, for the progress bar.")
    frames = models.PositiveIntegerField(default=0)
    drawings = models.PositiveIntegerField(default=0)
    faces = models.PositiveIntegerField(default=0)
    cuts_ms = ArrayField(models.PositiveIntegerField(), default=list)
    kinds = models.JSONField(default=list, help_text="Stretches that are no story: [start_ms, end_ms, kind].")
    timings = models.JSONField(default=dict)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        indexes: ClassVar = [models.Index(fields=["status", "lease_expires_at"], name="segment_lease_idx")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="segment_index_unique"),
            models.UniqueConstraint(fields=["lease_token"], name="segment_lease_token_unique"),
            models.CheckConstraint(
                condition=Q(status="running", lease_token__isnull=False, lease_expires_at__isnull=False)
                | (~Q(status="running") & Q(lease_token__isnull=True, lease_expires_at__isnull=True)),
                name="segment_leased_while_running",
            ),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="segment_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"segment {self.index} of run {self.run_id} ({self.status})"


class Shot(models.Model):
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="shots")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    kind = models.CharField(max_length=10, choices=[(str(k), str(k)) for k in ShotKind], default=str(ShotKind.STORY))

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="shot_index_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="shot_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"shot {self.index} of run {self.run_id}"


class Scene(models.Model):
    """Neighbouring shots that belong together. ``thumbnail`` is relative to MEDIA_ROOT, or empty."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="scenes")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    thumbnail = models.CharField(max_length=200, blank=True)

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        indexes: ClassVar = [models.Index(F("end_ms") - F("start_ms"), name="scene_length_idx")]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="scene_index_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="scene_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"scene {self.index} of run {self.run_id}"


class Track(models.Model):
    """One character within one shot, never across a cut. ``character`` NULL: somebody unknown."""

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="tracks")
    shot = models.ForeignKey(Shot, on_delete=models.CASCADE, related_name="tracks")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="tracks")
    index = models.PositiveIntegerField()
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    embedding = HalfVectorField(dimensions=EMBEDDING_SIZE, null=True)

    class Meta:
        ordering: ClassVar = ["run_id", "index"]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "index"], name="track_index_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="track_end_after_start"),
        ]

    def __str__(self) -> str:
        return f"track {self.index} of run {self.run_id}"


class FaceDetection(models.Model):
    """One face of one distinct drawing. An emotion the bundle cannot express is NULL: not modelled, never 0.

    ``index`` counts the faces of a segment in order; (segment, index) makes a second write of the same segment
    impossible. ``emotion`` empty: unclear. ``box_*`` in pixels of the decoded picture, right and lower edge exclusive.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="detections")
    segment = models.ForeignKey(Segment, on_delete=models.CASCADE, related_name="detections")
    track = models.ForeignKey(Track, on_delete=models.SET_NULL, null=True, blank=True, related_name="detections")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="detections")
    index = models.PositiveIntegerField()
    pts_ms = models.PositiveIntegerField()
    shown_ms = models.PositiveIntegerField()
    box_x1 = models.FloatField()
    box_y1 = models.FloatField()
    box_x2 = models.FloatField()
    box_y2 = models.FloatField()
    mask = models.JSONField(null=True, blank=True, help_text='COCO RLE: {"size": [h, w], "counts": "..."}.')
    score = models.FloatField()
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES, blank=True)
    confidence = models.FloatField()
    happy = models.FloatField(null=True, blank=True)
    sad = models.FloatField(null=True, blank=True)
    angry = models.FloatField(null=True, blank=True)
    surprised = models.FloatField(null=True, blank=True)
    scared = models.FloatField(null=True, blank=True)
    disgusted = models.FloatField(null=True, blank=True)
    neutral = models.FloatField(null=True, blank=True)
    embedding = HalfVectorField(dimensions=EMBEDDING_SIZE, null=True)

    class Meta:
        ordering: ClassVar = ["run_id", "pts_ms", "id"]
        indexes: ClassVar = [
            models.Index(fields=["run", "pts_ms"], name="face_run_pts_idx"),
            models.Index(fields=["run", "character", "pts_ms"], name="face_run_character_idx"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["segment", "index"], name="face_index_unique"),
            models.CheckConstraint(condition=Q(shown_ms__gt=0), name="face_shown_positive"),
            models.CheckConstraint(
                condition=Q(box_x2__gt=F("box_x1"), box_y2__gt=F("box_y1")), name="face_box_not_empty"
            ),
            models.CheckConstraint(
                condition=_unit("score", "confidence", *(str(e) for e in EMOTIONS)), name="face_scores_in_unit"
            ),
        ]

    def __str__(self) -> str:
        return f"face at {self.pts_ms} ms of run {self.run_id}"


class SceneEmotion(models.Model):
    """What one character shows in one scene: the table that search reads.

    ``share`` of ``readable_ms``; ``score`` is the shrunken lower bound of RATINGS; ``best_*`` the strongest span.
    """

    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="emotions", db_index=False)
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="scene_emotions", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="scene_emotions")
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    visible_ms = models.PositiveIntegerField()
    readable_ms = models.PositiveIntegerField()
    share = models.FloatField()
    baseline = models.FloatField()
    score = models.FloatField()
    best_start_ms = models.PositiveIntegerField(null=True, blank=True)
    best_end_ms = models.PositiveIntegerField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-score", "id"]
        indexes: ClassVar = [
            models.Index(fields=["character", "emotion", "-score", "id"], name="scene_emotion_search_idx"),
            models.Index(
                fields=["emotion", "-score", "id"], include=["scene", "character", "run"], name="scene_emotion_best_idx"
            ),
            models.Index(fields=["character", "-visible_ms", "id"], name="scene_emotion_seen_idx"),
            models.Index(fields=["run", "emotion", "-score"], name="scene_emotion_run_idx"),
            models.Index(fields=["scene", "emotion", "-score"], name="scene_emotion_scene_idx"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["scene", "character", "emotion"], name="scene_emotion_unique"),
            models.CheckConstraint(condition=_unit("share", "baseline", "score"), name="scene_emotion_in_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} in scene {self.scene_id}"


class EmotionSpan(models.Model):
    """A stretch in which one emotion of one character shows, by hysteresis on readable drawings, within one shot.

    What *never*, *while*, *before*, *after* and *within* read. ``strength``: its mean probability, weighted by time.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="spans")
    scene = models.ForeignKey(Scene, on_delete=models.CASCADE, related_name="spans")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="spans", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    strength = models.FloatField()

    class Meta:
        ordering: ClassVar = ["run_id", "start_ms", "id"]
        indexes: ClassVar = [
            models.Index(
                fields=["character", "emotion", "run", "start_ms"],
                include=["end_ms", "strength", "scene"],
                name="span_search_idx",
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "character", "emotion", "start_ms"], name="span_unique"),
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="span_end_after_start"),
            models.CheckConstraint(condition=_unit("strength"), name="span_strength_in_unit"),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} from {self.start_ms} to {self.end_ms} ms of run {self.run_id}"


class EmotionProfile(models.Model):
    """What one character shows in one run. Emotions are keys of ``shares``; a missing key is *not modelled*.

    ``shares``: {emotion: {"share", "low", "high", "raw", "corrected", "baseline", "runs_per_minute", "longest_ms",
    "peak_start_ms", "peak_end_ms"}}, shares of ``readable_ms``; ``share`` with [low, high] is the published one.
    ``enough`` False: not enough evidence for a rating; the site says so. ``details``: {"worth", "bias_corrected",
    "needed": what evidence was asked for, "basis": {"runs", "strength"} or null: what the baseline was made from,
    "ending" or null, "reactions"}, and where people had part in it "known_ms": how long they said what
    shows, and "checked": their random sample. Numbers are stored as computed, never rounded; docs/ratings.md explains
    each.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="profiles")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="profiles")
    visible_ms = models.PositiveIntegerField()
    readable_ms = models.PositiveIntegerField()
    drawings = models.PositiveIntegerField()
    shots = models.PositiveIntegerField()
    enough = models.BooleanField()
    shares = models.JSONField(default=dict)
    details = models.JSONField(default=dict)

    class Meta:
        ordering: ClassVar = ["run_id", "-visible_ms"]
        constraints: ClassVar = [models.UniqueConstraint(fields=["run", "character"], name="profile_unique")]

    def __str__(self) -> str:
        return f"profile of {self.character_id} in run {self.run_id}"


class EmotionBound(models.Model):
    """One emotion of one character in one run, as limits read it. Derived with the profile, for all seven emotions.

    ``enough``: ``high`` and ``longest_ms`` may be relied on. Where it is False (not enough evidence, not modelled, a
    part of the episode missing) the character counts as over every limit. NULL: nothing was measured.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="bounds", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="bounds", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    low = models.FloatField(null=True, blank=True)
    share = models.FloatField(null=True, blank=True)
    high = models.FloatField(null=True, blank=True)
    longest_ms = models.PositiveIntegerField(null=True, blank=True)
    enough = models.BooleanField()

    class Meta:
        ordering: ClassVar = ["run_id", "character_id", "emotion"]
        indexes: ClassVar = [
            models.Index(
                fields=["character", "emotion", "high"],
                include=["run", "longest_ms", "enough"],
                name="bound_character_idx",
            )
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "character", "emotion"], name="bound_unique"),
            models.CheckConstraint(condition=_unit("low", "share", "high"), name="bound_in_unit"),
            models.CheckConstraint(
                condition=Q(enough=False) | Q(high__isnull=False, longest_ms__isnull=False),
                name="bound_known_if_enough",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} of {self.character_id} in run {self.run_id}: at most {self.high}"


class Lacking(models.TextChoices):
    """Why nothing can be said of an emotion in a whole episode; the first that holds."""

    PARTIAL = "partial", "A part of the episode is missing"
    NOBODY = "nobody", "No known face is seen"
    STRANGERS = "strangers", "Faces of nobody known are seen too long"
    NOT_MODELLED = "not_modelled", "The bundle cannot express the emotion"
    EVIDENCE = "evidence", "Somebody is seen too little for a rating"


class RunBound(models.Model):
    """The most of one emotion over all characters of a run: a limit for all of them is one probe of an index.

    ``high``: the highest upper bound; ``longest_ms``: the longest run. Both NULL: over every limit, for ``lacking``.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="run_bounds", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    high = models.FloatField(null=True, blank=True)
    longest_ms = models.PositiveIntegerField(null=True, blank=True)
    lacking = models.CharField(max_length=20, choices=Lacking.choices, blank=True)

    class Meta:
        ordering: ClassVar = ["run_id", "emotion"]
        indexes: ClassVar = [
            models.Index(fields=["emotion", "high"], include=["run", "longest_ms"], name="run_bound_idx"),
        ]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["run", "emotion"], include=["high", "longest_ms", "lacking"], name="run_bound_unique"
            ),
            models.CheckConstraint(condition=_unit("high"), name="run_bound_in_unit"),
            models.CheckConstraint(
                condition=Q(lacking="", high__isnull=False, longest_ms__isnull=False)
                | (~Q(lacking="") & Q(high__isnull=True, longest_ms__isnull=True)),
                name="run_bound_known_or_lacking",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} in run {self.run_id}: {self.lacking or self.high}"


class RunFeatures(models.Model):
    """What recommendations compare of a run, derived with its profiles; ``analysis.recommend.packing`` has the format.

    ``packed`` empty: no character has enough evidence, or a part is missing, so the run is not recommended.
    """

    run = models.OneToOneField(AnalysisRun, on_delete=models.CASCADE, related_name="features")
    format = models.PositiveSmallIntegerField()
    readable_ms = models.PositiveIntegerField()
    packed = models.BinaryField()
    members = models.BinaryField()

    class Meta:
        ordering: ClassVar = ["run_id"]
        verbose_name_plural = "run features"

    def __str__(self) -> str:
        return f"features of run {self.run_id}"


class ShownEpisode(models.Model):
    """An episode that shows a run now, with what search asks of it, in one narrow row.

    Made from what is said elsewhere (``services.shown``), to be found fast. Triggers keep series, season, year and
    length as the catalogue has them, and take away what is no longer published. ``strangers``: there are faces of
    nobody known. The rest is about the whole cast, weighted by readable time, NULL where nothing can be read: upper
    bounds, and expressions begun per readable minute; ``calm`` is the score that calm episodes are ranked by.
    """

    episode = models.OneToOneField(Episode, on_delete=models.CASCADE, related_name="shown")
    run = models.OneToOneField(AnalysisRun, on_delete=models.CASCADE, related_name="shown")
    partial = models.BooleanField()
    strangers = models.BooleanField()
    series = models.ForeignKey(Series, on_delete=models.PROTECT, related_name="+")
    season = models.PositiveSmallIntegerField(null=True)
    year = models.PositiveSmallIntegerField(null=True)
    duration_ms = models.PositiveIntegerField(null=True)
    calm = models.FloatField(null=True)
    enough = models.BooleanField(null=True)
    angry_high = models.FloatField(null=True)
    scared_high = models.FloatField(null=True)
    switches_per_minute = models.FloatField(null=True)
    readable_ms = models.PositiveBigIntegerField(null=True)
    visible_ms = models.PositiveBigIntegerField(null=True)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["-enough", "-calm", "episode"], name="shown_calm_idx")]

    def __str__(self) -> str:
        return f"episode {self.episode_id} shows run {self.run_id}"


class Summary(models.Model):
    """Over several profiles and one emotion, what conditions without a name are answered by (``services.shown``).

    ``never``, ``always``: verdicts (-1, 0, 1); ever is the opposite of never. ``span`` is the clearest stretch,
    ``other_span`` that of all other emotions, ``longest_span`` the longest. ``low_*``, ``high_most``, ``share_most``:
    the least and most of the profiles; ``mean_*`` weighted by readable time; ``solid``: all may be relied on; ``sure``:
    and are seen well enough to say that something was not there. ``rated_*``: of rated profiles where there are any,
    else of the others; NULL where nothing was measured. ``last_episode``: the highest id among theirs.
    """

    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    never = models.SmallIntegerField()
    always = models.SmallIntegerField()
    solid = models.BooleanField()
    sure = models.BooleanField()
    strangers = models.BooleanField()
    low_least = models.FloatField()
    low_most = models.FloatField()
    high_most = models.FloatField()
    share_most = models.FloatField()
    mean_low = models.FloatField()
    mean_high = models.FloatField()
    readable_ms = models.PositiveBigIntegerField()
    visible_ms = models.PositiveBigIntegerField()
    longest_ms = models.PositiveIntegerField()
    span = models.BigIntegerField(null=True)
    other_span = models.BigIntegerField(null=True)
    longest_span = models.BigIntegerField(null=True)
    rated_enough = models.BooleanField(null=True)
    rated_low = models.FloatField(null=True)
    rated_share = models.FloatField(null=True)
    rated_high = models.FloatField(null=True)
    rated_readable_ms = models.PositiveBigIntegerField(null=True)
    rated_visible_ms = models.PositiveBigIntegerField(null=True)
    last_episode = models.BigIntegerField()

    class Meta:
        abstract = True


class EpisodeSummary(Summary):
    """Of everybody in an episode that is shown."""

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="summaries", db_index=False)
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="summaries")

    class Meta:
        constraints: ClassVar = [models.UniqueConstraint(fields=["episode", "emotion"], name="episode_summary_unique")]
        indexes: ClassVar = [
            models.Index(fields=["emotion", "-never", "high_most", "episode"], name="summary_never_idx"),
            models.Index(fields=["emotion", "never", "-share_most", "episode"], name="summary_ever_idx"),
            models.Index(fields=["emotion", "-always", "-low_least", "episode"], name="summary_always_idx"),
            models.Index(fields=["emotion", "-mean_low", "episode"], include=["mean_high"], name="summary_low_idx"),
            models.Index(fields=["emotion", "mean_high", "episode"], include=["mean_low"], name="summary_high_idx"),
            models.Index(
                fields=["emotion", "-longest_ms", "episode"], include=["sure", "strangers"], name="summary_longest_idx"
            ),
            models.Index(fields=["emotion", "-rated_enough", "-rated_low", "episode"], name="summary_most_idx"),
            models.Index(fields=["emotion", "-rated_enough", "rated_high", "episode"], name="summary_least_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} in episode {self.episode_id}"


class CharacterSummary(Summary):
    """Of a character in all episodes that are shown. Missing where it is not known: triggers take it away when one of
    these episodes, or what it was made from, goes."""

    character = models.ForeignKey(Character, on_delete=models.CASCADE, related_name="summaries")

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["character", "emotion"], name="character_summary_unique")
        ]

    def __str__(self) -> str:
        return f"{self.emotion} of character {self.character_id}"


SAYS_CHOICES = [
    (str(Says.CHARACTER), "The face of a character"),
    (str(Says.NOBODY), "A face of nobody in the list"),
    (str(Says.NO_FACE), "No face at all"),
]


class Correction(models.Model):
    """What a person says about one face during [start_ms, end_ms). Keyed to content time, never to a run, so that every
    run keeps it: it is laid over what was detected whenever results are derived (``analysis.layer``).

    ``subject``: whom the face is read as; ``box``: where it is, as parts of the picture's width and height, for a face
    that is read as nobody, or one of several. ``emotion`` empty: as read. Of one subject and place, no two that count
    overlap (``correction_no_overlap``, in the migration). Rows change once, by being withdrawn (a trigger keeps that).
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="corrections")
    source_sha256 = models.CharField(max_length=64, validators=[SHA256], help_text="The file that was looked at.")
    start_ms = models.PositiveIntegerField()
    end_ms = models.PositiveIntegerField()
    subject = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    box_x1 = models.FloatField(null=True, blank=True)
    box_y1 = models.FloatField(null=True, blank=True)
    box_x2 = models.FloatField(null=True, blank=True)
    box_y2 = models.FloatField(null=True, blank=True)
    says = models.CharField(max_length=10, choices=SAYS_CHOICES, default=str(Says.CHARACTER))
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, blank=True, related_name="+")
    emotion = models.CharField(max_length=20, choices=[*EMOTION_CHOICES, (UNCLEAR, UNCLEAR)], blank=True)
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["episode_id", "start_ms", "id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(end_ms__gt=F("start_ms")), name="correction_end_after_start"),
            models.CheckConstraint(
                condition=Q(box_x1__isnull=True, box_y1__isnull=True, box_x2__isnull=True, box_y2__isnull=True)
                | Q(box_x1__isnull=False, box_y1__isnull=False, box_x2__isnull=False, box_y2__isnull=False)
                & Q(box_x1__gte=0.0, box_y1__gte=0.0, box_x2__gt=F("box_x1"), box_y2__gt=F("box_y1"))
                & Q(box_x2__lte=1.0, box_y2__lte=1.0),
                name="correction_box_in_picture",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=False) | Q(subject__isnull=False) | Q(box_x1__isnull=False),
                name="correction_says_which_face",
            ),
            models.CheckConstraint(
                condition=Q(withdrawn_at__isnull=False)
                | Q(says="character", character__isnull=False)
                | Q(says="nobody", character__isnull=True)
                | Q(says="no_face", character__isnull=True, emotion=""),
                name="correction_says_who",
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion or self.says} at {self.start_ms} ms of episode {self.episode_id}"


class Certification(models.Model):
    """A random sample of shots in which a character is seen, for people to check; fixed before anybody answers.

    ``frame``: [start_ms, end_ms] of every story shot in which the published run saw the character then; ``picked``:
    places in it, in the order of asking, drawn by ``seed``. Keyed to content time like a correction.
    """

    episode = models.ForeignKey(Episode, on_delete=models.CASCADE, related_name="certifications")
    source_sha256 = models.CharField(max_length=64, validators=[SHA256], help_text="The file that is looked at.")
    character = models.ForeignKey(Character, on_delete=models.PROTECT, related_name="+")
    seed = models.BigIntegerField()
    frame = models.JSONField()
    picked = ArrayField(models.PositiveIntegerField())
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-made_at", "-id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["episode", "character"],
                condition=Q(withdrawn_at__isnull=True),
                name="certification_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"{len(self.picked)} shots of {self.character_id} in episode {self.episode_id}"


class CertificationAnswer(models.Model):
    """What one person says of one shot of the sample. ``pieces``: [start_ms, end_ms, label] that fill the shot; a label
    is an emotion, ``unclear`` or ``not_them``. Answering again withdraws the answer before.
    """

    certification = models.ForeignKey(Certification, on_delete=models.CASCADE, related_name="answers")
    place = models.PositiveIntegerField(help_text="Of the shot in the frame.")
    pieces = models.JSONField()
    made_by = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    made_at = models.DateTimeField(auto_now_add=True)
    withdrawn_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["certification_id", "id"]
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["certification", "place", "made_by"],
                condition=Q(withdrawn_at__isnull=True),
                name="certification_answer_one_current",
            ),
        ]

    def __str__(self) -> str:
        return f"answer on shot {self.place} of certification {self.certification_id}"


class Audit(models.Model):
    """Who did what. Rows are added, never changed; the database refuses both UPDATE and DELETE (a trigger)."""

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        related_name="+",
    )
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [models.Index(fields=["object_type", "object_id"], name="audit_object_idx")]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"


class FaceVector(models.Model):
    """A face of a run that an episode shows, as *find* compares it. Narrow rows: the whole table is read at times.

    ``character`` is that of the face's track. ``embedding``: its first half says who, its second what, where the
    bundle has halves. Written when a run is published, taken away when it is withdrawn (services.find_index).
    """

    face = models.OneToOneField(FaceDetection, on_delete=models.CASCADE, primary_key=True, related_name="+")
    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="face_vectors", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.PROTECT, null=True, related_name="+", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES, blank=True)
    pts_ms = models.PositiveIntegerField()
    embedding = HalfVectorField(dimensions=EMBEDDING_SIZE)

    class Meta:
        indexes: ClassVar = [models.Index(fields=["run", "character", "emotion"], name="face_vector_filter_idx")]

    def __str__(self) -> str:
        return f"vector of face {self.face_id}"


class FindStatus(models.TextChoices):
    WAITING = "waiting", "Waiting"
    READ = "read", "Read"
    FAILED = "failed", "Failed"


class Find(models.Model):
    """A picture that somebody looks for. Gone after ``expires_at``; the picture itself once a worker has read it.

        waiting ---a worker read it---> read        waiting ---it cannot be read---> failed

    ``token``: whoever knows it may see the answer. ``box``: where the person says the face is, [x1, y1, x2, y2] in
    pixels of the picture, or null. ``faces``: what was read, best first: [{"box", "score", "how", "character",
    "emotion", "confidence", "embedding"}]. ``crop``: PNG of the first face.
    """

    token = models.CharField(max_length=43, unique=True)
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField(db_index=True)
    sent_at = models.DateTimeField()
    status = models.CharField(max_length=10, choices=FindStatus.choices, default=FindStatus.WAITING)
    bundle = models.ForeignKey(ModelBundle, on_delete=models.CASCADE, related_name="+")
    picture = models.BinaryField(null=True)
    box = ArrayField(models.FloatField(), size=4, null=True)
    faces = models.JSONField(default=list)
    crop = models.BinaryField(null=True)
    error_code = models.CharField(max_length=60, blank=True)
    error_detail = models.TextField(blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(
                condition=Q(status="waiting", picture__isnull=False) | (~Q(status="waiting") & Q(picture__isnull=True)),
                name="find_picture_while_waiting",
            ),
            models.CheckConstraint(condition=Q(status="failed") | Q(error_code=""), name="find_error_when_failed"),
        ]

    def __str__(self) -> str:
        return f"find {self.pk} ({self.status})"
