"""Every address of the portal. Pages stand under a language; the GSTIN stands in the address, never in the session."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from ims_portal import views
from invoices.views import feeds
from returns.views import clients

TEXT_PAGES = ("help", "glossary", "accessibility", "policies")

handler400 = "ims_portal.web.bad_request"

urlpatterns = [
    path("", views.front, name="front"),
    path("health/", views.health, name="health"),
    path("session/", views.stay, name="stay"),
    path("i18n/", include("django.conf.urls.i18n")),
    *i18n_patterns(
        path("account/", include("allauth.urls")),
        path("t/", views.taxpayers, name="taxpayers"),
        path("t/<str:gstin>/", views.home, name="home"),
        path("t/<str:gstin>/", include("returns.urls")),
        path("t/<str:gstin>/", include("invoices.urls")),
        path("clients/", clients.page, name="clients"),
        path("clients/asked/<uuid:key>/", clients.asked, name="clients-asked"),
        path("rules/", views.rules_page, name="rules"),
        path("me/", views.me, name="me"),
        path("me/calendar/<str:gstin>/revoke/", views.revoke_calendar, name="calendar-revoke"),
        *(path(f"{name}/", views.text_page, {"name": name}, name=name) for name in TEXT_PAGES),
        path("control/clock/", views.control_clock, name="control-clock"),
        path("control/calendar/", views.control_calendar, name="control-calendar"),
        path("control/calendar/<int:pk>/approve/", views.approve_extension, name="control-calendar-approve"),
        path("control/calendar/<int:pk>/withdraw/", views.withdraw_extension, name="control-calendar-withdraw"),
        path("control/feeds/", feeds.feeds, name="control-feeds"),
        path("control/feeds/<uuid:pk>/", feeds.feed, name="control-feed"),
        prefix_default_language=True,
    ),
]
