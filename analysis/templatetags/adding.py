"""How the pages for adding episodes write sizes: as disks are sold, in powers of ten, like the sentences of errors."""

from __future__ import annotations

from django import template

from catalog.services.storage import gigabytes

register = template.Library()


@register.filter
def bytes_said(size: int | None) -> str:
    """``1.2 GB``, ``340.0 MB``, ``12 bytes``."""
    return gigabytes(int(size or 0))
