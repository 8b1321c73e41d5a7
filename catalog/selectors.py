"""What is read of the catalogue by more than one page."""

from __future__ import annotations

from django.contrib.auth.models import AbstractBaseUser
from django.contrib.postgres.search import SearchQuery
from django.db.models import QuerySet, Value
from django.utils import timezone

from catalog.models import (
    WORDS_CONFIG,
    Episode,
    Grams,
    ImportPlan,
    Upload,
    UploadStatus,
    WatchedFile,
    WatchedStatus,
    episode_words,
)


def episodes_about(words: str) -> QuerySet[Episode]:
    """Episodes whose title and synopsis have all the words, English endings aside; none where all are stop words."""
    wanted = SearchQuery(words, config=WORDS_CONFIG, search_type="plain")
    return Episode.objects.alias(text=episode_words()).filter(text=wanted)


def episodes_titled(words: str) -> QuerySet[Episode]:
    """Episodes whose title contains the words as they are, letter case aside."""
    return Episode.objects.alias(grams=Grams("title")).filter(
        grams__contains=Grams(Value(words)), title__icontains=words
    )


def uploads_of(owner: AbstractBaseUser) -> QuerySet[Upload]:
    """What somebody has sent and not added yet, the newest last."""
    return Upload.objects.filter(owner_id=owner.pk, expires_at__gt=timezone.now()).order_by("pk")


def plans_of(owner: AbstractBaseUser) -> QuerySet[ImportPlan]:
    return ImportPlan.objects.filter(owner_id=owner.pk).order_by("-pk")


def sha256_known(owner: AbstractBaseUser, sha256: str, size: int | None) -> tuple[Episode | None, Upload | None]:
    """The episode that has this content, and an upload of the same person that has it."""
    sized = {} if size is None else {"source__size_bytes": size}
    episode = Episode.objects.select_related("series").filter(source__sha256=sha256, **sized).first()
    mine = uploads_of(owner).filter(sha256=sha256).exclude(status__in=[UploadStatus.OPEN, UploadStatus.REFUSED])
    return episode, mine.first()


def watched_lately(most: int) -> list[WatchedFile]:
    """What waits first, then what was dealt with last."""
    waiting = WatchedFile.objects.filter(status__in=[WatchedStatus.GROWING, WatchedStatus.IMPORTING])[:most]
    dealt = WatchedFile.objects.exclude(status__in=[WatchedStatus.GROWING, WatchedStatus.IMPORTING])
    return [*waiting, *dealt.select_related("episode__series").order_by("-since")[:most]]
