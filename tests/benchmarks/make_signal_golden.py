"""Write tests/curation/golden/signals.json: texts, and what datatrove 0.10.1 says of them.

    python -m venv peers && peers/bin/pip install -r tests/benchmarks/requirements-peers.txt
    peers/bin/python tests/benchmarks/make_signal_golden.py

Values come from datatrove's own filters: their thresholds are replaced by recorders that note what
they are compared with and let everything pass. Words are those of `str.split()` instead of spaCy's
(definition `ws1`), sentences those of the lab's rule; nothing else of datatrove is changed. A value
that datatrove does not reach (it divides by zero on text without words) is null.
"""

import json
import math
import random
import re
from collections import Counter
from collections.abc import Callable
from pathlib import Path

import datatrove.pipeline.filters.c4_filters as c4
import datatrove.pipeline.filters.fineweb_quality_filter as fineweb
import datatrove.pipeline.filters.gopher_quality_filter as quality
import datatrove.pipeline.filters.gopher_repetition_filter as repetition
from datatrove.data import Document
from datatrove.pipeline.filters.base_filter import BaseFilter
from datatrove.utils.text import PUNCTUATION_SET, TERMINAL_PUNCTUATION

TARGET = Path(__file__).parents[1] / "curation" / "golden" / "signals.json"
SENTENCE = re.compile(r"""[.?!]["'”’)\]]*(?:\s|$)""")
SENTENCE_AT_END = re.compile(r"""[.?!]["'”’)\]]*\s*\Z""")


class Recorder:
    """A threshold that passes everything and remembers the value compared with it."""

    __array_ufunc__ = None  # numpy scalars leave the comparison to this class

    def __init__(self) -> None:
        self.seen: float | None = None

    def note(self, value: float) -> bool:
        self.seen = None if math.isnan(value) else float(value)  # np.mean([]) is NaN
        return False

    __lt__ = __gt__ = note
    __hash__ = None  # type: ignore[assignment]


def split_sentences(line: str, language: str) -> list[str]:
    """As many pieces as the lab counts sentences."""
    return [""] * (len(SENTENCE.findall(line)) + (not SENTENCE_AT_END.search(line)))


def use_plain_words() -> None:
    """Replace spaCy's words by those between white space, its sentences by the lab's."""
    for module in (quality, repetition, fineweb):
        module.split_into_words = lambda text, language=None: text.split()
    c4.split_into_sentences = split_sentences


def verdict(step: BaseFilter, text: str) -> str:
    """The reason a filter gives, `kept`, or `error` where it raises."""
    try:
        result = step.filter(Document(text=text, id="0"))
    except ZeroDivisionError:
        return "error"
    return "kept" if result is True else result[1]


def recorded(
    make: Callable[..., BaseFilter], text: str, names: dict[str, str]
) -> dict[str, object]:
    """Values a filter compares with the thresholds `names` (argument name to signal id)."""
    recorders = {argument: Recorder() for argument in names}
    verdict(make(**recorders), text)
    return {names[argument]: recorder.seen for argument, recorder in recorders.items()}


QUALITY = {
    "min_doc_words": "gopher.word_count@ws1",
    "min_avg_word_length": "gopher.mean_word_length@ws1",
    "max_bullet_lines_ratio": "gopher.bullet_lines@dt1",
    "max_ellipsis_lines_ratio": "gopher.ellipsis_lines@dt1",
    "max_non_alpha_words_ratio": "gopher.alpha_words@ws1",
    "min_stop_words": "gopher.stop_words@ws1",
}
REPETITION = {
    "dup_para_frac": "repetition.dup_paras@dt1",
    "dup_para_char_frac": "repetition.dup_para_chars@dt1",
    "dup_line_frac": "repetition.dup_lines@dt1",
    "dup_line_char_frac": "repetition.dup_line_chars@dt1",
}
FINEWEB = {
    "line_punct_thr": "fineweb.line_punct@dt1",
    "short_line_thr": "fineweb.short_lines@dt1",
    "char_duplicates_ratio": "fineweb.dup_line_chars@dt1",
    "new_line_ratio": "fineweb.newline_per_word@ws1",
}


class Both(Recorder):
    """Hash signs and ellipses share one threshold: keep both values."""

    def __init__(self) -> None:
        super().__init__()
        self.all: list[float] = []

    def note(self, value: float) -> bool:
        self.all.append(float(value))
        return False

    __lt__ = __gt__ = note


def symbol_ratios(text: str) -> dict[str, object]:
    both = Both()
    verdict(quality.GopherQualityFilter(None, None, None, None, max_symbol_word_ratio=both), text)
    hashes, ellipses = [*both.all, None, None][:2]
    return {"gopher.hash_ratio@ws1": hashes, "gopher.ellipsis_ratio@ws1": ellipses}


def ngram_shares(text: str) -> dict[str, object]:
    top = {n: Recorder() for n in (2, 3, 4)}
    dup = {n: Recorder() for n in range(5, 11)}
    step = repetition.GopherRepetitionFilter(None, None, None, None, [*top.items()], [*dup.items()])
    verdict(step, text)
    return {
        **{f"repetition.top_{n}_gram@ws1": r.seen for n, r in top.items()},
        **{f"repetition.dup_{n}_gram@ws1": r.seen for n, r in dup.items()},
    }


def c4_values(text: str, punctuation: bool) -> dict[str, object]:
    """C4's values with the rule on end punctuation on (dt1) or off (fw1)."""
    setting = "dt1" if punctuation else "fw1"

    def step(**switches: object) -> c4.C4QualityFilter:
        off = {"filter_lorem_ipsum": False, "filter_curly_bracket": False, "min_num_sentences": -1}
        return c4.C4QualityFilter(filter_no_terminal_punct=punctuation, **{**off, **switches})

    sentences, stats = Recorder(), Counter()
    count = step(min_num_sentences=sentences)
    count.stat_update = lambda *names, **_: stats.update(names)
    verdict(count, text)
    full = sum(line.strip() != "" for line in text.splitlines())
    return {
        f"c4.sentences@{'ws1' if punctuation else 'fw1'}": sentences.seen,
        f"c4.kept_lines@{setting}": stats["line-kept"] / full if full else 0.0,
        # datatrove stops at the first such line, so these say "any", not how many
        f"c4.lorem_ipsum@{setting}": verdict(step(filter_lorem_ipsum=True), text) != "kept",
        f"c4.curly_brackets@{setting}": verdict(step(filter_curly_bracket=True), text) != "kept",
    }


def judge(name: str, text: str) -> dict[str, object]:
    values = {
        **recorded(quality.GopherQualityFilter, text, QUALITY),
        **symbol_ratios(text),
        **recorded(repetition.GopherRepetitionFilter, text, REPETITION),
        **ngram_shares(text),
        **recorded(fineweb.FineWebQualityFilter, text, FINEWEB),
        **c4_values(text, punctuation=True),
        **c4_values(text, punctuation=False),
    }
    verdicts = {
        "repetition": verdict(repetition.GopherRepetitionFilter(), text),
        "quality": verdict(quality.GopherQualityFilter(), text),
        "c4": verdict(c4.C4QualityFilter(), text),
        "c4 fineweb": verdict(c4.C4QualityFilter(filter_no_terminal_punct=False), text),
        "fineweb": verdict(fineweb.FineWebQualityFilter(), text),
    }
    return {"name": name, "text": text, "values": values, "verdicts": verdicts}


PROSE = (
    "The ferry leaves the harbour of Merrow at six, and the people who have to be on the island "
    "with their goods come early.",
    "It is said that a lamp was once kept in the tower to guide them; nobody remembers who paid "
    "for it.",
    "“Is that so?” asked the clerk. She had never seen the lamp, nor did she wish to.",
    "In winter the boat stays away for weeks. The island lives on dried fish, barley and patience.",
    "Of the nine families that settled there, six still keep bees, and two of the rest make rope.",
)
ITEMS = ("- salt", "- rope, 12 m", "• lamp oil", "  • nails", "-bread", "* not a bullet here")


def hand_made() -> dict[str, str]:
    """Texts that each try one thing; all of them written for this file."""
    prose = "\n".join(PROSE)
    return {
        "empty": "",
        "one space": " ",
        "blank lines": " \n \n\t\n",
        "newlines only": "\n\n\n",
        "one word": "word",
        "one symbol": "#",
        "punctuation only": "... --- !!! ??? ,,, « » ／ 。",
        "prose": prose,
        "prose, final newline": prose + "\n",
        "prose, final newlines": prose + "\n\n\n",
        "prose, paragraphs": "\n\n".join(PROSE),
        "repeated paragraphs": "\n\n".join([*PROSE, PROSE[0], PROSE[0], PROSE[3]]),
        "paragraphs, ragged": "\n\n\n  " + "\n \n\n".join([*PROSE, *PROSE[:2]]) + "  \n\n",
        "repeated lines": "\n".join([*PROSE, *PROSE, PROSE[1]]),
        "trailing spaces": "  \n".join(PROSE) + "  ",
        "crlf": "\r\n".join(PROSE) + "\r\n",
        "old mac": "\r".join(PROSE),
        "vertical tab": "\x0b".join(PROSE),
        "form feed": "\x0c".join(PROSE) + "\x0c",
        "next line": "\x85".join(PROSE),
        "line separator": "\u2028".join(PROSE) + "\u2028",
        "paragraph separator": "\u2029".join(PROSE),
        "file separators": "\x1c".join(PROSE[:2]) + "\x1d" + "\x1e".join(PROSE[2:]) + "\x1f tail",
        "mixed breaks": "one\n\rtwo\r\n\nthree\x0b\x0cfour\u2028\u2029five\n",
        "unit separator words": "the\x1fand\x1fof\x1cto\x1dbe\x1ehave",
        "nul": "The \x00 clerk\x00 and \x00\x00 the lamp.\nA \x00.",
        "no-break spaces": "the\u00a0lamp\u2003and\u3000the\u202ftower\ufeff of\u200b rope",
        "bullets": "\n".join([*ITEMS, *ITEMS[:3], "The end."]),
        "bullets, blank lines": "\n\n".join(ITEMS),
        "ellipses": "Wait...\nand so on…\nthe end ... \n......\n.. .\nmore .... dots… \n",
        "hash tags": "#one #two ##three # four# five\n# Title\n#",
        "stop words": "The of the of THE be To to and.",
        "stop words, glued": "the, of. (and) with; have that be to",
        "table": "\n".join("a b  c\td" if k % 2 else "1 2  3\t4" for k in range(12)),
        "number list": " ".join(str(k % 7) * (k % 3 + 1) for k in range(80)),
        "joined words": "ab c d e f x a bc d e f y abc d e f g z a b cdef g ab cd ef gh",
        "digits split anew": "1 11 111 1 11 11 1 111 1 111 11 1 11 1 1 1 1 11 111 11 1",
        "same word": "la " * 40,
        "tie of grams": "aa bb cc dd aa bb ee ff cc dd",
        "tie, longer second": "a b xxxx yyyy a b xxxx yyyy",
        "two words": "exactly two",
        "nine words": "one two three four five six seven eight nine",
        "ten words": "one two three four five six seven eight nine ten",
        "refrain": "we sing of the sea and the rope and the lamp, " * 12,
        "emoji": "🐝 The bees 🐝🐝 have flown! 👩‍👩‍👧 and 🇳🇱 flags.\n🙂\n🙂\n",
        "combining": "cafe\u0301 and café are not one word; o\u0308 nor ö.",
        "cjk": "灯台の油は高い。漁師は海へ行く。\n灯台の油は高い。\n１２３　４５６！\n",
        "arabic": "هل رأيت المصباح؟ نعم، رأيته أمس۔\nقال الكاتب: لا؟",
        "devanagari": "दीपक कहाँ है? दीपक यहाँ है।\nदीपक कहाँ है? दीपक यहाँ है।",
        "thai": "เรือออกจากท่าตอนหกโมงเช้า",
        "astral marks": "Brahmi 𑁇\nChakma 𑅁\nSign 𝪈\nplain 𐩖",
        "letters of other kinds": "ª º ʰ ǅ ℵ Ⅷ ① ² ٣ ०१ _ 𝔘𝔫𝔦 ꙮ",
        "capitals": "SHOUTING About ÄÖÜ And ΣΑΣ Ⅷ",
        "very long word": "x" * 1001
        + " and the rest of the line is here.\n"
        + "y" * 1000
        + " a b c.",
        "very long line": " ".join(PROSE) * 20,
        "many short lines": "\n".join(["Home", "About us", "News", "Contact", "Home"] * 6),
        "thirty characters": "x" * 30 + "\n" + "y" * 31 + "\n" + "é" * 30 + "\n" + "é" * 31,
        "line ends": "a.\nb!\nc?\nd:\ne;\nf…\ng”\nh\"\ni'\nj)\nk。\nl！\nm. \nn",
        "c4 short lines": "Two words.\nThree words here.\n[1] one two.\nOne [2].\n[3] [4] [5].",
        "c4 citations": "The lamp[1] was lit.[23]\nRope is made here.[edit]\n"
        "So they say[citation needed].",
        "c4 javascript": "Please enable JavaScript now.\n" + prose + "\njavascript: on, it says.",
        "c4 policy": prose + "\nRead our Privacy Policy first.\nThis site USES COOKIES, as all do.",
        "c4 kelvin sign": prose + "\nWe use coo\u212aies here.\nLOREM İPSUM is no match.",
        "c4 lorem": prose + "\nLorem Ipsum dolor sit amet.",
        "c4 lorem, unended": prose + "\nlorem ipsum dolor sit amet",
        "c4 curly": prose + "\nif (lamp) { light the lamp }.",
        "c4 curly, unended": prose + "\nfor all x { do }",
        "c4 curly after javascript": prose + "\nThe javascript says { now }.",
        "c4 curly in a short line": prose + "\n{ }.",
        "c4 few sentences": "The lamp is lit. It burns.\nNobody knows why it does...\n"
        "And then what?",
        "c4 no end marks": "\n".join(line.rstrip(".") for line in PROSE),
        "c4 quotes": "\n".join(
            ['She said "so it is."', "It was 'dry.'", "Then (so they say.)"] * 2
        ),
        "c4 padded": "\n".join(f"\t {line} \x1f" for line in PROSE),
        "code": "def lamp(oil):\n    # burn\n    return {k: v for k, v in oil.items()}\n\n\n"
        "lamp({})\n",
        "html": "<p>The lamp</p>\n<p>The lamp</p>\n<script>alert('the lamp')</script>",
        "long, tags": " ".join(f"#{w} {w}" for line in PROSE for w in line.split()),
        "long, teasers": " ".join(f"{w}... read" for line in PROSE for w in line.split()),
        "long, list": "\n".join(f"- {line}" for line in PROSE),
        "long, cut lines": "\n".join(f"{line[:-1]}..." for line in PROSE),
        "long, numbers": " ".join(f"{k * 7919} lamp {k * 104729}" for k in range(40)),
        "long, capitals": prose.upper(),
        "long, compounds": " ".join(f"lamp-oil-and-rope-{k}" for k in range(60)),
        "one phrase again": "\n".join(f"{line} {PROSE[1]}" for line in PROSE),
        "zero width": "the\u200dlamp \u2060and\u2060 the\u00adrope",
        "bom": "\ufeffThe lamp and the rope.",
    }


def random_texts(number: int) -> dict[str, str]:
    """Seeded mixtures of words and hostile separators."""
    rng = random.Random(20_26)
    words = "the of a bc ab c 1 11 lamp rope. tower! # ... … - • été 漢 🐝 {x} “so” and"
    vocabulary = tuple(words.split(" "))
    rare_gaps = ["\n\n", "\n\n\n", "\r\n", "\x0b", "\u2028", "\x1f", " \n", "\u00a0"]
    gaps = [" "] * 14 + ["\n"] * 4 + rare_gaps
    texts = {}
    for k in range(number):
        drawn = rng.choices(vocabulary, k=rng.randint(3, 120))
        line = "".join(word + rng.choice(gaps) for word in drawn)
        texts[f"random {k}"] = line * rng.choice((1, 1, 1, 2))
    return texts


def main() -> None:
    use_plain_words()
    texts = hand_made() | random_texts(40)
    golden = {
        "made_by": "tests/benchmarks/make_signal_golden.py with datatrove 0.10.1",
        "symbols": "".join(sorted(PUNCTUATION_SET)),
        "sentence_end": "".join(sorted(TERMINAL_PUNCTUATION)),
        "texts": [judge(name, text) for name, text in texts.items()],
    }
    TARGET.write_text(json.dumps(golden, indent=0, ensure_ascii=True) + "\n", encoding="utf-8")


if __name__ == "__main__":
    main()
