"""What search reads of episodes that are shown: made anew whenever an episode shows another run, or its run changed.

One narrow row per episode, its profiles in plain columns, what two of its cast show together, and sums over its cast
and over all episodes of each of its characters. Called inside the transaction that changed what they are made from, so
nobody ever sees the one without the other.
"""

# ruff: noqa: S608 - pieces of SQL of our own are put together; values are parameters, always

from __future__ import annotations

from collections.abc import Collection, Sequence

from django.db import connection, transaction

from analysis.models import CharacterSummary, EmotionProfile, EpisodeSummary, PairSummary, ProfileSummary, ShownEpisode
from analysis.search.calm import CALM
from analysis.search.calm import COLUMNS as CALM_COLUMNS
from analysis.search.spans_sql import NOBODY_KNOWN, Sql
from analysis.search.summaries_sql import COLUMNS, PAIR_COLUMNS, PROFILE_COLUMNS, pair_rows, profile_rows, summary_rows
from ml.types import EMOTIONS

LOCK = 0x70  # with a character's id: its summaries are being made
_SHOWN = (
    "INSERT INTO analysis_shownepisode (episode_id, run_id, partial, strangers, people, series_id, season, year,"
    f" duration_ms, {', '.join(CALM_COLUMNS)}) SELECT e.id, r.id, r.partial, {NOBODY_KNOWN.format(run='r.id')},"
    " (SELECT COUNT(*) FROM analysis_emotionprofile q WHERE q.run_id = r.id), e.series_id,"
    f" e.season, e.year, f.duration_ms, {', '.join(f'c.{name}' for name in CALM_COLUMNS)}"
    " FROM analysis_publication p JOIN analysis_analysisrun r ON r.id = p.run_id"
    " JOIN catalog_episode e ON e.id = p.episode_id LEFT JOIN catalog_sourcefile f ON f.id = e.source_id"
    f" LEFT JOIN LATERAL ({CALM.format(run='r.id', partial='r.partial')}) c ON c.calm IS NOT NULL"
    " WHERE p.withdrawn_at IS NULL AND "
)


@transaction.atomic
def shown_refresh(episodes: Collection[int] | None = None) -> None:
    """For these episodes (by id), or for all of them."""
    ids = None if episodes is None else sorted(episodes)
    characters = None if ids is None else _cast(ids)
    found = ShownEpisode.objects.all() if ids is None else ShownEpisode.objects.filter(episode_id__in=ids)
    found.delete()
    (EpisodeSummary.objects.all() if ids is None else EpisodeSummary.objects.filter(episode_id__in=ids)).delete()
    for model in (ProfileSummary, PairSummary):
        of_runs = model._default_manager.all()
        (of_runs if ids is None else of_runs.filter(run__episode_id__in=ids)).delete()
    _execute(Sql(f"{_SHOWN} TRUE") if ids is None else Sql(f"{_SHOWN} p.episode_id = ANY(%s)", [ids]))
    if ids is None:
        _execute(Sql("ANALYZE analysis_shownepisode"))  # or what follows is planned for a few
    of_episodes = Sql("TRUE") if ids is None else Sql("shown.episode_id = ANY(%s)", [ids])
    _insert("analysis_profilesummary", PROFILE_COLUMNS, profile_rows([str(e) for e in EMOTIONS], of_episodes))
    _insert("analysis_pairsummary", PAIR_COLUMNS, pair_rows(of_episodes))
    if ids is None:
        _execute(Sql("ANALYZE analysis_profilesummary, analysis_pairsummary"))
    for emotion in EMOTIONS:
        _sum_up("analysis_episodesummary", ("episode_id", "run_id"), str(emotion), of_episodes)
    characters_refresh(characters)


@transaction.atomic
def characters_refresh(characters: Collection[int] | None = None) -> None:
    """Of these characters (by id), or of all. Whoever publishes another episode of theirs waits for this one to end."""
    ids = None if characters is None else sorted(characters)
    if ids is None:
        _execute(Sql("LOCK TABLE analysis_charactersummary IN SHARE ROW EXCLUSIVE MODE"))
    else:
        _execute(Sql("SELECT pg_advisory_xact_lock(%s, id::int) FROM UNNEST(%s::bigint[]) AS c (id)", [LOCK, ids]))
    (CharacterSummary.objects.all() if ids is None else CharacterSummary.objects.filter(character_id__in=ids)).delete()
    which = Sql("TRUE") if ids is None else Sql("p.character_id = ANY(%s)", [ids])
    for emotion in EMOTIONS:
        _sum_up("analysis_charactersummary", ("character_id",), str(emotion), which)


def _cast(episodes: list[int]) -> list[int]:
    """Everybody whom any run of the episodes shows, also runs that are shown no more."""
    rows = EmotionProfile.objects.filter(run__episode_id__in=episodes)
    return list(rows.order_by().values_list("character_id", flat=True).distinct())


def _sum_up(table: str, keys: tuple[str, ...], emotion: str, which: Sql) -> None:
    _insert(table, (*keys, *COLUMNS), summary_rows(emotion, keys[0], which))


def _insert(table: str, columns: Sequence[str], rows: Sql) -> None:
    shown = "shown AS NOT MATERIALIZED (SELECT * FROM analysis_shownepisode)"
    _execute(Sql(f"WITH {shown} INSERT INTO {table} ({', '.join(columns)}) {rows.text}", rows.values))


def _execute(sql: Sql) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.text, sql.values)
