"""Who did what to a run, kept for ever: the house's one trail."""

from __future__ import annotations

from catalog.access.services.audit import audit_record

__all__ = ["audit_record"]
