"""Columns of money, which are whole paise, and what keeps them within bounds."""

from __future__ import annotations

from typing import TYPE_CHECKING

from django.db import models
from django.db.models import Q

from ims_portal.rules import money

if TYPE_CHECKING:
    from django_stubs_ext import StrOrPromise


def paise(name: StrOrPromise = "", *, default: int = 0) -> models.BigIntegerField[int, int]:
    """Return a column of whole paise; its bounds are a table constraint (`within_bounds`)."""
    return models.BigIntegerField(name, default=default)


def within_bounds(*columns: str, name: str, least: int = -money.LARGEST_PAISE) -> models.CheckConstraint:
    """Return the constraint that keeps money columns within both bounds; NULL passes."""
    condition = Q()
    for column in columns:
        condition &= Q(**{f"{column}__gte": least, f"{column}__lte": money.LARGEST_PAISE})
    return models.CheckConstraint(condition=condition, name=name)
