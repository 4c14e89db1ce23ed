"""Brings locales/*/LC_MESSAGES/workbench.po up to date with the strings in the code: `make words`.

Prints what is still to be translated. Strings whose English changed keep their old translation, marked fuzzy, which
tests/test_words.py refuses until somebody has looked at it; strings that the code no longer has are dropped.
"""

from __future__ import annotations

import io
import sys
from collections.abc import Iterator
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_file
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).resolve().parent.parent
SOURCES = ("core", "pages")
KEYWORDS = {"_": None, "N_": None, "ngettext": (1, 2)}
HEADER = """\
msgid ""
msgstr ""
"Project-Id-Version: inference-workbench\\n"
"Language: {language}\\n"
"Plural-Forms: {plural}\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"

"""


def sources() -> Iterator[Path]:
    """The Python files that hold strings for people, sorted."""
    for folder in SOURCES:
        yield from sorted((ROOT / folder).rglob("*.py"))


def extracted() -> Catalog:
    """Every msgid of the code, with the files it stands in."""
    catalogue = Catalog(charset="utf-8", fuzzy=False)
    for path in sources():
        for _, text, comments, context in extract_from_file("python", path, keywords=KEYWORDS):
            catalogue.add(
                text, locations=[(path.relative_to(ROOT).as_posix(), 0)], context=context, auto_comments=comments
            )
    return catalogue


def read(path: Path) -> Catalog:
    """A catalogue as it lies in locales/. Raises `babel.messages.pofile.PoFileError` where it does not parse."""
    with path.open("rb") as file:
        return read_po(file, locale=path.parent.parent.name, abort_invalid=True)


def write(path: Path, catalogue: Catalog) -> None:
    """Writes a catalogue by file and without line numbers or dates, so that a diff shows words only."""
    body = io.BytesIO()
    write_po(
        body, catalogue, sort_by_file=True, include_lineno=False, width=110, omit_header=True, ignore_obsolete=True
    )
    header = HEADER.format(language=path.parent.parent.name, plural=catalogue.plural_forms)
    path.write_text(header + body.getvalue().decode(), encoding="utf-8")


def catalogues() -> list[Path]:
    """The catalogues there are."""
    return sorted((ROOT / "locales").glob("*/LC_MESSAGES/workbench.po"))


def main() -> int:
    """Updates every catalogue. Returns the exit code: 0."""
    template = extracted()
    for path in catalogues():
        catalogue = read(path)
        catalogue.update(template)
        write(path, catalogue)
        left = [message for message in catalogue if message.id and (message.fuzzy or not _whole(message.string))]
        print(f"{path.relative_to(ROOT)}: {len(catalogue)} strings, {len(left)} to translate")
        for message in left:
            print(f"    {'fuzzy  ' if message.fuzzy else 'missing'}  {message.id!r}")
    return 0


def _whole(string: str | tuple[str, ...] | list[str] | None) -> bool:
    return all(string) if isinstance(string, tuple | list) else bool(string)


if __name__ == "__main__":
    sys.exit(main())
