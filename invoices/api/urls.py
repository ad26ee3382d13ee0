"""Addresses of IMS for programs, below those of a GSTIN."""

from django.urls import path

from invoices.api.actions import Actions
from invoices.api.batches import Batches, Confirm, OneBatch, Undo
from invoices.api.deadlines import Deadlines
from invoices.api.documents import Documents, OneDocument
from invoices.api.outward import OneOutward, Outward, OutwardCounts
from invoices.api.records import Counts, History, OneRecord, Records
from invoices.api.supplier_returns import FileForm, OneForm
from invoices.api.uploads import Apply, OneUpload, Problems, Uploads

urlpatterns = [
    path("ims/counts", Counts.as_view(), name="counts"),
    path("ims/records", Records.as_view(), name="records"),
    path("ims/records/<int:pk>", OneRecord.as_view(), name="record"),
    path("ims/records/<int:pk>/history", History.as_view(), name="record-history"),
    path("ims/actions", Actions.as_view(), name="actions"),
    path("ims/outward", Outward.as_view(), name="outward"),
    path("ims/outward/counts", OutwardCounts.as_view(), name="outward-counts"),
    path("ims/outward/<int:pk>", OneOutward.as_view(), name="outward-record"),
    path("ims/batches", Batches.as_view(), name="batches"),
    path("ims/batches/<uuid:pk>", OneBatch.as_view(), name="batch"),
    path("ims/batches/<uuid:pk>/confirm", Confirm.as_view(), name="batch-confirm"),
    path("ims/batches/<uuid:pk>/undo", Undo.as_view(), name="batch-undo"),
    path("out/<str:form>/<str:p>", OneForm.as_view(), name="out-form"),
    path("out/<str:form>/<str:p>/file", FileForm.as_view(), name="out-file"),
    path("out/<str:form>/<str:p>/records", Documents.as_view(), name="out-records"),
    path("out/<str:form>/<str:p>/records/<path:key>", OneDocument.as_view(), name="out-record"),
    path("uploads", Uploads.as_view(), name="uploads"),
    path("uploads/<uuid:pk>", OneUpload.as_view(), name="upload"),
    path("uploads/<uuid:pk>/errors", Problems.as_view(), name="upload-errors"),
    path("uploads/<uuid:pk>/apply", Apply.as_view(), name="upload-apply"),
    path("deadlines", Deadlines.as_view(), name="deadlines"),
]
