"""The composition root: settings, addresses, the Celery app, health."""

from toonemo_site.celery import app as celery_app

__all__ = ["celery_app"]
