"""Recipes: a published system, or our own, as a file of settings. Reads, changes and writes them; needs no torch.

A recipe is a TOML file with ``title``, ``source``, ``published`` and one or two parts, ``[detector]`` and
``[classifier]``. ``[vary]`` names settings that are tried one after the other, each ``runs`` times. A part's table
``small`` is the reduction that ``--scale small`` applies. Names that are not known, and values of another type, are
refused.
"""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from itertools import product
from pathlib import Path
from typing import Any, TypeVar

from ml.train.settings import SettingsInvalid

RECIPES_DIR = Path(__file__).parent / "recipes"
SCALES = ("full", "small")
_Kind = TypeVar("_Kind")
_CHOICES: dict[str, tuple[str, ...]] = {
    "train": ("all", "head", "last"),
    "optimiser": ("", "sgd", "adam", "adamw", "adagrad", "adadelta", "rmsprop"),
    "schedule": ("constant", "cosine", "step"),
    "precision": ("auto", "float32", "bfloat16", "float16"),
    "split": ("groups", "given", "random_frames"),
    "keep": ("best", "last"),
    "target": ("emotion", "emotion_character"),
    "without": ("frame", "box"),
    "fit": ("box", "contour"),
    "augment": ("none", "mirror", "auto", "film"),
}


@dataclass(frozen=True, slots=True)
class Stage:
    """One stretch of training. ``train``: which layers learn. 0 or empty: what the part says."""

    train: str = "all"
    epochs: int = 0
    rate: float = 0.0
    optimiser: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PartSettings:
    """What both kinds of training share; one hyper-parameter a line.

    ``batch``: pictures that one step learns from, over all processes together. ``steps``: the training ends after so
    many, whatever the epochs say; 0: it does not. ``weight_decay``: L2. ``decay``: the rate is divided by
    1 + decay * step, as Keras did. ``schedule`` step: times ``step_factor`` every ``step_epochs``. ``warm_up``: steps
    of a rising rate. ``clip``: largest norm of the gradient; 0: any. ``patience``: epochs without a better loss on
    the validation pictures after which a stage ends; 0: it never does. ``threads``: of torch; 0: as many as it likes.
    ``split``: by ``groups`` (shots or episodes), as the data set has ``given`` it, or ``random_frames``, which
    flatters.
    """

    architecture: str = ""
    network: dict[str, Any] = field(default_factory=dict)
    characters: tuple[str, ...] = ()
    stages: tuple[Stage, ...] = ()
    epochs: int = 10
    steps: int = 0
    batch: int = 32
    optimiser: str = "sgd"
    rate: float = 0.01
    rates: dict[str, Any] = field(default_factory=dict)
    momentum: float = 0.0
    nesterov: bool = False
    weight_decay: float = 0.0
    decay: float = 0.0
    schedule: str = "constant"
    step_epochs: int = 10
    step_factor: float = 0.1
    warm_up: int = 0
    clip: float = 0.0
    augment: str = "none"
    precision: str = "auto"
    patience: int = 0
    keep: str = "best"
    seed: int = 1
    workers: int = 0
    threads: int = 0
    report_every: int = 10
    save_every: int = 200
    split: str = "groups"
    valid_share: float = 0.15
    test_share: float = 0.2
    rendered_height: int = 360
    small: dict[str, Any] = field(default_factory=dict)

    def all_stages(self) -> tuple[Stage, ...]:
        """The stages with every value filled in; one of everything where the recipe names none."""
        return tuple(
            replace(
                stage,
                epochs=stage.epochs or self.epochs,
                rate=stage.rate or float(self.rates.get(stage.optimiser or self.optimiser, self.rate)),
                optimiser=stage.optimiser or self.optimiser,
            )
            for stage in self.stages or (Stage(),)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class ClassifierPart(PartSettings):
    """``emotions`` and ``characters``: those that are learnt, others are left out; empty: those that the data holds.

    ``size``: side of the network's input, ``crop_size`` of the crops kept on disk. ``segmentation``: crops with the
    mask applied; else the same pictures as whole frames or boxes (``without``). ``fit`` contour: the crop is cut
    around the largest outline of the mask instead of the box. ``target``: what an output means. ``canonical``: labels
    such as "joy" or "shock" mean the emotions that ToonEmo knows; else every word is a class of its own.
    ``pretrained``: the base begins with ImageNet's weights: auto, download, scratch or a file (ml.classify.pretrained).
    ``last_blocks``: of the base that a stage with train = "last" lets learn.
    """

    emotions: tuple[str, ...] = ()
    target: str = "emotion"
    canonical: bool = True
    pretrained: str = "scratch"
    last_blocks: int = 1
    size: int = 224
    crop_size: int = 256
    segmentation: bool = True
    without: str = "frame"
    fit: str = "box"
    margin: float = 0.0
    outside: float = 0.0
    smoothing: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class DetectorPart(PartSettings):
    """``height``, ``width``: a picture is fitted into them, the rest is black. ``unknown``: a class for other faces.

    ``detection``, ``nms``: thresholds that the finished detector gets. ``start``: a file of weights to begin with, of
    the whole network or of its backbone by torchvision's names; empty: random.
    """

    height: int = 320
    width: int = 576
    unknown: bool = False
    frozen_blocks: int = 0
    start: str = ""
    detection: float = 0.5
    nms: float = 0.3


@dataclass(frozen=True, slots=True)
class Recipe:
    """``source``: who described it. ``published``: their figures, in words. ``vary``: "part.setting" to values."""

    name: str
    title: str
    source: str
    published: str = ""
    detector: DetectorPart | None = None
    classifier: ClassifierPart | None = None
    vary: Mapping[str, tuple[Any, ...]] = field(default_factory=dict)
    runs: int = 1

    @property
    def parts(self) -> dict[str, PartSettings]:
        named = {"detector": self.detector, "classifier": self.classifier}
        return {name: part for name, part in named.items() if part is not None}


def recipe_names() -> list[str]:
    return sorted(path.stem for path in RECIPES_DIR.glob("*.toml"))


def read_recipe(name_or_path: str) -> Recipe:
    """A recipe of ours by name, or a file. Raises SettingsInvalid, naming the file and the reason."""
    path = RECIPES_DIR / f"{name_or_path}.toml"
    if name_or_path not in recipe_names():
        path = Path(name_or_path)
        if path.suffix != ".toml":
            raise SettingsInvalid(f"There is no recipe {name_or_path!r}; there are: {', '.join(recipe_names())}.")
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise SettingsInvalid(f"The recipe {path} cannot be read: {error}.") from error
    return recipe_of(table, path.stem, str(path))


def recipe_of(table: Mapping[str, Any], name: str, where: str) -> Recipe:
    """Raises SettingsInvalid. ``where``: what a complaint names."""
    rest = dict(table)
    detector, classifier = rest.pop("detector", None), rest.pop("classifier", None)
    vary = rest.pop("vary", {})
    runs = rest.pop("runs", 1)
    texts = {key: rest.pop(key, "") for key in ("title", "source", "published")}
    if rest:
        raise SettingsInvalid(f"{where}: {sorted(rest)[0]} is not a setting of a recipe.")
    if detector is None and classifier is None:
        raise SettingsInvalid(f"{where} has neither a [detector] nor a [classifier].")
    if not all(isinstance(text, str) for text in texts.values()) or type(runs) is not int or runs < 1:
        raise SettingsInvalid(f"{where}: title, source and published are texts, and runs is a number from 1.")
    if not isinstance(vary, dict) or not all(isinstance(v, list) and v for v in vary.values()):
        raise SettingsInvalid(f"{where}: vary names settings, each with a list of values.")
    recipe = Recipe(
        name=name,
        **texts,
        detector=None if detector is None else _of_table(DetectorPart, detector, f"{where}: detector."),
        classifier=None if classifier is None else _of_table(ClassifierPart, classifier, f"{where}: classifier."),
        runs=runs,
    )
    for part in recipe.parts.values():
        _of_table(type(part), {**_plain(part), **part.small}, f"{where}: small.")
    return replace(recipe, vary={_full_key(recipe, key): tuple(values) for key, values in vary.items()})


def changed(recipe: Recipe, changes: Mapping[str, Any]) -> Recipe:
    """The recipe with settings replaced: ``rate``, ``classifier.rate``, ``stages.0.epochs``, ``network.width``.

    A name without a part means every part that has it. Raises SettingsInvalid.
    """
    for key, value in changes.items():
        if key == "runs":
            recipe = replace(recipe, runs=_value(int, value, "runs", "--set "))
            continue
        tops = {k for k in recipe.vary if key in (k, k.partition(".")[2])}
        recipe = replace(recipe, vary={k: v for k, v in recipe.vary.items() if k not in tops})
        for name, setting in _targets(recipe, key):
            part = recipe.parts[name]
            table = _plain(part)
            _put(table, setting.split("."), value, key)
            new: dict[str, Any] = {name: _of_table(type(part), table, "--set ")}
            recipe = replace(recipe, **new)
    return recipe


def varied(recipe: Recipe, key: str, values: Sequence[Any]) -> Recipe:
    """The recipe with one more setting to try, or other values of one. Raises SettingsInvalid."""
    return replace(recipe, vary={**recipe.vary, _full_key(recipe, key): tuple(values)})


def only(recipe: Recipe, name: str) -> Recipe:
    """The recipe with one of its parts. Raises SettingsInvalid where it has no such part."""
    if name not in recipe.parts:
        raise SettingsInvalid(f"The recipe {recipe.name} has no {name}.")
    vary = {key: values for key, values in recipe.vary.items() if key.startswith(f"{name}.")}
    gone: dict[str, Any] = {other: None for other in recipe.parts if other != name}
    return replace(recipe, vary=vary, **gone)


def reduced(recipe: Recipe) -> Recipe:
    """What ``--scale small`` trains: every part with its ``small`` settings."""
    new: dict[str, Any] = {
        name: _of_table(type(part), {**_plain(part), **part.small}, f"{recipe.name}: small.")
        for name, part in recipe.parts.items()
    }
    return replace(recipe, **new)


def variants(recipe: Recipe) -> list[tuple[str, Recipe]]:
    """Every combination of ``vary``, ``runs`` times with another seed; a name for each, empty where there is one."""
    keys = list(recipe.vary)
    found = []
    for values in product(*(recipe.vary[key] for key in keys)):
        chosen = changed(recipe, dict(zip(keys, values, strict=True)))
        words = [f"{key.rpartition('.')[2]}-{str(v).lower()}" for key, v in zip(keys, values, strict=True)]
        for run in range(recipe.runs):
            seeds = {name: part.seed + run for name, part in chosen.parts.items()}
            one = changed(chosen, {f"{name}.seed": seed for name, seed in seeds.items()})
            name = "_".join([*words, f"run-{run + 1}"] if recipe.runs > 1 else words)
            found.append((name, replace(one, vary={}, runs=1)))
    return found


def parse_change(text: str) -> tuple[str, Any]:
    """``key=value`` from the command line, the value as in TOML; what is no TOML is a text. Raises SettingsInvalid."""
    key, equals, value = text.partition("=")
    if not equals or not key.strip():
        raise SettingsInvalid(f"--set takes KEY=VALUE, not {text!r}.")
    try:
        return key.strip(), tomllib.loads(f"v = {value}")["v"]
    except tomllib.TOMLDecodeError:
        return key.strip(), value.strip()


def to_toml(recipe: Recipe) -> str:
    """The whole recipe, every setting written out, as ``recipe_of`` reads it."""
    lines = [f"{key} = {_toml(getattr(recipe, key))}" for key in ("title", "source", "published", "runs")]
    if recipe.vary:
        lines += ["", "[vary]", *(f"{_toml(key)} = {_toml(list(values))}" for key, values in recipe.vary.items())]
    for name, part in recipe.parts.items():
        lines += ["", f"[{name}]", *(f"{key} = {_toml(value)}" for key, value in _plain(part).items())]
    return "\n".join(lines) + "\n"


# ------------------------------------------------------------------------------------------------ inside


def _full_key(recipe: Recipe, key: str) -> str:
    name, setting = _targets(recipe, key)[0]
    return f"{name}.{setting}"


def _targets(recipe: Recipe, key: str) -> list[tuple[str, str]]:
    """(part, setting) that a name means. Raises SettingsInvalid where it means none."""
    head, _, rest = key.partition(".")
    if head in ("detector", "classifier"):
        if head in recipe.parts and rest:
            return [(head, rest)]
    else:
        found = [(name, key) for name, part in recipe.parts.items() if head in {f.name for f in fields(part)}]
        if found:
            return found
    raise SettingsInvalid(f"{key} is not a setting of the recipe {recipe.name}.")


def _put(table: dict[str, Any], path: Sequence[str], value: Any, key: str) -> None:
    place: Any = table
    try:
        for word in path[:-1]:
            place = place[int(word)] if isinstance(place, list) else place[word]
        place[int(path[-1]) if isinstance(place, list) else path[-1]] = value
    except (KeyError, IndexError, ValueError, TypeError) as error:
        raise SettingsInvalid(f"--set {key}: there is no such setting.") from error


def _plain(part: PartSettings) -> dict[str, Any]:
    """As TOML has it: lists instead of tuples."""
    table = asdict(part)
    return {key: list(value) if isinstance(value, tuple) else value for key, value in table.items()}


def _of_table(kind: type[_Kind], table: Any, where: str) -> _Kind:
    if not isinstance(table, dict):
        raise SettingsInvalid(f"{where.removesuffix('.')} is no table of settings.")
    plain = kind()
    known = {f.name for f in fields(kind)}  # type: ignore[arg-type]
    values = {}
    for name, value in table.items():
        if name not in known:
            raise SettingsInvalid(f"{where}{name} is not a setting.")
        if name == "stages" and isinstance(value, list):
            value = tuple(_of_table(Stage, one, f"{where}stages.") for one in value)
        elif isinstance(value, list):
            value = tuple(value)
        values[name] = _value(type(getattr(plain, name)), value, name, where)
    return kind(**values)


LEAST = {
    **dict.fromkeys(("batch", "report_every", "save_every", "epochs", "runs"), 1),
    **dict.fromkeys(("size", "crop_size", "height", "width"), 8),
}
MOST = {"workers": 64}
MOST_WHOLE = 2**31 - 1


def _value(wanted: Any, value: Any, name: str, where: str) -> Any:
    if type(value) is int and wanted is float:
        value = float(value)
    if type(value) is not wanted:
        raise SettingsInvalid(f"{where}{name} is {value!r}, which is no {wanted.__name__}.")
    if wanted is tuple and name != "stages" and not all(isinstance(v, str) for v in value):
        raise SettingsInvalid(f"{where}{name} holds something other than texts: {list(value)!r}.")
    if name in _CHOICES and value not in _CHOICES[name]:
        raise SettingsInvalid(f"{where}{name} is {value!r}; it can be {', '.join(c for c in _CHOICES[name] if c)}.")
    if wanted is float and not math.isfinite(value):
        raise SettingsInvalid(f"{where}{name} is {value!r}; it must be a finite number.")
    if wanted is int and value > MOST.get(name, MOST_WHOLE):
        raise SettingsInvalid(f"{where}{name} is {value!r}; it can be {MOST.get(name, MOST_WHOLE)} at most.")
    if wanted in (int, float) and value < 0:
        raise SettingsInvalid(f"{where}{name} is {value!r}; it cannot be negative.")
    if name in LEAST and value < LEAST[name]:
        raise SettingsInvalid(f"{where}{name} is {value!r}; it must be at least {LEAST[name]}.")
    return value


def _toml(value: Any) -> str:
    """A value as TOML writes it, tables in braces."""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        escaped = value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n").replace("\t", "\\t")
        return f'"{escaped}"'
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_toml(v) for v in value) + "]"
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{_toml(k)} = {_toml(v)}" for k, v in value.items()) + "}"
    return repr(value)
