"""Whatever a person can set, type, open or be told is written down. A failure names the file to edit."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from django.urls import URLPattern, URLResolver, get_resolver

from ml.__main__ import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("toonemo_site", "catalog", "analysis", "workers", "ml")
SOURCES = [p for package in PACKAGES for p in sorted((ROOT / package).rglob("*.py"))] + [ROOT / "manage.py"]
# Not ours to explain: made by other programs, or by a shell.
OTHERS_VARIABLES = {"PATH", "HOME", "HOSTNAME"}
OTHERS_ROUTES = ("admin/",)
CATCH_ALL = {"api-nothing"}
PRODUCTS = {"Jellyfin", "Immich", "paperless-ngx", "Azure AI Video Indexer", "Common Sense Media"}


def doc(name: str) -> str:
    return (ROOT / "docs" / name).read_text(encoding="utf-8")


def found(*patterns: str) -> set[str]:
    """First groups of all matches in our sources, tests left out."""
    texts = [path.read_text(encoding="utf-8") for path in SOURCES]
    return {m for pattern in patterns for text in texts for m in re.findall(pattern, text, re.M)}


def test_every_setting_is_explained() -> None:
    names = found(
        r'\benv\.\w+\(\s*"([A-Z][A-Z0-9_]+)"',
        r'os\.environ(?:\.get\(|\.setdefault\(|\.pop\(|\[)\s*"([A-Z][A-Z0-9_]+)"',
    )
    assert len(names) > 20, "the search for settings finds too few of them"
    text = doc("configuration.md")
    missing = {name for name in names - OTHERS_VARIABLES if f"`{name}`" not in text}
    assert not missing, f"docs/configuration.md has no row for {sorted(missing)}"


def test_every_explained_setting_is_read() -> None:
    rows = set(re.findall(r"^\| `([A-Z][A-Z0-9_]+)` \|", doc("configuration.md"), re.M))
    conftests = [ROOT / "tests" / "conftest.py", ROOT / "tests" / "e2e" / "conftest.py"]
    code = "".join(path.read_text(encoding="utf-8") for path in [*SOURCES, *conftests])
    stale = {name for name in rows if name not in code}
    assert not stale, f"docs/configuration.md explains {sorted(stale)}, which nothing reads"


def test_every_management_command_is_explained() -> None:
    commands = [p for place in ("*", "*/*") for p in ROOT.glob(f"{place}/management/commands/*.py")]
    names = {p.stem for p in commands if p.stem != "__init__" and ".venv" not in p.parts}
    assert {"demo", "doctor", "analyse"} <= names
    missing = {name for name in names if f"`manage.py {name}" not in doc("commands.md")}
    assert not missing, f"docs/commands.md has no row for {sorted(missing)}"


def test_every_verb_of_the_pipeline_is_explained() -> None:
    missing = {name for name in COMMANDS if f"`python -m ml {name}" not in doc("commands.md")}
    assert not missing, f"docs/commands.md has no row for python -m ml {sorted(missing)}"


def test_every_make_target_is_explained() -> None:
    text = (ROOT / "Makefile").read_text(encoding="utf-8")
    targets = set(re.findall(r"^([a-z][a-z-]*):.*?##", text, re.M)) - {"help"}
    missing = {name for name in targets if f"`make {name}" not in doc("commands.md")}
    assert not missing, f"docs/commands.md has no row for make {sorted(missing)}"


def test_every_error_code_is_explained() -> None:
    codes = found(
        r'^\s+(?:self\.)?code(?:: [\w\[\]]+)? = "([a-z_]+)"',
        r'\[([a-z]+(?:_[a-z]+)+)\]"',
        r'MediaRejected\(\s*"([a-z_]+)"',
        r'problem\(\s*\w+,\s*"([a-z_]+)"',
        r'\b[45]\d\d: "([a-z_]+)"',
    )
    assert len(codes) > 30, "the search for error codes finds too few of them"
    text = doc("errors.md")
    missing = {code for code in codes if f"| `{code}` |" not in text}
    assert not missing, f"docs/errors.md has no row for {sorted(missing)}"


LINK = re.compile(r"\]\(([^)\s]+)\)|\b(?:src|href)=\"([^\"]+)\"")
GUIDES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]


@pytest.mark.parametrize("guide", GUIDES, ids=lambda path: str(path.relative_to(ROOT)))
def test_every_link_to_a_file_leads_somewhere(guide: Path) -> None:
    links = {first or second for first, second in LINK.findall(guide.read_text(encoding="utf-8"))}
    paths = {link.partition("#")[0] for link in links if not re.match(r"[a-z]+:", link)} - {""}
    gone = {path for path in paths if path.startswith("/") or not (guide.parent / path).exists()}
    assert not gone, f"{guide.name} links to {sorted(gone)}, which does not exist"


def test_every_claim_of_the_comparison_has_a_source() -> None:
    text = doc("comparison.md")
    sources = dict(re.findall(r"^\[([A-Z]\d+)\]: (\S+)$", text, re.M))
    tables, explained = text.partition("\n## Sources\n")[::2]
    used = set(re.findall(r"\[([A-Z]\d+)\](?!:)", tables))
    assert len(used) > 50, "the search for notes finds too few of them"
    assert used == set(sources) == set(re.findall(r"\[([A-Z]\d+)\](?!:)", explained))
    assert all(address.startswith("https://") for address in sources.values())
    # A cell about another product says where that was read, that it was not found, or that it does not apply.
    rows = [
        row.strip("| ").split(" | ") for row in tables.splitlines() if row.startswith("|") and row.count(" | ") == 6
    ]
    assert len(rows) > 40, "the search for rows finds too few of them"
    silent = {"not found", "–", *PRODUCTS}
    unfounded = [
        cell for row in rows for cell in row[2:] if not re.search(r"\[[A-Z]\d+\]", cell) and cell not in silent
    ]
    assert not unfounded, f"docs/comparison.md does not say where this was read: {unfounded}"


def routes() -> Iterator[str]:
    def walk(patterns: list[URLPattern | URLResolver], before: str) -> Iterator[tuple[str, str]]:
        for pattern in patterns:
            path = before + str(pattern.pattern)
            if isinstance(pattern, URLResolver):
                yield from walk(pattern.url_patterns, path)
            else:
                yield path, pattern.name or ""

    for path, name in walk(get_resolver().url_patterns, ""):
        if name not in CATCH_ALL and not path.startswith(OTHERS_ROUTES):
            yield readable(path)


def readable(path: str) -> str:
    """``api/v1/^runs/(?P<pk>\\d+)/?$`` -> ``/api/v1/runs/ID``; ``episodes/<int:pk>/`` -> ``/episodes/ID``."""
    path = re.sub(r"\(\?P<(\w+)>.*?\)(?=/|\$)", r"<\1>", path)
    path = re.sub(r"<(?:\w+:)?(\w+)>", lambda m: "SLUG" if m[1] == "slug" else "ID", path)
    return "/" + path.replace("^", "").replace("/?$", "").replace("$", "").rstrip("/")


def is_explained(path: str, text: str) -> bool:
    """In backticks, in full or as ``parent/first``, ``second``; below /api/v1/ without that beginning."""
    path = path.removeprefix("/api/v1/")
    if re.search(rf"`{re.escape(path)}/?(\?[^`]*)?`", text):
        return True
    parent, _, last = path.rpartition("/")
    lines = [line for line in text.splitlines() if f"`{parent}/" in line]
    return any(re.search(rf"`/?{re.escape(last)}/?(\?[^`]*)?`", line) for line in lines)


@pytest.mark.parametrize("path", sorted(set(routes())))
def test_every_address_is_explained(path: str) -> None:
    text = doc("api.md") + doc("operations.md")
    assert is_explained(path, text), f"docs/api.md does not explain {path}"
