from django.apps import AppConfig


class WorkersConfig(AppConfig):
    """Tasks and commands. Importing it imports no torch: the runner does so inside a worker."""

    name = "workers"
