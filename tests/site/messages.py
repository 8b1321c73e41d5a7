"""What is to be translated, taken out of templates, code and scripts without gettext's own tools."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import polib
from django.utils.translation.template import templatize

ROOT = Path(__file__).resolve().parents[2]
APPS = ("analysis", "catalog", "toonemo_site", "workers")
PLAIN = {"_", "gettext", "gettext_lazy"}
PLURAL = {"ngettext", "ngettext_lazy"}
IN_CONTEXT = {"pgettext", "pgettext_lazy"}
_JS = re.compile(r"""gettext\??\.?\(\s*"((?:[^"\\]|\\.)*)"\s*\)""")


@dataclass(frozen=True, order=True)
class Message:
    """``context`` and ``plural`` are empty where there are none."""

    text: str
    context: str = ""
    plural: str = ""


def of_templates(folder: Path = ROOT / "templates") -> Iterator[tuple[Path, Message]]:
    for path in sorted(folder.rglob("*.html")):
        code = templatize(path.read_text(encoding="utf-8"), origin=str(path))
        # Django leaves calls of gettext, and letters in place of everything else.
        for call in re.finditer(r"\b(_|gettext|ngettext|pgettext)\(", code):
            found = _call(code[call.start() :])
            if found is not None:
                yield path, found


def _call(code: str) -> Message | None:
    """The call with which the text begins."""
    for end in (at.end() for at in re.finditer(r"\)", code)):
        try:
            tree = ast.parse(re.sub(r"(^|[(,]\s*)u(['\"])", r"\1\2", code[:end]).strip(), mode="eval")
        except SyntaxError:
            continue
        return _message(tree.body) if isinstance(tree.body, ast.Call) else None
    return None


def of_code() -> Iterator[tuple[Path, Message]]:
    for app in APPS:
        for path in sorted((ROOT / app).rglob("*.py")):
            if "migrations" in path.parts:
                continue
            for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
                if isinstance(node, ast.Call) and (found := _message(node)) is not None:
                    yield path, found


def _message(node: ast.Call) -> Message | None:
    name = node.func.id if isinstance(node.func, ast.Name) else ""
    words = [a.value if isinstance(a, ast.Constant) and isinstance(a.value, str) else None for a in node.args]
    if name in PLAIN and words and words[0]:
        return Message(words[0])
    if name in PLURAL and len(words) >= 2 and words[0] and words[1]:
        return Message(words[0], plural=words[1])
    if name in IN_CONTEXT and len(words) >= 2 and words[0] and words[1]:
        return Message(words[1], context=words[0])
    return None


def of_scripts() -> Iterator[tuple[Path, Message]]:
    for path in sorted((ROOT / "toonemo_site" / "static" / "toonemo").glob("*.js")):
        for match in _JS.finditer(path.read_text(encoding="utf-8")):
            yield path, Message(match[1].encode().decode("unicode_escape").encode("latin-1").decode("utf-8"))


def wanted() -> dict[str, list[Message]]:
    """By the file that holds them: ``django`` and ``djangojs``. Each once, in the order of the files."""
    pages = [m for _, m in (*of_templates(), *of_code())]
    return {"django": list(dict.fromkeys(pages)), "djangojs": list(dict.fromkeys(m for _, m in of_scripts()))}


def path_of(domain: str, language: str = "ko") -> Path:
    return ROOT / "toonemo_site" / "locale" / language / "LC_MESSAGES" / f"{domain}.po"


def key(entry: polib.POEntry) -> Message:
    return Message(entry.msgid, entry.msgctxt or "", entry.msgid_plural or "")


def update(language: str = "ko", forms: str = "nplurals=1; plural=0;") -> int:
    """Adds what is new, drops what is gone, and compiles. Returns how much still waits for a translation."""
    missing = 0
    for domain, messages in wanted().items():
        path = path_of(domain, language)
        known = {key(e): e for e in polib.pofile(str(path))} if path.exists() else {}
        fresh = polib.POFile(wrapwidth=100)
        fresh.metadata = {
            "Project-Id-Version": "ToonEmo",
            "Language": language,
            "MIME-Version": "1.0",
            "Content-Type": "text/plain; charset=UTF-8",
            "Content-Transfer-Encoding": "8bit",
            "Plural-Forms": forms,
        }
        for message in messages:
            entry = known.get(message) or polib.POEntry(msgid=message.text, msgctxt=message.context or None)
            if message.plural and not entry.msgid_plural:
                entry.msgid_plural, entry.msgstr_plural = message.plural, {0: ""}
            entry.flags = ["python-format"] if re.search(r"%\(\w+\)", message.text) and domain == "django" else []
            missing += not entry.translated()
            fresh.append(entry)
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh.save(str(path))
        fresh.save_as_mofile(str(path.with_suffix(".mo")))
    return missing


if __name__ == "__main__":
    sys.stdout.write(f"{update(*sys.argv[1:])} wait for a translation.\n")
