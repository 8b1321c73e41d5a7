from __future__ import annotations

import pytest
from django.test import Client
from pytest_django.fixtures import Settings


def test_healthz_needs_no_service(client: Client) -> None:
    response = client.get("/healthz")
    assert response.status_code == 200
    assert response.content == b"ok\n"


@pytest.mark.django_db
def test_readyz_when_all_is_well(client: Client) -> None:
    response = client.get("/readyz")
    assert response.json() == {"ready": True, "reasons": {}}
    assert response.status_code == 200


@pytest.mark.django_db
def test_readyz_names_redis_when_it_is_away(client: Client, settings: Settings) -> None:
    settings.REDIS_URL = "unix:///nowhere/redis.sock"
    response = client.get("/readyz")
    assert response.status_code == 503
    assert list(response.json()["reasons"]) == ["redis"]
