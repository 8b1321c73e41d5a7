"""What every list of the administration needs: speed on large tables, and a trace of what is typed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import User
from django.core.paginator import Paginator
from django.db import connection, models
from django.db.models import Model, Q, QuerySet
from django.forms import ModelForm
from django.http import HttpRequest
from django.utils.functional import cached_property

from catalog.access.services.audit import audit_record

if TYPE_CHECKING:
    _ModelAdmin = admin.ModelAdmin[Any]
    _Paginator = Paginator[Any]
else:  # Django's own classes take no parameters when they run
    _ModelAdmin, _Paginator = admin.ModelAdmin, Paginator

COUNTED = 10_000  # rows that are worth counting
NARROW = 8  # columns of a list that nobody chose
WIDE = (models.TextField, models.JSONField, models.BinaryField)
KEPT = "_admin_fields"


class EstimatedPaginator(_Paginator):
    """Counts at most COUNTED rows. How many more a whole table has is what PostgreSQL last estimated."""

    @cached_property
    def count(self) -> int:
        rows = self.object_list
        assert isinstance(rows, QuerySet)
        plain = rows.order_by()
        counted = plain.values("pk")[: COUNTED + 1].count()
        if counted <= COUNTED:
            return counted
        return max(counted, COUNTED if plain.query.where else _estimate(plain.model._meta.db_table))


def _field(model: type[Model], name: str) -> Any:
    """The field at the end of ``source__sha256`` or ``run_id``."""
    *steps, last = name.split("__")
    for step in steps:
        related: Any = model._meta.get_field(step).related_model
        model = related
    return next(field for field in model._meta.concrete_fields if last in (field.name, field.attname))


def _estimate(table: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute("SELECT reltuples::bigint FROM pg_class WHERE oid = %s::regclass", [table])
        (found,) = cursor.fetchone()
    return int(found)


class QuickAdmin(_ModelAdmin):
    """The newest first, by the primary key, which every table has an index of; nothing is counted to the end.

    ``found_by``: columns that the search compares with what was typed as they are, so that an index serves. (Django's
    own ``=column`` compares capitals of a text, which none does.)
    """

    found_by: tuple[str, ...] = ()

    paginator = EstimatedPaginator
    show_full_result_count = False
    list_per_page = 50
    ordering = ("-pk",)

    def get_search_fields(self, request: HttpRequest) -> Any:
        return self.found_by or super().get_search_fields(request)

    def get_search_results(self, request: HttpRequest, queryset: Any, search_term: str) -> Any:
        term = search_term.strip()
        if not self.found_by or not term:
            return super().get_search_results(request, queryset, search_term)
        wanted = Q()
        for name in self.found_by:
            field = _field(self.model, name)
            if not isinstance(field, models.IntegerField | models.ForeignKey):
                wanted |= Q(**{name: term})
            elif term.isascii() and term.isdecimal() and len(term) <= 18:
                wanted |= Q(**{name: int(term)})
        return (queryset.filter(wanted) if wanted else queryset.none()), False


class ReadOnlyAdmin(QuickAdmin):
    """To look at. What is wrong is mended by a new run or a correction, and both leave a trace."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False


class AuditedAdmin(QuickAdmin):
    """What is typed here is in the audit, field by field, in the transaction that writes it. Secrets are only named."""

    def construct_change_message(self, request: HttpRequest, form: Any, formsets: Any, add: bool = False) -> Any:
        if isinstance(form, ModelForm):
            names = form.changed_data
            before = {name: _plain(name, form.initial.get(name)) for name in names}
            after = {name: _plain(name, form.cleaned_data.get(name)) for name in names}
            request.__dict__[KEPT] = (None if add else before, after)
        return super().construct_change_message(request, form, formsets, add)

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "create")
        return super().log_addition(request, obj, message)

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> Any:
        self._record(request, obj, "change", said=message)
        return super().log_change(request, obj, message)

    def log_deletions(self, request: HttpRequest, queryset: Any) -> Any:
        for obj in queryset:
            audit_record(
                action=_action(obj, "delete"), subject=obj, actor=person_of(request), before={"name": str(obj)}
            )
        return super().log_deletions(request, queryset)

    def _record(self, request: HttpRequest, obj: Model, verb: str, said: Any = None) -> None:
        before, after = request.__dict__.pop(KEPT, (None, {"said": str(said)[:500]}))
        audit_record(action=_action(obj, verb), subject=obj, actor=person_of(request), before=before, after=after)


def _action(obj: Model, verb: str) -> str:
    return f"{obj._meta.model_name}.{verb}"


def person_of(request: HttpRequest) -> User:
    assert isinstance(request.user, User)
    return request.user


def _plain(name: str, value: Any) -> Any:
    """As JSON keeps it."""
    if "password" in name or "secret" in name:
        return "(not told)"
    if isinstance(value, Model):
        return value.pk
    if isinstance(value, QuerySet | list | tuple | set):
        return [_plain("", one) for one in value]
    return value if value is None or isinstance(value, bool | int | float | str) else str(value)


def register_rest(app_label: str) -> None:
    """Every model that has no list of its own gets one to look at: its narrow columns, relations as ids."""
    for model in apps.get_app_config(app_label).get_models():
        if not admin.site.is_registered(model):
            columns = [f.attname for f in model._meta.concrete_fields if not isinstance(f, WIDE)]
            options = {
                "list_display": [c for c in columns if "embedding" not in c][:NARROW],
                "raw_id_fields": [f.name for f in model._meta.concrete_fields if isinstance(f, models.ForeignKey)],
                "__doc__": "To look at.",
            }
            admin.site.register(model, type(f"{model.__name__}Admin", (ReadOnlyAdmin,), options))
