"""``python -m ml bench``: drawings a second on this machine, stage by stage, and torchvision beside it."""

from ml.bench.cli import add_arguments, run

__all__ = ["add_arguments", "run"]
