"""What clients read of a character over all its episodes: the numbers of its page."""

from __future__ import annotations

from typing import Any

from drf_spectacular.utils import extend_schema_field
from rest_framework import serializers

from analysis.api.serializers import CharacterSerializer
from analysis.selectors.characters import CharacterAcross, EmotionAcross, character_across
from catalog.models import Character


class EpisodeShareSerializer(serializers.Serializer[Any]):
    """Measured in the episode alone; not drawn toward the series."""

    episode = serializers.IntegerField(source="episode_id")
    share = serializers.FloatField()
    low = serializers.FloatField()
    high = serializers.FloatField()


class EmotionAcrossSerializer(serializers.Serializer[Any]):
    """The mean over episodes with its 95 % interval, and where 95 of 100 episodes lie; null: too few episodes."""

    share = serializers.FloatField(source="across.share")
    low = serializers.FloatField(source="across.low", allow_null=True)
    high = serializers.FloatField(source="across.high", allow_null=True)
    usual_low = serializers.FloatField(source="across.usual_low", allow_null=True)
    usual_high = serializers.FloatField(source="across.usual_high", allow_null=True)
    spread = serializers.FloatField(source="across.spread", help_text="Standard deviation between episodes.")
    unlike = serializers.FloatField(source="across.unlike", help_text="Part of the variation between episodes.")
    differs = serializers.CharField(help_text="In words: hardly, somewhat, much, or not known.")
    exceptions = serializers.ListField(
        source="across.exceptions", child=serializers.IntegerField(), help_text="Ids of episodes that stand apart."
    )
    episodes = EpisodeShareSerializer(many=True)


class ArcPointSerializer(serializers.Serializer[Any]):
    """One tenth of an episode's time; null where no episode shows the face, or too few for an interval."""

    share = serializers.FloatField(allow_null=True)
    low = serializers.FloatField(allow_null=True)
    high = serializers.FloatField(allow_null=True)
    episodes = serializers.IntegerField()


class AcrossSerializer(serializers.Serializer[Any]):
    bundle = serializers.CharField()
    rated = serializers.IntegerField(help_text="Episodes that count.")
    unrated = serializers.IntegerField(help_text="Episodes with too little evidence.")
    others = serializers.IntegerField(help_text="Episodes read by other bundles, left out.")
    sentences = serializers.ListField(child=serializers.CharField())
    emotions = serializers.DictField(child=EmotionAcrossSerializer())
    arcs = serializers.DictField(child=ArcPointSerializer(many=True))


class CharacterAcrossSerializer(CharacterSerializer):
    across = serializers.SerializerMethodField(help_text="Null where no episode shows the character.")

    class Meta(CharacterSerializer.Meta):
        fields = [*CharacterSerializer.Meta.fields, "across"]

    @extend_schema_field(AcrossSerializer(allow_null=True))
    def get_across(self, character: Character) -> Any:
        found = character_across(character, self.context["view"].visible_runs())
        return None if found is None else across_json(found)


def across_json(a: CharacterAcross) -> dict[str, Any]:
    return {
        "bundle": a.bundle,
        "rated": len(a.rated),
        "unrated": a.unrated,
        "others": a.others,
        "sentences": list(a.sentences),
        "emotions": {str(e.emotion): _emotion(e) for e in a.emotions},
        "arcs": {str(arc.emotion): ArcPointSerializer(arc.points, many=True).data for arc in a.arcs},
    }


def _emotion(e: EmotionAcross) -> Any:
    return EmotionAcrossSerializer(e).data
