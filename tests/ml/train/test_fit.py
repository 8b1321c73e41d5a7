"""The loop: it goes on after a kill as if nothing had happened, stops where it must, and shares its work."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import torch

from ml.errors import ModelOutputInvalid
from ml.train.checkpoint import CheckpointInvalid, read_tensors
from ml.train.distributed import World
from ml.train.fit import MemoryShort, fit, precision_of
from ml.train.history import read_history
from ml.train.loader import epoch_batches
from ml.train.recipes import Stage
from tests.ml.train.tiny import POINTS, TinyTask, settings

ROOT = Path(__file__).resolve().parents[3]
Weights = dict[str, Any]


def trained(out: Path, task: TinyTask | None = None, said: list[str] | None = None, **changes: Any) -> Weights:
    task = task or TinyTask()
    fit(task, settings(**changes), out, "same", World(), (said if said is not None else []).append)
    return task.network.state_dict()


def same(one: Weights, other: Weights) -> bool:
    return all(torch.equal(one[name], other[name]) for name in one)


def history(out: Path) -> list[tuple[int, str, str, float]]:
    return [(m.step, m.split, m.name, m.value) for m in read_history(out)]


@pytest.mark.parametrize("step", [pytest.param(13, marks=pytest.mark.slow), 30])
def test_a_killed_run_goes_on_to_the_same_bits(tmp_path: Path, step: int) -> None:
    command = [sys.executable, "-m", "tests.ml.train.tiny", str(tmp_path / "killed"), str(step)]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == -signal.SIGKILL, done.stderr
    kept = read_tensors(tmp_path / "killed" / "checkpoint.pt")["position"]
    assert 0 < kept["step"] <= step
    said: list[str] = []
    resumed = trained(tmp_path / "killed", said=said)
    whole = trained(tmp_path / "whole")
    assert said[0] == f"goes on after step {kept['step']}"
    assert same(resumed, whole)
    assert history(tmp_path / "killed") == history(tmp_path / "whole")
    assert not same(whole, TinyTask().network.state_dict())


def test_every_checkpoint_of_a_run_leads_to_the_same_bits(tmp_path: Path) -> None:
    """Also those at the end of an epoch and of a stage."""
    whole = trained(tmp_path / "whole", save_every=1)
    for step in (7, 8, 24, 31):
        out = tmp_path / str(step)

        def stop(line: str, step: int = step) -> None:
            if line.startswith(f"step {step} "):
                raise KeyboardInterrupt

        for _ in range(2):
            with pytest.raises(KeyboardInterrupt):
                fit(TinyTask(), settings(save_every=1), out, "same", World(), stop)
        assert same(trained(out, save_every=1), whole), step


def test_loader_processes_change_nothing(tmp_path: Path) -> None:
    few: dict[str, Any] = {"epochs": 1, "stages": ()}
    assert same(trained(tmp_path / "a", **few), trained(tmp_path / "b", workers=2, **few))


def test_the_loss_falls_and_the_best_weights_are_kept(tmp_path: Path) -> None:
    task = TinyTask()
    task.validations = [0.9, 0.5, 0.7, 0.6, 0.8]
    weights = trained(tmp_path, task, stages=(), epochs=5)
    losses = [value for _, split, name, value in history(tmp_path) if (split, name) == ("train", "loss")]
    assert sum(losses[-5:]) < 0.5 * sum(losses[:5])
    assert same(weights, trained(tmp_path / "two", TinyTask(), stages=(), epochs=2, keep="last"))


def test_a_stage_ends_when_patience_does(tmp_path: Path) -> None:
    task = TinyTask()
    task.validations = [0.5, 0.6, 0.7, 0.4, 0.45]
    said: list[str] = []
    trained(tmp_path, task, said, epochs=9, patience=2)
    validated = [step for step, split, name, _ in history(tmp_path) if (split, name) == ("valid", "loss")]
    assert validated[:3] == [8, 16, 24]
    assert any("this stage ends" in line for line in said)
    assert read_tensors(tmp_path / "checkpoint.pt")["position"]["finished"]


def test_frozen_layers_do_not_move(tmp_path: Path) -> None:
    before = TinyTask().network.state_dict()
    after = trained(tmp_path, stages=(Stage("head"),))
    assert torch.equal(before["0.weight"], after["0.weight"])
    assert not torch.equal(before["3.weight"], after["3.weight"])


def test_a_loss_that_is_not_finite_stops(tmp_path: Path) -> None:
    with pytest.raises(ModelOutputInvalid, match=r"stopped at step \d+: the loss 'points' is nan"):
        trained(tmp_path, TinyTask(poison=3))
    task = TinyTask()
    task.validations = [float("nan")]
    with pytest.raises(ModelOutputInvalid, match="validation loss"):
        trained(tmp_path / "valid", task)


class Crowded(TinyTask):
    """Memory for ``room`` points at a time, as a GPU would say it."""

    def __init__(self, room: int) -> None:
        super().__init__(dropout=0.0)
        whole = self.losses.forward

        def forward(batch: dict[str, Any]) -> Any:
            if len(batch["classes"]) > room:
                raise torch.OutOfMemoryError("CUDA out of memory")
            self.sizes.append(len(batch["classes"]))
            return whole(batch)

        self.losses.forward = forward


def test_short_memory_halves_the_batch_and_keeps_the_gradient(tmp_path: Path) -> None:
    task, said = Crowded(3), list[str]()
    crowded = trained(tmp_path / "a", task, said, stages=(), epochs=1)
    roomy = trained(tmp_path / "b", TinyTask(dropout=0.0), stages=(), epochs=1)
    assert max(task.sizes) == 2
    assert sum("out of memory" in line for line in said) == 2
    for name, value in roomy.items():
        assert torch.allclose(crowded[name], value, atol=1e-6)
    with pytest.raises(MemoryShort, match="does not hold 1 pictures"):
        trained(tmp_path / "c", Crowded(0))


def test_another_run_s_folder_is_refused(tmp_path: Path) -> None:
    trained(tmp_path, epochs=1, stages=())
    with pytest.raises(CheckpointInvalid, match="other settings"):
        fit(TinyTask(), settings(), tmp_path, "another", World(), lambda _: None)
    (tmp_path / "checkpoint.pt").write_bytes(b"nonsense")
    with pytest.raises(CheckpointInvalid, match="cannot be read"):
        trained(tmp_path)


@pytest.mark.slow
def test_two_processes_learn_as_one_with_the_whole_batch(tmp_path: Path) -> None:
    launcher = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc_per_node", "2"]
    command = [*launcher, "-m", "tests.ml.train.tiny", str(tmp_path / "two"), "0", "plain"]
    done = subprocess.run(command, cwd=ROOT, check=False, capture_output=True, text=True, timeout=120)
    assert done.returncode == 0, done.stderr[-3000:]
    two = torch.load(tmp_path / "two" / "result.pt", weights_only=True)
    one = trained(tmp_path / "one", TinyTask(dropout=0.0), keep="last")
    for name, value in one.items():
        assert torch.allclose(two[name], value, atol=1e-5), name


def test_processes_share_every_batch() -> None:
    shares = [epoch_batches(POINTS, 8, [1], World(rank, 2)) for rank in (0, 1)]
    whole = epoch_batches(POINTS, 8, [1], World())
    for left, right, both in zip(*shares, whole, strict=True):
        assert len(left) == len(right)
        assert sorted(left + right) == sorted(both)
    assert epoch_batches(9, 4, [1], World()) == epoch_batches(9, 4, [1], World())
    assert [len(batch) for batch in epoch_batches(9, 4, [1], World())] == [4, 4]
    assert [len(batch) for batch in epoch_batches(1, 4, [1], World())] == [1]


def test_precision_follows_the_device() -> None:
    assert precision_of(settings(precision="auto"), "cpu") is torch.float32
    assert precision_of(settings(precision="float16"), "cpu") is torch.bfloat16
    assert precision_of(settings(precision="float16"), "cuda:0") is torch.float16


def test_half_precision_learns_on_a_processor(tmp_path: Path) -> None:
    trained(tmp_path, precision="bfloat16", stages=(), epochs=4)
    losses = [value for _, split, name, value in history(tmp_path) if (split, name) == ("train", "loss")]
    assert losses[-1] < losses[0]
