"""Write tests/curation/golden/c4_lines.json: texts, and what datatrove 0.10.1 leaves of them.

    python -m venv peers && peers/bin/pip install -r tests/benchmarks/requirements-peers.txt
    peers/bin/python tests/benchmarks/make_edit_golden.py

`C4QualityFilter` with its document rules (lorem ipsum, curly brackets, five sentences) off: the
line rules alone, with and without that of the end mark. The texts are our own: written for the
rules, and random mixtures of words that they name.
"""

import json
import random
from pathlib import Path

from datatrove.data import Document
from datatrove.pipeline.filters.c4_filters import C4QualityFilter

TARGET = Path(__file__).parents[1] / "curation" / "golden" / "c4_lines.json"
WRITTEN = [
    "The lamp stands by the window.\nHome | About | Contact\nIt was lit [1] at dusk, and nobody "
    "saw it [citation needed].\nRead more...\n\n“So it goes,” she said.\nThree words here.\n"
    "Two words.\n",
    "Please enable JavaScript to see this page.\nWe use cookies on this site.\nThe mill turns "
    "all day.\nSee our Terms of Use and Privacy Policy.",
    "lorem ipsum dolor sit amet.\nif (a) { return b; }\nPlain words stay here!",
    "  Indented line with an end mark.  \n\tTabbed line, too?\t\nno end mark at all here\n"
    "Ends in a quote'\nEnds in a double quote, yes\"\n",
    "A [12] b.\n[1] [2] [3]\n[edit] History of the mill.\n[[1]2] nested ones here.\n"
    "Text with citation. [3]\nEmpty [] brackets are cut.",
    "x" * 1001 + " is a long word.\n" + "y" * 1000 + " is just short enough.",
    "One.\r\nTwo words now.\rThree words again.\x0bFour words and more.\x0cFive\x1cSix words "
    "stand here.\x1dseven words stand here.\x1eeight words stand here.\x85nine words stand "
    "here.\u2028ten words stand here.\u2029eleven words stand here.",
    *("", " ", "\n\n\n", "...", "a b c...", "a b c....", "a b c…", "a b c .", "a b c!?"),
    "Unit\x1fseparated words here.\nNo\u00a0break spaces here.\nThin\u2009space words here.\n"
    "Zero\u200bwidth is one.",
    "مرحبا بكم في الموقع.\nשלום לכולם מן הבית!\ne\u0301te\u0301 a\u0300 la plage.\n"
    "水車は毎日回る。\nΟΔΥΣΣΕΥΣ ΑΣ ΑΣ.",
    "USE COOKIES here now.\nJAVASCRİPT is not it.\njavaſcript may be it.\n"
    "Uses coo\u212aies with Kelvin sign.",
    "Digits [१२] are decimal too.\nSuperscript [²] digits are not.\n[ 1] keeps its space here.",
]
WORDS = [
    *("the", "mill", "turns", "lamp", "window", "[1]", "[edit]", "[citation needed]", "[23]", "[]"),
    *("{x}", "lorem", "ipsum", "JavaScript", "javascript", "cookies", "use", "uses", "of", "terms"),
    *("privacy", "policy", "cookie", "a", "I", ".", "!", "?", "...", "…", '"', "'", "so,", "well."),
    *("yes!", "漢", "é"),
]
GAPS = [" "] * 14 + ["\n"] * 4
GAPS += ["\n\n", "\r\n", "\t", "\u2028", "\x85", "\x1c", "\x1f", "\u00a0", "", "  "]
ENDS = [".", ".", "!", "?", '"', "'", "...", "", ":", ". "]


def random_text(rng: random.Random) -> str:
    """A mixture of the words, gaps and ends above."""
    ends = [rng.random() < 0.2 for _ in range(rng.randrange(1, 40))]
    gaps = [rng.choice(ENDS) + "\n" if end else rng.choice(GAPS) for end in ends]
    return "".join(rng.choice(WORDS) + gap for gap in gaps)


def edited(text: str, end_marks: bool) -> str:
    """What the line rules leave of `text`."""
    rules = C4QualityFilter(
        filter_no_terminal_punct=end_marks,
        filter_lorem_ipsum=False,
        filter_curly_bracket=False,
        min_num_sentences=-1,
    )
    document = Document(text=text, id="0")
    assert rules.filter(document) is True
    return document.text


def main() -> None:
    """Write the golden file."""
    rng = random.Random(0)
    texts = [*WRITTEN, *(random_text(rng) for _ in range(180))]
    pairs = [
        {"text": t, "c4-lines": edited(t, True), "c4-lines-fineweb": edited(t, False)}
        for t in texts
    ]
    made_by = "tests/benchmarks/make_edit_golden.py with datatrove 0.10.1"
    content = json.dumps({"made_by": made_by, "pairs": pairs}, indent=0)
    TARGET.write_text(content + "\n", "utf-8")


if __name__ == "__main__":
    main()
