"""Field selection: ``?fields=id,title,shares.happy.low`` answers with these alone, and what is left out is not made."""

from __future__ import annotations

import re
from typing import Any

from drf_spectacular.utils import OpenApiParameter
from rest_framework import serializers
from rest_framework.exceptions import ValidationError

Tree = dict[str, "Tree"]  # an empty one: all that is below

MOST = 100  # names in one request
DEEPEST = 8
NAME = re.compile(r"[^\s,.]{1,120}\Z")
PARAMETER = OpenApiParameter(
    "fields",
    str,
    OpenApiParameter.QUERY,
    description="Only these fields, with commas between them and dots for those inside: id,title,shares.happy.low. "
    "The answer then has no others, whatever its form requires.",
)


def fields_parse(text: str) -> Tree:
    """Raises ValidationError."""
    paths = [part.strip() for part in text.split(",") if part.strip()]
    if not paths or len(paths) > MOST:
        raise ValidationError({"fields": f"Name 1 to {MOST} fields, with commas between them."})
    found: Tree = {}
    for path in sorted(paths, key=len):  # a whole field comes before its parts, which add nothing to it
        names = path.split(".")
        if len(names) > DEEPEST or not all(map(NAME.match, names)):
            raise ValidationError({"fields": f"“{path[:120]}” names no field."})
        _add(found, names)
    return found


def _add(found: Tree, names: list[str]) -> None:
    at, new = found, False
    for name in names:
        if name not in at:
            at[name], new = {}, True
        elif not new and not at[name]:
            return  # the whole of it was asked for
        at = at[name]


def fields_check(tree: Tree, form: Any, before: str = "") -> None:
    """Whether an answer of this form has them. Raises ValidationError, which names one that it has not."""
    form = _whole(form)
    if not tree or _free(form):
        return
    inside = _inside(form)
    for name, below in tree.items():
        if inside is None:
            raise ValidationError({"fields": f"“{before.rstrip('.')}” has no fields inside."})
        if isinstance(inside, dict):
            if name not in inside:
                known = ", ".join(f"{before}{known}" for known in inside)
                raise ValidationError({"fields": f"There is no field “{before}{name}”. There are: {known}."})
            fields_check(below, inside[name], f"{before}{name}.")
        else:
            fields_check(below, inside, f"{before}{name}.")


def fields_narrow(serializer: Any, tree: Tree) -> Any:
    """The same serializer without the fields that nobody asked for, so that they are not worked out."""
    form = _items(serializer)
    if tree and isinstance(form, serializers.Serializer):
        inside: Any = form.fields
        for name in [name for name in inside if name not in tree]:
            del inside[name]
        for name in inside:
            fields_narrow(inside[name], tree[name])
    return serializer


def fields_prune(data: Any, tree: Tree) -> Any:
    """What is left of an answer."""
    if not tree:
        return data
    if isinstance(data, list | tuple):
        return [fields_prune(one, tree) for one in data]
    if isinstance(data, dict):
        return {name: fields_prune(value, tree[name]) for name, value in data.items() if name in tree}
    return data


def _items(form: Any) -> Any:
    """What a list is of."""
    while isinstance(form, serializers.ListSerializer | serializers.ListField):
        form = form.child
    return form


def _whole(form: Any) -> Any:
    """An instance of what the field answers with; that of a method is what the method declares."""
    form = _items(form)
    if isinstance(form, serializers.SerializerMethodField):
        method = getattr(form.parent, form.method_name or "", None)
        declared = getattr(method, "_spectacular_annotation", {}).get("field")
        form = _items(declared() if isinstance(declared, type) else declared)
    return form


def _free(form: Any) -> bool:
    """Whether anything may be inside."""
    if isinstance(form, serializers.DictField):
        return not isinstance(_items(form.child), serializers.Field) or type(form.child).__name__ == "_UnvalidatedField"
    return isinstance(form, serializers.JSONField)


def _inside(form: Any) -> dict[str, Any] | Any | None:
    """Its fields by name; the form of each value where the names are free; None where there is nothing inside."""
    if isinstance(form, serializers.Serializer):
        return dict(form.fields)
    if isinstance(form, serializers.DictField):
        return form.child
    return None
