"""The fixed catalogue that the questions written by hand are about. Small enough to work every answer out by hand."""

from __future__ import annotations

from tests.analysis.search_world import ALL, Profile, Show, Shown, Stretch, World

ABSENT = (0.0, 0.0, 0.004, 0.0)  # share, lowest, highest, expressions begun per minute
Shares = dict[str, tuple[float, float, float]]


def _profile(shares: Shares, visible_s: int = 100, readable_s: int = 80, *, enough: bool = True) -> Profile:
    found = {e: (*shares[e], 1.0) if e in shares else ABSENT for e in ALL}
    return Profile(visible_s * 1_000, readable_s * 1_000, enough, found)


def _add(
    show: Show, scene: int, who: str, emotion: str, share: float, score: float, *stretches: tuple[int, int]
) -> None:
    """A character in a scene (from 1), and the stretches in which it shows, in seconds."""
    spans = [Stretch(scene - 1, who, emotion, a * 1_000, b * 1_000, 0.9) for a, b in stretches]
    best = max(spans, key=lambda s: s.length)
    show.spans += spans
    show.shown.append(
        Shown(scene - 1, who, emotion, 20_000, 20_000, share, score, (best.start_ms, best.end_ms))
    )  # fmt: skip


def queries_world() -> World:
    cheese = Show("The Missing Cheese", "mouse-house", 1, 1936, 420_000)
    cheese.scenes = [(0, 60_000), (60_000, 180_000), (180_000, 420_000)]
    cheese.profiles = {
        "tom": _profile({"angry": (0.3, 0.2, 0.4), "sad": (0.1, 0.05, 0.2)}),
        "jerry": _profile({"happy": (0.7, 0.6, 0.8), "scared": (0.05, 0.02, 0.1)}),
    }
    _add(cheese, 1, "tom", "angry", 0.8, 0.5, (10, 22))
    _add(cheese, 1, "jerry", "happy", 0.7, 0.45, (15, 25))
    _add(cheese, 2, "tom", "sad", 0.4, 0.25, (100, 104))
    _add(cheese, 2, "jerry", "happy", 0.9, 0.6, (110, 130))
    _add(cheese, 3, "jerry", "scared", 0.3, 0.15, (300, 303))

    storm = Show("Storm at Night", "mouse-house", 1, 1938, 540_000)
    storm.scenes = [(0, 120_000), (120_000, 300_000), (300_000, 540_000)]
    storm.profiles = {
        "tom": _profile({"scared": (0.4, 0.3, 0.5)}),
        "jerry": _profile({"scared": (0.6, 0.5, 0.7), "happy": (0.1, 0.05, 0.2)}),
        "pip": _profile({"sad": (0.5, 0.35, 0.65)}, readable_s=50),
    }
    _add(storm, 1, "tom", "scared", 0.8, 0.55, (20, 30))
    _add(storm, 1, "jerry", "scared", 0.9, 0.65, (22, 40))
    _add(storm, 2, "pip", "sad", 0.7, 0.4, (150, 165))
    _add(storm, 2, "jerry", "happy", 0.3, 0.2, (200, 205))
    _add(storm, 3, "tom", "scared", 0.5, 0.3, (310, 318))

    picnic = Show("The Picnic", "mouse-house", 2, 1941, 360_000, scenes=[(0, 180_000), (180_000, 360_000)])
    picnic.profiles = {
        "jerry": _profile({"happy": (0.999, 0.996, 1.0)}),
        "rosa": _profile({"happy": (0.8, 0.7, 0.9), "disgusted": (0.05, 0.02, 0.1)}),
    }
    _add(picnic, 1, "jerry", "happy", 1.0, 0.75, (10, 60))
    _add(picnic, 1, "rosa", "happy", 0.9, 0.7, (20, 50))
    _add(picnic, 2, "jerry", "happy", 1.0, 0.72, (200, 240))
    _add(picnic, 2, "rosa", "disgusted", 0.2, 0.1, (250, 254))

    lighthouse = Show("Lighthouse", "sea-tales", 1, 1950, 720_000, strangers=True)
    lighthouse.scenes = [(0, 240_000), (240_000, 720_000)]
    lighthouse.profiles = {
        "tom": _profile({"angry": (0.05, 0.02, 0.09), "happy": (0.6, 0.5, 0.7)}),
        "pip": _profile({"happy": (0.4, 0.3, 0.5), "scared": (0.3, 0.2, 0.4)}),
    }
    _add(lighthouse, 1, "tom", "happy", 0.8, 0.58, (20, 60))
    _add(lighthouse, 1, "pip", "scared", 0.6, 0.35, (62, 70))
    _add(lighthouse, 2, "tom", "angry", 0.15, 0.08, (400, 403))
    _add(lighthouse, 2, "pip", "happy", 0.6, 0.42, (410, 440))

    fight = Show("The Fight", "sea-tales", 1, 1952, 300_000, scenes=[(0, 300_000)])
    fight.profiles = {
        "tom": _profile({"angry": (0.2, 0.1, 0.3)}, 10, 8, enough=False),
        "jerry": _profile({"happy": (0.5, 0.45, 0.55), "sad": (0.2, 0.1, 0.3)}),
    }
    _add(fight, 1, "tom", "angry", 0.5, 0.28, (30, 34))
    _add(fight, 1, "jerry", "happy", 0.5, 0.38, (36, 60))
    _add(fight, 1, "jerry", "sad", 0.3, 0.18, (100, 110))

    unfinished = Show("Unfinished", "sea-tales", 2, 1955, 480_000, partial=True, scenes=[(0, 480_000)])
    unfinished.profiles = {
        "tom": _profile({"happy": (0.5, 0.4, 0.6)}),
        "pip": _profile({"angry": (0.9, 0.8, 0.95)}),
    }
    _add(unfinished, 1, "pip", "angry", 0.95, 0.8, (10, 100))
    _add(unfinished, 1, "tom", "happy", 0.6, 0.44, (50, 80))

    characters = {"tom": "Tom", "jerry": "Jerry", "pip": "Pip", "rosa": "Rosa"}
    series = {"mouse-house": "Mouse House", "sea-tales": "Sea Tales"}
    return World(characters, series, [cheese, storm, picnic, lighthouse, fight, unfinished])


KEYS = {
    "The Missing Cheese": "Cheese",
    "Storm at Night": "Storm",
    "The Picnic": "Picnic",
    "Lighthouse": "Lighthouse",
    "The Fight": "Fight",
    "Unfinished": "Unfinished",
}
