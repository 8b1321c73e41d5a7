from __future__ import annotations

import pytest
from django.db import OperationalError

from workers import patience
from workers.patience import patiently


class _Connection:
    closed = 0
    in_atomic_block = False

    def close(self) -> None:
        self.closed += 1


@pytest.fixture
def connection(monkeypatch: pytest.MonkeyPatch) -> _Connection:
    stand_in = _Connection()
    monkeypatch.setattr(patience, "connection", stand_in)
    return stand_in


def test_a_database_that_comes_back_is_waited_for(connection: _Connection) -> None:
    answers = [OperationalError("gone"), OperationalError("starting up"), "found"]

    def ask() -> object:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    assert patiently(ask) == "found"
    assert connection.closed == 2


def test_patience_ends(connection: _Connection) -> None:
    calls: list[int] = []

    def away() -> None:
        calls.append(1)
        raise OperationalError("the database is away")

    with pytest.raises(OperationalError):
        patiently(away, patience_s=0.5)
    assert len(calls) > 1


def test_a_fault_of_ours_is_not_waited_for(connection: _Connection) -> None:
    with pytest.raises(ZeroDivisionError):
        patiently(lambda: 1 // 0)
    assert connection.closed == 0


def test_inside_a_transaction_nothing_is_repeated(connection: _Connection) -> None:
    connection.in_atomic_block = True
    calls: list[int] = []

    def away() -> None:
        calls.append(1)
        raise OperationalError("the database is away")

    with pytest.raises(OperationalError):
        patiently(away)
    assert calls == [1]
