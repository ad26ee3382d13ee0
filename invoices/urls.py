"""Addresses of records: the recipient's IMS and the supplier's returns."""

from django.urls import path, register_converter

from invoices.views import (
    act,
    answers,
    books,
    bulk,
    bulk_files,
    deadline_feed,
    deadlines,
    deliveries,
    entry,
    exchange,
    find,
    inward,
    inward_summary,
    messages,
    outward,
    record,
    repair,
    return_records,
    return_tables,
    supplier_returns,
    uploads,
)


class FormConverter:
    """The supplier's forms in an address; the other returns of a period belong to `returns`."""

    regex = "gstr1a|gstr1|iff"

    def to_python(self, value: str) -> str:
        """Return the form's slug."""
        return value

    def to_url(self, value: str) -> str:
        """Return the form's slug."""
        return value


class ReportConverter(FormConverter):
    """The kinds of file an error report comes as."""

    regex = "json|csv"


class TableConverter(FormConverter):
    """The tables of a form that lead to IMS, as files name them."""

    regex = "b2ba|b2b|cdnra|cdnr|ecoma|ecom"


register_converter(FormConverter, "form")
register_converter(TableConverter, "table")
register_converter(ReportConverter, "report")

app_name = "invoices"
urlpatterns = [
    path("ims/", inward.ims, name="ims"),
    path("ims/inward/", inward_summary.summary, name="inward"),
    path("ims/inward/understood/", inward_summary.understood, name="inward-understood"),
    path("ims/inward/<slug:section>/", inward.records, name="inward-list"),
    path("ims/find/", find.find, name="find"),
    path("ims/deadlines/", deadlines.inbox, name="deadlines"),
    path("ims/deadlines/feed/", deadline_feed.keys, name="deadline-keys"),
    path("ims/deadlines.ics", deadline_feed.feed, name="deadlines-ics"),
    path("ims/act/", act.act, name="act"),
    path("ims/act/<uuid:draft>/", answers.review, name="act-review"),
    path("ims/match/", books.match, name="match"),
    path("ims/match/tolerance/", books.tolerance, name="match-tolerance"),
    path("ims/match/again/", books.again, name="match-again"),
    path("ims/match/template.csv", books.template, name="match-template"),
    path("ims/match/registers/<uuid:pk>/", books.register, name="register"),
    path("ims/match/registers/<uuid:pk>/columns/", books.columns, name="register-columns"),
    path("ims/match/registers/<uuid:pk>/remove/", books.remove, name="register-remove"),
    path("ims/match/books/<int:pk>/", books.booked, name="booked"),
    path("ims/match/books/<int:pk>/link/", books.link, name="booked-link"),
    path("ims/match/books/<int:pk>/unlink/", books.unlink, name="booked-unlink"),
    path("ims/files/", exchange.action_files, name="action-files"),
    path("ims/files/<uuid:pk>/", exchange.action_file, name="action-file"),
    path("ims/files/<uuid:pk>/apply/", exchange.action_file_apply, name="action-file-apply"),
    path("ims/bulk/", bulk.preview, name="bulk"),
    path("ims/batches/<uuid:pk>/", bulk.batch, name="batch"),
    path("ims/batches/<uuid:pk>/answer/", bulk.answer, name="batch-answer"),
    path("ims/batches/<uuid:pk>/apart/", bulk.apart, name="batch-apart"),
    path("ims/batches/<uuid:pk>/confirm/", bulk.confirm, name="batch-confirm"),
    path("ims/batches/<uuid:pk>/stop/", bulk.stop, name="batch-stop"),
    path("ims/batches/<uuid:pk>/undo/", bulk.undo, name="batch-undo"),
    path("ims/batches/<uuid:pk>/rows/", bulk.batch_rows, name="batch-rows"),
    path("ims/batches/<uuid:pk>/rows.csv", bulk_files.batch_file, name="batch-file"),
    path("ims/records/<int:pk>/", record.record, name="record"),
    path("ims/outward/", outward.outward, name="outward"),
    path("ims/outward/records/<int:pk>/", outward.outward_record, name="outward-record"),
    path("ims/outward/rejected/", outward.rejected, name="outward-rejected"),
    path("ims/outward/rejected-notes/", outward.rejected_notes, name="outward-rejected-notes"),
    path("ims/outward/repair/", repair.repair_list, name="outward-repair"),
    path("ims/outward/records/<int:pk>/repair/", repair.record_repair, name="outward-record-repair"),
    path("ims/outward/records/<int:pk>/message/", messages.ask, name="outward-record-message"),
    path("ims/records/<int:pk>/message/", messages.answer, name="record-message"),
    path("ims/messages/", messages.waiting, name="messages"),
    path("ims/outward/<slug:section>/", outward.section, name="outward-section"),
    path("returns/<str:p>/<form:form>/upload/", uploads.return_upload, name="return-upload"),
    path("returns/<str:p>/<form:form>/file/", supplier_returns.return_file, name="return-file"),
    path(
        "returns/<str:p>/<form:form>/records/<int:pk>/delete/",
        supplier_returns.record_delete,
        name="return-record-delete",
    ),
    path("returns/<str:p>/<form:form>/records/<int:pk>/", return_records.record_page, name="return-record"),
    path("returns/<str:p>/<form:form>/records/<int:pk>/edit/", entry.entry_edit, name="record-edit"),
    path("returns/<str:p>/<form:form>/records/<int:pk>/amend/", return_records.amend_page, name="record-amend"),
    path("returns/<str:p>/<form:form>/recipient/", entry.recipient, name="entry-recipient"),
    path("returns/<str:p>/<form:form>/<table:table>/", return_tables.table_page, name="return-table"),
    path("returns/<str:p>/<form:form>/<table:table>/new/", entry.entry_new, name="entry-new"),
    path("returns/<str:p>/<form:form>/", supplier_returns.return_page, name="return"),
    path("deliveries/<uuid:pk>/", deliveries.delivery, name="delivery"),
    path("uploads/<uuid:pk>/", uploads.upload, name="upload"),
    path("uploads/<uuid:pk>/errors.<report:kind>", uploads.upload_report, name="upload-report"),
]
