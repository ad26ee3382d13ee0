"""The application's entry in Django."""

from django.apps import AppConfig
from django.utils.translation import gettext_lazy as _


class ReturnsConfig(AppConfig):
    """Returns."""

    name = "returns"
    verbose_name = "Returns"
    default_auto_field = "django.db.models.BigAutoField"

    def ready(self) -> None:
        """Name the task of this application's jobs, what homes and banners say of it, and what statements counted."""
        from ims_portal import agenda, banners, charts, large_answers, queue, standing  # noqa: PLC0415 - models exist once all are loaded
        from ims_portal import tiles as home  # noqa: PLC0415
        from invoices import counted  # noqa: PLC0415
        from invoices import uses as record_pages  # noqa: PLC0415
        from returns import banner, deadlines, figures, gstr2b_parts, gstr2b_sql, tiles, uses  # noqa: PLC0415
        from returns.models import Archive, Export, Filing, Gstr2b, Gstr2bJob, StatementFile  # noqa: PLC0415

        queue.serve(Gstr2bJob, "returns.tasks.compute_gstr2b", _("Computing GSTR-2B"), "returns:job")
        queue.serve(Export, "returns.tasks.write_export", _("File to download"), "returns:export")
        queue.serve(Archive, "returns.tasks.write_archive", _("Archive of clients' files"), "clients-exports")
        queue.serve(
            StatementFile, "returns.tasks.compare_statement_file", _("Comparing GSTR-2B"), "returns:gstr2b-file"
        )
        counted.serve(gstr2b_sql.CREDIT)
        home.serve(("gstr2b", "gstr3b"), tiles.room)
        banners.serve(banner.read)
        agenda.serve("returns", deadlines.room)
        charts.serve("itc", figures.itc_by_status)
        record_pages.serve(uses.read)
        large_answers.serve(gstr2b_parts.KIND, gstr2b_parts.write)
        standing.count("ims_statements", "Versions of GSTR-2B computed", Gstr2b)
        standing.count("ims_filings", "GSTR-3B filed", Filing)
