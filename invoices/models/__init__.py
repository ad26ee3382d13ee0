"""What suppliers report and recipients decide. Money is whole paise; a period is YYYYMM of its last month."""

from invoices.models.books import Booked, Books, Pair, Register, RegisterProblem
from invoices.models.bulk import Batch, BatchRow
from invoices.models.counts import KeptCount
from invoices.models.decisions import ActionEvent, Draft, DraftChoice, Inbox
from invoices.models.exchange import ActionFile, ActionFileRow
from invoices.models.feeds import BillOfEntry, FeedBatch, FeedKind, FeedProblem, IsdDocument, Reversal
from invoices.models.messages import Message
from invoices.models.records import Record, RecordDetail, ReportedBefore
from invoices.models.returns import Delivery, ReturnSummary, SupplierReturn
from invoices.models.uploads import Upload, UploadProblem

__all__ = [
    "ActionEvent",
    "ActionFile",
    "ActionFileRow",
    "Batch",
    "BatchRow",
    "BillOfEntry",
    "Booked",
    "Books",
    "Delivery",
    "Draft",
    "DraftChoice",
    "FeedBatch",
    "FeedKind",
    "FeedProblem",
    "Inbox",
    "IsdDocument",
    "KeptCount",
    "Message",
    "Pair",
    "Record",
    "RecordDetail",
    "Register",
    "RegisterProblem",
    "ReportedBefore",
    "ReturnSummary",
    "Reversal",
    "SupplierReturn",
    "Upload",
    "UploadProblem",
]
