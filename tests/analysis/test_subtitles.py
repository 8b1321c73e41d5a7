"""Subtitles as people get them: over the API, on the page, on the command line."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.management import CommandError, call_command
from django.db import transaction
from django.test import Client

from analysis.models import AnalysisRun, FaceDetection, ModelBundle, Publication, Segment, SegmentStatus
from analysis.selectors.subtitles import FORMAT
from analysis.selectors.timelines import timeline_of
from analysis.services.derived import derived_rewrite
from analysis.services.finalise import run_finalise
from analysis.services.leases import segment_complete
from analysis.services.publishing import run_publish
from analysis.services.runs import run_request, run_retry
from catalog.models import Character, Episode
from ml.types import EMOTIONS, Emotion
from tests.analysis import world
from tests.analysis.runs_helpers import claim
from tests.analysis.strict_subtitles import ReadFile, read_srt, read_vtt

pytestmark = pytest.mark.django_db
TOM = [(3_000, 6_000, Emotion.ANGRY), (6_000, 9_000, Emotion.SAD), (9_000, 10_000, Emotion.NEUTRAL)]
JERRY = [(4_500, 7_500, Emotion.HAPPY)]


@pytest.fixture
def episode() -> Episode:
    found = world.make_episode(world.make_series(), 1, "The Missing Cheese", 12_000)
    world.analyse(found, {"tom": TOM, "jerry": JERRY, None: [(10_000, 12_000, Emotion.SCARED)]})
    return found


def address(episode: Episode, form: str = "vtt", query: str = "") -> str:
    return f"/api/v1/episodes/{episode.pk}/subtitles.{form}{query}"


def read(client: Client, episode: Episode, query: str = "") -> ReadFile:
    response = client.get(address(episode, "vtt", query))
    assert response.status_code == 200, response.content
    return read_vtt(response.content)


def said(found: ReadFile) -> list[tuple[int, int, str]]:
    return [(c.start_ms, c.end_ms, c.text.replace("\n", ", ")) for c in found.cues]


def test_each_emotion_is_named_for_as_long_as_its_drawings_are_shown(
    client: Client, episode: Episode, django_assert_num_queries: Any
) -> None:
    with django_assert_num_queries(7):
        found = read(client, episode)
    assert said(found) == [
        (3_000, 4_500, "Tom: angry"),
        (4_500, 6_000, "Jerry: happy, Tom: angry"),
        (6_000, 7_500, "Jerry: happy, Tom: sad"),
        (7_500, 9_000, "Tom: sad"),
    ]


def test_srt_says_the_same(client: Client, episode: Episode) -> None:
    response = client.get(address(episode, "srt"))
    assert response["Content-Type"] == "application/x-subrip"
    assert [(c.start_ms, c.end_ms, c.text.replace("\n", ", ")) for c in read_srt(response.content)] == said(
        read(client, episode)
    )


def test_what_is_named_is_what_the_timeline_shows(client: Client) -> None:
    episode = world.analysed_episode(1, "E", 60_000)
    timeline = timeline_of(AnalysisRun.objects.get(), 60_000)
    spans = {lane.character.name: lane.spans for lane in timeline.known if lane.character is not None}
    edges = set(FaceDetection.objects.values_list("pts_ms", flat=True))
    edges |= {pts + shown for pts, shown in FaceDetection.objects.values_list("pts_ms", "shown_ms")}
    found = read(client, episode)
    assert len(found.cues) > 10
    for cue in found.cues:
        assert {cue.start_ms, cue.end_ms} <= edges
        assert 0 <= cue.start_ms < cue.end_ms <= 60_000
        for line in cue.lines:
            word = line.marks[-1][0]
            inside = [s for s in spans[line.voice] if s.start_ms < cue.end_ms and cue.start_ms < s.end_ms]
            assert word in {s.emotion for s in inside}


def test_the_file_says_where_it_comes_from_and_what_it_means(client: Client, episode: Episode) -> None:
    (note,) = read(client, episode).notes
    run = AnalysisRun.objects.get()
    for words in (f"Run {run.pk}, bundle toonemo-1", "The Missing Cheese", "portrays", "can be wrong", "which age",
                  "Provisional: the bundle was not adapted to this show.", "Neutral faces are left out."):  # fmt: skip
        assert words in note
    assert "Not analysed" not in note
    Character.objects.filter(slug="tom").update(series=episode.series)
    (adapted,) = read(client, episode).notes
    assert "Provisional" not in adapted
    assert "The bundle was adapted to this show." in adapted


def test_a_part_that_is_missing_is_said(client: Client) -> None:
    world.make_bundle()
    episode = world.make_episode(world.make_series(), 1, "E", 120_000)
    run = run_request(episode=episode, bundle_name="toonemo-1")
    first, second = run.segments.order_by("index")
    assert segment_complete(claim(first).token, world.make_result(0, 60_000, {"tom": [(0, 9_000, Emotion.SAD)]}))
    Segment.objects.filter(pk=second.pk).update(status=SegmentStatus.FAILED, error_code="video_damaged")
    done = run_finalise(run.pk)
    assert done is not None
    run_publish(run=done)
    response = client.get(address(episode))
    found = read_vtt(response.content)
    assert "Not analysed: 00:01:00.000 to 00:02:00.000." in found.notes[0]
    assert said(found) == [(0, 9_000, "Tom: sad")]
    again = run_retry(run=done)
    waiting = client.get(address(episode), headers={"If-None-Match": response["ETag"]})
    assert "its lines come later" in read_vtt(waiting.content).notes[0]
    token = claim(again.segments.get(index=1)).token
    assert segment_complete(token, world.make_result(60_000, 120_000, {"tom": [(61_000, 65_000, Emotion.HAPPY)]}))
    grown = client.get(address(episode), headers={"If-None-Match": waiting["ETag"]})
    assert said(read_vtt(grown.content)) == [(0, 9_000, "Tom: sad"), (61_000, 65_000, "Tom: happy")]
    assert run_finalise(run.pk) is not None
    whole = client.get(address(episode), headers={"If-None-Match": grown["ETag"]})
    assert said(read_vtt(whole.content)) == said(read_vtt(grown.content))
    assert "later" not in read_vtt(whole.content).notes[0]


def test_neutral_faces_are_named_where_that_is_asked_for(client: Client, episode: Episode) -> None:
    found = read(client, episode, "?neutral=1")
    assert said(found)[-1] == (9_000, 10_000, "Tom: neutral")
    assert "Neutral faces are named." in found.notes[0]
    assert "neutral" in found.colours
    assert said(read(client, episode, "?neutral=0")) == said(read(client, episode))


def test_some_characters_can_be_chosen(client: Client, episode: Episode) -> None:
    found = read(client, episode, "?characters=jerry")
    assert said(found) == [(4_500, 7_500, "Jerry: happy")]
    assert "Only: Jerry." in found.notes[0]
    both = read(client, episode, "?characters=tom,%20jerry,")
    assert said(both) == said(read(client, episode, "?characters=jerry,tom")) == said(read(client, episode))
    assert said(read(client, episode, "?characters=pip")) == []  # known, and not seen
    assert said(read(client, episode, "?characters=")) == said(both)


@pytest.mark.parametrize("form", ["vtt", "srt"])
@pytest.mark.parametrize(
    ("query", "code", "words"),
    [
        ("?characters=tom,butch", "character_unknown", "toonemo-1 knows nobody called butch; it knows jerry, pip"),
        ("?neutral=perhaps", "invalid_request", "errors says where"),
        ("?characters=" + "x" * 2001, "invalid_request", "errors says where"),
    ],
)
def test_options_that_cannot_be_are_a_problem(
    client: Client, episode: Episode, form: str, query: str, code: str, words: str
) -> None:
    answer = client.get(address(episode, form, query), headers={"Accept": "text/vtt"})
    assert (answer.status_code, answer.json()["code"]) == (400, code)
    assert answer["Content-Type"] == "application/problem+json"
    assert words in answer.json()["detail"]


def test_a_character_of_the_catalogue_whom_the_bundle_does_not_know_is_unknown(
    client: Client, episode: Episode
) -> None:
    Character.objects.create(slug="popeye", name="Popeye")
    assert client.get(address(episode, query="?characters=popeye")).json()["code"] == "character_unknown"


def test_without_an_analysis_there_are_none(client: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "E")
    for form in ("vtt", "srt"):
        answer = client.get(address(episode, form))
        assert (answer.status_code, answer["Content-Type"]) == (404, "application/problem+json")
        assert (answer.json()["code"], answer.json()["detail"]) == ("not_found", "The episode shows no analysis yet.")
    for pk in (7_000, 10**25):
        assert client.get(f"/api/v1/episodes/{pk}/subtitles.vtt").json()["code"] == "not_found"


def test_with_nothing_to_name_the_file_is_empty_and_valid(client: Client) -> None:
    episode = world.make_episode(world.make_series(), 1, "E", 12_000)
    world.analyse(episode, {None: [(1_000, 6_000, Emotion.ANGRY)]})
    found = read(client, episode)
    assert (found.cues, len(found.notes)) == ([], 1)
    assert client.get(address(episode, "srt")).content == b""


def test_an_emotion_that_the_bundle_does_not_model_is_never_named(client: Client, episode: Episode) -> None:
    ModelBundle.objects.update(emotions=[str(e) for e in EMOTIONS if e is not Emotion.ANGRY])
    found = read(client, episode)
    assert "angry" not in " ".join(text for _, _, text in said(found))
    assert "angry" not in found.colours
    assert "cannot express angry" in found.notes[0]


def test_what_cannot_be_read_is_not_named(client: Client, episode: Episode) -> None:
    FaceDetection.objects.filter(pts_ms__lt=6_000, character__slug="tom").update(emotion="")
    assert said(read(client, episode))[0] == (4_500, 6_000, "Jerry: happy")


def test_the_same_request_gives_the_same_bytes_until_the_run_changes(client: Client, episode: Episode) -> None:
    first, again = client.get(address(episode)), client.get(address(episode))
    assert first.content == again.content
    tag = first["ETag"]
    assert tag == again["ETag"]
    assert first["Content-Type"] == "text/vtt; charset=utf-8"
    assert first["X-Content-Type-Options"] == "nosniff"
    assert first["Content-Disposition"] == 'inline; filename="cheese.S01E01.emotions.vtt"'
    known = client.get(address(episode), headers={"If-None-Match": tag})
    assert (known.status_code, known.content, known["ETag"]) == (304, b"", tag)
    head = client.head(address(episode))
    assert (head.status_code, head.content, head["ETag"]) == (200, b"", tag)
    tags = {client.get(address(episode, form, query))["ETag"] for form in ("vtt", "srt")
            for query in ("", "?neutral=1", "?characters=tom")}  # fmt: skip
    assert len(tags) == 6
    assert tag in tags
    Character.objects.filter(slug="tom").update(name="Thomas")
    renamed = client.get(address(episode), headers={"If-None-Match": tag})
    assert renamed.status_code == 200
    assert b"Thomas: " in renamed.content
    old = AnalysisRun.objects.get()
    with transaction.atomic():
        derived_rewrite(old, list(old.segments.all()))  # tracks made anew may say something else
    rewritten = client.get(address(episode), headers={"If-None-Match": renamed["ETag"]})
    assert (rewritten.status_code, rewritten.content) == (200, renamed.content)
    run = world.analyse(episode, {"tom": JERRY}, force=True)
    run_publish(run=run)
    newer = client.get(address(episode), headers={"If-None-Match": rewritten["ETag"]})
    assert newer.status_code == 200
    assert f"Run {run.pk}," in newer.content.decode()


def test_only_what_is_published_is_for_anybody(client: Client, episode: Episode) -> None:
    older = client.get(address(episode))
    world.analyse(episode, {"tom": [(0, 9_000, Emotion.SCARED)]}, force=True)
    assert client.get(address(episode)).content == older.content
    Publication.objects.all().delete()
    for visitor in (client, Client()):
        assert visitor.get(address(episode), headers={"If-None-Match": older["ETag"]}).status_code == 404
        visitor.force_login(User.objects.get_or_create(username="admin", is_staff=True)[0])
        assert visitor.get(address(episode)).status_code == 404


def test_the_schema_tells_both_forms_and_their_options(client: Client) -> None:
    paths = client.get("/api/schema/", headers={"Accept": "application/vnd.oai.openapi+json"}).json()["paths"]
    for form, kind in (("vtt", "text/vtt"), ("srt", "application/x-subrip")):
        told = paths[f"/api/v1/episodes/{{id}}/subtitles.{form}"]["get"]
        assert {p["name"] for p in told["parameters"]} == {"id", "characters", "neutral", "limits"}
        assert set(told["responses"]) >= {"200", "304", "400", "404"}
        assert set(told["responses"]["200"]["content"]) == {kind}


def test_nobody_writes_there(client: Client, episode: Episode) -> None:
    answer = client.post(address(episode))
    assert (answer.status_code, answer.json()["code"]) == (405, "method_not_allowed")


def test_names_of_any_kind_are_text(client: Client, episode: Episode) -> None:
    Character.objects.filter(slug="tom").update(name="--> <v Eve>&amp;\n\nקטן\u202e")
    Character.objects.filter(slug="jerry").update(name="\u202e\n")
    Episode.objects.filter(pk=episode.pk).update(title="A --> B\n\nC")
    lines = {line.voice for cue in read(client, episode).cues for line in cue.lines}
    assert lines == {"--> <v Eve>&amp; קטן", "jerry"}
    assert len(read_srt(client.get(address(episode, "srt")).content)) == 4


def test_a_file_is_what_this_format_says(client: Client, episode: Episode) -> None:
    """Fails when the file changes for the same faces: then raise FORMAT, or browsers keep the old one."""
    body = client.get(address(episode)).content.decode()
    assert FORMAT == 1
    assert body[body.index("00:00:03.000") :] == (
        "00:00:03.000 --> 00:00:04.500\n<v Tom>Tom: <c.angry><b>angry</b></c></v>\n\n"
        "00:00:04.500 --> 00:00:06.000\n<v Jerry>Jerry: <c.happy><b>happy</b></c></v>\n"
        "<v Tom>Tom: <c.angry><b>angry</b></c></v>\n\n"
        "00:00:06.000 --> 00:00:07.500\n<v Jerry>Jerry: <c.happy><b>happy</b></c></v>\n"
        "<v Tom>Tom: <c.sad><b>sad</b></c></v>\n\n"
        "00:00:07.500 --> 00:00:09.000\n<v Tom>Tom: <c.sad><b>sad</b></c></v>\n"
    )


def test_the_page_offers_them_to_the_player_and_as_files(client: Client, episode: Episode) -> None:
    text = client.get(f"/episodes/{episode.pk}/").content.decode()
    assert f'<track kind="captions" srclang="en" label="Emotions" src="{address(episode)}">' in text
    assert f'href="{address(episode)}" download' in text
    assert f'href="{address(episode, "srt")}" download' in text
    mute = world.make_episode(world.make_series(), 2, "Mute")
    assert "subtitles" not in client.get(f"/episodes/{mute.pk}/").content.decode()


def call(*arguments: object) -> str:
    out = io.StringIO()
    call_command("subtitles", *map(str, arguments), stdout=out)
    return out.getvalue()


def test_the_command_gives_what_the_site_gives(client: Client, episode: Episode, tmp_path: Path) -> None:
    whole = client.get(address(episode)).content.decode()
    for name in (episode.pk, "cheese/s01e01", "the missing cheese"):
        assert call(name) == whole
    assert call(episode.pk, "--neutral", "--characters", "tom, jerry") == client.get(
        address(episode, query="?neutral=1&characters=tom,jerry")
    ).content.decode()  # fmt: skip
    subrip = client.get(address(episode, "srt")).content
    assert call(episode.pk, "--format", "srt").encode() == subrip
    out = tmp_path / "cheese.SRT"
    assert call(episode.pk, "--out", out) == ""
    assert out.read_bytes() == subrip
    with pytest.raises(CommandError, match=r"--force writes over it. \[output_unwritable\]"):
        call(episode.pk, "--out", out, "--format", "vtt")
    assert out.read_bytes() == subrip
    call(episode.pk, "--out", out, "--format", "vtt", "--force")
    assert out.read_text(encoding="utf-8") == whole
    assert list(tmp_path.iterdir()) == [out]


def test_the_command_says_why_it_writes_nothing(episode: Episode, tmp_path: Path) -> None:
    mute = world.make_episode(world.make_series(), 2, "Mute")
    world.make_episode(world.make_series("Other", "other"), 2, "Mute")
    for arguments, words in (
        ((99_999,), r"\[episode_unknown\]"),
        (("nothing",), r"There is no episode 'nothing'. \[episode_unknown\]"),
        (("Mute",), r"\[episode_ambiguous\]"),
        ((mute.pk,), r"shows no analysis yet. \[not_analysed\]"),
        ((episode.pk, "--characters", "butch"), r"nobody called butch.*\[character_unknown\]"),
        ((episode.pk, "--out", tmp_path / "no" / "x.vtt"), r"cannot be written: No such file.*\[output_unwritable\]"),
    ):
        with pytest.raises(CommandError, match=words):
            call(*arguments)
    assert not list(tmp_path.iterdir())
