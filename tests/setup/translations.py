"""Collects the program's texts into the English catalogue and says which wait for English: `make translations`."""

from io import BytesIO
from pathlib import Path

from babel.messages import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po, write_po

ROOT = Path(__file__).parents[2]
ENGLISH = ROOT / "fieldapp" / "translations" / "en" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "_l": None, "lazy_gettext": None}
METHODS = [("**/templates/**.html", "jinja2"), ("**.py", "python")]
HEADER = """\
# English. The msgids are Simplified Chinese, as in the templates and the Python code.
msgid ""
msgstr ""
"Project-Id-Version: fieldapp\\n"
"Language: en\\n"
"MIME-Version: 1.0\\n"
"Content-Type: text/plain; charset=utf-8\\n"
"Content-Transfer-Encoding: 8bit\\n"
"Plural-Forms: nplurals=2; plural=(n != 1);\\n"

"""


def main() -> None:
    """Add what is new, drop what is gone, keep what is translated; the header names nobody and no day."""
    template = Catalog()
    for _file, _line, message, comments, context in extract_from_dir(ROOT / "fieldapp", METHODS, keywords=KEYWORDS):
        template.add(message, None, [], auto_comments=comments, context=context)
    with ENGLISH.open("rb") as file:
        known = read_po(file, locale="en")
    known.update(template, no_fuzzy_matching=True)
    out = BytesIO()
    write_po(out, known, width=0, no_location=True, omit_header=True, sort_output=True, ignore_obsolete=True)
    ENGLISH.write_text(HEADER + out.getvalue().decode())
    for message in known:
        english = message.string if isinstance(message.string, (list, tuple)) else [message.string]
        if message.id and not any(english):
            print("waits for its English:", message.id)


if __name__ == "__main__":
    main()
