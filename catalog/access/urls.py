"""Pages of whoever signs in."""

from __future__ import annotations

from django.urls import path

from catalog.access import views

urlpatterns = [
    path("sign-in/", views.sign_in, name="sign-in"),
    path("sign-out/", views.sign_out, name="sign-out"),
    path("tokens/", views.tokens, name="tokens"),
    path("tokens/<int:pk>/revoke", views.revoke, name="token-revoke"),
    path("audit/", views.audit, name="audit"),
]
