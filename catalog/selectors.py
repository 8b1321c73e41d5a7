"""What is read of the catalogue by more than one page."""

from __future__ import annotations

from django.contrib.postgres.search import SearchQuery
from django.db.models import QuerySet, Value

from catalog.models import WORDS_CONFIG, Episode, Grams, episode_words


def episodes_about(words: str) -> QuerySet[Episode]:
    """Episodes whose title and synopsis have all the words, English endings aside; none where all are stop words."""
    wanted = SearchQuery(words, config=WORDS_CONFIG, search_type="plain")
    return Episode.objects.alias(text=episode_words()).filter(text=wanted)


def episodes_titled(words: str) -> QuerySet[Episode]:
    """Episodes whose title contains the words as they are, letter case aside."""
    return Episode.objects.alias(grams=Grams("title")).filter(
        grams__contains=Grams(Value(words)), title__icontains=words
    )
