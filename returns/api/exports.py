"""Files out for programs: asked for, made by a worker, taken within seven days."""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any
from urllib.parse import urlencode

from django.http import FileResponse, Http404
from drf_spectacular.types import OpenApiTypes
from drf_spectacular.utils import OpenApiExample, extend_schema
from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import clock
from ims_portal.access import Right
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Period
from ims_portal.api.views import Strict, TaxpayerView, asked
from ims_portal.rules.documents import Form
from returns import exports
from returns.api.jobs import JobOut, job_told
from returns.api.queries import version
from returns.export_files import Kind, NothingToWriteError
from returns.models import Export

TYPES = {
    "xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
    "json": "application/json",
}
_STATEMENT, _LIST, _FILE = ("period", "version"), ("list", "filters"), ("file",)
ASKS: Mapping[Kind, tuple[str, ...]] = {
    Kind.GSTR2B_XLSX: _STATEMENT,
    Kind.GSTR2B_JSON: _STATEMENT,
    Kind.GSTR3B_JSON: ("period",),
    Kind.GSTR1_JSON: ("period", "form"),
    Kind.IMS_XLSX: _LIST,
    Kind.IMS_JSON: _LIST,
    Kind.IMS_OFFLINE: _LIST,
    Kind.OUTWARD_XLSX: _LIST,
    Kind.REFUSED_XLSX: _FILE,
    Kind.REFUSED_JSON: _FILE,
    Kind.ERRORS_XLSX: _FILE,
    Kind.REGISTER_XLSX: _FILE,
}
"""Kind of file -> what it is asked for by."""
KINDS = [kind.value for kind in Kind]
NEVER_NEEDED = ("filters",)
FORMS = [Form.GSTR1.value, Form.GSTR1A.value, Form.IFF.value]
LONGEST_FILTER = 200


class ExportIn(Strict):
    """A file, and what it is to hold: each kind takes what it needs and no more.

    GSTR-2B: `period` and `version`. GSTR-3B: `period`. GSTR-1: `period` and `form`. Lists of records: `list`, as the
    address of the list names it ("all" for all), and `filters`, as that list takes them. Refused rows: the `file`.
    """

    kind = serializers.ChoiceField(KINDS)
    period = Period(required=False)
    version = version(required=False)
    form = serializers.ChoiceField(FORMS, required=False)
    list = serializers.SlugField(required=False, max_length=20)
    filters = serializers.DictField(
        child=serializers.CharField(max_length=LONGEST_FILTER), required=False, help_text="name of a filter -> value"
    )
    file = serializers.UUIDField(required=False)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse what a kind does not take, and a kind without what it needs."""
        takes = ASKS[Kind(attrs["kind"])]
        problems = {name: "This kind of file does not take it. Leave it out." for name in attrs if name not in takes}
        problems.pop("kind")
        needs = [name for name in takes if name not in NEVER_NEEDED and name not in attrs]
        problems |= dict.fromkeys(needs, "This kind of file needs it.")
        if problems:
            raise serializers.ValidationError(problems)
        return attrs


class ExportOut(JobOut):
    """A file, or the job that makes it. It can be taken once `done`; `sha256` is of its octets, `as_of` their moment.

    `left_out` names the tables of a return of which too little is kept to write them. Seven days after it was made the
    file is gone.
    """

    file_kind = serializers.ChoiceField(KINDS)
    name = serializers.CharField()
    size = serializers.IntegerField()
    sha256 = serializers.CharField()
    rows = serializers.IntegerField()
    as_of = serializers.DateTimeField(allow_null=True)
    kept_until = serializers.DateTimeField(allow_null=True)
    left_out = serializers.ListField(child=serializers.CharField())


class ExportsOut(serializers.Serializer[Any]):
    """The latest files, the newest first."""

    exports = ExportOut(many=True)


class Exports(TaxpayerView):
    """A GSTIN's files."""

    rights = {"GET": Right.EXPORT, "POST": Right.EXPORT}

    @extend_schema(operation_id="exports", responses=ExportsOut)
    def get(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """List the latest files that are at work, failed lately or still kept."""
        found = exports.latest(taxpayer=self.held.taxpayer, at=self.at)
        return Response({"exports": [_told(export) for export in found]})

    @extend_schema(
        operation_id="export",
        request=ExportIn,
        responses={202: ExportOut},
        examples=[
            OpenApiExample(
                "A statement", value={"kind": "gstr2b-json", "period": "092030", "version": 2}, request_only=True
            ),
            OpenApiExample(
                "Rejected records",
                value={"kind": "ims-xlsx", "list": "all", "filters": {"action": "R"}},
                request_only=True,
            ),
        ],
    )
    def post(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Ask for a file; the one at work on the very same is answered where there is one."""
        sent, key = asked(ExportIn, request, request.data), self.key()
        try:
            export = exports.request(
                taxpayer=self.held.taxpayer,
                kind=Kind(sent["kind"]),
                asked=_asked(sent),
                actor=self.actor,
                clock=clock.portal(),
                request_id=key,
            )
        except NothingToWriteError as nothing:
            raise RefusedError("NOTHING_TO_EXPORT", str(nothing)) from None
        return Response(_told(export), status=202)


class OneExport(TaxpayerView):
    """One file of a GSTIN."""

    rights = {"GET": Right.EXPORT}

    @extend_schema(operation_id="export_state", responses=ExportOut)
    def get(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - of the address
        """Return how far a file is."""
        return Response(_told(self.export(pk)))

    def export(self, pk: uuid.UUID) -> Export:
        """Return the file of the address. Raises Http404."""
        found = exports.of(taxpayer=self.held.taxpayer, export_id=pk, at=self.at)
        if found is None:
            raise Http404("No such export.")
        return found


class ExportFile(OneExport):
    """The octets of a file."""

    def perform_content_negotiation(self, request: Request, force: bool = False) -> Any:  # noqa: ANN401, ARG002, FBT001, FBT002 - the framework's
        """Take any Accept: a file is what it is; only errors are JSON."""
        return super().perform_content_negotiation(request, force=True)

    @extend_schema(operation_id="export_file", responses={(200, kind): OpenApiTypes.BINARY for kind in TYPES.values()})
    def get(self, request: Request, gstin: str, pk: uuid.UUID) -> FileResponse:  # noqa: ARG002 - of the address
        """Return the file. That it was taken is written down."""
        export = self.export(pk)
        path = exports.downloaded(export=export, actor=self.actor, at=self.at)
        if path is None:
            raise Http404("No such file.")
        return FileResponse(
            path.open("rb"),
            as_attachment=True,
            filename=export.file_name,
            content_type=TYPES[export.file_name.rpartition(".")[2]],
        )


def _asked(sent: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a body asks for, as files are asked for."""
    names = {"period": "month", "version": "version", "form": "form", "list": "section"}
    found = {kept: sent[name] for name, kept in names.items() if name in sent}
    if "file" in sent:
        found["file"] = str(sent["file"])
    if "filters" in sent:
        found["query"] = urlencode(sorted(sent["filters"].items()), safe="/")
    return found


def _told(export: Export) -> dict[str, Any]:
    return {
        **job_told(export),
        "file_kind": export.kind,
        "name": export.file_name,
        "size": export.size,
        "sha256": export.sha256,
        "rows": export.rows,
        "as_of": export.as_of.isoformat() if export.as_of else None,
        "kept_until": export.kept_until.isoformat() if export.kept_until else None,
        "left_out": export.left_out,
    }
