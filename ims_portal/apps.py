"""The ground floor as a Django application."""

from django.apps import AppConfig


class ImsPortalConfig(AppConfig):
    """Accounts, taxpayers, rights, calendar, audit: what both applications stand on."""

    name = "ims_portal"
    verbose_name = "IMS Portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make our Celery the current one in every process, and hear of everybody who signs in."""
        from ims_portal import celery, sessions  # noqa: F401, PLC0415 - only once Django's settings may be read
