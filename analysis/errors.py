"""What can go wrong when somebody asks something of an analysis: a stable code and one sentence a person understands.

``docs/errors.md`` has a row for every code.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar

from django.utils.translation import gettext as _

if TYPE_CHECKING:
    from analysis.selectors.hidden import Hidden


class AnalysisError(Exception):
    """``str(error)`` is the sentence."""

    code: ClassVar[str] = "analysis_error"


class BundleUnknown(AnalysisError):
    """No worker has made such a bundle known."""

    code = "bundle_unknown"


class CharacterUnknown(AnalysisError):
    """The bundle that read the episode knows nobody of that name."""

    code = "character_unknown"


class EpisodeUnknown(AnalysisError):
    """No episode has that id, identity or title."""

    code = "episode_unknown"


class EpisodeAmbiguous(AnalysisError):
    """Several episodes have that title or identity."""

    code = "episode_ambiguous"


class EpisodeHidden(AnalysisError):
    """The limits of whoever asks hide the episode; ``hidden`` says by which number."""

    code = "hidden_by_limits"

    def __init__(self, hidden: Hidden) -> None:
        super().__init__(_("Your limits hide this episode."))
        self.hidden = hidden


class LimitsUnreadable(AnalysisError):
    """Limits were set in this browser and cannot be read any more, so nothing may be shown."""

    code = "limits_unreadable"


class EpisodeNotRated(AnalysisError):
    """Nothing that the episode shows is known well enough to be compared with others."""

    code = "episode_not_rated"


class RecommendationInvalid(AnalysisError):
    """What is asked of recommendations cannot be: a slider that is out of range, too many likes, or nothing at all."""

    code = "recommendation_invalid"


class EpisodeWithoutSource(AnalysisError):
    """There is no video to analyse."""

    code = "episode_without_source"


class RunConfigInvalid(AnalysisError):
    """The options of a request are not ones that a run can have."""

    code = "run_config_invalid"


class RunNotRetryable(AnalysisError):
    """Nothing of the run failed or was cancelled, or it is still going."""

    code = "run_not_retryable"


class RunNotCancellable(AnalysisError):
    """The run has ended already."""

    code = "run_not_cancellable"


class RunNotWaiting(AnalysisError):
    """The run has ended, so it has no place among those that wait."""

    code = "run_not_waiting"


class PriorityInvalid(AnalysisError):
    """There is no such priority, or none higher or lower than the one that the run has."""

    code = "priority_invalid"


class QueueUnknown(AnalysisError):
    """No queue of that name can be paused."""

    code = "queue_unknown"


class BulkInvalid(AnalysisError):
    """Nothing was chosen, too much at once, or something that cannot be done to what was chosen."""

    code = "bulk_invalid"


class TooManyStreams(AnalysisError):
    """As many streams of events are open as a process or a person may have."""

    code = "too_many_streams"
    retry_after_s = 15


class RunNotPublishable(AnalysisError):
    """Only a run that succeeded can be shown."""

    code = "run_not_publishable"


class NothingToRollBack(AnalysisError):
    """The episode has shown one run at most."""

    code = "nothing_to_roll_back"


class CatalogueNotEmpty(AnalysisError):
    """Episodes were to be planted where there are some already."""

    code = "catalogue_not_empty"


class ResultInvalid(AnalysisError):
    """A segment's result breaks the rules of what is stored: not finite, out of range, outside the segment."""

    code = "result_invalid"


class NotAnalysed(AnalysisError):
    """The episode shows no analysis, so there is nothing to correct or to check."""

    code = "not_analysed"


class RunBusy(AnalysisError):
    """Something else is at the run that the episode shows."""

    code = "run_busy"


class CorrectionInvalid(AnalysisError):
    """What a person says cannot be laid over the episode."""

    code = "correction_invalid"


class CorrectionOverlaps(AnalysisError):
    """Another correction says something of the same face at the same time."""

    code = "correction_overlaps"


class CorrectionWithdrawn(AnalysisError):
    """It was withdrawn already."""

    code = "correction_withdrawn"


class NothingToUndo(AnalysisError):
    """This person has said nothing that still counts."""

    code = "nothing_to_undo"


class NothingSaid(AnalysisError):
    """Nobody has said anything of that face that could be settled."""

    code = "nothing_said"


class ExampleInvalid(AnalysisError):
    """A drawing cannot be an example of a character, or is none any more."""

    code = "example_invalid"


class NamingImpossible(AnalysisError):
    """There are too few examples, or nothing that they could be compared with."""

    code = "naming_impossible"


class SampleImpossible(AnalysisError):
    """No sample of that many shots of that character can be drawn."""

    code = "sample_impossible"


class CertificationOpen(AnalysisError):
    """There is a sample of the character already."""

    code = "certification_open"


class CertificationUnknown(AnalysisError):
    """There is no sample of the character, or it was withdrawn."""

    code = "certification_unknown"


class AnswerInvalid(AnalysisError):
    """An answer is not one on a shot of the sample."""

    code = "answer_invalid"


class FindRefused(AnalysisError):
    """What was sent to look for is no picture, too large, or empty."""

    code = "find_refused"


class FindImpossible(AnalysisError):
    """Nothing can be compared: no analysed episode, or a bundle whose faces have no embedding."""

    code = "find_impossible"


class FindBusy(AnalysisError):
    """Too many pictures wait for a worker."""

    code = "find_busy"


class RunsNotComparable(AnalysisError):
    """Two runs of different episodes, or one that did not succeed."""

    code = "runs_not_comparable"


class NothingToPublish(AnalysisError):
    """No episode waits for a run of that bundle, or there is nothing to take back."""

    code = "nothing_to_publish"


class CursorInvalid(AnalysisError):
    """A cursor that no list gave, or that belongs to another list or other filters."""

    code = "cursor_invalid"


class CursorStale(AnalysisError):
    """A cursor whose list cannot be gone on with: too old, its run is gone or derived anew, or the limits changed."""

    code = "cursor_stale"


class WebhookInvalid(AnalysisError):
    """A webhook has no name, no event, or an address that nothing may be sent to."""

    code = "webhook_invalid"
