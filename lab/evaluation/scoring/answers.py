r"""Answers in a model's own words: what was answered, and whether it is right.

    number   the number after the first `#### `, else the last number of the text (GSM8K: the
             strict and the flexible reading of lm-evaluation-harness 0.4.13, in that order);
             right if it is the same number: 1,000 is 1000.00, $5 is 5
    alias    the first line (TriviaQA); right if it is one of the aliases after the authors'
             normalisation: lower case, no punctuation, no articles, single blanks (Joshi et al.
             2017, arXiv:1705.03551, evaluation script)
    line     the first line as it stands

The text is what follows the prompt, cut at the item's `meta.stop`. Where it fails: a solution that
goes on after its answer, and names another number, is read wrong unless it is cut.
"""

import re
import string
from collections.abc import Sequence
from decimal import Decimal, InvalidOperation
from typing import Final

from lab.core.errors import ConfigError, nearest

PATTERNS: Final = ("number", "alias", "line")
NUMBER = re.compile(r"-?\$?\d[\d,]*(?:\.\d+)?|-?\$?\.\d+")
ARTICLES = re.compile(r"\b(a|an|the)\b")
DROPPED = str.maketrans(dict.fromkeys(string.punctuation + "‘’´`", " ") | {"_": " "})


def extract(text: str, pattern: str) -> str:
    """What `text` answers under one of PATTERNS, "" if nothing; ConfigError for another pattern."""
    if pattern not in PATTERNS:
        raise ConfigError(
            "Unknown pattern of an answer.", value=pattern, next_step=nearest(pattern, PATTERNS)
        )
    if pattern == "number":
        marked = text.partition("####")
        after = NUMBER.findall(marked[2]) if marked[1] else []
        found = after[:1] or NUMBER.findall(text)[-1:]
        return found[0] if found else ""
    return next((line.strip() for line in text.splitlines() if line.strip()), "")


def is_match(
    prediction: str, gold: str, aliases: Sequence[str] = (), pattern: str = "alias"
) -> bool:
    """True if `prediction`, as `extract` gave it, is `gold` or one of its `aliases`."""
    if pattern == "number":
        return number(prediction) is not None and number(prediction) == number(gold)
    if pattern == "line":
        return prediction.strip() in {gold.strip(), *(alias.strip() for alias in aliases)}
    said = normalised(prediction)
    return bool(said) and said in {normalised(known) for known in (gold, *aliases)}


def number(text: str) -> Decimal | None:
    """The value of a number as it is written, None if it is none."""
    try:
        return Decimal(text.replace(",", "").replace("$", "").strip().rstrip("."))
    except InvalidOperation:
        return None


def normalised(text: str) -> str:
    """A short answer in the form in which TriviaQA compares them."""
    return " ".join(ARTICLES.sub(" ", text.lower().translate(DROPPED)).split())


def cut(text: str, stop: Sequence[str]) -> str:
    """`text` up to the first of the `stop` texts."""
    places = [place for mark in stop if mark and (place := text.find(mark)) >= 0]
    return text[: min(places)] if places else text
