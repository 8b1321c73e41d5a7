"""Which episodes fit what somebody likes and asks for. Pure: arrays and dataclasses in, dataclasses out; numpy alone.

``features`` what is known of an episode · ``taste`` what is wanted · ``score`` how well each fits, term by term ·
``rank`` a short list that is not all alike · ``reasons`` why, in the score's own terms · ``evening`` a plan that ends
calm. ``planted`` and ``evaluate`` measure it on catalogues with planted tastes. docs/recommendations.md explains each.
"""

from analysis.recommend.evening import Evening, NoEvening, evening_of
from analysis.recommend.features import Catalogue, Features, arc_of, catalogue_of
from analysis.recommend.rank import Pick, Visible, picks_of, pool_of
from analysis.recommend.reasons import Names, Reason, reasons_of, sentence
from analysis.recommend.score import Scores, scores_of
from analysis.recommend.taste import SLIDERS, Sliders, Wanted, wanted_of

__all__ = [
    "SLIDERS",
    "Catalogue",
    "Evening",
    "Features",
    "Names",
    "NoEvening",
    "Pick",
    "Reason",
    "Scores",
    "Sliders",
    "Visible",
    "Wanted",
    "arc_of",
    "catalogue_of",
    "evening_of",
    "picks_of",
    "pool_of",
    "reasons_of",
    "scores_of",
    "sentence",
    "wanted_of",
]
