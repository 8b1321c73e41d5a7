"""What the chaos tests ask of Django, in a process of its own: a line of JSON in, a line of JSON out."""

from __future__ import annotations

import json
import sys
from typing import Any

import django
from django.db import connections


def answer(action: str, *arguments: Any) -> Any:
    if action == "prepare":
        return prepare(*arguments)
    if action == "staff":
        return staff(*arguments)
    from analysis.models import AnalysisRun
    from analysis.services.runs import run_cancel, run_request
    from catalog.models import Episode

    if action == "request":
        episode, bundle, segment_ms = arguments
        episode = Episode.objects.get(pk=episode)
        return run_request(episode=episode, bundle_name=bundle, config={"segment_ms": segment_ms}, force=True).pk
    return run_cancel(run=AnalysisRun.objects.get(pk=arguments[0])).status


def staff(name: str) -> list[str]:
    """Somebody who may everything: what an API token is sent as, and the key of a session."""
    from django.conf import settings
    from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
    from django.contrib.auth.models import User
    from django.contrib.sessions.backends.db import SessionStore

    from tests.tokens import bearer

    person = User.objects.create_user(name, is_staff=True, is_superuser=True)
    session = SessionStore()
    session[SESSION_KEY] = str(person.pk)
    session[BACKEND_SESSION_KEY] = settings.AUTHENTICATION_BACKENDS[0]
    session[HASH_SESSION_KEY] = person.get_session_auth_hash()
    session.save()
    return [bearer(person)["Authorization"], str(session.session_key)]


def prepare(stored_name: str, duration_ms: int, digest: str) -> int:
    """Migrates, and makes one episode of a clip that lies in the media folder already, and the bundle of the test."""
    from django.core.management import call_command

    from analysis.services.bundles import bundle_register
    from catalog.models import Episode, Series, SourceFile
    from ml.types import EMOTIONS, BundleRef
    from tests.workers.fake_models import CHARACTERS, DIGEST

    call_command("migrate", verbosity=0)
    bundle_register(ref=BundleRef("fake", "1", DIGEST), characters=CHARACTERS, emotions=EMOTIONS, card={})
    source = SourceFile.objects.create(
        sha256=digest,
        size_bytes=1,
        stored_name=stored_name,
        original_name=stored_name,
        container="mp4",
        codec="h264",
        width=192,
        height=112,
        duration_ms=duration_ms,
    )
    series = Series.objects.create(title="Chaos", slug="chaos")
    episode = Episode.objects.create(series=series, ordering="title", identity="clip", title="Clip", source=source)
    return episode.pk


if __name__ == "__main__":
    django.setup()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(answer(*json.loads(line))) + "\n")
        sys.stdout.flush()
        connections.close_all()  # the database may be restarted before the next line
