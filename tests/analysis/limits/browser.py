"""A browser in which limits are set."""

from __future__ import annotations

from django.http import HttpResponse
from django.test import Client

from analysis.limits import Limits, limits_parse
from analysis.limits_request import COOKIE, limits_keep


def limited(client: Client, limits: Limits | str) -> Client:
    """The same client with the cookie that ``/limits/`` would set; without one for no limits."""
    response = HttpResponse()
    limits_keep(response, limits_parse(limits) if isinstance(limits, str) else limits)
    client.cookies.pop(COOKIE, None)
    if response.cookies[COOKIE].value:
        client.cookies[COOKIE] = response.cookies[COOKIE].value
    return client
