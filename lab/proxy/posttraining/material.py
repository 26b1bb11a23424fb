"""What post-training reads: chats and preference pairs, from a file or out of a source by rule.

A file is JSON Lines, in the forms of the field (`trl`'s conversational and plain ones):

    sft    {"messages": [{"role": "user", "content": ...}, {"role": "assistant", "content": ...}]}
           {"prompt": ..., "completion": ...}
    dpo    {"prompt": ..., "chosen": ..., "rejected": ...}

where a prompt or an answer is a text or a list of messages. Other keys are ignored. How a source
is read is said in `lab.proxy.posttraining.questions`. Cost: 200,000 lines of a file a second.
"""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import polars as pl

from lab.core.errors import ConfigError, DataError
from lab.core.workspace import Workspace
from lab.corpus.sources import list_sources
from lab.proxy.posttraining.questions import MESSAGES, chats, pairs, questions

COLUMNS = {"sft": ("messages",), "dpo": ("prompt", "chosen", "rejected")}
ROLES = ("system", "user", "assistant")


def read_material(ws: Workspace, named: str, stage: str) -> pl.DataFrame:
    """The examples of `stage` in source or file `named`: columns of COLUMNS, each MESSAGES.

    Raises ConfigError if it is neither, DataError if a line is no example or there is none.
    """
    if named in {source.name for source in list_sources(ws)}:
        asked = questions(ws, named)
        found = chats(asked) if stage == "sft" else pairs(asked)
        cure = "name a source of exercises, or a JSONL file of your own"
    elif Path(named).is_file():
        found = read_file(Path(named), stage)
        cure = "write one JSON object a line"
    else:
        raise ConfigError(
            "This is neither a source nor a file.",
            value=named,
            next_step="`mixlab sources` lists the sources",
        )
    if found.is_empty():
        raise DataError(
            "There are no questions with answers here."
            if stage == "sft"
            else "There are no two questions of one form with different answers here.",
            where=named,
            next_step=cure,
        )
    return found


def read_file(path: Path, stage: str) -> pl.DataFrame:
    """The examples of a JSONL file; DataError names the first line that is none."""
    schema = dict.fromkeys(COLUMNS[stage], MESSAGES)
    return pl.DataFrame(list(examples(path, stage)), schema=schema)


def examples(path: Path, stage: str) -> Iterator[dict[str, Any]]:
    """The examples of a file, line by line (a Python loop: 200,000 lines a second)."""
    with path.open("rb") as handle:
        for number, line in enumerate(handle, start=1):
            if line.strip():
                where = f"{path.name}, line {number}"
                yield example(parse(line, where), stage, where)


def parse(line: bytes, where: str) -> dict[str, Any]:
    """One line as a JSON object; DataError otherwise."""
    try:
        value = json.loads(line)
    except (ValueError, RecursionError) as error:  # ValueError: not JSON, or not UTF-8
        raise DataError("This line is not JSON.", where=where, value=str(error)) from error
    if not isinstance(value, dict):
        raise DataError(
            "A line holds one JSON object.", where=where, value=value, next_step=SHAPES["sft"]
        )
    return value


SHAPES = {
    "sft": 'write {"messages": [{"role": "user", "content": "..."}, '
    '{"role": "assistant", "content": "..."}]}',
    "dpo": 'write {"prompt": "...", "chosen": "...", "rejected": "..."}',
}


def example(value: dict[str, Any], stage: str, where: str) -> dict[str, Any]:
    """One example in the columns of `stage`; DataError if it is none."""
    if stage == "dpo":
        prompt = turns(value, "prompt", "user", where)
        chosen, rejected = (
            turns(value, k, "assistant", where, stage) for k in ("chosen", "rejected")
        )
        if chosen == rejected:
            raise DataError("Chosen and rejected are the same.", where=where, value=chosen[-1])
        return {"prompt": prompt, "chosen": chosen, "rejected": rejected}
    if "messages" in value:
        return {"messages": turns(value, "messages", "assistant", where, "sft")}
    both = turns(value, "prompt", "user", where) + turns(value, "completion", "assistant", where)
    return {"messages": both}


def turns(
    value: dict[str, Any], key: str, last: str, where: str, stage: str = "sft"
) -> list[dict[str, str]]:
    """The messages under `key`; a plain text is one of role `last`, with which all must end."""
    held = value.get(key)
    messages = [{"role": last, "content": held}] if isinstance(held, str) else held
    sound = isinstance(messages, list) and all(is_message(m) for m in messages)
    if not sound or not messages or messages[-1]["role"] != last:
        raise DataError(
            f"{key!r} must be a text, or messages that end with the {last}'s."
            if key in value
            else f"The key {key!r} is missing.",
            where=where,
            value=held,
            next_step=SHAPES[stage],
        )
    return [{"role": m["role"], "content": m["content"]} for m in messages]


def is_message(value: object) -> bool:
    """Whether `value` has a known role and a text that is not empty."""
    return (
        isinstance(value, dict)
        and value.get("role") in ROLES
        and isinstance(value.get("content"), str)
        and bool(value["content"].strip())
    )
