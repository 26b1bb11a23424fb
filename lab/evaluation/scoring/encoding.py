"""From an item to tokens: what is fed, and from where on it is scored.

The rules are those of lm-evaluation-harness 0.4 (`_encode_pair` in api/model.py, Gao et al. 2024),
so that sums agree with it (on ARC-Easy, PIQA, BLiMP and GSM8K to 1e-4 nats of 300, in fp32):

- context and continuation are joined by one space, unless white space stands at the seam already or
  the context is empty (the harness with `target_delimiter: " "`, else `""`);
- white space at the end of the context moves to the continuation, because byte-level tokenizers
  write a space and the word after it as one token;
- the whole is encoded, and cut at the number of tokens of the context alone;
- an empty context becomes the end-of-text token; minimal pairs have no context, so the whole
  sentence is scored from there.

Bytes of a continuation are the UTF-8 bytes of exactly what is scored, the joining space included:
the one convention of this room for bits per byte and for normalising by length.

Where it fails: a tokenizer that merges across the seam makes the cut approximate, here as in the
harness; at least one token is always scored.
"""

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tokenizers import Tokenizer


@dataclass(frozen=True, slots=True)
class Span:
    """Tokens of one text; those from index `start` (>= 1) on are scored."""

    tokens: list[int]
    start: int


def encode_pairs(
    tokenizer: "Tokenizer", pairs: Sequence[tuple[str, str]], eot_id: int
) -> list[Span]:
    """A Span for every (context, continuation) that `seam` made.

    Where the tokenizer cuts every text at the seam, both sides are encoded by themselves, each
    different text once; that is a third of the tokens.
    """
    contexts, endings = zip(*pairs, strict=True) if pairs else ((), ())
    apart = cuts_at_spaces(tokenizer)
    whole = [not (apart and clean_seam(*pair)) for pair in pairs]
    texts = [
        *(context for context in contexts if context),
        *(c + e if joint else e for c, e, joint in zip(contexts, endings, whole, strict=True)),
    ]
    different = list(dict.fromkeys(texts))
    tokens = dict(zip(different, encode(tokenizer, different), strict=True))
    spans = []
    for (context, ending), joint in zip(pairs, whole, strict=True):
        before = tokens[context] if context else []
        row = tokens[context + ending] if joint else before + tokens[ending]
        spans.append(cut(row, len(before), eot_id))
    return spans


def clean_seam(context: str, ending: str) -> bool:
    """True if exactly one space stands between two characters that are not white space."""
    words = bool(context[-1:].strip()) and bool(ending[1:2].strip())
    return words and ending.startswith(" ")


def cuts_at_spaces(tokenizer: "Tokenizer") -> bool:
    """True if no token of `tokenizer` reaches over the space between two words.

    So it is for the byte-level pattern of GPT-2 (` ?\\p{L}+| ?\\p{N}+|...`): a single space always
    begins a piece, and pieces are encoded by themselves. Any other tokenizer encodes the whole.
    """
    parts = json.loads(tokenizer.to_str())
    pre = parts["pre_tokenizer"] or {}
    plain = pre.get("type") == "ByteLevel" and pre.get("use_regex") and not parts["normalizer"]
    return bool(plain) and not any(
        token["lstrip"] or token["rstrip"] or " " in token["content"]
        for token in parts["added_tokens"]
    )


def cut(whole: list[int], size: int, eot_id: int) -> Span:
    """Score `whole` from token `size` on; without a token before it, end-of-text is put there."""
    size = min(size, len(whole) - 1)
    return Span(whole, size) if size > 0 else Span([eot_id, *whole], 1)


def encode(tokenizer: "Tokenizer", texts: Sequence[str]) -> list[list[int]]:
    """Token ids of every text, without special tokens added."""
    return [e.ids for e in tokenizer.encode_batch_fast(list(texts), add_special_tokens=False)]


def windows(span: Span, length: int) -> tuple[list[Span], int]:
    """Cut `span` into spans that a model of context `length` can score, and count lost context.

    One span, its context cut from the left, if what is scored fits; otherwise consecutive spans of
    `length` scored tokens after the one token before them, the last filled up to the left. Every
    scored token of `span` is scored exactly once. The count is of context tokens that are not fed.
    """
    scored, count = len(span.tokens) - span.start, len(span.tokens)
    if scored <= length:
        lost = max(0, count - 1 - length)
        return [Span(span.tokens[lost:], span.start - lost)], lost
    pieces = []
    for start in range(span.start, count, length):
        end = min(start + length, count)
        first = min(start - 1, end - 1 - length)
        pieces.append(Span(span.tokens[first:end], start - first))
    return pieces, span.start - 1
