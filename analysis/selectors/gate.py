"""The one selector of limits, asked about many episodes at once: what recommendations may choose from.

A few hundred ids are looked up as they are. Who needs more gets all that the limits leave, which is kept for the same
limits until the catalogue changes. Whatever is shown in the end is asked about again, so nothing old gets through.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from analysis.limits import Limits
from analysis.recommend.features import Catalogue, Ints
from analysis.selectors.visible import episodes_visible

MOST_KEPT = 32  # limits
FEW = 1000  # ids that are looked up one by one

_kept: OrderedDict[Limits, tuple[Catalogue, Ints]] = OrderedDict()


@dataclass
class Gate:
    """Which ids are visible. Without limits all are."""

    limits: Limits
    catalogue: Catalogue
    asked: int = field(default=0, init=False)

    def __call__(self, ids: Ints) -> NDArray[np.bool_]:
        if not self.limits:
            return np.ones(len(ids), dtype=bool)
        self.asked += len(ids)
        kept = _kept.get(self.limits)
        if kept is not None and kept[0] is self.catalogue:
            return np.isin(ids, kept[1])
        if self.asked <= FEW:
            return np.isin(ids, _ids(self.limits, ids))
        return np.isin(ids, self._all())

    def _all(self) -> Ints:
        found = _ids(self.limits, None)
        _kept[self.limits] = (self.catalogue, found)
        while len(_kept) > MOST_KEPT:
            _kept.popitem(last=False)
        return found


def _ids(limits: Limits, among: Ints | None) -> Ints:
    shown = episodes_visible(limits)
    if among is not None:
        shown = shown.filter(pk__in=among.tolist())
    return np.fromiter(shown.order_by().values_list("pk", flat=True), dtype=np.int64)
