"""Addresses of feeds for programs; they are about no GSTIN in particular."""

from django.urls import path

from invoices.api.feeds import Feeds, OneFeed

urlpatterns = [
    path("<str:kind>", Feeds.as_view(), name="feeds"),
    path("<str:kind>/<uuid:pk>", OneFeed.as_view(), name="feed"),
]
