"""Learning to find faces: pictures in, boxes, masks and names out. A task for ml.train.fit."""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from ml.data.frames import load_image
from ml.data.records import LabelledFace, LabelledImage
from ml.detect.network import train_mode
from ml.evaluate.labels import is_ignored, truth_mask
from ml.masks import decode_mask
from ml.train.augment import augmented
from ml.train.crops import UNKNOWN, character_word
from ml.train.loader import Batch, on_device
from ml.train.recipes import DetectorPart, Stage
from ml.train.store import Labelled, Picture

AT_ONCE = 2  # pictures, where nothing is learnt
LEAST_SIDE = 2.0  # pixels of a face at the network's size; a smaller one is left out
Rng = np.random.Generator


class DetectorTask:
    """``names``: of the classes from 1 on; 0 is the background."""

    def __init__(
        self,
        part: DetectorPart,
        names: Sequence[str],
        train: Sequence[LabelledImage],
        valid: Sequence[LabelledImage],
        network: nn.Module,
        device: str,
    ) -> None:
        self.part, self.names, self.device = part, tuple(names), device
        self.train, self.valid = list(train), list(valid)
        self.network: nn.Module = network.to(device)
        self.losses: nn.Module = _Losses(self.network)
        self.count = len(self.train)

    def item(self, index: int, rng: Rng) -> tuple[Tensor, dict[str, Tensor]]:
        picture = labelled_picture(self.train[index], self.names)
        size = (self.part.height, self.part.width)
        if self.part.augment == "film":
            picture = augmented(picture, rng, size)
        else:
            picture = fitted(picture, size, mirrored=self.part.augment == "mirror" and rng.random() < 0.5)
        return as_tensors(picture, self.names)

    def collate(self, items: Sequence[tuple[Tensor, dict[str, Tensor]]]) -> Batch:
        """``pictures``: float (3, height, width) in [0, 1]; ``targets``: ``boxes``, ``labels``, ``masks``."""
        return {"pictures": [picture for picture, _ in items], "targets": [target for _, target in items]}

    def enter(self, stage: Stage) -> None:
        """``head``: nothing of the backbone but its pyramid learns; the first ``frozen_blocks`` never do."""
        for name, parameter in self.network.named_parameters():
            body = name.startswith("backbone.") and not name.startswith("backbone.fpn")
            parameter.requires_grad_(stage.train != "head" or not body)
        features = getattr(getattr(self.network, "backbone", None), "features", None)
        for block in list(features)[: self.part.frozen_blocks] if isinstance(features, nn.ModuleList) else []:
            block.requires_grad_(False)

    def train_mode(self) -> None:
        train_mode(self.network)
        self.losses.training = True

    @torch.no_grad()
    def validate(self) -> dict[str, float]:
        """The losses of training, without changes to the pictures."""
        self.train_mode()
        sums: dict[str, float] = {}
        size = (self.part.height, self.part.width)
        for start in range(0, len(self.valid), AT_ONCE):
            some = self.valid[start : start + AT_ONCE]
            torch.manual_seed(self.part.seed + start)
            items = [as_tensors(fitted(labelled_picture(i, self.names), size), self.names) for i in some]
            losses, _ = self.losses(on_device(self.collate(items), self.device))
            for name, loss in losses.items():
                sums[name] = sums.get(name, 0.0) + float(loss) * len(some) / len(self.valid)
        return {"loss": sum(sums.values()), **sums} if sums else {}


class _Losses(nn.Module):
    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, batch: Batch) -> tuple[dict[str, Tensor], dict[str, Tensor]]:
        losses: dict[str, Tensor] = self.network(batch["pictures"], batch["targets"])
        return {name: loss.float() for name, loss in losses.items()}, {}


# ------------------------------------------------------------------------------------------------ pictures


def class_names(images: Sequence[LabelledImage], part: DetectorPart) -> tuple[str, ...]:
    """Of the classes from 1 on: the recipe's characters or all that the labels name, and ``unknown`` if it is asked."""
    found = {character_word(face) for image in images for face in image.faces if not is_ignored(face)} - {UNKNOWN}
    return (*(part.characters or tuple(sorted(found))), *([UNKNOWN] if part.unknown else []))


def labelled_picture(image: LabelledImage, names: Sequence[str]) -> Picture:
    """The pixels, and the faces that have a class."""
    frame = load_image(image)
    return Picture(frame, tuple(f for face in image.faces if (f := _labelled(face, frame, names)) is not None))


def _labelled(face: LabelledFace, frame: NDArray[np.uint8], names: Sequence[str]) -> Labelled | None:
    name = character_word(face)
    if is_ignored(face) or (name not in names and UNKNOWN not in names):
        return None
    height, width = frame.shape[:2]
    coded = truth_mask(face, height, width)
    if coded is not None:
        mask = decode_mask(coded)
    else:
        x1, y1, x2, y2 = (round(v) for v in face.box)
        mask = np.zeros((height, width), bool)
        mask[max(y1, 0) : y2, max(x1, 0) : x2] = True
    return Labelled(face.box, mask, name if name in names and name != UNKNOWN else None)


def fitted(picture: Picture, size: tuple[int, int], *, mirrored: bool = False) -> Picture:
    """Resized to fit into ``size`` (height, width) at the upper left, aspect kept, the rest black."""
    height, width = picture.frame.shape[:2]
    scale = min(size[0] / height, size[1] / width)
    new_height, new_width = max(1, round(height * scale)), max(1, round(width * scale))
    how = cv2.INTER_AREA if scale < 1 else cv2.INTER_LINEAR
    frame = np.zeros((*size, 3), np.uint8)
    small = cv2.resize(picture.frame, (new_width, new_height), interpolation=how)
    frame[:new_height, :new_width] = small[:, ::-1] if mirrored else small
    faces = []
    for face in picture.faces:
        x1, y1, x2, y2 = (v * s for v, s in zip(face.box, (new_width / width, new_height / height) * 2, strict=True))
        if mirrored:
            x1, x2 = new_width - x2, new_width - x1
        if min(x2 - x1, y2 - y1) < LEAST_SIDE:
            continue
        mask = np.zeros(size, bool)
        little = cv2.resize(face.mask.astype(np.uint8), (new_width, new_height), interpolation=cv2.INTER_NEAREST)
        mask[:new_height, :new_width] = little[:, ::-1] if mirrored else little
        faces.append(Labelled((x1, y1, x2, y2), mask, face.character, face.emotion))
    return Picture(frame, tuple(faces))


def as_tensors(picture: Picture, names: Sequence[str]) -> tuple[Tensor, dict[str, Tensor]]:
    height, width = picture.frame.shape[:2]
    labels = [list(names).index(face.character or UNKNOWN) + 1 for face in picture.faces]
    masks = np.stack([f.mask for f in picture.faces]) if picture.faces else np.zeros((0, height, width), bool)
    target = {
        "boxes": torch.tensor([f.box for f in picture.faces], dtype=torch.float32).reshape(-1, 4),
        "labels": torch.tensor(labels, dtype=torch.int64),
        "masks": torch.from_numpy(masks.astype(np.uint8)),
    }
    return torch.from_numpy(np.ascontiguousarray(picture.frame)).permute(2, 0, 1).float().div_(255), target
