"""The catalogues of translations are whole, and everything that people read can be translated."""

from __future__ import annotations

import re
from pathlib import Path

import polib
import pytest

from tests.site.messages import ROOT, key, of_templates, path_of, wanted

TEMPLATES = ROOT / "templates"
# For whoever develops the pages (shown while DEBUG is on), or of the documentation of the API, which is English.
ENGLISH = {"patterns.html", "patterns_staff.html", "api/redoc.html", "api/swagger.html"}
PLACE = re.compile(r"%\(\w+\)s|\{\}")
TAGS = re.compile(r"</?[a-z]+")
TRANSLATED = re.compile(r"\{%\s*blocktranslate.*?\{%\s*endblocktranslate\s*%\}", re.DOTALL)
CODE = re.compile(r"\{#.*?#\}|\{%.*?%\}|\{\{.*?\}\}|<(script|style|pre|code|kbd)\b.*?</\1>|<!--.*?-->|&\w+;", re.DOTALL)
SAID_ATTRIBUTE = re.compile(r"""\b(?:aria-label|alt|title|placeholder)="([^"]*)\"""")
NAMES = {"ToonEmo", "API"}
domains = pytest.mark.parametrize("domain", ["django", "djangojs"])


def entries(domain: str) -> polib.POFile:
    return polib.pofile(str(path_of(domain)))


@domains
def test_every_sentence_has_a_translation_and_none_is_a_guess(domain: str) -> None:
    found = entries(domain)
    assert not [e.msgid for e in found if not e.translated()]
    assert not [e.msgid for e in found if e.fuzzy or e.obsolete]
    assert {key(e) for e in found} == set(wanted()[domain]), "run `make messages`, and translate what is new"


@domains
def test_what_is_compiled_is_what_is_written(domain: str) -> None:
    compiled = polib.mofile(str(path_of(domain).with_suffix(".mo")))
    assert {(key(e), e.msgstr, tuple(e.msgstr_plural.values())) for e in compiled} == {
        (key(e), e.msgstr, tuple(e.msgstr_plural.values())) for e in entries(domain)
    }


@domains
def test_translations_keep_what_is_filled_in_and_the_marks_around_it(domain: str) -> None:
    for e in entries(domain):
        source = e.msgid_plural or e.msgid
        for said in [e.msgstr] if not e.msgid_plural else e.msgstr_plural.values():
            assert sorted(set(PLACE.findall(source))) == sorted(set(PLACE.findall(said))), e.msgid
            assert sorted(TAGS.findall(source)) == sorted(TAGS.findall(said)), e.msgid
            if domain == "django" and "python-format" in e.flags:
                assert not re.search(r"%(?![%(])", said.replace("%%", "")), e.msgid


def test_translations_are_in_korean() -> None:
    """A sentence that was only copied is no translation."""
    same = [e.msgid for e in entries("django") if e.msgstr == e.msgid and re.search(r"[a-z]{3,} [a-z]{3,}", e.msgid)]
    assert same == []
    assert not [
        e.msgid
        for e in entries("django")
        if len(re.sub(r"<[^>]*>|%\(\w+\)s", "", e.msgid)) > 40
        and not re.search("[가-힣]", str(e.msgstr) + str(e.msgstr_plural))
    ]


@pytest.mark.parametrize("path", sorted(TEMPLATES.rglob("*.html")), ids=lambda p: str(p.relative_to(TEMPLATES)))
def test_no_template_says_anything_that_cannot_be_translated(path: Path) -> None:
    if str(path.relative_to(TEMPLATES)) in ENGLISH:
        return
    text = TRANSLATED.sub(" ", path.read_text(encoding="utf-8"))
    left = CODE.sub(" ", text)
    said = [word for word in SAID_ATTRIBUTE.findall(left) if re.search("[A-Za-z]{2}", word) and "http" not in word]
    bare = re.findall(r"[A-Za-z]{2,}", re.sub(r"<[^>]*>", " ", left))
    assert [word for word in bare if word not in NAMES] + said == []


def test_the_extraction_sees_what_a_template_holds(tmp_path: Path) -> None:
    (tmp_path / "a.html").write_text(
        '{% load i18n %}{% translate \'One\' %}{% translate "Two" context "place" %}'
        "{% blocktranslate trimmed with x=y %}Three {{ x }}, 4 %{% endblocktranslate %}"
        "{% blocktranslate count n=n %}{{ n }} five{% plural %}{{ n }} fives{% endblocktranslate %}"
    )
    found = [(m.context, m.text, m.plural) for _, m in of_templates(tmp_path)]
    assert found == [
        ("", "One", ""),
        ("place", "Two", ""),
        ("", "Three %(x)s, 4 %%", ""),
        ("", "%(n)s five", "%(n)s fives"),
    ]
