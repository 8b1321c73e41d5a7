"""Whether this process lives (``/healthz``) and whether it can answer (``/readyz``)."""

from __future__ import annotations

from collections.abc import Callable

import redis
from django.conf import settings
from django.db import DatabaseError, connection
from django.db.migrations.exceptions import MigrationSchemaMissing
from django.db.migrations.executor import MigrationExecutor
from django.http import HttpRequest, HttpResponse, JsonResponse
from django.views.decorators.http import require_safe
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENCE_S = 2.0


class HealthMiddleware:
    """Answers before anything looks at the Host header: a load balancer asks by address, over plain HTTP."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self.get_response = get_response
        self.views = {"/healthz": healthz, "/readyz": readyz}

    def __call__(self, request: HttpRequest) -> HttpResponse:
        view = self.views.get(request.path)
        return self.get_response(request) if view is None else view(request)


@require_safe
def healthz(request: HttpRequest) -> HttpResponse:
    return HttpResponse("ok\n", content_type="text/plain")


@require_safe
def readyz(request: HttpRequest) -> JsonResponse:
    """200 where everything that a page needs is there; 503 with the reasons where it is not."""
    reasons = {name: reason for name, reason in readiness().items() if reason}
    return JsonResponse({"ready": not reasons, "reasons": reasons}, status=503 if reasons else 200)


def readiness() -> dict[str, str]:
    """Service -> what is wrong with it, empty where it is well."""
    database = database_fault()
    migrations = "The database does not answer." if database else migrations_fault()
    return {"database": database, "migrations": migrations, "redis": redis_fault()}


def database_fault() -> str:
    try:
        connection.ensure_connection()
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1")
    except DatabaseError as error:
        return _first_line(error) or "It does not answer."
    return ""


def migrations_fault() -> str:
    try:
        executor = MigrationExecutor(connection)
    except (DatabaseError, MigrationSchemaMissing) as error:
        return _first_line(error)
    missing = executor.migration_plan(executor.loader.graph.leaf_nodes())
    if not missing:
        return ""
    return f"{len(missing)} migrations are not applied; run `manage.py migrate`."


def redis_fault() -> str:
    # No second try: redis-py waits for seconds between them.
    options = {"socket_timeout": PATIENCE_S, "socket_connect_timeout": PATIENCE_S, "retry": Retry(NoBackoff(), 0)}
    client = redis.Redis.from_url(settings.REDIS_URL, **options)
    try:
        client.ping()
    except redis.RedisError as error:
        return _first_line(error) or "It does not answer."
    finally:
        client.close()
    return ""


def _first_line(error: Exception) -> str:
    lines = str(error).strip().splitlines()
    return lines[0] if lines else type(error).__name__
