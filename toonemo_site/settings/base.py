"""What every way of running ToonEmo has in common. docs/configuration.md explains each variable."""

from __future__ import annotations

from pathlib import Path

from toonemo_site import embedded
from toonemo_site.environment import Env, database, redis_address
from toonemo_site.logging import FORMATS, LEVELS, logging_config

BASE_DIR = Path(__file__).resolve().parents[2]
env = Env()
env.read_env(BASE_DIR / ".env")

# Everything that is written while running goes under here; it can be deleted when nothing runs.
VAR_DIR = Path(env.str("TOONEMO_VAR", default=str(BASE_DIR / "var"))).absolute()

SECRET_KEY = env.str("SECRET_KEY", default="")
DEBUG = False
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=[])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "toonemo_site.apps.SiteConfig",
    "catalog.apps.CatalogConfig",
    "catalog.access.apps.AccessConfig",
    "analysis.apps.AnalysisConfig",
    "workers.apps.WorkersConfig",
    "django.contrib.admin",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "whitenoise.runserver_nostatic",
    "django.contrib.staticfiles",
    "django.contrib.postgres",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_htmx",
    "corsheaders",
]
MIDDLEWARE = [
    "toonemo_site.health.HealthMiddleware",
    "toonemo_site.logging.RequestLogMiddleware",
    "toonemo_site.languages.LanguageMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "toonemo_site.compression.PagesCompressedMiddleware",
    "toonemo_site.policy.ContentPolicyMiddleware",
    "toonemo_site.problems.ApiProblemsMiddleware",
    "toonemo_site.nul.NulMiddleware",  # before whatever opens a file or asks the database
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "corsheaders.middleware.CorsMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "analysis.middleware.LimitsMiddleware",
    "catalog.access.throttling.RateHeadersMiddleware",
]
ROOT_URLCONF = "toonemo_site.urls"
WSGI_APPLICATION = "toonemo_site.wsgi.application"
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
                "analysis.context.limits_bar",
                "catalog.roles.rights_context",
            ],
        },
    },
]

# Where an address is not set, the servers that come as Python wheels are started under TOONEMO_VAR.
DATABASE_URL = env.str("DATABASE_URL", default="")
REDIS_URL = env.str("REDIS_URL", default="")
EMBEDDED = embedded.Wanted(VAR_DIR, postgres=not DATABASE_URL, redis=not REDIS_URL)
DATABASES = {"default": database(DATABASE_URL or embedded.database_url(VAR_DIR))}
DATABASES["default"]["CONN_MAX_AGE"] = env.int("DATABASE_CONN_MAX_AGE", default=60)
DATABASES["default"]["CONN_HEALTH_CHECKS"] = True
REDIS_URL = redis_address(REDIS_URL or embedded.redis_url(VAR_DIR))
CACHES = {"default": {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": REDIS_URL}}

AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in (
        "UserAttributeSimilarityValidator",
        "MinimumLengthValidator",
        "CommonPasswordValidator",
        "NumericPasswordValidator",
    )
]
LOGIN_URL = "sign-in"
# How long a token of the API lasts, where nothing is said and at most.
TOONEMO_TOKEN_DAYS = env.int("TOONEMO_TOKEN_DAYS", default=90)
TOONEMO_TOKEN_MOST_DAYS = env.int("TOONEMO_TOKEN_MOST_DAYS", default=365)
# How many proxies of our own a request passes; only they are believed about where it came from.
TOONEMO_TRUSTED_PROXIES = env.int("TOONEMO_TRUSTED_PROXIES", default=0)
# How often the API answers one address, person or token; and each of them where it is expensive.
TOONEMO_RATES = {
    "anonymous": env.rate("TOONEMO_RATE_ANONYMOUS", default="300/minute"),
    "signed_in": env.rate("TOONEMO_RATE_SIGNED_IN", default="600/minute"),
    "token": env.rate("TOONEMO_RATE_TOKEN", default="1200/minute"),
    "search": env.rate("TOONEMO_RATE_SEARCH", default="120/minute"),
    "find": env.rate("TOONEMO_RATE_FIND", default="60/minute"),
    "upload": env.rate("TOONEMO_RATE_UPLOAD", default="1200/minute"),
    "export": env.rate("TOONEMO_RATE_EXPORT", default="20/minute"),
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
LANGUAGE_CODE = "en"
LANGUAGES = [("en", "English"), ("ko", "한국어")]  # each called as it calls itself
LANGUAGE_COOKIE_NAME = "language"
LANGUAGE_COOKIE_AGE = 365 * 24 * 3600
LANGUAGE_COOKIE_SAMESITE = "Lax"
FORMAT_MODULE_PATH = ["toonemo_site.formats"]
TIME_ZONE = env.time_zone("TIME_ZONE", default="UTC")
USE_I18N = True
USE_TZ = True

STATIC_URL = "static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", default=str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "toonemo_site" / "static"]
MEDIA_ROOT = Path(env.str("MEDIA_ROOT", default=str(VAR_DIR / "media")))
FILE_UPLOAD_PERMISSIONS = 0o644

# Other sites' pages may read the API from these origins; never with the visitor's cookies.
CORS_ALLOWED_ORIGINS = env.list("CORS_ALLOWED_ORIGINS", default=[])
CORS_URLS_REGEX = r"^/api/"
CORS_ALLOW_CREDENTIALS = False
CORS_ALLOW_HEADERS = ["accept", "authorization", "content-type", "if-none-match", "idempotency-key"]
CORS_EXPOSE_HEADERS = ["etag", "link", "location", "retry-after"]

REST_FRAMEWORK = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "catalog.access.authentication.TokenAuthentication",
        "rest_framework.authentication.SessionAuthentication",
    ],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_FILTER_BACKENDS": ["django_filters.rest_framework.DjangoFilterBackend"],
    "DEFAULT_PAGINATION_CLASS": "rest_framework.pagination.PageNumberPagination",
    "DEFAULT_THROTTLE_CLASSES": ["catalog.access.throttling.Rates"],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticatedOrReadOnly"],
    "PAGE_SIZE": 50,
    "TEST_REQUEST_DEFAULT_FORMAT": "json",
}
SPECTACULAR_SETTINGS = {
    "TITLE": "ToonEmo",
    "DESCRIPTION": "Cartoon episodes, and what each character's face shows, and when.",
    "VERSION": "1",
    "OAS_VERSION": "3.1.1",
    "SCHEMA_PATH_PREFIX": r"/api/v1",
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "analysis.api.schema.complete",
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "validatorUrl": None},
    "REDOC_UI_SETTINGS": {},
    "REDOC_DIST": "SIDECAR",
    "ENUM_NAME_OVERRIDES": {
        "EmotionEnum": "analysis.models.common.EMOTION_CHOICES",
        "UploadStatusEnum": "catalog.models.UploadStatus",
        "ImportStatusEnum": "catalog.models.PlanStatus",
        "ImportKindEnum": "catalog.models.PlanKind",
        "TokenStateEnum": "catalog.access.models.TOKEN_STATES",
        "LaneEmotionEnum": "analysis.api.serializers.LANE_EMOTIONS",
    },
}

LOG_LEVEL = env.choice("LOG_LEVEL", LEVELS, default="INFO")
LOG_FORMAT = env.choice("LOG_FORMAT", FORMATS, default="json")
LOGGING_CONFIG = "toonemo_site.logging.configure"
LOGGING = logging_config(level=LOG_LEVEL, json=LOG_FORMAT == "json")

# The work. Dotted paths name what only a worker or a command loads, so that the web process never imports torch.
TOONEMO_BUNDLE = env.str("TOONEMO_BUNDLE", default="toonemo")
TOONEMO_BUNDLE_DIR = Path(env.str("TOONEMO_BUNDLE_DIR", default=str(BASE_DIR / "ml" / "bundles")))
TOONEMO_DEVICE = env.str("TOONEMO_DEVICE", default="auto")
TOONEMO_LEASE_SECONDS = env.float("TOONEMO_LEASE_SECONDS", default=60.0)
TOONEMO_SWEEP_SECONDS = env.float("TOONEMO_SWEEP_SECONDS", default=30.0)
TOONEMO_MODEL_LOADER = env.str("TOONEMO_MODEL_LOADER", default="ml.runtime.load_models")
TOONEMO_VIDEO_PROBE = env.str("TOONEMO_VIDEO_PROBE", default="workers.probe.probe_video")
TOONEMO_MAX_DURATION_MINUTES = env.int("TOONEMO_MAX_DURATION_MINUTES", default=180)
TOONEMO_MAX_FILE_GB = env.float("TOONEMO_MAX_FILE_GB", default=10.0)

# Streams of events that one web process keeps open; each holds one of its threads.
TOONEMO_STREAMS_PER_PROCESS = env.int("TOONEMO_STREAMS_PER_PROCESS", default=4)

# The least evidence that carries a rating; below it a page says "not enough evidence", and limits count it as over.
TOONEMO_ENOUGH_READABLE_S = env.float("TOONEMO_ENOUGH_READABLE_S", default=20.0)
TOONEMO_ENOUGH_SHOTS = env.int("TOONEMO_ENOUGH_SHOTS", default=8)
TOONEMO_ENOUGH_HALF_WIDTH = env.float("TOONEMO_ENOUGH_HALF_WIDTH", default=0.15)
# Faces of nobody known may take so much of the time of all faces; with more, limits count the episode as over.
TOONEMO_STRANGERS_MOST = env.float("TOONEMO_STRANGERS_MOST", default=0.05)

# Pictures that people look for: how long an answer stays, and how many may wait for a worker at once.
TOONEMO_FIND_KEEP_MINUTES = env.int("TOONEMO_FIND_KEEP_MINUTES", default=60)
TOONEMO_FIND_WAITING = env.int("TOONEMO_FIND_WAITING", default=50)

# Adding episodes: what one person may send, how long it stays, and from which of the server's folders to import.
TOONEMO_UPLOADS_OPEN = env.int("TOONEMO_UPLOADS_OPEN", default=50)
TOONEMO_UPLOAD_KEEP_HOURS = env.int("TOONEMO_UPLOAD_KEEP_HOURS", default=24)
TOONEMO_UPLOAD_SPARE_GB = env.float("TOONEMO_UPLOAD_SPARE_GB", default=1.0)
TOONEMO_IMPORT_ROOTS = env.list("TOONEMO_IMPORT_ROOTS", default=[])
TOONEMO_WATCH_DIR = env.str("TOONEMO_WATCH_DIR", default="")
TOONEMO_WATCH_SECONDS = env.float("TOONEMO_WATCH_SECONDS", default=30.0)
TOONEMO_WATCH_QUIET_SECONDS = env.float("TOONEMO_WATCH_QUIET_SECONDS", default=60.0)
TOONEMO_WATCH_ANALYSE = env.bool("TOONEMO_WATCH_ANALYSE", default=False)
# Other programs that are told what happens. Private: over plain http and to one's own network too.
TOONEMO_WEBHOOK_PRIVATE = env.bool("TOONEMO_WEBHOOK_PRIVATE", default=False)
TOONEMO_WEBHOOK_KEEP_DAYS = env.int("TOONEMO_WEBHOOK_KEEP_DAYS", default=30)
