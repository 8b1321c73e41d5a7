"""Nothing over a limit comes out of any address: neither title, nor id, nor bytes."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

import pytest
from django.db import transaction
from django.test import Client

from analysis.limits import NO_LIMITS, limits_parse
from analysis.selectors import visible
from tests.analysis.limits import leaks

CHECKS = 1_000_000


def test_every_address_is_asked_or_has_a_reason_not_to_be() -> None:
    known = set(leaks.VISITED) | set(leaks.ALLOWED)
    assert len(leaks.routes()) > 35, "the walk over the addresses found too few of them"
    missing = leaks.routes() - known
    assert not missing, f"tests/analysis/limits/leaks.py neither asks nor excuses {sorted(missing)}"
    assert not known - leaks.routes(), "what is asked or excused and is no address any more"
    assert not set(leaks.VISITED) & set(leaks.ALLOWED)


@pytest.mark.django_db
@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_over_a_limit_comes_out(seed: int) -> None:
    found = leaks.fuzz(seed, shows=14, times=3)
    assert found.leaks == []
    assert found.checks > 500
    assert found.shown > 5


@pytest.mark.django_db
def test_a_leak_would_be_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """The gate taken away from one selector at a time: the search for leaks finds it."""
    found = leaks.catalogue_made(3, shows=10)
    for module, name in (
        ("analysis.views.browse", "episodes_visible"),
        ("analysis.api.views", "runs_visible"),
        ("analysis.search.spans_sql", "shown_visible"),
        ("analysis.views.media", "hidden_check"),
    ):
        with monkeypatch.context() as patched:
            patched.setattr(f"{module}.{name}", _open(name))
            found.leaks.clear()
            leaks.visit(found, limits_parse("happy<=0%"), random.Random(1), thorough=False)
            assert found.leaks, f"{module}.{name}"


def _open(name: str) -> Callable[..., Any]:
    """The same selector without limits."""
    if name == "hidden_check":
        return lambda *_: None
    real = getattr(visible, name)
    return lambda _limits: real(NO_LIMITS)


@pytest.mark.django_db
def test_without_limits_everything_comes_out() -> None:
    found = leaks.catalogue_made(4, shows=8)
    answer = leaks.body(Client().get("/api/v1/episodes/?limit=200"))
    assert leaks.leaked(found, answer, set()) == set(range(8))


@pytest.mark.slow
@pytest.mark.timeout(0)
@pytest.mark.django_db
def test_a_million_checks() -> None:
    checks = seed = 0
    while checks < CHECKS:
        seed += 1
        with transaction.atomic():
            found = leaks.fuzz(seed, shows=120, times=20)
            assert found.leaks == [], f"seed {seed}"
            checks += found.checks
            transaction.set_rollback(True)
    assert checks >= CHECKS
