"""Runs a recipe: pictures, split, training, figures, report, and a bundle where one is asked for.

A run folder holds ``config.toml`` (every setting as used), ``run.json`` (what it learnt from, how it was split, how
long it took), ``history.jsonl`` and ``tensorboard/``, ``checkpoint.pt``, ``weights.safetensors``, ``evaluation.json``
and ``report.html``. A recipe with two parts, or with settings to vary, has one such folder for each below ``--out``.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import save_file

from ml.data.records import LabelledImage
from ml.evaluate.splits import group_digests
from ml.outputs import write_json
from ml.train.checkpoint import CheckpointInvalid
from ml.train.distributed import World
from ml.train.fit import fingerprint_of
from ml.train.pictures import Wanted, described, drawn_pictures, labelled_pictures
from ml.train.recipes import ClassifierPart, PartSettings, Recipe, to_toml, variants
from ml.train.splits import FLATTERS, Split, is_flattering, split_pictures

Say = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line asks for beside the recipe. ``rendered``: pictures to draw; 0: ``labels`` has them."""

    out: Path
    labels: Path | None = None
    images: Path | None = None
    rendered: int = 0
    scale: str = "full"

    @property
    def source(self) -> dict[str, Any]:
        if self.labels is None:
            return {"rendered": self.rendered}
        return {"labels": str(self.labels), "images": None if self.images is None else str(self.images)}


@dataclass(frozen=True, slots=True)
class PartRun:
    """One network to train: what ml.train.classifier_run and detector_run get.

    ``flatters``: empty, or why. ``facts``: what ``run.json`` says beside what training finds out.
    """

    recipe: Recipe
    name: str
    part: PartSettings
    split: Split
    folder: Path
    data: Path
    fingerprint: str
    world: World
    say: Say
    flatters: str
    facts: dict[str, Any]


def run_recipe(recipe: Recipe, asked: Asked, world: World, say: Say) -> list[Path]:
    """Trains every variant and part; gives the folders of the runs. Those that are finished are not done again."""
    folders = []
    pictures: dict[Any, tuple[LabelledImage, ...]] = {}
    chosen = variants(recipe)
    for name, variant in chosen:
        for part_name, part in variant.parts.items():
            folder = asked.out / name if name else asked.out
            folder = folder / part_name if len(variant.parts) > 1 else folder
            wanted = _wanted(part, asked)
            data = asked.out / "data"
            if wanted not in pictures:
                if world.first:
                    _pictures(asked, wanted, data, say)
                world.wait()
                pictures[wanted] = _pictures(asked, wanted, data, lambda _: None)
            if len(chosen) > 1 or len(variant.parts) > 1:
                say(f"-- {folder.relative_to(asked.out)}")
            _run_part(variant, part_name, asked, folder, pictures[wanted], world, say)
            folders.append(folder)
    return folders


def _wanted(part: PartSettings, asked: Asked) -> Wanted:
    emotions = part.emotions if isinstance(part, ClassifierPart) else ()
    return Wanted(asked.rendered, part.rendered_height, part.characters, emotions)


def _pictures(asked: Asked, wanted: Wanted, data: Path, say: Say) -> tuple[LabelledImage, ...]:
    if asked.labels is not None:
        return labelled_pictures(asked.labels, asked.images, data / "frames", say)
    digest = fingerprint_of(repr(wanted))[:10]
    return drawn_pictures(wanted, data / f"drawn-{digest}", say)


def _run_part(
    recipe: Recipe,
    name: str,
    asked: Asked,
    folder: Path,
    images: Sequence[LabelledImage],
    world: World,
    say: Say,
) -> None:
    part = recipe.parts[name]
    config = to_toml(recipe)
    _keep_config(folder, config, asked, world)
    split = split_pictures(images, part)
    fingerprint = fingerprint_of(config, *(n + described(i) for n, some in split.items() for i in some))
    started = time.time()
    flatters = FLATTERS if is_flattering(images, part) else ""
    if flatters:
        say(f"warning: {flatters}")
    say("  ".join(f"{n}: {len(some)} pictures of {len(group_digests(some))} groups" for n, some in split.items()))
    facts = {
        "format": 1,
        "recipe": recipe.name,
        "part": name,
        "source": asked.source,
        "scale": asked.scale,
        "flattering": flatters,
        "pictures": {n: len(some) for n, some in split.items()},
        "groups": group_digests([*split["train"], *split["valid"]]),
        "torch": str(torch.__version__),
        "device": world.device,
        "processes": world.size,
    }
    run = PartRun(recipe, name, part, split, folder, asked.out / "data", fingerprint, world, say, flatters, facts)
    from ml.train import classifier_run, detector_run

    found = (classifier_run if isinstance(part, ClassifierPart) else detector_run).train_part(run)
    if world.first:
        document = {**facts, **found, "seconds": round(time.time() - started, 1)}
        write_json(folder / "run.json", document, indent=1)
    world.wait()


def _keep_config(folder: Path, config: str, asked: Asked, world: World) -> None:
    """Writes ``config.toml``. Raises CheckpointInvalid where another run's is there."""
    text = f"# as used; {asked.scale} scale; pictures: {json.dumps(asked.source)}\n{config}"
    path = folder / "config.toml"
    if path.exists() and path.read_text(encoding="utf-8") != text:
        raise CheckpointInvalid(f"{folder} holds a run with other settings or other pictures; name a new folder.")
    world.wait()
    if world.first and not path.exists():
        folder.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    world.wait()


def save_weights(network: torch.nn.Module, path: Path) -> None:
    """As they are, float32; whole or not at all."""
    state = {name: value.detach().cpu().contiguous().clone() for name, value in network.state_dict().items()}
    temporary = path.with_suffix(".part")
    save_file(state, temporary)
    temporary.replace(path)
