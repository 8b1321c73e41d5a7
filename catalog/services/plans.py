"""Previews of imports: asked for, looked at by a worker, confirmed as they were shown, or forgotten.

Nothing of the catalogue is written until a preview is confirmed, and then only what it showed: who confirms names the
digest of what was seen, and what has changed since is said instead of done.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta
from typing import Any

from django.contrib.auth.models import AbstractBaseUser
from django.db import transaction
from django.utils import timezone

from catalog import places
from catalog.errors import (
    ChoiceInvalid,
    FolderForbidden,
    ListInvalid,
    NameUnusable,
    NothingToImport,
    PlanChanged,
    PlanNotReady,
    PlanUnknown,
    TooMuchAtOnce,
    UploadNotReady,
    UploadUnknown,
)
from catalog.lists import BadLine, lines_of, text_of
from catalog.models import Choice, ImportItem, ImportPlan, PlanKind, PlanStatus, Upload, UploadStatus
from catalog.naming import plain_text, shown
from catalog.nfo import is_note
from catalog.parsing import MOST, TITLE_LENGTH
from catalog.services.findings import choices_of, classify, digest_of
from catalog.services.lease import due

KEEP = timedelta(days=3)
MOST_FILES = 1_000
MOST_LIST_BYTES = 5_000_000


@dataclass(frozen=True, slots=True)
class Said:
    """What a person says that a file is. None and "": it is not known."""

    series: str
    title: str = ""
    season: int | None = None
    number: int | None = None
    number_end: int | None = None
    part: int | None = None
    year: int | None = None


FOUND_FIELDS = ["finding", "finding_code", "finding_detail", "against", "against_source", "part"]


def plan_of_uploads(*, owner: AbstractBaseUser, tokens: Sequence[str], series: str = "") -> ImportPlan:
    """Raises UploadUnknown, UploadNotReady, NothingToImport, TooMuchAtOnce, NameUnusable."""
    uploads = _uploads(owner, tokens)
    videos = [u for u in uploads if not is_note(u.name)]
    if not videos:
        raise NothingToImport("No video was named: choose at least one file that was sent.")
    first = shown(videos[0].name)
    title = first if len(videos) == 1 else f"{first} and {len(videos) - 1} more"
    inputs = {"uploads": [u.token for u in uploads], "series": _series(series)}
    return _create(owner, PlanKind.UPLOADS, title, inputs)


def plan_of_folder(*, owner: AbstractBaseUser, address: str, series: str = "") -> ImportPlan:
    """Of a folder below those that may be imported from, and all folders in it. Raises FolderForbidden."""
    path = places.resolve(address)
    if not path.is_dir():
        raise FolderForbidden(f"{shown(path.name)} is no folder.")
    inputs = {"folder": address, "series": _series(series)}
    return _create(owner, PlanKind.FOLDER, places.title_of(path), inputs)


def plan_of_list(
    *,
    owner: AbstractBaseUser,
    data: bytes,
    called: str,
    address: str = "",
    tokens: Sequence[str] = (),
    series: str = "",
) -> ImportPlan:
    """Of a CSV. Its paths count from a folder of the server, or are names of files that were sent.

    Raises ListInvalid, FolderForbidden, UploadUnknown, UploadNotReady, TooMuchAtOnce.
    """
    called = plain_text(called.replace("\\", "/").rpartition("/")[2])[:300] or "list.csv"
    if len(data) > MOST_LIST_BYTES:
        raise ListInvalid(f"The list {shown(called)} is larger than {MOST_LIST_BYTES // 1_000_000} MB.")
    text, guessed = text_of(data, called, lenient=True)
    text = text.replace("\0", "")
    count = 0
    for line in lines_of(text, called):
        count += 1
        if isinstance(line, BadLine) and line.line is None:
            raise line.error
    if count == 0:
        raise NothingToImport(f"The list {shown(called)} has no line below its heading.")
    if count > MOST_FILES:
        raise TooMuchAtOnce(f"The list {shown(called)} has {count} lines; at most {MOST_FILES} are looked at at once.")
    if address:
        places.resolve(address)
    inputs = {
        "list": text,
        "called": called,
        "folder": address,
        "uploads": [u.token for u in _uploads(owner, tokens)],
        "series": _series(series),
        "guessed": guessed,
    }
    return _create(owner, PlanKind.LIST, called, inputs)


def _uploads(owner: AbstractBaseUser, tokens: Sequence[str]) -> list[Upload]:
    wanted = list(dict.fromkeys(tokens))
    if len(wanted) > MOST_FILES:
        raise TooMuchAtOnce(f"These are {len(wanted)} files; at most {MOST_FILES} are looked at at once.")
    found = {u.token: u for u in Upload.objects.filter(owner_id=owner.pk, token__in=wanted)}
    for token in wanted:
        if token not in found:
            raise UploadUnknown("A file that was named is not here any more, or is somebody else's.")
        if found[token].status in (UploadStatus.OPEN, UploadStatus.RECEIVED):
            state = UploadStatus(found[token].status).label
            raise UploadNotReady(f"{shown(found[token].name)} is still {state}; wait for it, or leave it out.")
    return [found[token] for token in wanted]


def _series(text: str) -> str:
    series = plain_text(text)
    if len(series) > TITLE_LENGTH:
        raise NameUnusable(f"The title of the series has {len(series)} characters; at most {TITLE_LENGTH} can be kept.")
    return series


def _create(owner: AbstractBaseUser, kind: PlanKind, title: str, inputs: dict[str, Any]) -> ImportPlan:
    now = timezone.now()
    return ImportPlan.objects.create(
        owner_id=owner.pk, kind=kind, title=title, inputs=inputs, expires_at=now + KEEP, sent_at=now
    )


def plan_get(owner: AbstractBaseUser, pk: int) -> ImportPlan:
    """Raises PlanUnknown."""
    found = ImportPlan.objects.filter(owner_id=owner.pk, pk=pk).first()
    if found is None:
        raise PlanUnknown("There is no such preview of yours, or it has expired; look again.")
    return found


def plan_items(plan: ImportPlan) -> list[ImportItem]:
    related = ("against__series", "episode__series", "upload")
    return list(plan.items.select_related(*related).order_by("position"))


def plan_confirm(
    *,
    plan: ImportPlan,
    digest: str,
    choices: Mapping[int, str],
    actor: AbstractBaseUser,
    analyse: bool = False,
    bundle: str = "",
) -> ImportPlan:
    """Lets a worker write what was shown. ``choices``: by position; what is not named is done as usual.

    Raises PlanNotReady, PlanChanged (then the plan holds what is so now, to be looked at again), ChoiceInvalid.
    """
    with transaction.atomic():
        locked = ImportPlan.objects.select_for_update().get(pk=plan.pk)
        if locked.status != PlanStatus.READY:
            raise PlanNotReady(f"This preview is {PlanStatus(locked.status).label}, so it cannot be confirmed.")
        if digest != locked.digest:
            raise PlanChanged("What you confirmed is not what the preview shows now; look at it again.")
        items = plan_items(locked)
        changes = _changes(items)
        if changes:
            locked.digest = digest_of(items)
            locked.notes = [*_lasting(locked.notes), *({"kind": "changed", "text": c} for c in changes[:50])]
            locked.save(update_fields=["digest", "notes"])
            ImportItem.objects.bulk_update(items, FOUND_FIELDS)
        else:
            _choose(items, choices)
            ImportItem.objects.bulk_update(items, ["choice"])
            locked.status, locked.analyse, locked.bundle = PlanStatus.CONFIRMED, analyse, bundle
            locked.confirmed_by_id, locked.confirmed_at, locked.sent_at = actor.pk, timezone.now(), timezone.now()
            locked.attempts = 0
            locked.save()
    if changes:
        raise PlanChanged("Something has changed since you looked; nothing was written. Look at it again.", changes)
    return locked


def _lasting(notes: list[dict[str, str]]) -> list[dict[str, str]]:
    return [n for n in notes if n.get("kind") != "changed"]


def _changes(items: list[ImportItem]) -> list[str]:
    before = [(i.finding, i.finding_detail, i.against_id, i.against_source, i.part) for i in items]
    classify(items)
    return [
        f"{shown(i.shown)} was {_said(was[0])}, now: {i.finding_detail or i.get_finding_display()}"
        for i, was in zip(items, before, strict=True)
        if was != (i.finding, i.finding_detail, i.against_id, i.against_source, i.part)
    ]


def _said(finding: str) -> str:
    return str(dict(ImportItem._meta.get_field("finding").flatchoices).get(finding, finding))


def _choose(items: list[ImportItem], choices: Mapping[int, str]) -> None:
    unknown = set(choices) - {i.position for i in items}
    if unknown:
        raise ChoiceInvalid(f"The preview has no file number {min(unknown)}.")
    for item in items:
        possible = choices_of(item)
        choice = choices.get(item.position) or possible[0]
        if choice not in possible:
            words = ", ".join(str(c) for c in possible)
            raise ChoiceInvalid(f"For {shown(item.shown)} one of {words} can be chosen, not {shown(choice[:40])}.")
        item.choice = choice
    if all(item.choice == Choice.SKIP for item in items):
        raise NothingToImport("Every file is left out, so there is nothing to add.")


def plan_name(*, plan: ImportPlan, position: int, said: Said) -> ImportItem:
    """Changes what one file of a preview is taken for, and looks anew at what that means for all of them.

    Raises PlanNotReady, ChoiceInvalid, NameUnusable.
    """
    with transaction.atomic():
        locked = ImportPlan.objects.select_for_update().get(pk=plan.pk)
        if locked.status != PlanStatus.READY:
            raise PlanNotReady(f"This preview is {PlanStatus(locked.status).label}, so it cannot be changed.")
        items = plan_items(locked)
        item = next((i for i in items if i.position == position), None)
        if item is None:
            raise ChoiceInvalid(f"The preview has no file number {position}.")
        item.name = _named(said, item)
        classify(items)
        ImportItem.objects.bulk_update(items, [*FOUND_FIELDS, "name"])
        locked.digest = digest_of(items)
        locked.notes = _lasting(locked.notes)
        locked.save(update_fields=["digest", "notes"])
    return item


def _named(said: Said, item: ImportItem) -> dict[str, Any]:
    values = asdict(said)
    series, title = plain_text(said.series), plain_text(said.title)
    if max(len(series), len(title)) > TITLE_LENGTH:
        raise NameUnusable(f"A title has at most {TITLE_LENGTH} characters.")
    for what, most in MOST.items():
        if values[what] is not None and not 0 <= values[what] <= most:
            raise NameUnusable(f"The {what.replace('_end', '')} is a number from 0 to {most}.")
    same = series == (item.name.get("series") or "")
    year = item.name.get("series_year") if same else None
    season = said.season if said.number is not None else None
    return {**values, "series": series or None, "title": title, "season": season, "series_year": year}


def plan_discard(plan: ImportPlan) -> None:
    """Forgets a preview that nothing was written of. Raises PlanNotReady while it is being carried out."""
    with transaction.atomic():
        locked = ImportPlan.objects.select_for_update().filter(pk=plan.pk).first()
        if locked is None:
            return
        if locked.status == PlanStatus.CONFIRMED:
            raise PlanNotReady("This import is being carried out; wait until it has ended.")
        locked.delete()


def plans_due() -> tuple[list[int], list[int]]:
    """Plans to be looked at, and to be carried out, that nobody works on."""
    looking = due(ImportPlan.objects.filter(status=PlanStatus.LOOKING))
    return looking, due(ImportPlan.objects.filter(status=PlanStatus.CONFIRMED))


def plans_forget() -> int:
    expired = ImportPlan.objects.filter(expires_at__lte=timezone.now()).exclude(status=PlanStatus.CONFIRMED)
    return expired.delete()[0]
