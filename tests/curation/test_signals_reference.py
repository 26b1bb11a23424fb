"""Signals against a plain reading of their formulas in Python, on text made to be hostile."""

import re
from collections import Counter

import polars as pl
from hypothesis import example, given, settings
from hypothesis import strategies as st

from lab.curation.signals import DEFINITIONS, compute
from lab.curation.signals.characters import SENTENCE_END, SYMBOLS

TOKENS = (
    "the of and be lamp Rope a bc ab c 1 11 # ## ... … .... . ! ? 。 - • “so” {x} [1] [edit] "
    "javascript JavaScript cookies LOREM ipsum lorem use Ⅷ é 漢 🐝 \x00 \u200b \ufeff ǅ ٣"
)
PIECES = TOKENS.split(" ")
GAPS = [" ", " ", " ", "\n", "\n", "\n\n", "\n\n\n", "\r\n", "\r", "\t", "\x0b", "\x0c", "\x1c"]
GAPS += ["\x1e", "\x1f", "\x85", "\u00a0", "\u2028", "\u2029", "\u3000", "", " \n", "- "]
hostile = st.lists(st.sampled_from([*PIECES, *GAPS, *GAPS]), max_size=80).map("".join)
texts = st.one_of(hostile, hostile.map(lambda t: t * 2), st.text(max_size=60))


def share(part: float, whole: float) -> float:
    return part / max(whole, 1)


def copies(pieces: list[str]) -> tuple[int, int]:
    seen: set[str] = set()
    again = [p for p in pieces if p in seen or seen.add(p)]  # type: ignore[func-returns-value]
    return len(again), sum(map(len, again))


def gopher(text: str) -> dict[str, float]:
    words, lines = text.split(), text.splitlines()
    content = [w for w in words if set(w) - SYMBOLS]
    ends = [line.rstrip().endswith(("...", "…")) for line in lines]
    stops = {"the", "be", "to", "of", "and", "that", "have", "with"}
    return {
        "gopher.word_count@ws1": len(content),
        "gopher.mean_word_length@ws1": share(sum(map(len, content)), len(content)),
        "gopher.hash_ratio@ws1": share(text.count("#"), len(words)),
        "gopher.ellipsis_ratio@ws1": share(text.count("...") + text.count("…"), len(words)),
        "gopher.bullet_lines@dt1": share(
            sum(line.lstrip().startswith(("•", "-")) for line in lines), len(lines)
        ),
        "gopher.ellipsis_lines@dt1": share(sum(ends), len(lines)),
        "gopher.alpha_words@ws1": share(
            sum(any(c.isalpha() for c in w) for w in words), len(words)
        ),
        "gopher.stop_words@ws1": len(stops & set(words)),
        "basic.chars@lab1": len(text),
        "basic.words@ws1": len(words),
        "basic.mean_word_length@ws1": share(sum(map(len, words)), len(words)),
        "basic.lines@lab1": len(lines),
        "basic.digit_share@lab1": share(sum(c.isdecimal() for c in text), len(text)),
        "basic.uppercase_share@lab1": share(
            sum(c.isupper() and c.isalpha() for c in text), sum(c.isalpha() for c in text)
        ),
    }


def fineweb(text: str) -> dict[str, float]:
    lines = [line for line in text.split("\n") if line.strip()]
    ended = sum(line[-1] in SENTENCE_END for line in lines)
    return {
        "fineweb.line_punct@dt1": share(ended, len(lines)),
        "fineweb.short_lines@dt1": share(sum(len(line) <= 30 for line in lines), len(lines)),
        "fineweb.dup_line_chars@dt1": share(copies(lines)[1], len(text) - text.count("\n")),
        "fineweb.newline_per_word@ws1": share(text.count("\n"), len(text.split())),
    }


def repetition(text: str) -> dict[str, float]:
    words = text.split()
    paragraphs, rows = re.split(r"\n{2,}", text.strip()), re.split(r"\n+", text)
    found = {
        "repetition.dup_paras@dt1": share(copies(paragraphs)[0], len(paragraphs)),
        "repetition.dup_para_chars@dt1": share(copies(paragraphs)[1], len(text)),
        "repetition.dup_lines@dt1": share(copies(rows)[0], len(rows)),
        "repetition.dup_line_chars@dt1": share(copies(rows)[1], len(text)),
    }
    for n in (2, 3, 4):
        grams = Counter(" ".join(words[i : i + n]) for i in range(len(words) - n + 1))
        gram, count = grams.most_common(1)[0] if grams else ("", 0)
        found[f"repetition.top_{n}_gram@ws1"] = share(len(gram) * count, len(text))
    for n in range(5, 11):
        seen, chars, i = set(), 0, 0
        while i <= len(words) - n:
            gram = "".join(words[i : i + n])
            repeated = gram in seen
            chars += len(gram) if repeated else 0
            seen.add(gram)
            i += n if repeated else 1
        found[f"repetition.dup_{n}_gram@ws1"] = share(chars, len(text))
    return found


POLICY = ("terms of use", "privacy policy", "cookie policy", "uses cookies", "use of cookies")
STOP = re.compile(r"""[.?!]["'”’)\]]*(\s|\Z)""")
STOP_AT_END = re.compile(r"""[.?!]["'”’)\]]*\s*\Z""")


def c4(text: str) -> dict[str, float]:
    raw = [line.strip() for line in text.splitlines() if line.strip()]
    count: Counter[str] = Counter()
    for stripped in raw:
        line = re.sub(r"\[\d*\]|\[edit\]|\[citation needed\]", "", stripped)
        lower, words = line.lower(), stripped.split()
        terminal = line.endswith((".", "?", "!", '"', "'")) and not line.endswith("...")
        javascript = "javascript" in lower
        policy = any(phrase in lower for phrase in (*POLICY, "use cookies"))
        count.update(terminal=terminal, javascript=javascript, policy=policy)
        for setting in ("dt1", "fw1") if terminal else ("fw1",):
            if max(map(len, words)) > 1000 or len(words) < 3:
                continue
            count[f"lorem {setting}"] += "lorem ipsum" in lower
            count[f"curly {setting}"] += "{" in line and not javascript
            if not javascript and not policy:
                count[f"kept {setting}"] += 1
                stops = len(STOP.findall(line))
                count[f"sentences {setting}"] += stops + (not STOP_AT_END.search(line))
    return {
        "c4.sentences@ws1": count["sentences dt1"],
        "c4.sentences@fw1": count["sentences fw1"],
        **{f"c4.lorem_ipsum@{s}": count[f"lorem {s}"] for s in ("dt1", "fw1")},
        **{f"c4.curly_brackets@{s}": count[f"curly {s}"] for s in ("dt1", "fw1")},
        **{f"c4.kept_lines@{s}": share(count[f"kept {s}"], len(raw)) for s in ("dt1", "fw1")},
        **{
            f"c4.{name}_lines@dt1": share(count[name], len(raw))
            for name in ("terminal", "javascript", "policy")
        },
    }


@given(st.lists(texts, min_size=1, max_size=6))
@example(["x" * 1000 + " a b.", "x" * 1001 + " a b.", "the lamp\n" * 40])
@example(["We use cookies to be.\nlorem ipsum of.\nthe lamp { of the.", "a\r\n\rb\n\rc"])
@example(["\ud7ff\ue000\uffff\U00010000\U0010ffff", "ſ K İ ß ΑΣ of cooKies."])
@settings(max_examples=150, deadline=None)
def test_every_signal_equals_its_formula(batch):
    wanted = [gopher(t) | fineweb(t) | repetition(t) | c4(t) for t in batch]
    found = compute(pl.DataFrame({"text": batch}), list(wanted[0]))
    assert found.rows(named=True) == wanted


@given(texts)
@settings(max_examples=60, deadline=None)
def test_shares_lie_between_nothing_and_everything(text):
    shares = [d.id for d in DEFINITIONS if d.unit == "share"]
    for name, value in compute(pl.DataFrame({"text": [text]}), shares).row(0, named=True).items():
        assert value >= 0
        # the most frequent n-gram may overlap itself; Dolma divides by letters, not characters
        if "top_" not in name and name != "repetition.dup_line_chars@dol1":
            assert value <= 1
