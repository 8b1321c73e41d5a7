from django.apps import AppConfig


class AnalysisConfig(AppConfig):
    name = "analysis"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        from analysis.services.deliveries import webhooks_tell
        from catalog.events import listen

        listen(webhooks_tell)
