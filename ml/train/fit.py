"""The training loop: one for every task, recipe and device.

What step n draws at random follows from (seed, n) alone: dropout and samplers from a generator that is seeded anew at
every step, the order of an epoch from (seed, epoch), the changes to a picture from (seed, epoch, number of the
picture). So a run that was killed goes on to the same weights, whatever the number of loader processes.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

import numpy as np
import torch
from torch import Tensor, nn

from ml.errors import InternalError, ModelOutputInvalid
from ml.train.checkpoint import (
    BEST_FILE,
    CHECKPOINT_FORMAT,
    Position,
    read_checkpoint,
    read_tensors,
    save_checkpoint,
    save_tensors,
)
from ml.train.distributed import World
from ml.train.history import History
from ml.train.loader import Batch, epoch_batches, load_batches, on_device, slices
from ml.train.loop import total_loss
from ml.train.optimise import build_optimiser, rate_of
from ml.train.progress import Progress
from ml.train.recipes import PartSettings, Stage

Say = Callable[[str], None]


class MemoryShort(InternalError):
    """Not even one picture at a time fits into the device's memory."""

    code = "memory_short"


class Task(Protocol):
    """What is learnt. ``network``: on the device. ``losses``: a module around it; it takes a batch and gives losses,
    which are added up, and measures, which are not; both by name, means over the batch.
    """

    network: nn.Module
    losses: nn.Module
    count: int  # pictures to learn from

    def item(self, index: int, rng: np.random.Generator) -> Any:
        """One picture with its truth, changed as ``rng`` says; runs in loader processes."""
        ...

    def collate(self, items: Sequence[Any]) -> Batch: ...

    def enter(self, stage: Stage) -> None:
        """Sets which parameters learn."""
        ...

    def train_mode(self) -> None: ...

    def validate(self) -> dict[str, float]:
        """Figures on the validation pictures, ``loss`` among them; empty where there are none."""
        ...


@dataclass(slots=True)
class _Run:
    """What the functions below share."""

    task: Task
    part: PartSettings
    out: Path
    world: World
    fingerprint: str
    say: Say
    position: Position
    resumed: Mapping[str, Any] | None
    history: History | None
    progress: Progress


def fit(task: Task, part: PartSettings, out: Path, fingerprint: str, world: World, say: Say) -> Position:
    """Trains ``task.network`` in place, from the checkpoint in ``out`` where there is one; ends with the best weights.

    ``fingerprint``: of everything that decides the result. Raises ModelOutputInvalid at a loss that is not finite,
    CheckpointInvalid, MemoryShort.
    """
    if part.threads:
        torch.set_num_threads(part.threads)
    found = read_checkpoint(out, fingerprint)
    position = found[0] if found else Position()
    if found:
        task.network.load_state_dict(found[1]["network"])
        say(f"goes on after step {position.step}")
    total = sum(_stage_steps(part, stage, task.count, world) for stage in part.all_stages())
    total = min(total, part.steps) if part.steps else total
    history = History(out, position.step) if world.first else None
    progress = Progress(total if world.first else 1, position.step)
    run = _Run(task, part, out, world, fingerprint, say, position, found[1] if found else None, history, progress)
    try:
        for number, stage in enumerate(part.all_stages()):
            if number >= position.stage and not position.finished:
                _stage(run, number, stage)
    finally:
        progress.close()
        if history is not None:
            history.close()
    world.wait()
    if part.keep == "best" and position.best < math.inf:
        task.network.load_state_dict(read_tensors(out / BEST_FILE)["network"])
    return position


def fingerprint_of(*texts: str) -> str:
    return hashlib.sha256("\0".join(texts).encode()).hexdigest()


# ------------------------------------------------------------------------------------------------ stages and epochs


def _stage(run: _Run, number: int, stage: Stage) -> None:
    task, part, position = run.task, run.part, run.position
    task.enter(stage)
    trained = [p for p in task.losses.parameters() if p.requires_grad]
    optimiser = build_optimiser(trained, part, stage)
    scaler = torch.amp.GradScaler("cuda", enabled=precision_of(part, run.world.device) is torch.float16)
    if run.resumed is not None and position.stage_step > 0:
        optimiser.load_state_dict(run.resumed["optimiser"])
        scaler.load_state_dict(run.resumed["scaler"])
    run.resumed = None
    model = _wrapped(run)
    steps = _stage_steps(part, stage, task.count, run.world)
    while position.epoch < stage.epochs and not _is_over(run) and not _is_impatient(run):
        for batch in _batches(run, number):
            rate = rate_of(part, stage, position.stage_step, position.epoch, steps)
            _learn(run, model, optimiser, scaler, batch, rate)
            if position.step % part.save_every == 0 and not _is_over(run):
                _save(run, optimiser, scaler)
            if _is_over(run):
                break
        _end_epoch(run)
    if _is_impatient(run):
        run.say(f"step {position.step}: no better for {part.patience} epochs, this stage ends")
    position.stage, position.epoch, position.batch, position.stage_step = number + 1, 0, 0, 0
    position.stage_best, position.waited = math.inf, 0
    position.finished = _is_over(run) or position.stage == len(part.all_stages())
    _save(run, optimiser, scaler)


def _end_epoch(run: _Run) -> None:
    """Validates, and keeps the best weights. Raises ModelOutputInvalid at a loss that is not finite."""
    position = run.position
    _report(run)
    figures = run.world.agreed(run.task.validate() if run.world.first else {})
    run.task.train_mode()
    position.epoch, position.batch = position.epoch + 1, 0
    if not figures:
        return
    if run.history is not None:
        run.history.add(position.step, "valid", figures)
    run.say(f"step {position.step}  validation  " + _figures_line(figures))
    loss = figures["loss"]
    if not math.isfinite(loss):
        raise ModelOutputInvalid(f"Training stopped at step {position.step}: the validation loss is {loss}.")
    if loss < position.best:
        position.best = loss
        if run.world.first and run.part.keep == "best":
            state = {"format": CHECKPOINT_FORMAT, "network": run.task.network.state_dict()}
            save_tensors(run.out / BEST_FILE, state)
    position.waited = 0 if loss < position.stage_best else position.waited + 1
    position.stage_best = min(loss, position.stage_best)


def _is_impatient(run: _Run) -> bool:
    return 0 < run.part.patience <= run.position.waited


def _is_over(run: _Run) -> bool:
    return 0 < run.part.steps <= run.position.step


def _save(run: _Run, optimiser: torch.optim.Optimizer, scaler: torch.amp.GradScaler) -> None:
    if run.world.first:
        save_checkpoint(run.out, run.position, run.fingerprint, run.task.network, optimiser, scaler)


def _wrapped(run: _Run) -> nn.Module:
    run.task.train_mode()
    if run.world.size == 1:
        return run.task.losses
    devices = [torch.device(run.world.device)] if run.world.device != "cpu" else None
    return nn.parallel.DistributedDataParallel(run.task.losses, device_ids=devices, find_unused_parameters=True)


def _batches(run: _Run, stage: int) -> Iterator[Batch]:
    """What is left of the current epoch."""
    part, position = run.part, run.position
    epoch = stage * 100_000 + position.epoch
    chosen = epoch_batches(run.task.count, part.batch, [part.seed, epoch], run.world)[position.batch :]
    return load_batches(run.task, chosen, (part.seed, epoch), part.workers, pin=run.world.device != "cpu")


def _stage_steps(part: PartSettings, stage: Stage, count: int, world: World) -> int:
    return stage.epochs * len(epoch_batches(count, part.batch, [0], world))


# ------------------------------------------------------------------------------------------------ steps


def _learn(
    run: _Run,
    model: nn.Module,
    optimiser: torch.optim.Optimizer,
    scaler: torch.amp.GradScaler,
    batch: Batch,
    rate: float,
) -> None:
    part, position = run.part, run.position
    for group in optimiser.param_groups:
        group["lr"] = rate
    losses = _gradients(run, model, optimiser, scaler, on_device(batch, run.world.device))
    if part.clip:
        scaler.unscale_(optimiser)
        nn.utils.clip_grad_norm_([p for g in optimiser.param_groups for p in g["params"]], part.clip)
    scaler.step(optimiser)
    scaler.update()
    position.step += 1
    position.stage_step += 1
    position.batch += 1
    for name, value in losses.items():
        position.sums[name] = position.sums.get(name, 0.0) + value
    position.summed += 1
    run.progress.update(position.step, f"loss {losses['loss']:.4f}")
    position.sums["rate"] = position.sums.get("rate", 0.0) + rate
    if position.step % part.report_every == 0:
        _report(run)


def _report(run: _Run) -> None:
    """Means since the last report."""
    position = run.position
    if not position.summed:
        return
    figures = {name: value / position.summed for name, value in position.sums.items()}
    if run.history is not None:
        run.history.add(position.step, "train", figures)
    run.say(f"step {position.step}  " + _figures_line(figures))
    position.sums, position.summed = {}, 0


def _gradients(
    run: _Run, model: nn.Module, optimiser: torch.optim.Optimizer, scaler: torch.amp.GradScaler, batch: Batch
) -> dict[str, float]:
    """Gradients of the whole batch, taken in as many slices as memory asks for. Gives the mean losses."""
    size = len(next(iter(batch.values())))
    while True:
        optimiser.zero_grad(set_to_none=True)
        torch.manual_seed(_step_seed(run))
        try:
            return _accumulated(run, model, scaler, batch, size)
        except torch.OutOfMemoryError as error:
            if run.world.size > 1 or run.position.parts >= size:
                raise MemoryShort(
                    f"The memory of {run.world.device} does not hold {math.ceil(size / run.position.parts)} pictures; "
                    "train with smaller pictures, or with a smaller batch."
                ) from error
            run.position.parts *= 2
        torch.cuda.empty_cache()
        run.say(f"step {run.position.step}: out of memory, batches are taken in {run.position.parts} slices from here")


def _accumulated(
    run: _Run, model: nn.Module, scaler: torch.amp.GradScaler, batch: Batch, size: int
) -> dict[str, float]:
    means: dict[str, float] = {}
    precision = precision_of(run.part, run.world.device)
    for piece, share in slices(batch, size, run.position.parts):
        kind = torch.device(run.world.device).type
        with torch.autocast(kind, precision, enabled=precision is not torch.float32):
            losses, measures = model(piece)
        loss = total_loss(losses, run.position.step)
        scaler.scale(loss * share).backward()  # type: ignore[no-untyped-call]
        shown: dict[str, Tensor] = {"loss": loss, **(losses if len(losses) > 1 else {}), **measures}
        for name, value in shown.items():
            means[name] = means.get(name, 0.0) + float(value.detach()) * share
    return means


def _step_seed(run: _Run) -> int:
    seeds = np.random.SeedSequence([run.part.seed, run.position.step, run.world.rank])
    return int(seeds.generate_state(1, np.uint64)[0] >> np.uint64(1))


def precision_of(part: PartSettings, device: str) -> torch.dtype:
    """``auto``: bfloat16 on a GPU that computes in it, float16 on another, float32 on a processor."""
    named = {"float32": torch.float32, "bfloat16": torch.bfloat16, "float16": torch.float16}
    if part.precision in named:
        return named[part.precision] if device != "cpu" or part.precision != "float16" else torch.bfloat16
    if device == "cpu":
        return torch.float32
    return torch.bfloat16 if torch.cuda.is_bf16_supported(including_emulation=False) else torch.float16


def _figures_line(figures: Mapping[str, float]) -> str:
    return "  ".join(f"{name} {value:.4g}" for name, value in figures.items())
