"""Every address of the portal. Pages stand under a language; the GSTIN stands in the address, never in the session."""

from django.conf.urls.i18n import i18n_patterns
from django.urls import include, path

from ims_portal.gstn.authenticate import Certificate
from ims_portal.views import (
    audit,
    codes,
    control,
    desk,
    engagements,
    interface,
    jobs,
    machines,
    people,
    taxpayers,
    tokens,
    users,
)
from invoices.views import feeds
from returns.views import clients
from returns.views import control as control_periods

TEXT_PAGES = ("help", "glossary", "accessibility", "policies")

handler400 = "ims_portal.web.bad_request"
handler500 = "ims_portal.web.broken"

urlpatterns = [
    path("", desk.front, name="front"),
    path("health/", machines.health, name="health"),
    path("ready/", machines.ready, name="ready"),
    path("metrics", machines.counts, name="metrics"),
    path("session/", desk.stay, name="stay"),
    path("gstn/", include("ims_portal.gstn.urls")),
    # The same under the addresses that existing software has built in.
    path("standard/gstn/", include("ims_portal.gstn.urls", namespace="gstn-standard")),
    path("taxpayerapi/v1.0/", include("ims_portal.gstn.urls", namespace="gstn-own")),
    path("static/gstn_g2b_prod_public", Certificate.as_view(), name="gstn-certificate"),
    path("api/schema.yaml", interface.schema, name="interface-schema"),
    path("api/v1/", include("ims_portal.api.urls")),
    path("i18n/", include("django.conf.urls.i18n")),
    *i18n_patterns(
        path("account/", include("allauth.urls")),
        path("t/", desk.taxpayers, name="taxpayers"),
        path("t/<str:gstin>/", desk.home, name="home"),
        path("t/<str:gstin>/people/", people.people, name="people"),
        path("t/<str:gstin>/jobs/", jobs.jobs_of, name="jobs"),
        path("t/<str:gstin>/codes/", codes.page, name="codes"),
        path("t/<str:gstin>/", include("returns.urls")),
        path("t/<str:gstin>/", include("invoices.urls")),
        path("clients/", clients.page, name="clients"),
        path("clients/engagements/", engagements.page, name="engagements"),
        path("clients/asked/<uuid:key>/", clients.asked, name="clients-asked"),
        path("clients/asked/<uuid:key>/archive/", clients.archive, name="clients-archive"),
        path("clients/exports/", clients.exports_page, name="clients-exports"),
        path("clients/exports/<uuid:pk>/file", clients.archive_file, name="clients-archive-file"),
        path("clients/deadlines/", clients.deadlines, name="clients-deadlines"),
        path("rules/", desk.rules_page, name="rules"),
        path("me/", desk.me, name="me"),
        path("me/calendar/<str:gstin>/revoke/", desk.revoke_calendar, name="calendar-revoke"),
        path("me/tokens/", tokens.page, name="tokens"),
        path("me/tokens/<slug:prefix>/revoke/", tokens.revoke, name="token-revoke"),
        path("api/", interface.page, name="interface"),
        *(path(f"{name}/", desk.text_page, {"name": name}, name=name) for name in TEXT_PAGES),
        path("control/clock/", control.clock_page, name="control-clock"),
        path("control/periods/", control_periods.periods_page, name="control-periods"),
        path("control/calendar/", control.calendar_page, name="control-calendar"),
        path("control/calendar/<int:pk>/approve/", control.approve_extension, name="control-calendar-approve"),
        path("control/calendar/<int:pk>/withdraw/", control.withdraw_extension, name="control-calendar-withdraw"),
        path("control/jobs/", jobs.every_job, name="control-jobs"),
        path("control/taxpayers/", taxpayers.page, name="control-taxpayers"),
        path("control/users/", users.page, name="control-users"),
        path("control/audit/", audit.page, name="control-audit"),
        path("control/audit/extracts/", audit.extracts, name="control-audit-extracts"),
        path("control/audit/extracts/<uuid:pk>/file", audit.extract_file, name="control-audit-extract-file"),
        path("control/feeds/", feeds.feeds, name="control-feeds"),
        path("control/feeds/<uuid:pk>/", feeds.feed, name="control-feed"),
        prefix_default_language=True,
    ),
]
