"""What clients read and send of corrections and samples. Who made one is told to nobody."""

from __future__ import annotations

from typing import Any, ClassVar

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analysis.layer import Says
from analysis.models import SAYS_CHOICES, Correction
from analysis.samples import LABELS
from analysis.selectors.certify import CertificationState
from analysis.selectors.layer import box_of
from analysis.services.certify import USUAL_SHOTS
from catalog.models import Character
from ml.types import EMOTIONS, UNCLEAR

SAYS = SAYS_CHOICES
LABELS_SAID = [*(str(e) for e in EMOTIONS), UNCLEAR]
MOST_PIECES = 50
MOST_MS = 2**31 - 1


class CorrectionSerializer(serializers.ModelSerializer[Correction]):
    """``subject``: whom the face is read as; ``box``: where it is; ``emotion`` empty: as read."""

    subject = serializers.SlugRelatedField[Character](slug_field="slug", read_only=True, allow_null=True)
    character = serializers.SlugRelatedField[Character](slug_field="slug", read_only=True, allow_null=True)
    box = serializers.SerializerMethodField(help_text="[x1, y1, x2, y2] in parts of the picture, or null.")

    class Meta:
        model = Correction
        fields: ClassVar = [
            "id",
            "episode",
            "start_ms",
            "end_ms",
            "subject",
            "box",
            "says",
            "character",
            "emotion",
            "made_at",
            "withdrawn_at",
        ]

    @extend_schema_field(serializers.ListField(child=serializers.FloatField(), allow_null=True))
    def get_box(self, row: Correction) -> list[float] | None:
        box = box_of(row)
        return None if box is None else list(box)


class CorrectionAskedSerializer(serializers.Serializer[Any]):
    episode = serializers.IntegerField(min_value=1, max_value=10**18)
    start_ms = serializers.IntegerField(min_value=0, max_value=MOST_MS)
    end_ms = serializers.IntegerField(min_value=1, max_value=MOST_MS)
    subject = serializers.CharField(required=False, allow_null=True, max_length=120, help_text="Slug: read as whom.")
    box = serializers.ListField(
        child=serializers.FloatField(), min_length=4, max_length=4, required=False, allow_null=True
    )
    says = serializers.ChoiceField(choices=SAYS, default=str(Says.CHARACTER))
    character = serializers.CharField(required=False, allow_null=True, max_length=120, help_text="Slug: it is who.")
    emotion = serializers.ChoiceField(choices=LABELS_SAID, required=False, allow_blank=True, default="")


class CertificationAskedSerializer(serializers.Serializer[Any]):
    character = serializers.CharField(max_length=120)
    shots = serializers.IntegerField(default=USUAL_SHOTS, min_value=1, max_value=100_000)


class PieceSerializer(serializers.Serializer[Any]):
    start_ms = serializers.IntegerField(min_value=0, max_value=MOST_MS)
    end_ms = serializers.IntegerField(min_value=1, max_value=MOST_MS)
    label = serializers.ChoiceField(  # type: ignore[assignment]
        choices=list(LABELS), help_text="not_them: the face is not the character's."
    )


class AnswerAskedSerializer(serializers.Serializer[Any]):
    """``pieces`` fill the shot, one after the other."""

    character = serializers.CharField(max_length=120)
    place = serializers.IntegerField(min_value=0, max_value=100_000)
    pieces = PieceSerializer(many=True, max_length=MOST_PIECES)  # type: ignore[call-arg]


class QuestionSerializer(serializers.Serializer[Any]):
    """A shot to look at. ``pieces``: where the expression may change; further cuts may be made."""

    place = serializers.IntegerField()
    number = serializers.IntegerField()
    of = serializers.IntegerField()
    start_ms = serializers.IntegerField()
    end_ms = serializers.IntegerField()
    pieces = serializers.ListField(child=serializers.ListField(child=serializers.IntegerField()))


class AgreementSerializer(serializers.Serializer[Any]):
    same = serializers.IntegerField()
    of = serializers.IntegerField()
    kappa = serializers.FloatField(allow_null=True, help_text="Cohen's; null where chance alone would always agree.")


class CertificationSerializer(serializers.Serializer[Any]):
    id = serializers.IntegerField(source="row.pk")
    character = serializers.CharField(source="row.character.slug")
    shots = serializers.IntegerField(help_text="Size of the sample.")
    of = serializers.IntegerField(help_text="Shots that it was drawn from.")
    people = serializers.IntegerField(help_text="Who have answered all of it.")
    answered = serializers.IntegerField(help_text="By whoever asks.")
    agreements = AgreementSerializer(many=True, help_text="Of each two people who answered all.")
    next = serializers.SerializerMethodField(help_text="For editors; null where nothing is left to answer.")

    @extend_schema_field(QuestionSerializer(allow_null=True))
    def get_next(self, state: CertificationState) -> Any:
        question = self.context.get("next")
        return None if question is None else QuestionSerializer(question).data
