"""Chats and preference pairs out of a source, by rule.

A source has no chats, but many texts hold questions with answers. The rule: a paragraph with a line
that begins `Question: ...` (or `Q: ...`) and a later one that begins `Answer: ...` (`A: ...`) is
one chat: what stands before the answer is the user's, the rest the assistant's. Held-out documents
are left out: they are scored later.

Pairs take the answer as chosen and, as rejected, an answer to another question of the same form:
the same first three words, names and numbers aside. In the sample world such an answer is wrong by
construction; in other texts it may happen to be right, which is noise in the pairs.

Cost: 0.8 CPU-seconds per 100 MB of source (from 1 MB). Where it fails: answers of several
paragraphs are cut after the first, and questions without these words are not seen; write a file
instead.
"""

import numpy as np
import polars as pl

from lab.core.workspace import Workspace
from lab.corpus.sources import scan_documents
from lab.proxy.reading import keys

MESSAGES = pl.List(pl.Struct({"role": pl.String, "content": pl.String}))
ASKED = r"(?s)^((?:.*?\n)?(?:Question|Q): .+?)\n(?:Answer|A): (.+)$"
FORM_WORDS = 3  # first words of a question that make its form


def questions(ws: Workspace, source: str) -> pl.DataFrame:
    """Paragraphs that ask and answer, in the order of the documents' hashes: prompt, answer."""
    found = pl.col("part").str.extract_groups(ASKED).struct
    return (
        scan_documents(ws, source)
        .filter(~pl.col("heldout"))
        .sort("content_hash", "id")
        .unique("content_hash", keep="first", maintain_order=True)
        .select(pl.col("text").str.split("\n\n").alias("part"))
        .explode("part")
        .select(
            prompt=found.field("1").str.strip_chars(), answer=found.field("2").str.strip_chars()
        )
        .filter(pl.col("prompt").is_not_null() & (pl.col("answer") != ""))
        .unique(maintain_order=True)
        .collect()
    )


def chats(asked: pl.DataFrame) -> pl.DataFrame:
    """Questions with answers as chats of two messages: messages."""
    both = said("user", "prompt"), said("assistant", "answer")
    return asked.select(messages=pl.concat_list(*both).cast(MESSAGES))


def pairs(asked: pl.DataFrame) -> pl.DataFrame:
    """Questions with their answer and a wrong one: prompt, chosen, rejected.

    Questions of a form that has one answer only are left out.
    """
    formed = asked.with_row_index("row").with_columns(form=form()).with_columns(
        at=(pl.col("answer").rank("dense").over("form") - 1).cast(pl.UInt64),
        count=pl.col("answer").n_unique().over("form").cast(pl.UInt64),
    ).filter(pl.col("count") > 1)  # fmt: skip
    at, count = formed["at"].to_numpy(), formed["count"].to_numpy()
    shift = 1 + keys(formed["row"].to_numpy().astype(np.int64), "pairs", 0, 0) % (count - 1)
    known = formed.select("form", "at", pl.col("answer").alias("wrong")).unique(["form", "at"])
    drawn = formed.with_columns(pl.Series("other", (at + shift) % count)).join(
        known, left_on=["form", "other"], right_on=["form", "at"], maintain_order="left"
    )
    return drawn.select(
        prompt=pl.concat_list(said("user", "prompt")).cast(MESSAGES),
        chosen=pl.concat_list(said("assistant", "answer")).cast(MESSAGES),
        rejected=pl.concat_list(said("assistant", "wrong")).cast(MESSAGES),
    )


def form() -> pl.Expr:
    """The form of a question: its first words without names and numbers."""
    asked = pl.col("prompt").str.extract(r"(?s)(?:^|\n)(?:Question|Q): (.+)$")
    plain = asked.str.replace_all(r"(\s)[\p{Lu}\p{N}][^\s]*", "$1")
    return plain.str.extract_all(r"[^\s]+").list.head(FORM_WORDS).list.join(" ")


def said(role: str, column: str) -> pl.Expr:
    """A text column as a message of `role`."""
    return pl.struct(pl.lit(role).alias("role"), pl.col(column).alias("content"))
