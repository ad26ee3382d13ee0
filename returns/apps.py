"""The application's entry in Django."""

from django.apps import AppConfig


class ReturnsConfig(AppConfig):
    """Returns."""

    name = "returns"
    verbose_name = "Returns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the task of this application's jobs, what homes and banners say of it, and what statements counted."""
        from ims_portal import agenda, banners, charts, queue  # noqa: PLC0415 - models exist once all are loaded
        from ims_portal import tiles as home  # noqa: PLC0415
        from invoices import counted  # noqa: PLC0415
        from invoices import uses as record_pages  # noqa: PLC0415
        from returns import banner, deadlines, figures, gstr2b_sql, tiles, uses  # noqa: PLC0415
        from returns.models import Export, Gstr2bJob  # noqa: PLC0415

        queue.serve(Gstr2bJob, "returns.tasks.compute_gstr2b")
        queue.serve(Export, "returns.tasks.write_export")
        counted.serve(gstr2b_sql.CREDIT)
        home.serve(("gstr2b", "gstr3b"), tiles.room)
        banners.serve(banner.read)
        agenda.serve("returns", deadlines.room)
        charts.serve("itc", figures.itc_by_status)
        record_pages.serve(uses.read)
