"""The administration over everything: all models, in few queries, and none that reads a big table whole."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group, User
from django.db import connection
from django.db.models import Model
from django.test import Client, RequestFactory
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from analysis.models import AnalysisRun
from catalog.access.admin_base import EstimatedPaginator
from catalog.access.models import Audit
from catalog.access.services.tokens import token_create
from catalog.models import Character, Episode, Series, SourceFile
from tests.analysis import world
from tests.factories import EpisodeFactory

pytestmark = pytest.mark.django_db
OURS = ("catalog", "analysis", "access")
# Tables that never have more rows than somebody made by hand, or than a sweep leaves.
SMALL = {"catalog_series", "catalog_character", "analysis_modelbundle", "access_token", "access_signinattempt",
         "analysis_certification", "analysis_find", "analysis_webhook", "analysis_queuepause"}  # fmt: skip
MOST_QUERIES = 9


def models_of_ours() -> list[type[Model]]:
    return [model for label in OURS for model in apps.get_app_config(label).get_models()]


def changelist(model: type[Model]) -> str:
    return f"/admin/{model._meta.app_label}/{model._meta.model_name}/"


@pytest.fixture
def staff(client: Client) -> Client:
    client.force_login(User.objects.create_superuser("admin"))
    return client


@pytest.fixture
def full(staff: Client) -> Client:
    for number in (1, 2):
        world.analysed_episode(number, f"E{number}", 20_000)
    token_create(owner=User.objects.get(), name="x")
    return staff


def test_every_model_is_there() -> None:
    wanted: list[type[Model]] = [*models_of_ours(), User, Group]
    missing = [m.__name__ for m in wanted if not admin.site.is_registered(m)]
    assert not missing
    assert len(models_of_ours()) > 25


def test_lists_are_quick(full: Client) -> None:
    """With and without a search: few queries, and each of them by an index where the table may be big."""
    pretend_that_tables_are_big()
    found = []
    for model in models_of_ours():
        for address in (changelist(model), f"{changelist(model)}?q=7"):
            with CaptureQueriesContext(connection) as asked:
                assert full.get(address).status_code == 200
            if len(asked) > MOST_QUERIES:
                found.append(f"{address} asks {len(asked)} times")
            for query in asked:
                if query["sql"].startswith("SELECT"):
                    bad = [table for table in reads_whole(query["sql"]) if table not in SMALL]
                    found += [f"{address} reads {table}: {query['sql']}" for table in bad]
    assert not found, "\n".join(found)


def pretend_that_tables_are_big() -> None:
    """The planner is told of a million rows in each."""
    with connection.cursor() as cursor:
        cursor.execute(
            "UPDATE pg_class SET reltuples = 1e6, relpages = 1 "
            "WHERE relkind = 'r' AND relname ~ '^(catalog|analysis|access)_'"
        )


def reads_whole(sql: str) -> list[str]:
    """Tables of ours that a planner who wants an index has to read whole nevertheless, or to sort."""
    with connection.cursor() as cursor:
        for way in ("seqscan", "hashjoin", "mergejoin"):
            cursor.execute(f"SET LOCAL enable_{way} = off")
        cursor.execute(f"EXPLAIN (FORMAT JSON) {sql}")
        (plan,) = cursor.fetchone()
    found = json.loads(plan) if isinstance(plan, str) else plan
    return list(_whole(found[0]["Plan"], sorted_=False))


def _whole(node: dict[str, Any], *, sorted_: bool) -> Iterator[str]:
    kind = node["Node Type"]
    table = node.get("Relation Name", "")
    ours = table.startswith(("catalog_", "analysis_", "access_"))
    if ours and (kind == "Seq Scan" or (sorted_ and not {"Index Cond", "Recheck Cond"} & set(node))):
        yield table
    sorted_ = (sorted_ or kind in ("Sort", "Aggregate")) and kind != "Limit"
    for child in node.get("Plans", []):
        yield from _whole(child, sorted_=sorted_)


def test_the_search_for_slow_queries_finds_them() -> None:
    pretend_that_tables_are_big()
    for sql, table in (
        ("SELECT * FROM analysis_facedetection WHERE score > 0.5 LIMIT 5", "analysis_facedetection"),
        ("SELECT count(*) FROM analysis_scene", "analysis_scene"),
        ("SELECT * FROM catalog_episode ORDER BY year LIMIT 5", "catalog_episode"),
        ("SELECT * FROM catalog_episode WHERE upper(title) = 'X'", "catalog_episode"),
    ):
        assert table in reads_whole(sql), sql
    for sql in ("SELECT * FROM analysis_scene ORDER BY id DESC LIMIT 5",
                "SELECT count(*) FROM (SELECT id FROM analysis_scene LIMIT 5) AS few"):  # fmt: skip
        assert reads_whole(sql) == [], sql


def test_lists_ask_as_often_for_many_rows_as_for_few(full: Client) -> None:
    def queries() -> dict[str, int]:
        found = {}
        for model in models_of_ours():
            with CaptureQueriesContext(connection) as asked:
                full.get(changelist(model))
            found[model.__name__] = len(asked)
        return found

    few = queries()
    world.analysed_episode(3, "E3", 20_000)
    for n in range(3):
        token_create(owner=User.objects.create_user(f"u{n}"), name="x")
    assert queries() == few


def test_rows_are_shown_one_by_one_too(full: Client) -> None:
    for model in models_of_ours():
        row = model._default_manager.first()
        if row is not None:
            assert full.get(f"{changelist(model)}{row.pk}/change/").status_code == 200, model


def test_results_are_looked_at_and_never_typed(full: Client, rf: RequestFactory) -> None:
    request = rf.get("/admin/")
    request.user = User.objects.get(username="admin")
    for model in set(models_of_ours()) - {Series, Episode, Character}:
        own = admin.site._registry[model]
        row = model._default_manager.first()
        assert not own.has_add_permission(request), model
        assert not own.has_change_permission(request, row), model
        if model is not SourceFile:
            assert not own.has_delete_permission(request, row), model
    address = changelist(Audit)
    row = Audit.objects.first()
    assert row is not None
    assert full.post(f"{address}{row.pk}/change/", {"action": "x"}).status_code == 403
    assert full.post(f"{address}{row.pk}/delete/", {"post": "yes"}).status_code == 403


def test_a_big_table_is_counted_by_estimate(monkeypatch: pytest.MonkeyPatch) -> None:
    EpisodeFactory.create_batch(5)
    assert EstimatedPaginator(Episode.objects.all(), 50).count == 5
    monkeypatch.setattr("catalog.access.admin_base.COUNTED", 3)
    monkeypatch.setattr("catalog.access.admin_base._estimate", lambda table: 1_000_000)
    assert EstimatedPaginator(Episode.objects.all(), 50).count == 1_000_000
    assert EstimatedPaginator(Episode.objects.filter(pk__gt=0), 50).count == 4, "of a filter: more than so many"


def test_what_is_typed_is_in_the_audit_with_before_and_after(staff: Client) -> None:
    fields = {"name": "Tom", "slug": "tom", "colour": "#112233", "aliases": "", "series": ""}
    assert staff.post("/admin/catalog/character/add/", fields).status_code == 302
    tom = Character.objects.get()
    staff.post(f"/admin/catalog/character/{tom.pk}/change/", {**fields, "name": "Thomas"})
    staff.post(f"/admin/catalog/character/{tom.pk}/delete/", {"post": "yes"})
    rows = list(Audit.objects.filter(object_type="catalog.character").order_by("pk"))
    assert [row.action for row in rows] == ["character.create", "character.change", "character.delete"]
    assert (rows[1].before, rows[1].after) == ({"name": "Tom"}, {"name": "Thomas"})
    assert {row.actor.username for row in rows if row.actor} == {"admin"}


def test_an_episode_that_is_typed_is_in_the_audit_once(staff: Client) -> None:
    series = world.make_series()
    fields = {"series": series.pk, "season": 1, "number": 5, "title": "The Cat"}
    staff.post("/admin/catalog/episode/add/", fields)
    episode = Episode.objects.get()
    staff.post(f"/admin/catalog/episode/{episode.pk}/change/", {**fields, "title": "The Dog"})
    staff.post(f"/admin/catalog/episode/{episode.pk}/delete/", {"post": "yes"})
    rows = list(Audit.objects.filter(object_type="catalog.episode").order_by("pk"))
    assert [row.action for row in rows] == ["episode.create", "episode.change", "episode.delete"]
    assert rows[1].before is not None
    assert (rows[1].before["title"], rows[1].after["title"]) == ("The Cat", "The Dog")  # type: ignore[index]


def test_roles_that_are_given_are_in_the_audit_and_passwords_are_not(staff: Client) -> None:
    person = User.objects.create_user("ada")
    group = Group.objects.get_or_create(name="editor")[0]
    joined = timezone.now() - timedelta(days=1)
    fields = {"username": "ada", "groups": [group.pk], "is_active": "on", "date_joined_0": joined.date().isoformat(),
              "date_joined_1": "00:00:00"}  # fmt: skip
    answer = staff.post(f"/admin/auth/user/{person.pk}/change/", fields)
    assert answer.status_code == 302, answer.content
    row = Audit.objects.get(object_type="auth.user")
    assert (row.before or {})["groups"] == []
    assert (row.after or {})["groups"] == [group.pk]
    secret = "correct horse battery"
    staff.post(f"/admin/auth/user/{person.pk}/password/",
               {"usable_password": "true", "password1": secret, "password2": secret})  # fmt: skip
    person.refresh_from_db()
    assert person.check_password(secret)
    rows = Audit.objects.filter(object_type="auth.user")
    assert rows.count() == 2
    assert secret not in str([(r.before, r.after) for r in rows])
    assert staff.post(f"/admin/auth/user/{person.pk}/delete/", {"post": "yes"}).status_code == 403


def test_actions_on_runs_are_in_the_audit(full: Client) -> None:
    run = AnalysisRun.objects.first()
    assert run is not None
    full.post("/admin/analysis/analysisrun/", {"action": "publish", "_selected_action": [run.pk]})
    assert full.get("/admin/analysis/analysisrun/?q=" + str(run.pk)).status_code == 200
