"""ImageNet weights for the published classifiers: downloaded by torchvision's address and digest, or from a file.

Nothing is unpickled: ``.pth`` files are read with ``weights_only``. The layers that ``ml.classify.zoo`` replaces are
left out of what is loaded; any other layer that is missing, foreign or of another shape is named.
"""

from __future__ import annotations

import re
import socket
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import ClassVar

import torch
import torchvision.models as published
from safetensors.torch import load_file
from torch import Tensor

from ml.classify.zoo import ARCHITECTURES, ZooNet
from ml.errors import UserError

AUTO, DOWNLOAD, SCRATCH = "auto", "download", "scratch"
SILENCE_S = 20.0  # longest wait for a server


class WeightsUnavailable(UserError):
    """They cannot be downloaded here, or the file is not there."""

    code: ClassVar[str] = "weights_unavailable"


class WeightsInvalid(UserError):
    """A file that is damaged, or holds another network's weights."""

    code: ClassVar[str] = "weights_invalid"


def load_pretrained(network: ZooNet, source: str | Path, say: Callable[[str], None] = lambda sentence: None) -> str:
    """Fills the base. Gives where the weights came from, for a card: "scratch", or the file's name.

    ``source``: a file (.safetensors, .pth, .pt), ``scratch``, ``download``, or ``auto``: the download where it is
    possible, else a sentence to ``say`` and scratch. Raises WeightsUnavailable, WeightsInvalid.
    """
    if source == SCRATCH:
        return SCRATCH
    if source == AUTO:
        try:
            path = download(network.architecture)
        except WeightsUnavailable as error:
            say(f"{error} Training begins from scratch.")
            return SCRATCH
    else:
        path = download(network.architecture) if source == DOWNLOAD else Path(source)
    load_base(network, read_weights(path), path)
    return path.name


def download(architecture: str, folder: Path | None = None) -> Path:
    """The file in torch's own folder for such (or ``folder``), fetched unless it is there. Raises WeightsUnavailable.

    The digest in the file's name is compared with the content as it arrives.
    """
    if architecture not in ARCHITECTURES or architecture == "hill_cnn":
        raise WeightsUnavailable(f"There are no pretrained weights for {architecture}.")
    url: str = published.get_model_weights(architecture).IMAGENET1K_V1.url
    name = url.rsplit("/", 1)[-1]
    digest = re.search(r"-([0-9a-f]{8,})\.", name)
    path: Path = (folder or Path(torch.hub.get_dir()) / "checkpoints") / name
    if path.is_file():
        return path
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with _patience(SILENCE_S):
            torch.hub.download_url_to_file(url, str(path), digest.group(1) if digest else None, progress=False)
    except (OSError, RuntimeError, ValueError) as error:  # no network, no room, another digest
        reason = str(getattr(error, "reason", "") or error).splitlines()[0] or type(error).__name__
        raise WeightsUnavailable(
            f"The ImageNet weights of {architecture} cannot be downloaded here ({reason}); name a file instead."
        ) from error
    return path


def read_weights(path: Path) -> dict[str, Tensor]:
    """Tensors by torchvision's names. Raises WeightsUnavailable where there is no such file, WeightsInvalid."""
    if not path.is_file():
        raise WeightsUnavailable(f"There is no file of weights at {path}.")
    try:
        held = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # pickle and zip have an error of their own for each way to be damaged
        raise WeightsInvalid(f"{path} is damaged, or holds more than weights; nothing of it was run.") from error
    if isinstance(held, Mapping) and isinstance(held.get("state_dict"), Mapping):
        held = held["state_dict"]
    if not isinstance(held, Mapping) or not held or not all(isinstance(v, Tensor) for v in held.values()):
        raise WeightsInvalid(f"{path} holds something else than tensors by name.")
    return {str(name).removeprefix("module."): tensor for name, tensor in held.items()}


def load_base(network: ZooNet, weights: Mapping[str, Tensor], path: Path) -> None:
    """Everything but the last layer; auxiliary heads where the file has them. Raises WeightsInvalid, naming layers."""
    known = ARCHITECTURES[network.architecture]
    expected = network.base.state_dict()
    replaced = tuple([f"{known.last}."] * bool(known.last) + [f"{n}.{layer}." for n, layer in known.aux.items()])
    optional = (*(f"{name}." for name in known.aux), *replaced)
    given = {name: tensor for name, tensor in weights.items() if not name.startswith(replaced)}
    wanted = [name for name in expected if not name.startswith(replaced)]
    needed = [name for name in wanted if not name.startswith(optional) and not name.endswith("num_batches_tracked")]
    missing = [name for name in needed if name not in given]
    foreign = [name for name in given if name not in expected and not name.startswith(optional)]
    other = [name for name in wanted if name in given and given[name].shape != expected[name].shape]
    for names, what in ((missing, "lacks"), (other, "has in another shape"), (foreign, "has, unknown to it,")):
        if names:
            more = f" and {len(names) - 3} more" if len(names) > 3 else ""
            raise WeightsInvalid(f"{path} is no {network.architecture}: it {what} {', '.join(names[:3])}{more}.")
    usable = {name: given[name] for name in wanted if name in given}
    if not all(bool(tensor.isfinite().all()) for tensor in usable.values()):
        raise WeightsInvalid(f"{path} holds numbers that are not finite.")
    network.base.load_state_dict(usable, strict=False)


@contextmanager
def _patience(seconds: float) -> Iterator[None]:
    """torch's download knows no limit of its own."""
    before = socket.getdefaulttimeout()
    socket.setdefaulttimeout(seconds)
    try:
        yield
    finally:
        socket.setdefaulttimeout(before)
