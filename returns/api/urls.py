"""Addresses of statements, returns and jobs for programs, below those of a GSTIN."""

from django.urls import path

from returns.api.declaring import Entry, Row
from returns.api.exports import ExportFile, Exports, OneExport
from returns.api.filing import File, Review
from returns.api.forecast import Forecast
from returns.api.gstr2b import Compute, Statement
from returns.api.gstr3b import Return
from returns.api.jobs import JobView
from returns.api.lines import Lines
from returns.api.versions import Changes, Diff
from returns.api.whatif import WhatIf

urlpatterns = [
    path("2b/<str:p>", Statement.as_view(), name="gstr2b"),
    path("2b/<str:p>/compute", Compute.as_view(), name="gstr2b-compute"),
    path("2b/<str:p>/lines", Lines.as_view(), name="gstr2b-lines"),
    path("2b/<str:p>/diff", Diff.as_view(), name="gstr2b-diff"),
    path("2b/<str:p>/changes", Changes.as_view(), name="gstr2b-changes"),
    path("3b/<str:p>", Return.as_view(), name="gstr3b"),
    path("3b/<str:p>/rows/<str:row>", Row.as_view(), name="gstr3b-row"),
    path("3b/<str:p>/payment/<str:entry>", Entry.as_view(), name="gstr3b-entry"),
    path("3b/<str:p>/review", Review.as_view(), name="gstr3b-review"),
    path("3b/<str:p>/file", File.as_view(), name="gstr3b-file"),
    path("whatif", WhatIf.as_view(), name="whatif"),
    path("outward/forecast", Forecast.as_view(), name="forecast"),
    path("exports", Exports.as_view(), name="exports"),
    path("exports/<uuid:pk>", OneExport.as_view(), name="export"),
    path("exports/<uuid:pk>/file", ExportFile.as_view(), name="export-file"),
    path("jobs/<uuid:pk>", JobView.as_view(), name="job"),
]
