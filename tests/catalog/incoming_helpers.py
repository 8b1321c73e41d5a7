"""Uploads and previews for tests, without a worker: what a worker does is called."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

from django.contrib.auth.models import Group, User

from catalog.models import ImportItem, ImportPlan, Upload
from catalog.services.plan_look import plan_look
from catalog.services.plans import plan_items
from catalog.services.upload_checks import upload_check
from catalog.services.uploads import upload_take


def editor(name: str = "eddie", role: str = "editor") -> User:
    user, _ = User.objects.get_or_create(username=name)
    user.groups.add(Group.objects.get_or_create(name=role)[0])
    return user


def sent(owner: User, name: str, content: bytes | str = "", *, check: bool = True) -> Upload:
    """A whole upload that the fake probe takes; a string is what comes after VIDEO."""
    data = content if isinstance(content, bytes) else b"VIDEO " + (content or name).encode()
    upload = upload_take(owner=owner, name=name, size=len(data), read=io.BytesIO(data).read)
    if check:
        assert upload_check(upload.pk)
        upload.refresh_from_db()
    return upload


def looked(plan: ImportPlan) -> list[ImportItem]:
    assert plan_look(plan.pk)
    plan.refresh_from_db()
    return plan_items(plan)


def findings(items: list[ImportItem]) -> dict[str, str]:
    return {Path(i.shown).name: i.finding for i in items}


def stream(data: bytes) -> Any:
    return io.BytesIO(data).read
