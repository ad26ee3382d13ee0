"""Settings. What differs between places is read from the environment (.env.example); a bad value stops the start.

Without DATABASE_URL this is the local demo, on the demo's running servers. With it, everything else defaults to
production.
"""

import os
from pathlib import Path

from csp.constants import NONE, SELF
from django.core.exceptions import ImproperlyConfigured
from django.utils.translation import gettext_lazy as _

from ims_portal import embedded, environment, limits, logs
from ims_portal.environment import env

BASE_DIR = Path(__file__).resolve().parent.parent

# -- Which place this is -----------------------------------------------------------------------------------------------
if not env.str("DATABASE_URL", default=""):
    if not embedded.running():
        message = (
            "DATABASE_URL is not set and no demo runs in this folder. Start one with 'make demo' in another terminal, "
            "or set DATABASE_URL and REDIS_URL. For one command on the test servers: "
            "python -m ims_portal.embedded test COMMAND."
        )
        raise ImproperlyConfigured(message)
    for name, value in embedded.environment(where=embedded.place(kind="demo")).items():
        os.environ.setdefault(name, value)

ROLE = environment.one_of("IMS_ROLE", choices=("web", "worker", "beat", "command"), default="web")
# The sandbox lets an administrator set the portal's clock. Production refuses it unless somebody asks for it by name.
IMS_SANDBOX = environment.yes_or_no("IMS_SANDBOX", default=False)
# Who runs this copy and how to reach them; stands at the foot of every page.
IMS_OPERATOR = env.str("IMS_OPERATOR", default="")
IMS_CONTACT = env.str("IMS_CONTACT", default="")
IMS_RELEASED = env.str("IMS_RELEASED", default="")
# Whether who may act, file, grant or administer needs a second factor, and whether the demo's people have known ones.
IMS_MFA = environment.one_of("IMS_MFA", choices=("required", "optional"), default="required")
IMS_DEMO_CODES = environment.yes_or_no("IMS_DEMO_CODES", default=False)
environment.only_in_a_sandbox(
    is_sandbox=IMS_SANDBOX, asked={"IMS_MFA=optional": IMS_MFA == "optional", "IMS_DEMO_CODES=true": IMS_DEMO_CODES}
)
HTTPS = environment.yes_or_no("IMS_HTTPS", default=True)
DEBUG = False
SECRET_KEY = environment.secret_key("SECRET_KEY")
SECRET_KEY_FALLBACKS = environment.words("SECRET_KEY_FALLBACKS", default=[])
ALLOWED_HOSTS = environment.words("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])

# -- Applications ------------------------------------------------------------------------------------------------------
INSTALLED_APPS = [
    "returns",
    "invoices",
    "ims_portal.apps.ImsPortalConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "django.contrib.humanize",  # for allauth's page of security keys
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_htmx",
    "rest_framework",
    "drf_spectacular",
]
MIDDLEWARE = [
    "ims_portal.requests.Numbered",
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "ims_portal.sessions.Limits",
    "django.contrib.auth.middleware.LoginRequiredMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "ims_portal.web.Doors",
    "ims_portal.entrance.Entrance",
]
ROOT_URLCONF = "ims_portal.urls"
WSGI_APPLICATION = "ims_portal.wsgi.application"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.template.context_processors.i18n",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "ims_portal.context.shell",
            ],
        },
    },
]

# -- Database ----------------------------------------------------------------------------------------------------------
# Only web keeps nothing in its session of the database, so only web may share one with others (PgBouncer).
DATABASES = {
    "default": environment.database("DATABASE_URL", options=limits.of(ROLE), may_be_pooled=ROLE == "web")
    | {
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
        "ATOMIC_REQUESTS": False,  # the command opens the transaction: the lock comes first
        "TEST": {
            "NAME": env.str("IMS_TEST_DB", default="") or None
        },  # so that several test sessions can share a server
    },
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# -- Sessions, cookies, transport --------------------------------------------------------------------------------------
SESSION_ENGINE = "django.contrib.sessions.backends.db"  # a Redis flush logs nobody out
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_COOKIE_AGE = 9 * 3600  # what is left behind; `sessions` signs people out earlier
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = HTTPS
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
# Browsers take the __Host- prefix over HTTPS only.
SESSION_COOKIE_NAME, CSRF_COOKIE_NAME = ("__Host-sid", "__Host-csrf") if HTTPS else ("sid", "csrf")
LANGUAGE_COOKIE_SECURE = HTTPS
LANGUAGE_COOKIE_SAMESITE = "Lax"
CSRF_FAILURE_VIEW = "ims_portal.web.forged"
CSRF_TRUSTED_ORIGINS = environment.words("CSRF_TRUSTED_ORIGINS", default=[])
SECURE_SSL_REDIRECT = HTTPS
SECURE_HSTS_SECONDS = 31_536_000 if HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = HTTPS
SECURE_REDIRECT_EXEMPT = [r"^health/$", r"^ready/$", r"^metrics$"]  # the containers ask without TLS
BEHIND_PROXY = environment.yes_or_no("IMS_BEHIND_PROXY", default=False)
if BEHIND_PROXY:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"
SECURE_REFERRER_POLICY = SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [SELF],
        "img-src": [SELF, "data:"],
        "object-src": [NONE],
        "base-uri": [NONE],
        "form-action": [SELF],
        "frame-ancestors": [NONE],
    },
}

# -- People ------------------------------------------------------------------------------------------------------------
AUTH_USER_MODEL = "ims_portal.User"
AUTHENTICATION_BACKENDS = ["allauth.account.auth_backends.AuthenticationBackend"]
LOGIN_URL = "account_login"
LOGIN_REDIRECT_URL = "/"
LOGOUT_REDIRECT_URL = "/"
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.Argon2PasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {
        "NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator",
        "OPTIONS": {"user_attributes": ("username", "full_name", "email")},
    },
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
    {"NAME": "ims_portal.accounts.MaximumLengthValidator"},
    {"NAME": "ims_portal.accounts.ContextWordsValidator"},
]
ACCOUNT_ADAPTER = "ims_portal.accounts.AccountAdapter"
ACCOUNT_FORMS = {"login": "ims_portal.accounts.SignInForm"}
ACCOUNT_LOGIN_METHODS = {"username"}
ACCOUNT_SIGNUP_FIELDS = ["username*", "password1*", "password2*"]
ACCOUNT_EMAIL_VERIFICATION = "none"  # nobody signs up; an administrator makes the account
ACCOUNT_SESSION_REMEMBER = False
ACCOUNT_REAUTHENTICATION_TIMEOUT = 600
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if HTTPS else "http"
MFA_FORMS = {
    "add_webauthn": "ims_portal.accounts.AddKeyForm",
    "edit_webauthn": "ims_portal.accounts.EditKeyForm",
}
MFA_ADAPTER = "ims_portal.second_factor.MfaAdapter"
MFA_SUPPORTED_TYPES = ["totp", "webauthn", "recovery_codes"]
MFA_ALLOW_UNVERIFIED_EMAIL = True  # nobody signs up: an address that was never confirmed keeps nobody from a factor
MFA_TOTP_ISSUER = "IMS Portal"
ALLAUTH_TRUSTED_PROXY_COUNT = int(BEHIND_PROXY)  # or whoever asks would choose the address they are counted by
# Wrong passwords from one address in a quarter of an hour. Tests and shared demos sign many people in from one.
IMS_FAILURES_PER_ADDRESS = environment.number("IMS_FAILURES_PER_ADDRESS", default=600 if IMS_SANDBOX else 20)
ACCOUNT_RATE_LIMITS = {
    "login": "600/m/ip" if IMS_SANDBOX else "60/m/ip",
    "login_failed": "5/15m/key",  # codes of a second factor, for each person; passwords are counted by `lockout`
}

# -- Input -------------------------------------------------------------------------------------------------------------
DATA_UPLOAD_MAX_MEMORY_SIZE = 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 1000
DATA_UPLOAD_MAX_NUMBER_FILES = 1
FILE_UPLOAD_HANDLERS = ["django.core.files.uploadhandler.TemporaryFileUploadHandler"]
FILE_UPLOAD_PERMISSIONS = 0o600
MEDIA_ROOT = environment.needed(
    "IMS_FILES", why="Name a folder, not one the web server shows, for uploads and exports."
)
FILE_UPLOAD_TEMP_DIR = MEDIA_ROOT  # keeping an upload is then a renaming, and /tmp need not hold 500 MB
IMS_UPLOAD_DIR = os.fspath(Path(MEDIA_ROOT) / "uploads")
IMS_EXPORT_DIR = os.fspath(Path(MEDIA_ROOT) / "exports")
IMS_ANSWER_DIR = os.fspath(Path(MEDIA_ROOT) / "answers")
IMS_UPLOAD_LIMIT = environment.number("IMS_UPLOAD_LIMIT", default=200 * 1024 * 1024)  # bytes of one return

# -- Watching ----------------------------------------------------------------------------------------------------------
# Who asks /metrics sends it; without it there are none.
IMS_METRICS_TOKEN = environment.secret("IMS_METRICS_TOKEN")

# -- Languages and time ------------------------------------------------------------------------------------------------
USE_TZ = True
TIME_ZONE = "Asia/Kolkata"
USE_I18N = True
LANGUAGE_CODE = "en"
# A language is offered once its catalogue is compiled; a page must not say it is Hindi and be English.
LANGUAGES = [("en", _("English"))]
if (BASE_DIR / "locale/hi/LC_MESSAGES/django.mo").exists():
    LANGUAGES += [("hi", _("Hindi"))]
LOCALE_PATHS = [BASE_DIR / "locale", BASE_DIR / "locale/allauth", BASE_DIR / "locale/django"]
"""Our own texts; allauth's, which has no Hindi; what Django has no Hindi for."""
FORMAT_MODULE_PATH = ["ims_portal.formats"]
USE_THOUSAND_SEPARATOR = False  # it would print the year as 2,026

# -- Static files ------------------------------------------------------------------------------------------------------
STATIC_URL = "/static/"
STATICFILES_DIRS = [BASE_DIR / "static"]
STATIC_ROOT = env.str("IMS_STATIC_ROOT", default="") or None
WHITENOISE_USE_FINDERS = STATIC_ROOT is None  # without a folder of collected files they are served from where they are
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "whitenoise.storage.CompressedManifestStaticFilesStorage"
        if STATIC_ROOT
        else "django.contrib.staticfiles.storage.StaticFilesStorage",
    },
}

# -- Caches: counts only, never tenant data ----------------------------------------------------------------------------
CACHES = {
    # Failures to sign in and codes that were used: counted by all processes together, and kept when Redis is flushed.
    "default": {
        "BACKEND": "django.core.cache.backends.db.DatabaseCache",
        "LOCATION": "ims_portal_shared_count",
        "OPTIONS": {"MAX_ENTRIES": 200_000},
    },
    # The pace of programs.
    "paces": {
        "BACKEND": "django.core.cache.backends.redis.RedisCache",
        "LOCATION": environment.redis("CACHE_URL"),
        "OPTIONS": {"socket_timeout": 1, "socket_connect_timeout": 1},
    }
    if env.str("CACHE_URL", default="")
    else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"},
}

# -- API ---------------------------------------------------------------------------------------------------------------
API_RATE = environment.number("IMS_API_RATE", default=120)
# An answer to a program with more rows than this comes in parts, written by a worker.
GSTN_LARGE_ROWS = environment.number("GSTN_LARGE_ROWS", default=5_000)
# The sealed way of existing software: one-time codes, session keys, AES and HMAC around everything.
GSTN_ENCRYPTED_PROFILE = environment.yes_or_no("GSTN_ENCRYPTED_PROFILE", default=False)
# The private key of that way and its certificate, PEM in one file; made the first time it is needed.
GSTN_KEY_FILE = env.str("GSTN_KEY_FILE", default="") or os.fspath(Path(MEDIA_ROOT) / "gstn-key.pem")
REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": ["ims_portal.api.doors.Bearer"],
    "DEFAULT_PERMISSION_CLASSES": ["ims_portal.api.doors.HasToken"],  # the framework's own default lets anyone in
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_PARSER_CLASSES": ["ims_portal.api.bodies.StrictJson"],
    "DEFAULT_SCHEMA_CLASS": "ims_portal.api.schema.Schema",
    "NUM_PROXIES": int(BEHIND_PROXY),  # or whoever asks would choose what requests are counted by
    "DEFAULT_THROTTLE_RATES": {"user": f"{API_RATE}/min"},
    "EXCEPTION_HANDLER": "ims_portal.api.errors.handler",
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "IMS Portal",
    "DESCRIPTION": "An open mirror of the Invoice Management System. It is not run by the Government or GSTN.",
    "VERSION": "1",
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "SERVE_PUBLIC": True,
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "ims_portal.api.schema.with_errors",
    ],
    "ENUM_GENERATE_CHOICE_DESCRIPTION": False,
    "ENUM_NAME_OVERRIDES": {
        "Decision": "invoices.api.records.LETTERS",
        "FileKind": "returns.api.exports.KINDS",
        "Head": "ims_portal.rules.money.HEADS",
        "JobState": "returns.api.jobs.STATES",
        "Place": "returns.api.lines.PLACES",
        "Row3b": "ims_portal.rules.gstr3b.ROWS",
        "Table2b": "returns.api.lines.TABLES",
        "Reduction": "invoices.api.actions.REDUCTIONS",
        "ReductionOfAll": "invoices.api.batches.FOR_ALL",
        "DocumentStatus": "invoices.api.records.STATES",
        "OutwardSection": "invoices.api.outward.CODES",
        "UploadKind": "invoices.api.uploads.KINDS",
        "FormState": "invoices.api.supplier_returns.STATES",
    },
}

# -- Celery: a message only means "look"; the database knows what is due -----------------------------------------------
VISIBILITY_TIMEOUT = 600  # longer than the hard time limit, or a running task is started again
CELERY_BROKER_URL = environment.broker(environment.redis("REDIS_URL"))
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "visibility_timeout": VISIBILITY_TIMEOUT,
    "unacked_restore_interval": 5,
    "unacked_restore_throttle": 1,
}
if ROLE == "web":
    # A page never waits for the broker: one second, no second try; the sweep finds what was not told.
    CELERY_BROKER_TRANSPORT_OPTIONS |= {"socket_timeout": 1, "socket_connect_timeout": 1, "max_retries": 0}
    CELERY_TASK_PUBLISH_RETRY = False
CELERY_RESULT_BACKEND_TRANSPORT_OPTIONS = {"visibility_timeout": VISIBILITY_TIMEOUT}
CELERY_VISIBILITY_TIMEOUT = VISIBILITY_TIMEOUT
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_TASK_DEFAULT_QUEUE = "ims"
CELERY_TASK_ACKS_LATE = CELERY_TASK_REJECT_ON_WORKER_LOST = CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_SOFT_TIME_LIMIT = 270
CELERY_TASK_TIME_LIMIT = 300
CELERY_ACCEPT_CONTENT = ["json"]
CELERY_TASK_SERIALIZER = "json"
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_WORKER_CANCEL_LONG_RUNNING_TASKS_ON_CONNECTION_LOSS = True
CELERY_WORKER_SOFT_SHUTDOWN_TIMEOUT = 30
CELERY_WORKER_MAX_TASKS_PER_CHILD = 200
CELERY_WORKER_MAX_MEMORY_PER_CHILD = 400_000
CELERY_TIMEZONE = TIME_ZONE
CELERY_ENABLE_UTC = True
CELERY_BEAT_SCHEDULER = (
    "celery.beat:Scheduler"  # no file: its entries look at the database, so nothing needs remembering
)
CELERY_BEAT_SCHEDULE = {
    "sweep": {"task": "ims_portal.tasks.sweep", "schedule": 30.0},
    "drafts": {"task": "returns.tasks.draft_due", "schedule": 30.0},
    "counts": {"task": "invoices.tasks.fold_counts", "schedule": 30.0},
    # Looks often and seals hourly: an hour that was missed is made good.
    "seals": {"task": "returns.tasks.seal_history", "schedule": 300.0},
    "uploads": {"task": "invoices.tasks.remove_old_uploads", "schedule": 3600.0},
    "downloads": {"task": "ims_portal.tasks.remove_old_downloads", "schedule": 3600.0},
}

# -- Mail and logs -----------------------------------------------------------------------------------------------------
EMAIL_BACKEND = (
    "django.core.mail.backends."
    + environment.one_of("IMS_MAIL", choices=("console", "dummy", "locmem", "smtp"), default="console")
    + ".EmailBackend"
)
LOGGING = logs.configuration(
    level=environment.one_of("IMS_LOG_LEVEL", choices=("DEBUG", "INFO", "WARNING", "ERROR"), default="INFO"),
    with_texts=IMS_SANDBOX,
)
