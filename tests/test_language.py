"""The two languages: everything said goes through gettext, the English is whole, and a page holds one language."""

import ast
import json
import os
import re
from collections import Counter
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_keywords, parse_mapping_cfg
from babel.messages.mofile import write_mo
from babel.messages.pofile import read_po
from jinja2 import Environment, nodes
from openpyxl import load_workbook
from sqlalchemy import inspect, select

from fieldapp.db import Base
from fieldapp.language import LANGUAGES
from fieldapp.planning.rules import short_name
from fieldapp.seals import Sealed
from fieldapp.sync.models import HeldItem
from tests.conftest import SAME_SITE
from tests.routes import EVERYONE, ROUTES, RUBBISH, address, endpoints, make_world, undone

ROOT = Path(__file__).parent.parent
SOURCE = ROOT / "fieldapp"
CATALOGUE = SOURCE / "translations/en/LC_MESSAGES/messages.po"
COMPILED = CATALOGUE.with_suffix(".mo")

HAN = re.compile(r"[\u3400-\u9fff\uf900-\ufaff]")
"""A Chinese character."""
CHINESE = re.compile(r"[\u3001-\u303f\u3400-\u9fff\uf900-\ufaff\uff01-\uff65]")
"""A Chinese character or full-width punctuation."""
PLACEHOLDER = re.compile(r"%\(\w+\)[sd]|\{\w+\}")
SAY = frozenset({"_", "_l", "gettext", "lazy_gettext", "ngettext"})

ON_ONE = pytest.mark.parametrize("engine", ["sqlite"], indirect=True)
"""For what no database has a say in."""


@pytest.fixture(scope="module")
def english():
    with CATALOGUE.open("rb") as file:
        return read_po(file, locale="en")


@pytest.fixture(scope="module", autouse=True)
def _compiled(english):
    """The catalogue as the program reads it, made anew where the text is newer."""
    if not COMPILED.exists() or COMPILED.stat().st_mtime < CATALOGUE.stat().st_mtime:
        fresh = COMPILED.with_suffix(f".{os.getpid()}")
        with fresh.open("wb") as file:
            write_mo(file, english)
        fresh.replace(COMPILED)


@pytest.fixture(scope="module")
def said() -> set[str | tuple[str, ...]]:
    """Every msgid of the program; a pair where it has a plural."""
    with (ROOT / "babel.cfg").open() as file:
        methods, options = parse_mapping_cfg(file)
    keywords = DEFAULT_KEYWORDS | parse_keywords(["_l", "lazy_gettext"])
    found = extract_from_dir(SOURCE, methods, options, keywords)
    return {message for _file, _line, message, _comments, _context in found}


def forms(message) -> list[tuple[str, str]]:
    """Each form of a message with its translation."""
    if isinstance(message.id, str):
        return [(message.id, message.string)]
    return list(zip(message.id, message.string, strict=True))


# The catalogue


def test_the_catalogue_is_what_the_program_says(english, said):
    kept = {message.id if isinstance(message.id, str) else tuple(message.id) for message in english if message.id}
    assert sorted(map(str, said - kept)) == [], "not in the catalogue: extract again and translate"
    assert sorted(map(str, kept - said)) == [], "nothing says this any more"
    assert not english.obsolete
    assert english.num_plurals == 2


def test_everything_is_translated_by_a_person(english):
    messages = [message for message in english if message.id]
    assert [m.id for m in messages if not all(text.strip() for _id, text in forms(m))] == []
    assert [m.id for m in messages if m.fuzzy] == []


def test_placeholders_are_the_same_on_both_sides(english):
    differing = [
        (source, text)
        for message in english
        if message.id
        for source, text in forms(message)
        if Counter(PLACEHOLDER.findall(source)) != Counter(PLACEHOLDER.findall(text))
    ]
    assert differing == []


def test_no_sign_is_taken_for_a_placeholder(english):
    """Templates format every message, so a lone percent sign would break the page."""
    texts = [text for message in english if message.id for pair in forms(message) for text in pair]
    assert [text for text in texts if "%" in PLACEHOLDER.sub("", text).replace("%%", "")] == []


def test_the_english_is_english(english):
    assert [text for m in english if m.id for _id, text in forms(m) if CHINESE.search(text)] == []


def test_the_english_is_fit_for_a_page(english):
    """Chinese fonts draw curly signs as wide as a character; templates take a message for markup as it stands."""
    assert [text for m in english if m.id for _id, text in forms(m) if re.search('[‘’“”…—<>&"]', text)] == []


def test_the_chinese_is_spoken_plainly(said):
    """As `design.md` asks: no 您, 请, 亲, and nothing is exclaimed."""
    words = re.compile("请求|申请|邀请|亲属|父亲|母亲")
    texts = [text for message in said for text in ([message] if isinstance(message, str) else message)]
    assert [text for text in texts if re.search("[您请亲！!]", words.sub("", text))] == []
    assert [text for text in texts if re.search(rf"{HAN.pattern}[,;:?!]|[,;:?!]{HAN.pattern}", text)] == []


# What is said outside gettext

SIGNS = frozenset("、；：")
"""Between names and sentences that are Chinese themselves."""


def chinese_of(node: nodes.Node, translated: bool = False) -> Iterator[tuple[int, str]]:
    """What a template says in Chinese of its own: in its text, its attributes and its expressions."""
    if isinstance(node, nodes.TemplateData) and CHINESE.search(node.data):
        yield node.lineno, node.data.strip()
    if isinstance(node, nodes.Const) and isinstance(node.value, str) and not translated and CHINESE.search(node.value):
        yield node.lineno, node.value
    if isinstance(node, nodes.Call) and isinstance(node.node, nodes.Name) and node.node.name in SAY:
        for part in node.args:
            yield from chinese_of(part, translated=True)
        for part in node.kwargs:
            yield from chinese_of(part)
        return
    for part in node.iter_child_nodes():
        yield from chinese_of(part, translated)


def test_templates_say_everything_through_gettext():
    read = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    found = [
        f"{path.relative_to(SOURCE)}:{line}: {text}"
        for path in sorted((SOURCE / "templates").rglob("*.html"))
        for line, text in chinese_of(read.parse(path.read_text()))
        if not set(text) <= SIGNS
    ]
    assert found == []


def test_a_template_that_speaks_by_itself_is_found():
    read = Environment(extensions=["jinja2.ext.i18n"], autoescape=True)
    of = {
        "<p>{{ _('走访') }} {# 走访 #}</p>": 0,
        "<p>走访</p>": 1,
        '<a title="走访"></a>': 1,
        "<a title=\"{{ _('走访') }}\"></a>": 0,
        "{{ '走访' if x else _('走访') }}": 1,
        "{{ _('%(a)s', a='走访') }}": 1,
        "{{ ngettext('%(num)s 户', '%(num)s 户', 2) }}": 0,
    }
    assert {text: len(list(chinese_of(read.parse(text)))) for text in of} == of


SHORTENED = ('.replace("包干区", "")', '.replace("楼", "")')
"""The map leaves these out of the names of districts and buildings."""


def test_scripts_say_nothing_of_their_own():
    found = []
    for path in sorted((SOURCE / "static/js").rglob("*.js")):
        text = path.read_text()
        for known in SHORTENED:
            text = text.replace(known, "")
        text = re.sub(r"/\*.*?\*/|(?m:(?<![:\"'])//.*$)", "", text, flags=re.DOTALL)
        found += [f"{path.name}: {line.strip()[:80]}" for line in text.splitlines() if CHINESE.search(line)]
    assert found == []


DATA = {
    "commands.py": "says both languages at once",
    "sync/commands.py": "says both languages at once",
    "households/commands.py": "says both languages at once",
    "privacy/commands.py": "says both languages at once",
    "spotchecks/commands.py": "says both languages at once",
    "places/rules.py": "numerals in names",
    "places/basemaps.py": "whose map it is",
    "planning/rules.py": "names of districts, which are data from then on",
    "privacy/rules.py": "what stands where a name stood",
    "households/facts.py": "what people write at a door",
    "spotchecks/rules.py": "a promise, which is data from then on",
    "language.py": "names of languages, and how Chinese writes a date",
    "households/codes.py": "the national code tables",
    "households/defaults.py": "care groups and topics that a community starts with",
    "households/rules.py": "the national code tables",
    "households/reading.py": "what people write in a sheet and at a door",
    "households/queries.py": "an address as people type it",
    "exchange/columns.py": "headers of a sheet",
    "exchange/cells.py": "what people write in a sheet",
    "exchange/features.py": "properties of a file, and names of buildings",
    "exchange/directory.py": "names of buildings",
    "exchange/operations.py": "the name of a district that came without one",
    "exchange/template.py": "the sample rows",
    "exchange/resident_columns.py": "headers of a sheet",
    "exchange/resident_cells.py": "what people write in a sheet",
    "exchange/resident_address.py": "how people write an address",
    "exchange/resident_reading.py": "what a sheet of ours says of itself, and of a place that nobody wrote down",
    "exchange/resident_sheets.py": "sheets for other offices, in Chinese whoever takes them",
    "exchange/resident_files.py": "names of those sheets",
}
"""Files whose Chinese is data, and what it is."""


def chinese_literals(node: ast.AST) -> Iterator[tuple[int, str]]:
    """String literals with Chinese characters that are neither documentation nor passed to gettext."""
    if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
        return
    if isinstance(node, ast.Constant) and isinstance(node.value, str) and HAN.search(node.value):
        yield node.lineno, node.value
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in SAY:
        for part in node.keywords:
            yield from chinese_literals(part)
        return
    for part in ast.iter_child_nodes(node):
        yield from chinese_literals(part)


def test_python_says_everything_through_gettext():
    found = {
        str(path.relative_to(SOURCE)): [
            f"{line}: {text}" for line, text in chinese_literals(ast.parse(path.read_text()))
        ]
        for path in sorted(SOURCE.rglob("*.py"))
        if "demo" not in path.parts
    }
    assert {name: texts for name, texts in found.items() if texts and name not in DATA} == {}
    assert [name for name in DATA if not found.get(name)] == [], "excepted without need"


def test_a_literal_that_speaks_by_itself_is_found():
    of = {"_('走访')": 0, "x = '走访'": 1, "'走访'": 0, "f'{x}走访'": 1, "_('%(a)s', a='走访')": 1, "_l('走访')": 0}
    assert {text: len(list(chinese_literals(ast.parse(text)))) for text in of} == of


# Pages


class Words(HTMLParser):
    """What a page says: its text and the attributes that people see or hear, and the words in its data."""

    SEEN = frozenset({"title", "alt", "placeholder", "aria-label", "content", "value", "label"})

    def __init__(self, page: str) -> None:
        super().__init__()
        self.said: list[str] = []
        self.language = ""
        self.is_json = False
        self.feed(page)

    def handle_starttag(self, tag, attrs):
        given = dict(attrs)
        self.is_json = tag == "script" and given.get("type") == "application/json"
        if tag == "html":
            self.language = given["lang"]
        self.said += [value or "" for name, value in attrs if name in self.SEEN or name.startswith("data-")]

    def handle_data(self, data):
        self.said.append(json.dumps(json.loads(data), ensure_ascii=False) if self.is_json and data.strip() else data)
        self.is_json = False


@pytest.fixture
def world(session, app, cast):
    return make_world(session, app, cast)


@pytest.fixture
def written(session, world):
    """Everything Chinese that the database holds, the longest first: it is shown as it is in any language."""

    def texts(value):
        if isinstance(value, str):
            yield value
        elif isinstance(value, (list, tuple, dict)):
            for part in value.values() if isinstance(value, dict) else value:
                yield from texts(part)

    found = set(LANGUAGES.values()) | set(RUBBISH.values())
    for mapper in Base.registry.mappers:
        for row in session.scalars(select(mapper.class_)):
            names = [column.key for column in inspect(mapper.class_).column_attrs]
            names += [name for name, value in vars(mapper.class_).items() if isinstance(value, Sealed)]
            names += ["fields"] if mapper.class_ is HeldItem else []
            for name in names:
                value = getattr(row, name)
                value = json.loads(value) if name == "expected" else value
                found |= {text for text in texts(value) if CHINESE.search(text)}
    found |= {short_name(text) for text in found}  # as a list of moves shows districts
    return sorted(found, key=len, reverse=True)


@pytest.fixture
def browse(session, app, connection, cast, world, sign_in):
    """Ask as somebody who reads a language; what a form writes is undone."""

    def browse(username, language, method, where, **more):
        if username and cast.users[username].language != language:
            cast.users[username].language = language
            session.commit()
        with undone(connection):
            person = sign_in(username)
            if username is None:
                person.post("/language", {"language": language})
            return person.client.open(where, method=method, headers=SAME_SITE, buffered=True, **more)

    return browse


def left_over(page: str, written: list[str]) -> list[str]:
    """What a page says in Chinese beside the data."""
    found = []
    for text in Words(page).said:
        rest = text
        for known in written:
            rest = rest.replace(known, " ")
        # A map writes names without what they have in common; lists of names are joined as Chinese does.
        if HAN.search(rest) or (CHINESE.search(rest) and not set(CHINESE.findall(rest)) <= SIGNS):
            found.append(" ".join(text.split())[:120])
    return found


def where(app, world, endpoint, **more):
    query = {key: str(value) for key, value in ROUTES[endpoint].query(world).items()}
    return address(app, world, endpoint, **(query | more))


IN_BOTH = frozenset({"pages.offline"})
"""Says both languages at once: a phone keeps one copy of it for whoever holds the phone."""


@ON_ONE
@pytest.mark.parametrize("username", [name for name in EVERYONE if name not in ("other", "stranger", "neighbour")])
def test_pages_are_in_the_readers_language(app, world, browse, written, username):
    pages = 0
    for endpoint in set(endpoints(app, forms=False)) - IN_BOTH:
        english = browse(username, "en", "GET", where(app, world, endpoint), follow_redirects=True)
        if english.mimetype != "text/html":
            continue
        page = english.get_data(as_text=True)
        assert left_over(page, written) == [], endpoint
        if "<html" not in page:
            continue  # a fragment: its page says the language
        assert Words(page).language == "en", endpoint
        chinese = browse(username, "zh_Hans", "GET", where(app, world, endpoint), follow_redirects=True)
        assert Words(chinese.get_data(as_text=True)).language == "zh-Hans", endpoint
        pages += 1
    assert pages > 3


def typed(form: dict[str, object]) -> list[str]:
    """What a form says in Chinese, its files included, the longest first."""
    texts = [
        value[0].getvalue().decode("utf-8", "replace") if isinstance(value, tuple) else value for value in form.values()
    ]
    found = {part for text in texts for part in re.split(r"[,\s\"]", str(text)) if CHINESE.search(part)}
    return sorted(found, key=len, reverse=True)


SWITCHING = frozenset({"accounts.create_session", "accounts.sign_out", "accounts.set_language"})
"""Forms after which somebody else reads, or another language is read."""


@ON_ONE
@pytest.mark.parametrize("username", [None, "worker", "director", "admin"])
def test_answers_to_forms_are_in_the_readers_language(app, world, browse, written, username):
    for endpoint in endpoints(app, forms=True):
        if username and endpoint in SWITCHING:
            continue
        for form in (RUBBISH, ROUTES[endpoint].form(world)):
            known = written + typed(form)
            answer = browse(username, "en", "POST", where(app, world, endpoint), data=dict(form), follow_redirects=True)
            if answer.mimetype == "text/html":
                assert left_over(answer.get_data(as_text=True), known) == [], endpoint


@ON_ONE
def test_the_coverage_table_is_in_the_readers_language(app, world, browse, written):
    answer = browse("director", "en", "GET", where(app, world, "reports.coverage_xlsx"))
    table = "\n".join(
        str(cell.value)
        for sheet in load_workbook(BytesIO(answer.get_data()))
        for row in sheet.iter_rows()
        for cell in row
        if cell.value is not None
    )
    for known in written:
        table = table.replace(known, " ")
    assert not CHINESE.search(table), table
