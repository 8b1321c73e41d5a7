"""An episode on one sheet: every number as a range, what is not known as that, and where it comes from."""

from __future__ import annotations

import pytest
from django.test import Client, override_settings

from analysis.models import AnalysisRun
from catalog.models import Episode
from ml.types import Emotion
from tests.analysis import world
from tests.analysis.test_pages import HOSTILE, read

pytestmark = pytest.mark.django_db


@override_settings(TOONEMO_ENOUGH_HALF_WIDTH=0.3)
def test_the_sheet_says_ranges_moments_and_source(client: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "On paper", 60_000)
    tom = [(2_000 * n, 2_000 * n + 2_000, (Emotion.ANGRY, Emotion.HAPPY)[n % 2]) for n in range(1, 30)]
    world.analyse(
        episode, {"tom": tom, "jerry": [(3_000, 6_000, Emotion.SCARED)], None: [(9_000, 12_000, Emotion.SAD)]}
    )
    text = " ".join(read(client, f"/episodes/{episode.pk}/print/").split())
    run = AnalysisRun.objects.get()
    assert "On paper" in text
    assert "Jerry<span" in text
    assert "not enough evidence" in text
    assert text.count("<tr>") + text.count("<tr ") == 1 + 2 + 2, "a head, two characters, angry and scared moments"
    assert "0:03 Jerry, 3.0 s" in text
    assert "Faces of nobody the model knows are on screen for 3.0 s." in text
    assert f"run {run.pk}. Source {run.source_sha256[:12]}." in text
    assert f"http://testserver/episodes/{episode.pk}/" in text
    assert "never says for which age" in text


def test_what_is_not_known_is_said(client: Client) -> None:
    bare = world.make_episode(world.make_series(), 1, HOSTILE)
    assert "Not analysed yet" in read(client, f"/episodes/{bare.pk}/print/")
    nobody: Episode = world.make_episode(world.make_series(), 2, "Nobody")
    world.analyse(nobody, {None: [(3_000, 9_000, Emotion.HAPPY)]})
    assert "No character that the model knows was seen" in read(client, f"/episodes/{nobody.pk}/print/")
    assert client.get("/episodes/999999/print/").status_code == 404
