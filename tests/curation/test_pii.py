"""Personal data: all that is planted is found in its place, and what only looks like it is not."""

from itertools import pairwise
from pathlib import Path

import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from lab.corpus.world.generate import write_world
from lab.curation.pii import KINDS, Found, count_personal, find_personal
from lab.curation.pii.search import suspects
from lab.curation.signals import compute

FORMS = {
    "email": [
        "ann@example.org",
        "Ann.B_c+tag@sub.example.co.uk",
        "o'neil@example.com",
        "a@xn--e1afmkfd.xn--p1ai",
        "x_1@post.test",
    ],
    "phone": [
        "+1 234-555-0110",
        "+44 20 7946 0958",
        "+44 (0)20 7946 0958",
        "+33 6 12 34 56 78",
        "+4915123456789",
        "07700 900123",
        "(020) 7946 0958",
        "030/1234567",
        "06 12 34 56 78",
        "(212) 555-0123",
        "212-555-0123",
        "212.555.0123",
        "1-800-555-0199",
        "03-1234-5678",
    ],
    "ip": ["203.0.113.7", "8.8.4.200", "2001:db8::ff00:42:8329", "2a00:1450:4001:81b::200e"],
    "card": ["4111 1111 1111 1111", "5555-5555-5555-4444", "378282246310005", "3782 822463 10005"],
    "iban": ["DE89 3704 0044 0532 0130 00", "GB82WEST12345698765432", "NO93 8601 1117 947"],
    "national_id": [
        "123-45-6789",
        "AB 12 34 56 C",
        "12345678Z",
        "X1234567L",
        "2 55 08 14 168 025 38",
        "86 095 742 719",
        "RSSMRA85T10A562S",
        "111.444.777-35",
    ],
}
TRAPS = [
    "Version 1.2.3.4 and v12.40.3.99, release 48.2.0.1 too",
    "Section 3.2.1.4 follows section 33.2.1.40",
    "Chrome/49.0.1.120 ran libfoo-1.40.2.7 and 1.40.2.77-beta",
    "at 127.0.0.1, 10.20.30.40, 192.168.1.77, 172.20.1.99, 169.254.9.9, 224.0.0.251, 0.0.0.99",
    "256.300.1.1 and 1.2.3.400 and 1.2.3.44.5 and 01.02.03.44",
    "at 12:30:45, 00:1A:2B:3C:4D:5E, std::vector, dead::beef, a[1::2], 1:2::3:4, fe80::1, ::1",
    "on 2024-05-12, 12.05.2024, 05/06/2024 12:30, 01.02.2024 08:15 and 05-06-2024",
    "ISBN 0-306-40615-2, ISBN 978-3-16-148410-0, ISSN 0378-5955, 9783161484100",
    "pi is 3.14159265358979323846, 0.4111111111111111 and 2,123,456,789.0123456789",
    "Order 415-555-2671, invoice no. 07700 900123, ticket #212-555-0123",
    "order 20240512345678, 12345678901234567890 and id 0123456789",
    "add +12345678 to 5+4412345678 and +1 2 3 4 5 6 7 8 9",
    "rows 234 567 8901 and 345 678 1234 without a word for it",
    "N11 codes 911-555-0100 and 212-911-0100, 123-555-0100",
    "cards 4111 1111 1111 1112, 9111111111111111, 1234567890123456",
    "accounts DE89 3704 0044 0532 0130 01, XX82WEST12345698765432, GB82WEST1234569876543",
    "ids 000-12-3456, 666-12-3456, 900-12-3456, 123-00-4567, 123-45-0000, BG123456C, AB123456E",
    "ids 12345678A, X1234567A, 111.444.777-36, 86 095 742 718, RSSMRA85T10A562T, 123456782",
    "example@ and @example.com, user@localhost, icon@2x.png, @property, a @ b.com, a@b",
    "git@github.com:lab/lab.git and W@self.x.transpose() and x@y.z",
    "f(x) = {a_1}^{22} + 3 - 555 * 0171 / 12345678901",
]  # fmt: skip


def kinds_of(text: str) -> list[tuple[str, str]]:
    return [(piece.kind, text[piece.start : piece.end]) for piece in find_personal(text)]


@pytest.mark.parametrize(("kind", "form"), [(k, f) for k, forms in FORMS.items() for f in forms])
@pytest.mark.parametrize(
    "frame", ["{}", "It is {}.", "({})", "a\n{}\nb", "«{}», said", "电话：{}。"]
)
def test_forms_are_found_wherever_they_stand(kind: str, form: str, frame: str) -> None:
    assert kinds_of(frame.format(form)) == [(kind, form)]


@pytest.mark.parametrize("text", TRAPS)
def test_what_only_looks_like_it_is_not_found(text: str) -> None:
    assert kinds_of(text) == []


def test_words_before_a_number_decide_where_its_form_does_not() -> None:
    assert kinds_of("Please call 212 555 0123 today") == [("phone", "212 555 0123")]
    assert kinds_of("BSN: 123456782, PESEL 44051401359") == [
        ("national_id", "123456782"),
        ("national_id", "44051401359"),
    ]


def test_several_in_a_row_are_several() -> None:
    text = "a@b.org,c@d.org;e@f.org 203.0.113.1-203.0.113.9 +1 212 555 0101 +1 212 555 0102"
    assert [kind for kind, _ in kinds_of(text)] == ["email"] * 3 + ["ip"] * 2 + ["phone"] * 2


def test_of_overlapping_kinds_the_more_certain_one_is_found() -> None:
    assert kinds_of("GB33 BUKB 2020 1555 5555 55") == [("iban", "GB33 BUKB 2020 1555 5555 55")]
    assert kinds_of("07700.900123@example.com") == [("email", "07700.900123@example.com")]
    assert find_personal("+1 212-555-0123", ["phone"]) == [Found(0, 15, "phone")]
    assert find_personal("ann@example.org", ["phone"]) == []


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("world") / "w"
    write_world(folder, documents=8000)
    return folder


def test_planted_data_are_found_in_their_places(world: Path) -> None:
    planted = pl.read_parquet(world / "truth" / "personal.parquet")
    found = set()
    for name in ("web", "forum"):
        for row in pl.read_ndjson(world / "sources" / f"{name}.jsonl.zst").iter_rows(named=True):
            found |= {(row["id"], *piece) for piece in find_personal(row["text"])}
    truth = set(planted.select("id", "start", "end", "kind").iter_rows())
    assert len(truth) > 200
    for kind in ("email", "phone", "ip"):
        mine, theirs = ({x for x in group if x[3] == kind} for group in (found, truth))
        assert len(mine & theirs) / len(theirs) >= 0.98
        assert len(mine & theirs) / len(mine) >= 0.98
    assert {kind for _, _, _, kind in found} == {"email", "phone", "ip"}


PIECES = [form for forms in FORMS.values() for form in forms] + [
    t for x in TRAPS for t in x.split()
]
GAPS = [
    " ",
    " ",
    "\n",
    "",
    ", ",
    "-",
    ".",
    "/",
    "\u2028",
    "\u00a0",
    "\u200f",
    "\u0301",
    "é",
    "1",
    "(",
]
mixed = st.lists(st.sampled_from([*PIECES, *GAPS]), max_size=12).map("".join)


@given(st.lists(mixed | st.text(max_size=40), max_size=4))
def test_counts_are_those_of_the_spans(texts: list[str]) -> None:
    counts = count_personal(pl.Series(texts, dtype=pl.String))
    marks = suspects(pl.Series(texts, dtype=pl.String))
    for text, row, mark in zip(texts, counts.rows(), marks.rows(), strict=True):
        found = find_personal(text)
        assert all(a.end <= b.start for a, b in pairwise(found))
        assert all(0 <= piece.start < piece.end <= len(text) for piece in found)
        assert list(row) == [sum(piece.kind == kind for piece in found) for kind in KINDS]
        # The Rust pattern that spares the search must never rule out what the search would find.
        for kind, hint in zip(KINDS, mark, strict=True):
            assert hint or not list(KINDS[kind].find(text))


@pytest.mark.parametrize(
    "unit", ["0", "1 ", "07 ", "@", "a@", "a@b.", "+44 ", "(", "2001:", "1.", "AB12", "4111 ", "é"]
)
def test_hostile_text_is_read_and_holds_nothing(unit: str) -> None:
    text = unit * (300_000 // len(unit))
    assert len(find_personal(text)) < 10


def test_as_signals_kinds_add_up_to_the_count() -> None:
    text = (
        "ann@example.org, 203.0.113.7, 07700 900123, 4111 1111 1111 1111, 123-45-6789 and bo@b.io"
    )
    row = compute(pl.DataFrame({"text": [text, None, ""]}), ["pii.email", "pii.iban", "pii.count"])
    assert row.columns == ["pii.email@lab1", "pii.iban@lab1", "pii.count@lab1"]
    assert row.rows() == [(2, 0, 6), (None, None, None), (0, 0, 0)]
    assert set(row.dtypes) == {pl.UInt32()}
