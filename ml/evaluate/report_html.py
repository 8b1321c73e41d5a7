"""The pieces of a report page: the page itself, tables, plots beside their numbers, pictures. Pure HTML, no script.

A page asks for nothing from anywhere: its policy forbids it, styles and pictures are inside.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from typing import Any

import cv2
import numpy as np
from numpy.typing import NDArray

NONE = "–"
STYLE = """
:root{color-scheme:light}*{box-sizing:border-box}
body{margin:0;background:#fff;color:#1a1a1a;font:16px/1.5 system-ui,sans-serif}
main{max-width:62rem;margin:0 auto;padding:1rem}
h1{font-size:1.5rem;line-height:1.25;margin:.5rem 0}
h2{font-size:1.25rem;margin:2.2rem 0 .5rem;border-top:2px solid #ccc;padding-top:.8rem}
h3{font-size:1.05rem;margin:1.3rem 0 .4rem}p{max-width:44rem;margin:.5rem 0}.quiet{color:#555}
.warn{border-left:4px solid #b34500;padding:.2rem .8rem;background:#fdf3ec}
.cards{display:grid;grid-template-columns:repeat(auto-fit,minmax(13rem,1fr));gap:.7rem;margin:1rem 0}
.card{border:1px solid #bbb;border-radius:.5rem;padding:.6rem .8rem}
.card b{display:block;font-size:1.6rem;line-height:1.2}
.card span{display:block;font-size:.875rem;color:#444}
.pair{display:grid;grid-template-columns:repeat(auto-fit,minmax(min(20rem,100%),1fr));gap:1.2rem;align-items:start}
.pair>*{min-width:0}.plot{max-width:28rem}.plot svg{width:100%;height:auto;display:block}
.plot text{font:12px system-ui,sans-serif;fill:#222}.grid{stroke:#ddd}.diagonal{stroke:#777;stroke-dasharray:2 4}
.whisker{stroke:#0b5a93;stroke-width:2;fill:none}
.key{list-style:none;display:flex;flex-wrap:wrap;gap:.1rem .9rem;margin:.2rem 0;padding:0;font-size:.875rem}
.plot svg.swatch{width:34px;height:16px;display:inline-block;vertical-align:middle;margin-right:.35rem}
.scroll{overflow-x:auto;margin:.5rem 0}table{border-collapse:collapse;font-size:.9rem;font-variant-numeric:tabular-nums}
caption{text-align:left;font-weight:600;padding:.2rem 0}
th,td{border-bottom:1px solid #ddd;padding:.25rem .55rem;text-align:right;white-space:nowrap}
th:first-child,td:first-child{text-align:left}thead th{border-bottom:2px solid #888;vertical-align:bottom}
td.right{outline:2px solid #1a1a1a;outline-offset:-2px;font-weight:600}
thead th,tbody th{white-space:normal}
@media(max-width:600px){table{font-size:.82rem}th,td{white-space:normal;padding:.25rem .35rem}
th:first-child{min-width:4.5rem}}
figure{margin:.5rem 0}img{max-width:100%;height:auto;image-rendering:auto;border:1px solid #ccc}
"""


def page(title: str, parts: Iterable[str]) -> str:
    policy = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        f'<meta http-equiv="Content-Security-Policy" content="{policy}">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head>"
        f"<body><main><h1>{escape(title)}</h1>{''.join(parts)}</main></body></html>\n"
    )


def paragraph(text: str, kind: str = "") -> str:
    return f'<p class="{kind}">{escape(text)}</p>' if kind else f"<p>{escape(text)}</p>"


def heading(text: str, level: int = 2) -> str:
    return f"<h{level}>{escape(text)}</h{level}>"


def table(columns: Sequence[str], rows: Iterable[Sequence[object]], caption: str = "") -> str:
    """The first column names the row. Text is escaped; None is a dash."""
    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in columns)
    body = "".join(_row(row) for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return scrolled(f"{title}<thead><tr>{head}</tr></thead><tbody>{body}</tbody>")


def scrolled(inside: str) -> str:
    """A table that is wider than the screen moves by itself, not the page."""
    return f'<div class="scroll" tabindex="0"><table>{inside}</table></div>'


def _row(row: Sequence[object]) -> str:
    name, *cells = (NONE if v is None else escape(str(v)) for v in row)
    return f'<tr><th scope="row">{name}</th>{"".join(f"<td>{c}</td>" for c in cells)}</tr>'


def pair(*parts: str) -> str:
    """Side by side where there is room, else one below the other."""
    return f'<div class="pair">{"".join(f"<div>{p}</div>" for p in parts if p)}</div>'


def cards(entries: Iterable[tuple[str, str, str]]) -> str:
    """Name, value, and what stands below it in small."""
    inside = "".join(
        f'<div class="card"><span>{escape(n)}</span><b>{escape(v)}</b><span>{escape(s)}</span></div>'
        for n, v, s in entries
    )
    return f'<div class="cards">{inside}</div>'


def confusion(found: Mapping[str, Any], caption: str) -> str:
    """Counts with a shade for the share of the row; the right answer is outlined."""
    labels, columns, counts = found["labels"], found["columns"], found["counts"]
    head = "".join(f'<th scope="col">{escape(c)}</th>' for c in columns)
    rows = []
    for label, row in zip(labels, counts, strict=True):
        total = sum(row)
        cells = "".join(
            f'<td class="{"right" if c == label else ""}" style="background:{_shade(n / max(total, 1))}">{n}</td>'
            for c, n in zip(columns, row, strict=True)
        )
        rows.append(f'<tr><th scope="row">{escape(label)}</th>{cells}<td>{total}</td></tr>')
    return scrolled(
        f"<caption>{escape(caption)}</caption>"
        f'<thead><tr><th scope="col">truth \\ said</th>{head}<th scope="col">faces</th></tr></thead>'
        f"<tbody>{''.join(rows)}</tbody>"
    )


def _shade(share: float) -> str:
    """White to a light blue on which black text keeps a contrast of 9 : 1."""
    return f"rgb({round(255 - 110 * share)},{round(255 - 60 * share)},255)"


def picture(title: str, pixels: NDArray[np.uint8]) -> str:
    """``pixels``: RGB, height x width x 3; inside the page as PNG."""
    _, data = cv2.imencode(".png", cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR))
    uri = "data:image/png;base64," + base64.b64encode(data.tobytes()).decode("ascii")
    return f'<figure><img src="{uri}" alt="{escape(title)}"><figcaption>{escape(title)}</figcaption></figure>'


def number(value: float | None, digits: int = 3) -> str:
    return NONE if value is None else f"{value:.{digits}f}"


def bounds(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    """``0.873 to 0.941``; a dash where there is no interval."""
    if figure is None or figure.get("low") is None:
        return NONE
    return f"{figure['low']:.{digits}f} to {figure['high']:.{digits}f}"


def with_bounds(figure: Mapping[str, Any] | None, digits: int = 3) -> str:
    if figure is None or figure.get("value") is None:
        return NONE
    text = number(figure["value"], digits)
    return text if figure.get("low") is None else f"{text} ({bounds(figure, digits)})"
