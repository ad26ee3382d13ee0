"""Addresses of GSTR-2B and GSTR-3B. `<p>` is MMYYYY, a quarter by its last month."""

from django.urls import path

from returns.views import (
    exports,
    filing,
    forecast,
    gstr2b,
    gstr2b_files,
    gstr3b,
    jobs,
    payment,
    periods,
    prefill,
    whatif,
)

app_name = "returns"
urlpatterns = [
    path("ims/outward/forecast/", forecast.page, name="outward-forecast"),
    path("ims/whatif/", whatif.page, name="whatif"),
    path("returns/", periods.periods, name="periods"),
    path("returns/<str:p>/gstr2b/", gstr2b.statement, name="gstr2b"),
    path("returns/<str:p>/gstr2b/all/<slug:section>/", gstr2b.statement_lines, name="gstr2b-lines"),
    path("returns/<str:p>/gstr2b/why/<int:version>/<int:line>/", gstr2b.line_why, name="gstr2b-why"),
    path("returns/<str:p>/gstr2b/versions/<int:version>/", gstr2b.version, name="gstr2b-version"),
    path("returns/<str:p>/gstr2b/diff/<int:older>/<int:newer>/", gstr2b.diff, name="gstr2b-diff"),
    path("returns/<str:p>/gstr2b/changes/", gstr2b.changes, name="gstr2b-changes"),
    path("returns/<str:p>/gstr2b/files/", gstr2b_files.files, name="gstr2b-files"),
    path("returns/<str:p>/gstr2b/compute/", gstr2b.compute, name="gstr2b-compute"),
    path("returns/<str:p>/gstr3b/", gstr3b.gstr3b_page, name="gstr3b"),
    path("returns/<str:p>/gstr3b/table/<slug:row>/", gstr3b.row, name="gstr3b-adjust"),
    path("returns/<str:p>/gstr3b/payment/<slug:entry>/", payment.entry, name="gstr3b-entry"),
    path("returns/<str:p>/gstr3b/upload/", prefill.upload, name="gstr3b-upload"),
    path("returns/<str:p>/gstr3b/upload/fill/", prefill.fill, name="gstr3b-fill"),
    path("returns/<str:p>/gstr3b/review/", filing.review_page, name="gstr3b-review"),
    path("returns/<str:p>/gstr3b/file/", filing.file, name="gstr3b-file"),
    path("returns/<str:p>/gstr3b/receipt/", filing.receipt, name="gstr3b-receipt"),
    path("returns/<str:p>/gstr3b/receipt.json", filing.receipt_json, name="gstr3b-receipt-json"),
    path("exports/", exports.exports_page, name="exports"),
    path("exports/<uuid:pk>/", exports.export, name="export"),
    path("exports/<uuid:pk>/file", exports.file, name="export-file"),
    path("gstr2b-files/<uuid:pk>/", gstr2b_files.file, name="gstr2b-file"),
    path("jobs/<uuid:pk>/", jobs.job, name="job"),
]
