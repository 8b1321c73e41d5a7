"""``python -m ml train RECIPE``: published systems and ours; ``train detector|classifier``: the shipped bundle's."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from ml.train.recipes import (
    SCALES,
    Recipe,
    changed,
    only,
    parse_change,
    read_recipe,
    recipe_names,
    reduced,
    varied,
)
from ml.train.settings import ClassifierTraining, DetectorTraining, SettingsInvalid, read_settings

SHIPPED = ("detector", "classifier")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("what", nargs="?", metavar="RECIPE", help="a recipe's name or file; see --list")
    parser.add_argument("--list", action="store_true", help="the recipes, one line each")
    parser.add_argument("--out", type=Path, help="folder of the run; a run that was stopped goes on from it")
    recipe = parser.add_argument_group("of a recipe")
    recipe.add_argument("--labels", type=Path, help="labelled pictures, in any format that is read")
    recipe.add_argument("--images", type=Path, help="where the labelled pictures or videos are")
    recipe.add_argument("--rendered", type=int, default=0, metavar="N", help="draw N pictures instead")
    recipe.add_argument("--set", action="append", default=[], metavar="KEY=VALUE", help="another value of a setting")
    recipe.add_argument("--vary", action="append", default=[], metavar="KEY=A,B", help="one run with each value")
    recipe.add_argument("--scale", choices=SCALES, default="full", help="small: shorter, for two processors")
    recipe.add_argument("--split", choices=("groups", "given", "random_frames"), help="how test pictures are chosen")
    recipe.add_argument("--part", choices=SHIPPED, help="train this one of the recipe's two parts only")
    recipe.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    recipe.add_argument("--bundle", type=Path, metavar="OUT", help="make a model bundle of what was trained")
    recipe.add_argument("--partner", default="", help="a bundle whose other network goes into --bundle")
    shipped = parser.add_argument_group("of `detector` and `classifier`")
    shipped.add_argument("--config", type=Path, help="a TOML file, such as those in ml/train/configs")
    shipped.add_argument("--data", type=Path, help="the folder of shards; else that of the config")
    shipped.add_argument("--start", type=Path, help="ImageNet weights of MobileNetV2 (safetensors)")
    shipped.add_argument("--steps", type=int, help="instead of the config's")
    shipped.add_argument("--threads", type=int, help="instead of the config's")


def run(args: argparse.Namespace) -> int:
    if args.list:
        return _list()
    if args.what is None or args.out is None:
        raise SettingsInvalid("Name a recipe and --out, the folder of the run; --list shows the recipes.")
    if args.out.exists() and not args.out.is_dir():
        raise SettingsInvalid(f"The run cannot be kept in {args.out}: that is no folder.")
    return _shipped(args) if args.what in SHIPPED else _recipe(args)


def _list() -> int:
    recipes = [read_recipe(name) for name in recipe_names()]
    width = max(len(recipe.name) for recipe in recipes)
    for recipe in recipes:
        _say(f"{recipe.name:<{width}}  {recipe.title} ({recipe.source})")
    return 0


def recipe_asked_for(args: argparse.Namespace) -> Recipe:
    """With every change of the command line. Raises SettingsInvalid."""
    recipe = read_recipe(args.what)
    if args.part:
        recipe = only(recipe, args.part)
    if args.scale == "small":
        recipe = reduced(recipe)
    changes = dict(parse_change(text) for text in args.set)
    if args.split:
        changes["split"] = args.split
    recipe = changed(recipe, changes)
    for text in args.vary:
        key, _, values = text.partition("=")
        recipe = varied(recipe, key.strip(), [parse_change(f"v={value}")[1] for value in values.split(",")])
    return recipe


def _recipe(args: argparse.Namespace) -> int:
    recipe = recipe_asked_for(args)
    if (args.labels is None) == (args.rendered < 1):
        raise SettingsInvalid("Say where the pictures come from: --labels PATH, or --rendered N to have them drawn.")
    from ml.train.distributed import world_of
    from ml.train.experiment import Asked, run_recipe

    with world_of(args.device) as world:
        say: Callable[[str], None] = _say if world.first else lambda _: None
        asked = Asked(args.out, args.labels, args.images, args.rendered, args.scale)
        folders = run_recipe(recipe, asked, world, say)
        for folder in folders:
            say(f"wrote {folder}")
        if args.bundle is not None and world.first:
            from ml.train.bundling import bundle_of_runs, read_run

            say(f"wrote {bundle_of_runs([read_run(f) for f in folders], args.bundle, args.partner).path}")
    return 0


def _shipped(args: argparse.Namespace) -> int:
    if args.config is None:
        raise SettingsInvalid(f"train {args.what} needs --config, such as those in ml/train/configs.")
    settings: DetectorTraining | ClassifierTraining
    if args.what == "detector":
        settings = read_settings(DetectorTraining, args.config)
    else:
        settings = read_settings(ClassifierTraining, args.config)
    given = {
        "data": str(args.data) if args.data else None,
        "start": str(args.start) if args.start else None,
        "steps": args.steps,
        "threads": args.threads,
    }
    settings = replace(settings, **{name: value for name, value in given.items() if value is not None})
    if isinstance(settings, DetectorTraining):
        from ml.train.detector import train_detector

        path = train_detector(settings, args.out, _say)
    else:
        from ml.train.classifier import train_classifier

        path = train_classifier(settings, args.out, _say)
    _say(f"wrote {path}")
    return 0


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
