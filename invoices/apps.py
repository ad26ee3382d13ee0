"""The application's entry in Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class InvoicesConfig(AppConfig):
    """Invoices and the recipient's actions."""

    name = "invoices"
    verbose_name = "Invoices and the recipient's actions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the tasks that look after this application's jobs."""
        from ims_portal import queue  # noqa: PLC0415 - models exist only once all applications are loaded
        from invoices.models import ActionFile, Batch, Delivery, FeedBatch, Register, Upload  # noqa: PLC0415

        queue.serve(Upload, "invoices.tasks.ingest_upload", _("Upload of a return"), "invoices:upload")
        queue.serve(Delivery, "invoices.tasks.bring_return", _("Return to its recipients"), "invoices:delivery")
        queue.serve(FeedBatch, "invoices.tasks.ingest_feed", _("Feed"), "control-feed")
        queue.serve(ActionFile, "invoices.tasks.carry_out_file", _("File of actions"), "invoices:action-file")
        queue.serve(Register, "invoices.tasks.carry_out_register", _("Purchase register"), "invoices:register")
        queue.serve(Batch, "invoices.tasks.carry_out_batch", _("Action on many records"), "invoices:batch")

        from ims_portal import agenda, extensions, large_answers, taxpayers  # noqa: PLC0415
        from ims_portal import tiles as home  # noqa: PLC0415
        from invoices import deadlines, extensions_sql, ims_parts, locking, outward_deadlines, tiles  # noqa: PLC0415

        home.serve(("gstr1", "ims"), tiles.room)
        agenda.serve("invoices", deadlines.room)
        agenda.serve("messages", outward_deadlines.requests)
        agenda.serve("own rejected notes", outward_deadlines.own_rejected)
        extensions.serve(extensions_sql.moved)
        taxpayers.serve(locking.ensure)
        large_answers.serve(ims_parts.KIND, ims_parts.write)
