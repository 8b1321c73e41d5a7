"""The words for emotions, levels and shots, in the language of whoever reads; the only place that has them."""

from __future__ import annotations

from django.utils.translation import gettext_lazy as _
from django.utils.translation import pgettext_lazy

from ml.types import UNCLEAR

EMOTION_NAMES = {
    "happy": pgettext_lazy("emotion", "Happy"),
    "sad": pgettext_lazy("emotion", "Sad"),
    "angry": pgettext_lazy("emotion", "Angry"),
    "surprised": pgettext_lazy("emotion", "Surprised"),
    "scared": pgettext_lazy("emotion", "Scared"),
    "disgusted": pgettext_lazy("emotion", "Disgusted"),
    "neutral": pgettext_lazy("emotion", "Neutral"),
    UNCLEAR: pgettext_lazy("emotion", "Unclear"),
}
SHOT_KINDS = {
    "story": pgettext_lazy("shot", "story"),
    "title": pgettext_lazy("shot", "title"),
    "credits": pgettext_lazy("shot", "credits"),
    "black": pgettext_lazy("shot", "black"),
}
DIFFERS = {
    "hardly": _("hardly differs"),
    "somewhat": _("differs somewhat"),
    "much": _("differs much"),
    "not known": _("differs: not known"),
}


def emotion_name(emotion: str) -> str:
    """As a heading."""
    return str(EMOTION_NAMES.get(str(emotion), str(emotion)))


def emotion_word(emotion: str) -> str:
    """Within a sentence."""
    return emotion_name(emotion).lower()
