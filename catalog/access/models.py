"""Tokens, attempts to sign in, and the trail of who did what."""

from __future__ import annotations

import json
from typing import ClassVar

from django.conf import settings
from django.contrib.postgres.fields import ArrayField
from django.core.validators import RegexValidator
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from catalog.roles import Right

MOST_TEXT = 4_000
READ = "read"
TOKEN_STATES = ("live", "expired", "revoked")
SCOPES = (READ, *(str(right) for right in Right))
_DIGEST = RegexValidator(r"^[0-9a-f]{64}$", "A SHA-256 digest has 64 hexadecimal digits.")


class Token(models.Model):
    """What a program shows instead of a password. Only its digest is kept: a random secret of 256 bits cannot be
    guessed from it, so no slow hash is needed. ``hint``: how it begins, for people to know it again.

    ``scopes``: rights (``Right``) and ``read``, which everybody has; a token never may more than its owner.
    """

    name = models.CharField(max_length=80)
    owner = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.CASCADE, related_name="access_tokens")
    digest = models.CharField(max_length=64, unique=True, validators=[_DIGEST], editable=False)
    hint = models.CharField(max_length=16, editable=False)
    scopes = ArrayField(models.CharField(max_length=20, choices=[(s, s) for s in SCOPES]))
    created_at = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        constraints: ClassVar = [
            models.CheckConstraint(condition=Q(digest__regex=r"^[0-9a-f]{64}$"), name="token_digest_is_digest"),
            models.CheckConstraint(condition=~Q(name=""), name="token_has_a_name"),
            models.CheckConstraint(
                condition=Q(scopes__len__gt=0, scopes__contained_by=list(SCOPES)), name="token_scopes_known"
            ),
            models.CheckConstraint(condition=Q(expires_at__gt=F("created_at")), name="token_expires_after_made"),
        ]

    def __str__(self) -> str:
        return f"{self.name} ({self.hint}…)"

    @property
    def state(self) -> str:
        """live, expired or revoked."""
        if self.revoked_at is not None:
            return "revoked"
        return "live" if self.expires_at > timezone.now() else "expired"

    @property
    def rights(self) -> frozenset[Right]:
        """What ``catalog.roles.may`` holds against the owner's own rights."""
        return frozenset(Right(scope) for scope in self.scopes if scope != READ)


class SignInAttempt(models.Model):
    """Somebody tried a password that was wrong. Names and addresses are kept as digests, for an hour: people type
    passwords into the field for the name.
    """

    at = models.DateTimeField(auto_now_add=True)
    name = models.CharField(max_length=64)
    address = models.CharField(max_length=64)

    class Meta:
        indexes: ClassVar = [
            models.Index(fields=["name", "at"], name="attempt_name_idx"),
            models.Index(fields=["address", "at"], name="attempt_address_idx"),
        ]

    def __str__(self) -> str:
        return f"attempt at {self.at}"


class Audit(models.Model):
    """Who did what. Rows are added, never changed; the database refuses both UPDATE and DELETE (a trigger).

    ``actor`` null: the house itself, or a command. ``token``: what the actor showed; null for people at a browser.
    """

    at = models.DateTimeField(auto_now_add=True)
    actor = models.ForeignKey(
        settings.AUTH_USER_MODEL,
        on_delete=models.DO_NOTHING,
        null=True,
        blank=True,
        db_constraint=False,
        db_index=False,  # audit_actor_idx begins with it
        related_name="+",
    )
    token = models.ForeignKey(
        Token, on_delete=models.DO_NOTHING, null=True, blank=True, db_constraint=False, related_name="+"
    )
    action = models.CharField(max_length=60)
    object_type = models.CharField(max_length=60)
    object_id = models.BigIntegerField()
    before = models.JSONField(null=True)
    after = models.JSONField(null=True)

    class Meta:
        ordering: ClassVar = ["-id"]
        indexes: ClassVar = [
            models.Index(fields=["object_id", "object_type"], name="audit_object_idx"),
            models.Index(fields=["actor", "-id"], name="audit_actor_idx"),
            models.Index(fields=["action", "-id"], name="audit_action_idx"),
        ]

    def __str__(self) -> str:
        return f"{self.action} {self.object_type} {self.object_id}"

    @property
    def before_text(self) -> str:
        return _text(self.before)

    @property
    def after_text(self) -> str:
        return _text(self.after)


def _text(value: object) -> str:
    """For people to read, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False, indent=1)
    return text if len(text) <= MOST_TEXT else f"{text[:MOST_TEXT]}…"


class KeptAnswer(models.Model):
    """What a POST with an Idempotency-Key was answered, written in the transaction of what it did; kept for a day.

    ``owner``: the person, or a digest of the address of somebody who has not signed in. ``fingerprint``: of all that
    was sent. Answers that refuse something are not kept: they changed nothing.
    """

    at = models.DateTimeField(auto_now_add=True, db_index=True)
    owner = models.CharField(max_length=80)
    key = models.CharField(max_length=255)
    fingerprint = models.CharField(max_length=64, validators=[_DIGEST])
    status = models.PositiveSmallIntegerField()
    headers = models.JSONField(default=dict)
    body = models.BinaryField()

    class Meta:
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["owner", "key"], name="kept_answer_key_unique"),
            models.CheckConstraint(condition=Q(status__gte=200, status__lt=400), name="kept_answer_is_no_refusal"),
        ]

    def __str__(self) -> str:
        return f"answer {self.status} to a key of {self.owner}"
