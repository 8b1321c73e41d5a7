from __future__ import annotations

import json
from typing import Any

from django.contrib.auth.models import User
from django.core.management.base import BaseCommand, CommandError, CommandParser

from catalog.access.errors import AccessError
from catalog.access.models import READ, SCOPES, Token
from catalog.access.selectors import tokens_all
from catalog.access.services.tokens import token_create, token_revoke


class Command(BaseCommand):
    help = "Makes tokens for the API, lists them, and revokes one."

    def add_arguments(self, parser: CommandParser) -> None:
        actions = parser.add_subparsers(dest="action", metavar="ACTION")
        listing = actions.add_parser("list", help="tokens, the newest first")
        listing.add_argument("--user", default="", help="only of this person")
        listing.add_argument("--json", action="store_true", help="answer as JSON")
        create = actions.add_parser("create", help="makes a token and prints it, this once")
        create.add_argument("user", help="whose it is")
        create.add_argument("--name", required=True, help="to know it again by")
        create.add_argument(
            "--scopes", default=READ, help=f"of {', '.join(SCOPES)}, with commas; read where none is named"
        )
        create.add_argument("--days", type=int, help="until it expires")
        create.add_argument("--json", action="store_true", help="answer as JSON")
        revoke = actions.add_parser("revoke", help="refuses a token from now on")
        revoke.add_argument("token", type=int, help="its number, as `list` says")

    def handle(self, *args: Any, **options: Any) -> None:
        action = options["action"] or "list"
        try:
            getattr(self, f"_{action}")(options)
        except AccessError as error:
            raise CommandError(f"{error} [{error.code}]") from error

    def _list(self, options: dict[str, Any]) -> None:
        tokens = tokens_all()
        if options.get("user"):
            tokens = tokens.filter(owner=_user(options["user"]))
        rows = [_row(token) for token in tokens]
        if options.get("json"):
            self.stdout.write(json.dumps(rows, ensure_ascii=False, indent=1))
            return
        for row in rows:
            used = f"last used {row['last_used_at']}" if row["last_used_at"] else "never used"
            self.stdout.write(
                f"{row['id']:>6}  {row['state']:<8} {row['owner']}: {row['name']} ({row['hint']}…, "
                f"{', '.join(row['scopes'])}; until {row['expires_at']}; {used})"
            )
        if not rows:
            self.stdout.write("There are no tokens.")

    def _create(self, options: dict[str, Any]) -> None:
        scopes = [part.strip() for part in options["scopes"].split(",") if part.strip()]
        token, secret = token_create(
            owner=_user(options["user"]), name=options["name"], scopes=scopes, days=options["days"]
        )
        if options["json"]:
            self.stdout.write(json.dumps({**_row(token), "token": secret}, ensure_ascii=False, indent=1))
            return
        self.stderr.write(f"Token {token.pk} lasts until {token.expires_at:%Y-%m-%d}. It is shown this once:")
        self.stdout.write(secret)

    def _revoke(self, options: dict[str, Any]) -> None:
        token = Token.objects.filter(pk=options["token"]).first()
        if token is None:
            raise CommandError(f"There is no token {options['token']}. [token_unknown]")
        token_revoke(token=token)
        self.stdout.write(f"Token {token.pk} ({token.name}) is refused from now on.")


def _user(name: str) -> User:
    found = User.objects.filter(username=name).first()
    if found is None:
        raise CommandError(f"Nobody is called {name!r} here. [user_unknown]")
    return found


def _row(token: Token) -> dict[str, Any]:
    return {
        "id": token.pk,
        "name": token.name,
        "owner": token.owner.get_username(),
        "hint": token.hint,
        "scopes": token.scopes,
        "state": token.state,
        "expires_at": token.expires_at.isoformat(timespec="seconds"),
        "last_used_at": token.last_used_at.isoformat(timespec="seconds") if token.last_used_at else None,
    }
