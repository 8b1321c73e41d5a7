"""The arithmetic of ratings. Pure: arrays and dataclasses in, dataclasses out; numpy alone; seeded.

The unit is one distinct drawing of one face, weighted by the milliseconds it is shown; the denominator is the time in
which the face can be read. docs/ratings.md says what each number means, in the order of these modules:

``readings`` shares and spans · ``confusion`` what a model says, made what was drawn · ``interval`` how far it may be
off · ``baseline`` drawn toward the series · ``ending`` · ``reactions`` · ``rating`` all of a character · ``scenes`` the
score that search ranks by · ``checked`` what people saw in a random sample · ``agreement`` of people · ``narrowing``
what to ask people about next. ``planted``, ``alternatives``, ``coverage``, ``checked_coverage`` and
``narrowing_coverage`` measure whether the intervals hold.
"""

from analysis.ratings.agreement import Agreement, agreement, alpha
from analysis.ratings.baseline import Baseline, Peer, baseline_of, shrink
from analysis.ratings.checked import Checked, Checks, estimate_checked
from analysis.ratings.confusion import Confusion, confusion_of_card, correct
from analysis.ratings.ending import Ending, ending_of
from analysis.ratings.interval import LOW_READS_ZERO, Estimate, estimate
from analysis.ratings.narrowing import Narrowing, Piece, expected_narrowing, pieces_of
from analysis.ratings.rating import (
    ENOUGH_HALF_WIDTH,
    ENOUGH_READABLE_MS,
    ENOUGH_SHOTS,
    RATINGS_VERSION,
    CharacterRating,
    EmotionRating,
    Needed,
    rate_character,
)
from analysis.ratings.reactions import Reaction, reactions
from analysis.ratings.readings import Readings, emotion_spans, likeliest, shares
from analysis.ratings.scenes import SceneScore, lower_bound, score_scene

__all__ = [
    "ENOUGH_HALF_WIDTH",
    "ENOUGH_READABLE_MS",
    "ENOUGH_SHOTS",
    "LOW_READS_ZERO",
    "RATINGS_VERSION",
    "Agreement",
    "Baseline",
    "CharacterRating",
    "Checked",
    "Checks",
    "Confusion",
    "EmotionRating",
    "Ending",
    "Estimate",
    "Narrowing",
    "Needed",
    "Peer",
    "Piece",
    "Reaction",
    "Readings",
    "SceneScore",
    "agreement",
    "alpha",
    "baseline_of",
    "confusion_of_card",
    "correct",
    "emotion_spans",
    "ending_of",
    "estimate",
    "estimate_checked",
    "expected_narrowing",
    "likeliest",
    "lower_bound",
    "pieces_of",
    "rate_character",
    "reactions",
    "score_scene",
    "shares",
    "shrink",
]
