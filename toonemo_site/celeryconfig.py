"""Celery's own settings. The schedule is code: there is nothing to edit in a database."""

from __future__ import annotations

from django.conf import settings

from toonemo_site.embedded import broker_url as _broker_url

broker_url = _broker_url(settings.REDIS_URL)
task_serializer = "json"
accept_content = ["json"]
result_backend = None
task_ignore_result = True

task_default_queue = "default"
task_create_missing_queues = True

# A message is acknowledged when its task has ended: a worker that dies gives it back.
task_acks_late = True
task_reject_on_worker_lost = True
worker_prefetch_multiplier = 1
# Seconds after which Redis hands a message out again that nobody acknowledged. Longer than any segment takes; a lease
# in the database ends sooner, and the sweep sends again what it frees.
broker_transport_options = {"visibility_timeout": 3600, "socket_timeout": 30, "socket_keepalive": True}
broker_connection_retry_on_startup = True
broker_connection_max_retries = None
worker_cancel_long_running_tasks_on_connection_loss = False
worker_send_task_events = False
worker_hijack_root_logger = False
worker_redirect_stdouts = False
worker_proc_alive_timeout = 60.0
# torch and FFmpeg keep what they once took; a child is replaced before that matters.
worker_max_tasks_per_child = 500
enable_utc = True

beat_schedule = {
    "runs_sweep": {
        "task": "workers.runs_sweep",
        "schedule": settings.TOONEMO_SWEEP_SECONDS,
        "options": {"queue": "default", "expires": settings.TOONEMO_SWEEP_SECONDS},
    },
}
if settings.TOONEMO_WATCH_DIR.strip():
    beat_schedule["watch_look"] = {
        "task": "workers.watch_look",
        "schedule": settings.TOONEMO_WATCH_SECONDS,
        "options": {"queue": "default", "expires": settings.TOONEMO_WATCH_SECONDS},
    }
beat_schedule_filename = str(settings.VAR_DIR / "celerybeat-schedule")
