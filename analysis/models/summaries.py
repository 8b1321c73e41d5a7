"""Narrow rows of what is shown now, for search alone."""

from __future__ import annotations

from typing import ClassVar

from django.db import models
from django.db.models import F

from analysis.models.common import EMOTION_CHOICES
from analysis.models.runs import AnalysisRun
from catalog.models import Character, Episode, Series


class ShownEpisode(models.Model):
    """An episode that shows a run now, with what search asks of it, in one narrow row.

    Made from what is said elsewhere (``services.shown``), to be found fast. Triggers keep series, season, year and
    length as the catalogue has them, and take away what is no longer published. ``strangers``: there are faces of
    nobody known; ``people``: how many characters have a profile. The rest is about the whole cast, weighted by readable
    time, NULL where nothing can be read: upper bounds, and expressions begun per readable minute; ``calm`` is the score
    that calm episodes are ranked by.
    """

    episode = models.OneToOneField(Episode, on_delete=models.CASCADE, related_name="shown")
    run = models.OneToOneField(AnalysisRun, on_delete=models.CASCADE, related_name="shown")
    partial = models.BooleanField()
    strangers = models.BooleanField()
    people = models.PositiveSmallIntegerField()
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


class ProfileSummary(models.Model):
    """One profile of an episode that is shown, and one emotion of it: what conditions are judged by, in plain columns.

    ``low``, ``share``, ``high``: as the profile says them, NULL where it does not; ``modelled``: the bundle knows the
    emotion; ``enough``: as the profile has it; ``solid``: the rating may be relied on. ``span``: the id of the clearest
    stretch of the emotion, ``weight`` how clear it is; ``other_*`` of all other emotions; ``longest_*`` the longest.
    Triggers take it away with the profile, and when the episode shows the run no more.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="profile_summaries", db_index=False)
    character = models.ForeignKey(Character, on_delete=models.CASCADE, related_name="profile_summaries", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    readable_ms = models.PositiveIntegerField()
    visible_ms = models.PositiveIntegerField()
    modelled = models.BooleanField()
    enough = models.BooleanField()
    solid = models.BooleanField()
    low = models.FloatField(null=True)
    share = models.FloatField(null=True)
    high = models.FloatField(null=True)
    span = models.BigIntegerField(null=True)
    weight = models.FloatField(null=True)
    other_span = models.BigIntegerField(null=True)
    other_weight = models.FloatField(null=True)
    longest_span = models.BigIntegerField(null=True)
    longest_ms = models.PositiveIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "emotion", "character"], name="profile_summary_unique")
        ]
        indexes: ClassVar = [models.Index(fields=["character", "emotion", "run"], name="profile_summary_character_idx")]

    def __str__(self) -> str:
        return f"{self.emotion} of character {self.character_id} in run {self.run_id}"


class PairSummary(models.Model):
    """Two emotions of two characters in a run that an episode shows: how clear what they show together can be.

    Of stretches of the one and the other that lie in one scene, or no further apart than NEAR_MS, ``near`` is the
    highest score (the lower of the two of their scenes); no row: there are none. ``at_once``: the same of those that
    show at once, NULL where none do; ``span``: the id of the stretch of ``emotion`` in the clearest of these.
    """

    run = models.ForeignKey(AnalysisRun, on_delete=models.CASCADE, related_name="pair_summaries", db_index=False)
    emotion = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    other = models.CharField(max_length=20, choices=EMOTION_CHOICES)
    near = models.FloatField()
    at_once = models.FloatField(null=True)
    span = models.BigIntegerField(null=True)

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["run", "emotion", "other"], name="pair_summary_unique"),
        ]
        indexes: ClassVar = [
            models.Index(fields=["emotion", "other", "-near", "run"], name="pair_summary_near_idx"),
            models.Index(
                "emotion", "other", F("at_once").desc(nulls_last=True), "run", name="pair_summary_at_once_idx"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.emotion} and {self.other} in run {self.run_id}"


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
