"""The two steps that need no training of the network: the emotion layer, and the gallery of who is who."""

from __future__ import annotations

from collections import Counter
from typing import Any

import numpy as np

from ml.adapt.examples import ShowFace
from ml.adapt.heads import Faces, FittedEmotions, fit_emotions
from ml.adapt.measure import emotion_figures, shuffled
from ml.adapt.whose import FittedGallery, fit_gallery
from ml.adapt.work import Work, first_labels
from ml.types import EMOTIONS

LEAST_EMOTIONS = 10  # labelled faces from which emotions are read anew


def tune_emotions(work: Work) -> FittedEmotions | None:
    """None, with the reason in ``work.gained``, where the labels do not suffice."""
    labels, first = work.bundle.emotion_labels, first_labels(work.bundle)
    read = [f for f in work.show.faces if f.emotion in first]
    counts = Counter(f.emotion for f in read)
    listed = {str(e): counts[e] for e in EMOTIONS if e in first}
    reason = _too_little(read, len(counts))
    if reason:
        work.gained["emotions"] = {"kept": reason, "faces": len(read), "labelled": listed}
        work.say(f"emotions are read as before: {reason}")
        return None
    faces = Faces(
        work.features([f.views for f in read]),
        np.array([first[f.emotion] for f in read if f.emotion is not None], np.int64),
        tuple(f.group for f in read),
    )
    own = work.own_layer()
    fitted = fit_emotions(faces, work.rendered(work.replay.crops), own)
    kept = work.rendered(work.replay.kept_crops)
    figures: dict[str, Any] = {
        "faces": len(read),
        "labelled": listed,
        "shots": len(set(faces.groups)),
        "commonest": round(max(counts.values()) / len(read), 4),
        "remembered": {
            "faces": len(kept.emotions),
            "before": _right(own.logits(kept.features[:, 0]), kept),
            "after": _right(fitted.layer.logits(kept.features[:, 0]), kept),
        },
    }
    if fitted.held_out is None:
        work.say("what the emotions gained cannot be measured: all labelled faces are of one shot")
    else:
        chance = shuffled(faces, work.settings.seed)
        figures |= {
            "how": "each face read by a layer that saw no face of its shot",
            "before": emotion_figures(own.logits(faces.features[:, 0]), faces, labels),
            "after": emotion_figures(fitted.held_out, faces, labels),
            "shuffled": emotion_figures(fitted.held_out, chance, labels),
        }
        before, after = figures["before"], figures["after"]
        work.say(
            f"emotions on shots not seen: accuracy {_span(before, after, 'accuracy')}, "
            f"macro-F1 {_span(before, after, 'macro_f1')}"
        )
    work.gained["emotions"] = figures
    return fitted


def _too_little(read: list[ShowFace], emotions: int) -> str:
    if len(read) < LEAST_EMOTIONS:
        return f"{len(read)} labelled faces show an emotion that the bundle knows; {LEAST_EMOTIONS} are needed"
    return "all labelled faces show the same emotion" if emotions < 2 else ""


def _right(logits: np.ndarray[tuple[int, int], np.dtype[np.float64]], faces: Faces) -> float:
    return round(float((logits.argmax(1) == faces.emotions).mean()), 4)


def _span(before: dict[str, dict[str, float]], after: dict[str, dict[str, float]], name: str) -> str:
    return f"{before[name]['value']:.2f} -> {after[name]['value']:.2f}"


def make_gallery(work: Work) -> FittedGallery | None:
    """None, with the reason in ``work.gained``, where no label names a character."""
    named = [f for f in work.show.faces if f.character is not None]
    others = [f.views[0] for f in work.show.faces if f.stranger]
    if not named:
        work.gained["gallery"] = {"kept": "no label names a character"}
        work.say("no gallery: no label names a character")
        return None
    rows = np.stack([work.embeddings(list(f.views)) for f in named])
    drawn = [c.picture for c in (*work.replay.crops, *work.replay.kept_crops) if c.character == "unknown"]
    fitted = fit_gallery(
        rows,
        [f.character or "" for f in named],
        [f.group for f in named],
        work.embeddings(drawn),
        work.embeddings(others) if others else None,
    )
    work.gained["gallery"] = {
        "faces": len(named),
        "labelled": dict(Counter(f.character for f in named).most_common()),
        "judged": fitted.judged,
        "right": fitted.right,
        "wrong": fitted.wrong,
        "unknown": fitted.unknown,
        "strangers_named": fitted.strangers,
        "others": len(others),
        "others_named": fitted.others,
        "threshold": fitted.settings["threshold"],
    }
    if fitted.judged:
        work.say(f"names on shots not seen: {fitted.right} right, {fitted.wrong} wrong, {fitted.unknown} unknown")
    else:
        work.say("how well names are told cannot be measured: nobody was labelled in two shots")
    return fitted
