"""The application's entry in Django."""

from django.apps import AppConfig


class InvoicesConfig(AppConfig):
    """Invoices and the recipient's actions."""

    name = "invoices"
    verbose_name = "Invoices and the recipient's actions"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the tasks that look after this application's jobs."""
        from ims_portal import queue  # noqa: PLC0415 - models exist only once all applications are loaded
        from invoices.models import ActionFile, Batch, FeedBatch, Upload  # noqa: PLC0415

        queue.serve(Upload, "invoices.tasks.ingest_upload")
        queue.serve(FeedBatch, "invoices.tasks.ingest_feed")
        queue.serve(ActionFile, "invoices.tasks.carry_out_file")
        queue.serve(Batch, "invoices.tasks.carry_out_batch")

        from ims_portal import agenda, extensions  # noqa: PLC0415
        from ims_portal import tiles as home  # noqa: PLC0415
        from invoices import deadlines, extensions_sql, outward_deadlines, tiles  # noqa: PLC0415

        home.serve(("gstr1", "ims"), tiles.room)
        agenda.serve("invoices", deadlines.room)
        agenda.serve("messages", outward_deadlines.requests)
        agenda.serve("own rejected notes", outward_deadlines.own_rejected)
        extensions.serve(extensions_sql.moved)
