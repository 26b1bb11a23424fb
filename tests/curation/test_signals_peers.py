"""The definitions of Dolma, DCLM, Curator and RedPajama against plain readings in Python."""

import math
import re
import string
import unicodedata
from collections import Counter
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from statistics import median

import polars as pl
import pytest
from hypothesis import example, given, settings
from test_signals_reference import share, texts

from lab.curation.signals import BY_ID, compute
from lab.curation.signals.curator import PHRASES
from lab.curation.signals.redpajama import NAMES, NOT_OFFERED

STOPS = {"the", "be", "to", "of", "and", "that", "have", "with"}
ENGLISH = re.compile(r"[a-zA-Z]")


def grams(words: list[str], n: int) -> list[tuple[str, ...]]:
    return [tuple(words[i : i + n]) for i in range(len(words) - n + 1)]


def letters(words: object) -> int:
    return sum(map(len, words))  # type: ignore[arg-type]


def all_copies(pieces: list[str]) -> tuple[int, int]:
    found = [(p, n) for p, n in Counter(pieces).items() if n > 1]
    return sum(n for _, n in found), sum(len(p) * n for p, n in found)


def covered(words: list[str], n: int) -> int:
    counts = Counter(grams(words, n))
    inside = {k for i, g in enumerate(grams(words, n)) if counts[g] > 1 for k in range(i, i + n)}
    return sum(len(words[k]) for k in inside)


def dolma(text: str) -> dict[str, float]:
    words, lines = text.split(), text.split("\n")
    total = letters(words)
    found = {
        "gopher.median_word_length@dol1": median(map(len, words)) if words else 0,
        "gopher.symbol_words@dol1": share(sum("#" in w or "…" in w for w in words), len(words)),
        "gopher.stop_word_count@dol1": sum(w in STOPS for w in words),
        "gopher.bullet_lines@dol1": share(
            sum(line.startswith(("*", "-")) for line in lines), len(lines)
        ),
        "gopher.ellipsis_lines@dol1": share(sum(x.endswith("…") for x in lines), len(lines)),
        "repetition.dup_lines@dol1": share(all_copies(lines)[0], len(lines)),
        "repetition.dup_line_chars@dol1": share(all_copies(lines)[1], total),
    }
    for n in range(2, 11):
        counts = Counter(grams(words, n))
        gram, times = counts.most_common(1)[0] if counts else ((), 0)
        if n < 5:
            found[f"repetition.top_{n}_gram@dol1"] = share(times * letters(gram), total)
        else:
            every = sum(letters(g) * k for g, k in counts.items())
            again = sum(letters(g) * k for g, k in counts.items() if k > 1)
            found[f"repetition.dup_{n}_gram@dol1"] = share(again, every)
    return found


def is_single(char: str) -> bool:
    code = ord(char)
    ranges = ((0xE01, 0xEDF), (0x1000, 0x109F), (0x1780, 0x17DF), (0x3041, 0x309F))
    ranges += ((0x30A1, 0x30FF), (0x3400, 0x4DBF), (0x4E00, 0x9FFF), (0x20000, 0x3347F))
    ranges += ((0x3005, 0x3007), (0x3021, 0x3029), (0x3031, 0x3035), (0x3038, 0x303C))
    ranges += ((0x31F0, 0x31FF), (0xF900, 0xFAFF), (0xFF66, 0xFF9F), (0x1B000, 0x1B16F))
    return any(low <= code <= high for low, high in ranges)


def unicode_words(text: str) -> list[str]:
    """The definition in `tokens`, a word at a time."""
    words: list[str] = []
    word = last = ""
    for i, char in enumerate(text):
        after = text[i + 1 : i + 2]
        mark = unicodedata.category(char) in ("Mn", "Mc", "Me", "Cf")
        goes_on = False
        if mark:
            goes_on = word != ""
        elif char.isalnum():
            goes_on = word != "" and not is_single(char) and not is_single(last)
        elif word and after and not is_single(last) and not is_single(after):
            goes_on = (
                (char == "_" and after.isalnum())
                or (char in "'’‘.:·‧․＇．：" and last.isalpha() and after.isalpha())
                or (char in "'’‘.,;․＇．，；" and last.isdecimal() and after.isdecimal())
            )
        if word and not goes_on:
            words.append(word)
            word = ""
        if goes_on or (char.isalnum() and not mark):
            word += char
            last = last if mark else char
    return [*words, word] if word else words


def entropy(items: object) -> float:
    counts = Counter(items)  # type: ignore[call-overload]
    total = sum(counts.values())
    return -sum(c / total * math.log(c / total) for c in counts.values()) if total else 0


def over_unicode_words(text: str) -> dict[str, float]:
    words = unicode_words(text)
    found = {
        "gopher.word_count@uw1": len(words),
        "gopher.mean_word_length@uw1": share(letters(words), len(words)),
        "gopher.hash_ratio@uw1": share(text.count("#"), len(words)),
        "gopher.ellipsis_ratio@uw1": share(text.count("...") + text.count("…"), len(words)),
        "gopher.alpha_words@uw1": share(
            sum(any(c.isalpha() for c in w) for w in words), len(words)
        ),
        "gopher.stop_words@uw1": len(STOPS & {w.lower() for w in words}),
        "fineweb.newline_per_word@uw1": share(text.count("\n"), len(words)),
        "words.distinct@uw1": share(len(set(words)), len(words)),
        "words.entropy@uw1": entropy(words),
    }
    for n in range(2, 11):
        counts = Counter(grams(words, n))
        if n < 5:
            gram, times = counts.most_common(1)[0] if counts else ((), 0)
            found[f"repetition.top_{n}_gram@uw1"] = share(len(" ".join(gram)) * times, len(text))
            longest = max((letters(g) for g, k in counts.items() if k == times), default=0)
            once = longest * times if times > 1 else 0
            found[f"repetition.top_{n}_gram@dclm1"] = share(once, letters(words))
            continue
        seen, chars, i = set(), 0, 0
        while i <= len(words) - n:
            gram = tuple(words[i : i + n])
            repeated = gram in seen
            chars += letters(gram) if repeated else 0
            seen.add(gram)
            i += n if repeated else 1
        found[f"repetition.dup_{n}_gram@uw1"] = share(chars, len(text))
        found[f"repetition.dup_{n}_gram@dclm1"] = share(covered(words, n), letters(words))
    return found


def dclm(text: str) -> dict[str, float]:
    words = text.split()
    lines = [s for line in text.split("\n") if (s := line.strip())]
    paras = [s for para in re.split("\n\n", text) if (s := para.strip())]
    symbols = sum(text.count(s) for s in ("#", "...", ". . .", "…"))
    tokens = [t for t in re.split("[ \n\r\t\v\f\0]", text) if t and t[0].isalnum()]
    ends = ("...", ". . .", "…")
    return {
        "gopher.word_count@dclm1": len(tokens),
        "gopher.symbol_ratio@dclm1": share(symbols, len(words)),
        "gopher.bullet_lines@dclm1": share(
            sum(line.startswith(("●", "•", "*", "-")) for line in lines), len(lines)
        ),
        "gopher.ellipsis_lines@dclm1": share(sum(x.endswith(ends) for x in lines), len(lines)),
        "gopher.stop_word_count@dclm1": sum(w.lower() in STOPS for w in words),
        "repetition.dup_lines@dclm1": share(all_copies(lines)[0], len(lines)),
        "repetition.dup_line_chars@dclm1": share(all_copies(lines)[1], letters(lines)),
        "repetition.dup_paras@dclm1": share(all_copies(paras)[0], len(paras)),
        "repetition.dup_para_chars@dclm1": share(all_copies(paras)[1], letters(paras)),
    }


MARKS = ("...", "[...]", "…", "(...)", "[…]", "-»", "read more..", "read more")
BULLETS = ("•", "‣", "⁃", "⁌", "⁍", "∙", "○", "●", "◘", "◦", "⦾", "⦿")
URL = re.compile(r"http[s]?://(?:[a-zA-Z]|[0-9]|[$\-_@.&+]|[!*\(\),]|(?:%[0-9a-fA-F]{2}))+")


def curator_copies(words: list[str], n: int) -> int:
    counts: Counter[tuple[str, ...]] = Counter()
    total = overlap = 0
    for gram in grams(words, n):
        counts[gram] += 1
        if counts[gram] > 1:
            total += letters(gram[overlap:]) + min(n - overlap, n - 1)
            overlap = n
        overlap = max(overlap - 1, 0)
    return total


def curator(text: str) -> dict[str, float]:
    words, size = text.split(), len(text)
    lines = [line for line in text.split("\n") if line.strip()]
    paras = text.split("\n\n")
    told = [any(p in para.lower() for p in PHRASES) for para in paras]
    lorem = any("lorem ipsum" in para.lower() for para in paras)
    symbols = [w in MARKS or len(re.findall("#+", w)) / len(w) > 0.5 for w in words]
    found = {
        "curator.non_alnum@cur1": share(size - len(re.findall(r"[a-zA-Z0-9\n?!,.]", text)), size),
        "curator.url_chars@cur1": share(letters(URL.findall(text)), size),
        "curator.white_space@cur1": share(sum(c in "\t\n\r\b " for c in text), size),
        "curator.brackets@cur1": share(sum(c in "{}⟨⟩[]()" for c in text), size),
        "curator.boilerplate@cur1": 1.0 if lorem else sum(told) / len(paras),
        "curator.longest_word@cur1": max(map(len, words), default=0),
        "curator.open_lines@cur1": share(
            sum(not line.strip().endswith((".", "?", "!", '"', "'")) for line in lines), len(lines)
        ),
        "gopher.symbol_words@cur1": share(sum(symbols), len(words)),
        "gopher.bullet_lines@cur1": share(
            sum(line.strip().startswith(BULLETS) for line in lines), len(lines)
        ),
        "gopher.ellipsis_lines@cur1": share(
            sum(line.strip().lower().endswith(MARKS) for line in lines), len(lines)
        ),
        "repetition.unique_lines@cur1": share(len(set(lines)), len(lines)),
        "repetition.unique_line_chars@cur1": share(letters(set(lines)), letters(lines)),
        "repetition.unique_paras@cur1": len(set(paras)) / len(paras) if text.strip() else 0,
        "repetition.unique_para_chars@cur1": share(letters(set(paras)), letters(paras)),
    }
    for n in range(5, 11):
        found[f"repetition.dup_{n}_gram@cur1"] = share(curator_copies(words, n), size)
    return found


def normal(text: str) -> str:
    bare = text.translate(str.maketrans("", "", string.punctuation)).lower().strip()
    return unicodedata.normalize("NFD", re.sub(r"\s+", " ", bare))


def redpajama(text: str) -> dict[str, float]:
    words, tokens = normal(text).split(), re.findall(r"\w+|[^\w\s]+", text)
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
    bullets = tuple("•‣▶◀◦■□▪▫–")
    found = {
        "word_count": len(words),
        "mean_word_length": share(letters(words), len(words)),
        "num_sentences": len(re.findall(r"\b[^.!?]+[.!?]*", text)),
        "symbol_to_word_ratio": share(sum(map(text.count, ("#", "...", "…"))), len(tokens)),
        "frac_no_alph_words": share(sum(not ENGLISH.search(t) for t in tokens), len(tokens)),
        "frac_all_caps_words": share(sum(map(str.isupper, tokens)), len(tokens)),
        "frac_unique_words": share(len(set(words)), len(words)),
        "unigram_entropy": entropy(words),
        "lorem_ipsum": share(normal(text).count("lorem ipsum"), len(normal(text))),
        "curly_bracket": share(text.count("{") + text.count("}"), len(text)),
        "frac_lines_end_with_ellipsis": share(
            sum(line.rstrip().endswith(("...", "…")) for line in lines), len(lines)
        ),
        "lines_terminal": share(
            sum(line.rstrip().endswith((".", "!", "?", "”")) for line in lines), len(lines)
        ),
        "lines_bullet": share(sum(line.lstrip().startswith(bullets) for line in lines), len(lines)),
        "lines_words": share(sum(len(normal(line).split()) for line in lines), len(lines)),
        "lines_numeric": share(sum(c.isnumeric() for word in words for c in word), letters(words)),
        "javascript": words.count("javascript"),
    }
    for n in range(2, 11):
        counts = Counter(grams(words, n))
        gram, times = counts.most_common(1)[0] if counts else ((), 0)
        if n < 5:
            top = letters(gram) * times if times > 1 else 0
            found[f"frac_chars_top_{n}gram"] = share(top, letters(words))
        else:
            found[f"frac_chars_dupe_{n}grams"] = share(covered(words, n), letters(words))
    return {f"redpajama.{name}@rps1": value for name, value in found.items()}


def content(text: str) -> dict[str, float]:
    urls = re.findall(r"(?:https?://|www\.)[^\s\"'<>]+", text)
    lines = [s for line in text.split("\n") if (s := line.strip())]
    return {
        "content.urls@lab1": len(urls),
        "content.url_chars@lab1": share(letters(urls), len(text)),
        "content.code_lines@lab1": share(
            sum(line.endswith((";", "{", "}")) for line in lines), len(lines)
        ),
        "content.code_marks@lab1": share(
            sum(c in "{}[]()<>=;|&^~\\$#@*+_/%" for c in text), len(text)
        ),
        "content.byte_entropy@lab1": entropy(text.encode()),
    }


FORMULAS: tuple[Callable[[str], dict[str, float]], ...] = (
    dolma,
    over_unicode_words,
    dclm,
    curator,
    redpajama,
    content,
)
APPROXIMATE = ("entropy",)  # sums in another order


def check(batch: list[str], formulas: tuple[Callable[[str], dict[str, float]], ...]) -> None:
    wanted = [{k: v for formula in formulas for k, v in formula(t).items()} for t in batch]
    found = compute(pl.DataFrame({"text": batch}), list(wanted[0]))
    for text, row, values in zip(batch, found.iter_rows(named=True), wanted, strict=True):
        for name, value in values.items():
            if any(word in name for word in APPROXIMATE):
                value = pytest.approx(value, abs=1e-12)
            assert row[name] == value, (name, text)


WORDS = "x http://a.b/c https://e.org/%41%4g www.f.g cookie policy 7 1,000.5 e.g. don’t a_b a__b"
HOSTILE = [
    f"{WORDS} lorem ipsum LO-REM ip.sums Lorem\nipsum. read more\nREAD MORE..\n(...)\n[…]\n-»",
    "PRIVACY policy.\n\nUse coo\u212aies\n\n\n\nx\n\n\n\n\nx\n\nthis is fine",
    "ΑΣ ΑΣ'Α ΟΔΟΣ-ΟΔΟΣ σς İı ǅ Ⅷ ⓐ e\u0301é ệ 각 \u1100\u1161 \u1fef \u212b ² ½ 三百",
    "一二三。ひらカタ ー ไทยคำ ກຂ 123 a一b 一'二 a\u0301\u0327b \u200dx \u0301 y\u200d'z",
    "- a\n* b\n  * b\n●c\n•d …\n  e ...  \nf . . .\n\u2028\n\x1c\n#\n## a\n#a#\n#a#b# ####",
    "a b.\u2028c d\x1d e\x1f f\x85g\u00a0h\x00i\x0bj",
    ".!? a.b?c !d. e\u0301. _x_ ...y\n\n \n\nif (x) { y; }\n}\n;\n",
    "ROPE Rope rOPE A1 1A --A-- ÄÖ Äö ƻ ǅ Ⅷ",
    "",
    "\n",
    "\n\n\n\n",
    " \n \n",
    "!?.,;:",
    "the " * 30,
    "ab c d e f x a bc d e f ab c d e f\nab c d e f",
]


def test_values_on_hand_written_text():
    check(HOSTILE, FORMULAS)


@given(texts)
@example("https://x.y" * 3 + "\n\n" * 3 + "terms of use\n\n")
@settings(max_examples=150, deadline=None)
def test_values_on_fuzzed_text(text):
    check([text, text + "\n" + text], FORMULAS)


def test_values_on_one_line_of_a_megabyte():
    check(["the lamp, the rope -- #7 ... " * 36_000], (dclm, content))  # the quick formulas
    check(["the lamp, the rope -- #7 ... " * 3_000], FORMULAS)


DATA = Path(__file__).parents[3] / "shared" / "data" / "corpora"


@pytest.mark.skipif(not DATA.exists(), reason="needs the development data")
@pytest.mark.parametrize("name", ["web_c4.jsonl.zst", "multi_lingua.parquet", "books.parquet"])
def test_values_on_real_text(name):
    path = DATA / name
    frame = pl.read_parquet(path) if path.suffix == ".parquet" else pl.read_ndjson(path)
    check(frame["text"].str.slice(0, 20_000).sample(60, seed=3).to_list(), FORMULAS)


def test_hand_computed_values_of_the_unicode_splitter():
    text = "The lamp-oil, don't: 1,000.5 l.\n灯台 #1 cafe\u0301"
    words = ["The", "lamp", "oil", "don't", "1,000.5", "l", "灯", "台", "1", "cafe\u0301"]
    assert unicode_words(text) == words
    row = compute(pl.DataFrame({"text": [text]})).row(0, named=True)
    assert row["gopher.word_count@uw1"] == 10
    assert row["gopher.mean_word_length@uw1"] == (3 + 4 + 3 + 5 + 7 + 1 + 1 + 1 + 1 + 5) / 10
    assert row["gopher.alpha_words@uw1"] == 8 / 10
    assert row["gopher.stop_words@uw1"] == 1  # The
    assert row["gopher.stop_words@ws1"] == 0
    assert row["words.entropy@uw1"] == pytest.approx(math.log(10))


def test_known_differences_between_tools():
    row = compute(pl.DataFrame({"text": ["The ## rope\nThe ## rope"]})).row(0, named=True)
    assert row["gopher.stop_word_count@dol1"] == 0  # lower case only
    assert row["gopher.stop_word_count@dclm1"] == 2
    assert row["gopher.symbol_words@cur1"] == 0  # ## is no word of symbols, # is
    assert row["gopher.symbol_words@dol1"] == 2 / 6
    assert row["repetition.dup_lines@dt1"] == 1 / 2
    assert row["repetition.dup_lines@dclm1"] == 1
    assert row["repetition.unique_lines@cur1"] == 1 / 2
    assert row["repetition.dup_line_chars@dol1"] == 22 / 18  # over letters: exceeds 1


def test_compression_is_bytes_over_compressed_bytes():
    zstandard = pytest.importorskip("zstandard")
    batch = ["", "x", "the lamp and the rope. " * 200, "é" * 50]
    found = compute(pl.DataFrame({"text": batch}), ["content.compression"]).to_series().to_list()
    sizes = [len(zstandard.ZstdCompressor(level=3).compress(t.encode())) for t in batch]
    assert found == [len(t.encode()) / s for t, s in zip(batch, sizes, strict=True)]
    assert found[0] == 0 and found[1] < 1 < found[2]


def test_redpajama_names_bind_to_definitions():
    assert set(NAMES.values()) <= set(BY_ID)
    assert not set(NAMES) & set(NOT_OFFERED)
    families = Counter(name.split("_")[0] for name in [*NAMES, *NOT_OFFERED])
    assert families == {"rps": 35, "ccnet": 7, "minhash": 4}
    per_document = [n for n in NAMES if n.startswith("rps_doc_")]
    assert all(NAMES[n] == n.replace("rps_doc_", "redpajama.") + "@rps1" for n in per_document)


def test_pairs_of_splitters_disagree_on_punctuation_only():
    """What the second splitter is for: the share of words with a letter ignores punctuation."""
    text = "It is so - is it - and so be it - of old"
    values = compute(pl.DataFrame({"text": [text]})).row(0, named=True)
    assert values["gopher.alpha_words@ws1"] == 11 / 14
    assert values["gopher.alpha_words@uw1"] == 1
    assert all(a != b for a, b in pairwise(unicode_words(text)))
