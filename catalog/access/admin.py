"""The administration of people and of what they did."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.contrib import admin
from django.contrib.admin.models import LogEntry
from django.contrib.auth.admin import GroupAdmin, UserAdmin
from django.contrib.auth.models import Group, User
from django.http import HttpRequest

from catalog.access.admin_base import AuditedAdmin, ReadOnlyAdmin
from catalog.access.models import Audit, KeptAnswer, SignInAttempt, Token

if TYPE_CHECKING:
    _UserAdmin = UserAdmin[User]
else:
    _UserAdmin = UserAdmin

admin.site.unregister([User, Group])


@admin.register(User)
class PersonAdmin(AuditedAdmin, _UserAdmin):
    """People are made inactive, never deleted: what they said and did names them."""

    list_display = ["username", "email", "is_active", "is_staff", "last_login"]
    list_filter = ["is_active", "is_staff", "groups"]
    ordering = ("-pk",)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


@admin.register(Group)
class RoleAdmin(AuditedAdmin, GroupAdmin):
    """viewer, editor and admin are roles (``catalog.roles``); what they may is code. Others mean nothing to us."""

    ordering = ("name",)


@admin.register(Token)
class TokenAdmin(ReadOnlyAdmin):
    """Made and revoked on /tokens/; the secret is kept nowhere."""

    list_display = ["name", "owner", "hint", "scopes", "state", "expires_at", "last_used_at"]
    list_select_related = ["owner"]
    search_fields = ["name", "owner__username", "hint"]
    exclude = ["digest"]


@admin.register(Audit)
class AuditAdmin(ReadOnlyAdmin):
    """Who did what; append-only."""

    list_display = ["at", "actor", "token", "action", "object_type", "object_id"]
    list_select_related = ["actor", "token"]
    found_by = (
        "object_id",
        "action",
    )
    search_help_text = "Number of an object, or an action such as run.publish"


@admin.register(SignInAttempt)
class SignInAttemptAdmin(ReadOnlyAdmin):
    list_display = ["at", "name", "address"]


@admin.register(KeptAnswer)
class KeptAnswerAdmin(ReadOnlyAdmin):
    list_display = ["at", "owner", "status"]
    exclude = ["key", "body", "headers"]


@admin.register(LogEntry)
class LogEntryAdmin(ReadOnlyAdmin):
    """What Django itself notes of the administration; ``Audit`` has more."""

    list_display = ["action_time", "user", "content_type", "object_repr", "action_flag"]
    list_select_related = ["user", "content_type"]
