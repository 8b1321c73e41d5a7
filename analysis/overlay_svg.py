"""One moment's overlay as a picture without a background, to lay over the film's."""

from __future__ import annotations

from collections.abc import Sequence
from xml.sax.saxutils import escape, quoteattr

from analysis.outlines import Ring
from analysis.selectors.overlays import OverlayDrawing, OverlayFace

NOBODY = "#6b7280"  # the colour of whoever is not known


def overlay_svg(drawings: Sequence[OverlayDrawing], size: tuple[int, int]) -> str:
    """Masks filled thinly, boxes where there is no mask, and above each face its name and emotion."""
    width, height = size
    faces = "".join(_face(face, height) for drawing in drawings for face in drawing.faces)
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}"'
        f' font-family="system-ui, sans-serif" font-size="{max(10, height // 24)}">{faces}</svg>\n'
    )


def _face(face: OverlayFace, height: int) -> str:
    x1, y1, x2, y2 = face.box
    rings = face.outline or (((x1, y1), (x2, y1), (x2, y2), (x1, y2)),)
    name = face.character.name if face.character is not None else "?"
    colour = quoteattr(face.character.colour if face.character is not None else NOBODY)
    above = y1 - height / 60 if y1 > height / 14 else y2 + height / 20
    return (
        f'<path d="{" ".join(map(_path, rings))}" fill={colour} fill-opacity=".25" fill-rule="evenodd" stroke={colour}'
        f' stroke-width="{max(1.5, height / 180):g}" stroke-linejoin="round"/>'
        f'<text x="{(x1 + x2) / 2:g}" y="{above:g}" text-anchor="middle" fill="#fff" stroke="#111" stroke-width="3"'
        f' paint-order="stroke">{escape(name)}: {escape(face.emotion)}</text>'
    )


def _path(ring: Ring) -> str:
    return "M" + "L".join(f"{x:g} {y:g}" for x, y in ring) + "Z"
