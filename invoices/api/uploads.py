"""Files for programs: a return of documents, or actions on records; read by a worker, their problems told page by page.

A file of a return is saved as soon as it is read; one of actions is judged first and applied once that is asked for.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Any, ClassVar

from django.http import Http404
from drf_spectacular.utils import OpenApiParameter, extend_schema
from rest_framework import serializers
from rest_framework.exceptions import ValidationError
from rest_framework.parsers import MultiPartParser
from rest_framework.request import Request
from rest_framework.response import Response

from ims_portal import access, clock
from ims_portal.access import Right
from ims_portal.api.errors import RefusedError
from ims_portal.api.fields import Period, wire
from ims_portal.api.views import Strict, TaxpayerView, asked, nothing
from invoices import exchange, exchange_words, standing, uploads
from invoices.api.batches import JOB_STATES
from invoices.api.supplier_returns import form_of, refused_form
from invoices.exchange import FileRefusedError
from invoices.kept_files import UploadRefusedError
from invoices.models import ActionFile, ActionFileRow, Upload
from invoices.open_forms import ReturnRefusedError
from invoices.outward_filters import FORMS

OF_ACTIONS = {"ims_xlsx": ActionFile.Kind.WORKBOOK, "ims_offline_json": ActionFile.Kind.JSON}
KINDS = [*FORMS, *OF_ACTIONS]
USUAL, MOST = 50, 200
LONGEST_PLACE = 18
TOO_LARGE = "FILE_TOO_LARGE"


class UploadIn(Strict):
    """A file: gstr1, gstr1a and iff are a return as the portal's JSON or a workbook, and need its period."""

    kind = serializers.ChoiceField(KINDS)
    period = Period(required=False)
    file = serializers.FileField(allow_empty_file=True)

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a return without its period, and a period that says nothing."""
        if (attrs["kind"] in FORMS) != ("period" in attrs):
            text = (
                "Say of which period the return is." if attrs["kind"] in FORMS else "Actions have none. Leave it out."
            )
            raise serializers.ValidationError({"period": text})
        return attrs


class CountOut(serializers.Serializer[Any]):
    """What so many documents or rows came to, or would."""

    what = serializers.CharField()
    count = serializers.IntegerField()


class UploadOut(serializers.Serializer[Any]):
    """A file, which is a job: over once `state` is done or failed; `problem` then says why it was refused whole.

    Of a return `counts` are documents added, changed, unchanged, withdrawn, refused. Of actions they are rows by
    verdict: will, same, conflict or the code of a refusal, ok once saved; `phase` ready waits for being applied.
    """

    id = serializers.UUIDField()
    kind = serializers.ChoiceField(KINDS)
    period = Period(allow_null=True)
    state = serializers.ChoiceField(JOB_STATES)
    phase = serializers.CharField()
    progress = serializers.IntegerField()
    total = serializers.IntegerField()
    problem = serializers.CharField()
    file_name = serializers.CharField()
    by = serializers.CharField()
    asked_at = serializers.DateTimeField()
    counts = CountOut(many=True)


class ProblemOut(serializers.Serializer[Any]):
    """What is wrong with a document or row: where it stands in the file, its number, the field, a code, what next."""

    position = serializers.CharField()
    number = serializers.CharField()
    field = serializers.CharField()
    code = serializers.CharField()
    message = serializers.CharField()
    is_warning = serializers.BooleanField()


class ProblemsOut(serializers.Serializer[Any]):
    """A page of problems in the order of the file; `next` is the cursor of the page behind it."""

    problems = ProblemOut(many=True)
    next = serializers.CharField(allow_null=True)


def refused_file(refused: UploadRefusedError) -> RefusedError:
    """Return what answers a file that cannot be kept."""
    is_large = refused.code == TOO_LARGE
    code = "TOO_LARGE" if is_large else refused.code
    return RefusedError(code, str(refused), field="file", status=413 if is_large else 0)


class Uploads(TaxpayerView):
    """Handing a file in."""

    rights = {"POST": Right.VIEW}
    parser_classes: ClassVar[list[type]] = [MultiPartParser]

    @extend_schema(operation_id="upload", request={"multipart/form-data": UploadIn}, responses={202: UploadOut})
    def post(self, request: Request, gstin: str) -> Response:  # noqa: ARG002 - of the address
        """Hand a file in. A return needs the right to supply, actions the right to act."""
        told, key = asked(UploadIn, request, request.data), self.key()
        right = Right.SUPPLY if told["kind"] in FORMS else Right.ACT
        if not self.held.may(right):
            raise access.RightMissingError(right, [])
        try:
            found = self._return(told, key) if told["kind"] in FORMS else self._actions(told, key)
        except UploadRefusedError as refused:
            raise refused_file(refused) from None
        except FileRefusedError as refused:
            raise RefusedError("INVALID", str(refused), field="file", status=400) from None
        except ReturnRefusedError as refused:
            raise refused_form(refused) from None
        return Response(_told(found), status=202)

    def _return(self, told: Mapping[str, Any], key: uuid.UUID) -> Upload:
        form, period = form_of(self, wire(told["period"]), told["kind"])
        return uploads.receive(
            taxpayer=self.held.taxpayer,
            form=form,
            period=period,
            file=told["file"],
            actor=self.actor,
            clock=clock.portal(),
            request_id=key,
        )

    def _actions(self, told: Mapping[str, Any], key: uuid.UUID) -> ActionFile:
        kind = OF_ACTIONS[told["kind"]]
        if not (told["file"].name or "").lower().endswith(f".{kind.value}"):
            raise ValidationError({"file": f"A file of this kind is named .{kind.value}."})
        return exchange.receive(
            taxpayer=self.held.taxpayer,
            file=told["file"],
            actor=self.actor,
            clock=clock.portal(),
            request_id=key,
        )


class OneUpload(TaxpayerView):
    """One file that was handed in."""

    rights = {"GET": Right.VIEW}

    @extend_schema(operation_id="upload_state", responses=UploadOut)
    def get(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - of the address
        """Return how far a file is, and what came of it."""
        return Response(_told(_of(self, pk)))


class Apply(TaxpayerView):
    """Applying a file of actions."""

    rights = {"POST": Right.ACT}

    @extend_schema(operation_id="apply_upload", request=None, responses={202: UploadOut})
    def post(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - the framework's signature
        """Apply the actions of a file as they were judged; again it changes nothing."""
        nothing(request)
        key = self.key()
        found = _of(self, pk)
        if not isinstance(found, ActionFile):
            raise RefusedError("NOTHING_CHANGED", "A return is saved when it is read. There is nothing to apply.")
        if found.phase == ActionFile.Phase.READING:
            raise RefusedError("IN_PROGRESS", "The file is not read yet, or was refused. Look at it first.")
        try:
            done = exchange.confirm(file=found, actor=self.actor, clock=clock.portal(), request_id=key)
        except FileRefusedError as refused:
            is_own = found.requested_by_id == self.actor.pk
            raise RefusedError(
                "NOTHING_CHANGED" if is_own else "RIGHT_MISSING", str(refused), status=422 if is_own else 403
            ) from None
        return Response(_told(done), status=202)


class Problems(TaxpayerView):
    """What was wrong in a file."""

    rights = {"GET": Right.VIEW}

    @extend_schema(
        operation_id="upload_errors",
        parameters=[
            OpenApiParameter("rows", int, description=f"problems of a page, {MOST} at most"),
            OpenApiParameter("after", str, description="the cursor of a page, from `next`"),
        ],
        responses=ProblemsOut,
    )
    def get(self, request: Request, gstin: str, pk: uuid.UUID) -> Response:  # noqa: ARG002 - of the address
        """List what was refused of a file, or warned of."""
        query = request.query_params
        rows, after = query.get("rows", str(USUAL)), query.get("after", "")
        if not (rows.isascii() and rows.isdigit() and len(rows) < 4 and 0 < int(rows) <= MOST):  # noqa: PLR2004
            raise ValidationError({"rows": f"Ask for 1 to {MOST} rows."})
        if after and not (after.isascii() and after.isdigit() and len(after) <= LONGEST_PLACE):
            raise ValidationError({"after": "This is no cursor of this list. Begin without one."})
        found = _of(self, pk)
        if isinstance(found, Upload):
            problems, last = _of_return(found, int(rows), int(after or 0))
        else:
            problems, last = self._of_actions(found, int(rows), int(after) if after else -1)
        return Response({"problems": problems, "next": str(last) if last is not None else None})

    def _of_actions(self, file: ActionFile, rows: int, after: int) -> tuple[list[dict[str, Any]], int | None]:
        found = exchange_words.refused(file, after)[: rows + 1]
        today = standing.for_page(self.held, self.at)
        told = [exchange_words.told(row, today) for row in found]
        lines = [
            {
                "position": one.row.position,
                "number": one.row.number,
                "field": "",
                "code": _code(one.row),
                "message": one.text,
                "is_warning": False,
            }
            for one in told[:rows]
        ]
        return lines, told[rows - 1].row.place if len(told) > rows else None


def _code(row: ActionFileRow) -> str:
    return row.code or ("CONFLICT" if row.verdict == exchange.CONFLICT else row.verdict)


def _of_return(upload: Upload, rows: int, after: int) -> tuple[list[dict[str, Any]], int | None]:
    found = list(upload.problems.filter(pk__gt=after).order_by("pk")[: rows + 1])
    lines = [
        {
            "position": one.position,
            "number": one.number,
            "field": one.field,
            "code": one.code,
            "message": one.message,
            "is_warning": one.is_warning,
        }
        for one in found[:rows]
    ]
    return lines, found[rows - 1].pk if len(found) > rows else None


def _of(view: TaxpayerView, pk: uuid.UUID) -> Upload | ActionFile:
    taxpayer = view.held.taxpayer
    found = uploads.of(taxpayer=taxpayer, upload_id=pk) or exchange.of(taxpayer=taxpayer, file_id=pk)
    if found is None:
        raise Http404("No such file.")
    return found


def _told(found: Upload | ActionFile) -> dict[str, Any]:
    counts: Mapping[str, int]
    if isinstance(found, Upload):
        kind = next(slug for slug, form in FORMS.items() if form.value == found.form)
        phase, period = "", wire(found.month)
        names = ("added", "changed", "unchanged", "withdrawn", "refused")
        counts = {name: getattr(found, name) for name in names}
    else:
        kind = next(slug for slug, one in OF_ACTIONS.items() if one.value == found.kind)
        phase, period = found.phase, None
        counts = {**{code or "unread": count for code, count in found.counts.items()}, "untouched": found.untouched}
    return {
        "id": str(found.pk),
        "kind": kind,
        "period": period,
        "state": found.state,
        "phase": phase,
        "progress": found.progress,
        "total": found.total,
        "problem": found.problem,
        "file_name": found.file_name,
        "by": str(found.requested_by or ""),
        "asked_at": found.created_at.isoformat(),
        "counts": [{"what": what, "count": count} for what, count in sorted(counts.items())],
    }
