"""Guess the feeling. Every address is a GET that holds the whole game, so no cookie and no row is needed."""

from __future__ import annotations

import secrets
from urllib.parse import urlencode

from django.core import signing
from django.http import HttpRequest, HttpResponse
from django.shortcuts import redirect, render
from django.urls import reverse
from django.views.decorators.http import require_safe

from analysis.limits_request import limits_of
from analysis.quiz import RIGHT, SKIPPED, WRONG, Game, game_of, pick
from analysis.selectors.quiz import asked, candidates
from analysis.services.finds import pictures_request
from ml.types import EMOTIONS

_SALT = "toonemo.quiz"


@require_safe
def quiz(request: HttpRequest) -> HttpResponse:
    """``?start=1`` draws a game; ``?game=`` asks its next question; with ``answer=`` says what the drawing shows."""
    if "start" in request.GET:
        return _started(request)
    if "game" not in request.GET:
        return render(request, "quiz.html", {"step": "intro"})
    game = _read(request.GET["game"])
    if game is None:
        return render(request, "quiz.html", {"step": "broken"}, status=400)
    if game.over:
        return render(request, "quiz.html", {"step": "end", "game": game})
    return _question(request, game)


def _started(request: HttpRequest) -> HttpResponse:
    spans = pick(candidates(limits_of(request)), secrets.randbits(48))
    if not spans:
        return render(request, "quiz.html", {"step": "none"})
    return redirect(_address(Game(tuple(spans))))


def _question(request: HttpRequest, game: Game) -> HttpResponse:
    question = asked(game.spans[len(game.results)], limits_of(request))
    if question is None:
        return render(request, "quiz.html", {"step": "gone", "game": game, "next": _address(game.told(SKIPPED))})
    if question.shown.face is not None:
        pictures_request([question.shown])
    answer = request.GET.get("answer", "")
    context = {"game": game, "token": _write(game), "question": question, "answer": answer}
    if answer not in EMOTIONS:
        return render(request, "quiz.html", {**context, "step": "question"})
    right = answer == question.shown.emotion
    following = game.told(RIGHT if right else WRONG)
    context |= {"right": right, "next": _address(following), "last": following.over}
    return render(request, "quiz.html", {**context, "step": "answer"})


def _address(game: Game) -> str:
    return f"{reverse('quiz')}?{urlencode({'game': _write(game)})}"


def _write(game: Game) -> str:
    return signing.dumps(game.to_list(), salt=_SALT)


def _read(text: str) -> Game | None:
    """None where it was altered, or was made by another installation."""
    try:
        found: object = signing.loads(text[:1_000], salt=_SALT)
    except (signing.BadSignature, ValueError):
        return None
    return game_of(found)
