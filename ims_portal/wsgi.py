"""What gunicorn serves."""

import os
from collections.abc import Iterable
from wsgiref.types import StartResponse, WSGIApplication, WSGIEnvironment

from django.core.wsgi import get_wsgi_application
from django.utils.http import parse_header_parameters

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "ims_portal.settings")


class OnlyUtf8:
    """Refuses a request in another charset before Django has made a request of it (F41).

    Django takes any codec Python knows, `unicode_escape` and `zlib` among them, and decodes the address with it at
    once: halves of characters reach the database, and codecs that are none of text end in a 500 without a page.
    """

    def __init__(self, served: WSGIApplication) -> None:
        self.served = served

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        """Answer requests that name no charset or UTF-8."""
        _kind, told = parse_header_parameters(environ.get("CONTENT_TYPE", ""))
        if told.get("charset", "utf-8").lower() == "utf-8":
            return self.served(environ, start_response)
        start_response("415 Unsupported Media Type", [("Content-Type", "text/plain; charset=utf-8")])
        return [b"The portal reads UTF-8 only. Nothing was saved.\n"]


application = OnlyUtf8(get_wsgi_application())
