"""Whom feeds are about."""

import pytest

from ims_portal.models import Taxpayer
from tests import factories
from tests.invoices import feed_files


@pytest.fixture
def importers() -> None:
    """Make two importers known, and the ISD of the same company."""
    factories.taxpayer(feed_files.IMPORTER, first=202609)
    factories.taxpayer(feed_files.OTHER, first=202609)
    factories.taxpayer(feed_files.ISD, first=202609)
    Taxpayer.objects.filter(gstin=feed_files.ISD).update(kind=Taxpayer.Kind.ISD)
