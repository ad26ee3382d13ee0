"""The ground floor as a Django application."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ImsPortalConfig(AppConfig):
    """Accounts, taxpayers, rights, calendar, audit: what both applications stand on."""

    name = "ims_portal"
    verbose_name = "IMS Portal"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Make our Celery the current one in every process, hear of everybody who signs in, name our jobs' task."""
        # Only once Django's settings may be read.
        from ims_portal import account_events, celery, queue, sessions, standing  # noqa: F401, PLC0415
        from ims_portal import checks as of_database  # noqa: F401, PLC0415 - tells Django's checks of production's database
        from ims_portal.api import schema  # noqa: F401, PLC0415 - tells the published schema of our tokens
        from ims_portal.gstn import checks  # noqa: F401, PLC0415 - tells Django's checks of the sealed way's key
        from ims_portal.models import AuditExtract, LargeAnswer  # noqa: PLC0415 - models exist only once they may be loaded

        standing.serve()
        extract = _("File of the audit log")
        queue.serve(AuditExtract, "ims_portal.tasks.write_audit_extract", extract, "control-audit-extracts")
        queue.serve(LargeAnswer, "ims_portal.tasks.write_large_answer", _("Answer to a program, in parts"), "")
