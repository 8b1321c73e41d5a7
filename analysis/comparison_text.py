"""Comparisons of models as lines for a terminal."""

from __future__ import annotations

from collections.abc import Iterator

from analysis.ratings.moves import Bounds, Move, Tally
from analysis.selectors.comparing import BundleComparison, RunComparison


def comparison_lines(found: RunComparison, *, everything: bool = False) -> Iterator[str]:
    """What moved, what that changes for parents and limits, and how much that is."""
    before, after = found.before, found.after
    yield f"{after.episode}: run {before.pk} ({before.bundle}) -> run {after.pk} ({after.bundle})"
    for c in found.characters:
        for move in c.moves:
            if everything or move.moved or move.level_changed:
                yield f"  {c.character.name:<16} {move.emotion:<10} {move_text(move)}"
    for change in found.limits:
        turn = "shown -> hidden" if change.shown_before else "hidden -> shown"
        yield f"  limit {change.emotion} {100 * change.most:.0f} %: {turn}"
    for who, what in ((found.lost, "rated only before"), (found.gained, "rated only after")):
        if who:
            yield f"  {what}: {', '.join(c.name for c in who)}"
    yield f"{tally_text(found.tally)} {len(found.limits)} decisions of limits change."


def bundles_lines(found: BundleComparison) -> Iterator[str]:
    changed = f"{found.episodes_changed} of them change for parents"
    yield f"{found.before} -> {found.after}: {len(found.runs)} episodes, {changed}."
    for emotion, counts, change in found.by_emotion():
        yield f"  {emotion:<10} {tally_text(counts)} On average {100 * change:+.1f} points."
    for emotion, hidden, shown in found.limits_by_emotion():
        yield f"  limits on {emotion}: {hidden} would hide, {shown} would show an episode."
    if found.waiting:
        yield f"  {len(found.waiting)} episodes have no whole run of one of the two."
    if found.elsewhere:
        yield f"  {found.elsewhere} episodes show other bundles."
    yield tally_text(found.tally)


def move_text(move: Move) -> str:
    """``38 % (31 to 45, some) -> 52 % (47 to 58, a lot)  beyond both intervals``."""
    notes = ["beyond both intervals"] if move.beyond else []
    if move.level_changed:
        notes.append("level changes")
    return f"{bounds_text(move.before)} -> {bounds_text(move.after)}" + (f"  {', '.join(notes)}" if notes else "")


def bounds_text(b: Bounds | None) -> str:
    if b is None:
        return "nothing"
    return f"{100 * b.share:.0f} % ({100 * b.low:.0f} to {100 * b.high:.0f}, {b.level or 'not enough evidence'})"


def tally_text(t: Tally) -> str:
    return (
        f"{t.moved} of {t.ratings} ratings moved, by {100 * t.mean_points:.1f} points on average, "
        f"{t.beyond} beyond both intervals; {t.levels} levels change."
    )
