"""Places with a roof: kitchen, parlour, bedroom by night."""

from __future__ import annotations

from ml.render import props
from ml.render.canvas import Canvas, Colour, ellipse, mix, polygon, scale_colour, smooth
from ml.render.scenery import WHITE, Area, Rng, hsv, put, vertical


def _wall(c: Canvas, rng: Rng, area: Area, hue: float, value: float = 0.9) -> None:
    base = hsv(hue, rng.uniform(0.14, 0.34), value)
    c.fill(area.band(area.top, area.floor), vertical(area, area.top, area.floor, mix(base, WHITE, 0.2), base))
    kind = rng.integers(3)
    if kind == 0:
        step = rng.uniform(26, 44)
        for k in range(int(area.width / step) + 1):
            x = area.left + k * step
            c.fill(
                polygon([(x, area.top), (x + step / 2, area.top), (x + step / 2, area.floor), (x, area.floor)]),
                scale_colour(base, 0.965),
            )
    elif kind == 1:
        for k in range(int(area.width / 40) + 1):
            for j in range(9):
                x, y = area.left + 40 * k + (20 if j % 2 else 0), area.top + 42 * j
                if y < area.floor - 10:
                    c.fill(ellipse(x, y, 5, 5, n=16), mix(base, WHITE, 0.35))


def _floorboards(c: Canvas, rng: Rng, area: Area, colour: Colour) -> None:
    c.fill(
        area.band(area.floor, area.bottom), vertical(area, area.floor, area.bottom, scale_colour(colour, 0.86), colour)
    )
    middle = area.x(0.5)
    for k in range(-14, 15):
        x = middle + 46 * k
        c.stroke(
            polygon([(x, area.floor), (middle + (x - middle) * 2.1, area.bottom)]), scale_colour(colour, 0.74), 1.3
        )
    skirting = area.band(area.floor - 9, area.floor)
    c.shape(skirting, mix(colour, WHITE, 0.55), scale_colour(colour, 0.6), 1.2)


def kitchen(c: Canvas, rng: Rng, area: Area) -> None:
    _wall(c, rng, area, rng.uniform(0.1, 0.5))
    tile = 34.0
    a, b = (244.0, 238.0, 226.0), hsv(rng.uniform(0, 1), 0.25, 0.8)
    c.fill(area.band(area.floor, area.bottom), a)
    for j in range(5):
        for k in range(int(area.width / tile) + 2):
            if (j + k) % 2:
                y0, y1 = area.floor + 26 * j, area.floor + 26 * (j + 1)
                x0 = area.left + tile * k
                c.fill(
                    polygon(
                        [
                            (x0 - 6 * j, y0),
                            (x0 + tile - 6 * j, y0),
                            (x0 + tile - 6 * (j + 1), y1),
                            (x0 - 6 * (j + 1), y1),
                        ]
                    ),
                    b,
                )
    wood = hsv(rng.uniform(0.02, 0.6), 0.35, rng.uniform(0.6, 0.8))
    for share in (0.08, 0.26, 0.66, 0.84):
        x = area.x(share)
        c.shape(
            polygon([(x, 150), (x + 150, 150), (x + 150, area.floor), (x, area.floor)]),
            wood,
            scale_colour(wood, 0.6),
            2,
        )
        c.shape(
            polygon([(x + 10, 168), (x + 140, 168), (x + 140, area.floor - 10), (x + 10, area.floor - 10)]),
            mix(wood, WHITE, 0.14),
            scale_colour(wood, 0.7),
            1.5,
        )
        c.fill(ellipse(x + 128, 205, 4, 4, n=16), scale_colour(wood, 0.45))
        c.shape(
            polygon([(x - 5, 140), (x + 155, 140), (x + 155, 152), (x - 5, 152)]),
            (236.0, 230.0, 220.0),
            (150.0, 140.0, 130.0),
            1.5,
        )
    put(c, props.window, rng, area.x(0.52), 80, 52)
    put(c, props.vase, rng, area.x(0.32), 118, 22)
    put(c, props.clock, rng, area.x(0.76), 60, 24)


def parlour(c: Canvas, rng: Rng, area: Area) -> None:
    _wall(c, rng, area, rng.uniform(0, 1), 0.84)
    _floorboards(c, rng, area, hsv(rng.uniform(0.05, 0.09), rng.uniform(0.35, 0.5), rng.uniform(0.62, 0.78)))
    rug = hsv(rng.uniform(0, 1), 0.45, 0.75)
    c.fill(ellipse(area.x(0.5), area.floor + 62, 250, 34), rug)
    c.stroke(ellipse(area.x(0.5), area.floor + 62, 225, 28), mix(rug, WHITE, 0.5), 5, closed=True)
    put(c, props.window, rng, area.x(rng.uniform(0.22, 0.34)), 105, 62)
    put(c, props.picture, rng, area.x(rng.uniform(0.5, 0.6)), 84, 34)
    put(c, props.lamp, rng, area.x(rng.uniform(0.66, 0.72)), area.floor - 66, 66)
    put(c, props.drawers, rng, area.x(rng.uniform(0.8, 0.88)), area.floor - 44, 50)
    sofa = hsv(rng.uniform(0, 1), 0.4, 0.66)
    x, y = area.x(0.42), area.floor
    for part in (
        polygon([(x - 105, y - 85), (x + 105, y - 85), (x + 105, y), (x - 105, y)]),
        polygon([(x - 122, y - 50), (x - 92, y - 50), (x - 92, y + 12), (x - 122, y + 12)]),
        polygon([(x + 92, y - 50), (x + 122, y - 50), (x + 122, y + 12), (x + 92, y + 12)]),
        polygon([(x - 95, y - 32), (x + 95, y - 32), (x + 95, y + 10), (x - 95, y + 10)]),
    ):
        c.shape(smooth(part, steps=3) if len(part) > 6 else part, sofa, scale_colour(sofa, 0.6), 2.5)
        sofa = mix(sofa, WHITE, 0.07)


def bedroom(c: Canvas, rng: Rng, area: Area) -> None:
    night = (58.0, 66.0, 112.0)
    c.fill(
        area.band(area.top, area.floor),
        vertical(area, area.top, area.floor, scale_colour(night, 0.8), mix(night, WHITE, 0.16)),
    )
    _floorboards(c, rng, area, (98.0, 84.0, 106.0))
    x = area.x(0.3)
    c.shape(
        polygon([(x - 62, 30), (x + 62, 30), (x + 62, 160), (x - 62, 160)]),
        (30.0, 34.0, 80.0),
        (180.0, 170.0, 190.0),
        6,
    )
    c.fill(ellipse(x + 18, 76, 24, 24), (252.0, 244.0, 200.0))
    c.fill(ellipse(x + 30, 70, 21, 21), (30.0, 34.0, 80.0))
    c.stroke(polygon([(x, 30), (x, 160)]), (180.0, 170.0, 190.0), 4)
    c.fill(
        polygon([(x - 62, area.floor + 20), (x + 62, area.floor + 20), (x + 170, area.bottom), (x - 10, area.bottom)]),
        (170.0, 180.0, 220.0),
        alpha=0.25,
    )
    bed = hsv(rng.uniform(0.5, 0.95), 0.35, 0.6)
    bx = area.x(0.74)
    c.shape(
        polygon([(bx - 120, 170), (bx - 100, 170), (bx - 100, area.floor + 20), (bx - 120, area.floor + 20)]),
        (120.0, 82.0, 70.0),
        (70.0, 46.0, 44.0),
        2,
    )
    c.shape(
        polygon([(bx - 100, 205), (bx + 130, 205), (bx + 130, area.floor + 6), (bx - 100, area.floor + 6)]),
        bed,
        scale_colour(bed, 0.6),
        2,
    )
    c.shape(
        smooth([(bx - 98, 192), (bx - 50, 186), (bx - 30, 206), (bx - 96, 212)]),
        (230.0, 230.0, 244.0),
        (140.0, 140.0, 170.0),
        2,
    )
    put(c, props.picture, rng, area.x(0.55), 80, 28)
