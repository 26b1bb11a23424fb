"""The code source [code]: short Python modules of documented functions.

A module has a docstring, three to eight functions, sometimes a small script at the end.
Some are of low value, as in any repository: a file of constants, or one without a docstring.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import chance, pick
from lab.corpus.world.lexicon import POOLS
from lab.corpus.world.phrases import capital, say
from lab.corpus.world.programs import Function, make_function

_HEADS: Final = (
    "Helpers for the {noun} of the {job}.",
    "Small tools to count {thing}s and {food}.",
    "Functions on lists and numbers.",
    "What the {job} needs to keep a ledger.",
    "Prices of {food} and {food}.",
    "Utilities for the {adj} {noun}.",
    "Code for the {noun} project, written in {month}.",
    "Simple statistics about {thing}s.",
)
_COMMENTS: Final = (
    "# used by the {job}",
    "# see the ledger of {month}",
    "# the {thing} may be missing",
    "# works for an empty {noun} too",
    "# asked for by {name}",
    "# {adj}, but good enough",
)


def write_module(rng: Random, index: int) -> Draft:
    """Module number `index`."""
    if chance(rng, 0.12):
        return Draft(_constants(rng), "constants", 1, "constants", "python", meta=_meta(rng, index))
    functions = _functions(rng)
    documented = chance(rng, 0.85)
    parts = [f'"""{say(rng, _HEADS)}"""'] if documented else []
    parts += [_body(rng, function) for function in functions]
    if chance(rng, 0.35):
        parts.append(_script(rng, functions[0]))
    text = "\n\n\n".join(parts) + "\n"
    return Draft(text, "module", 4 if documented else 3, "code", "python", meta=_meta(rng, index))


def _functions(rng: Random) -> list[Function]:
    made = [make_function(rng) for _ in range(3 + int(rng.random() * 6))]
    return list({function.name: function for function in made}.values())


def _body(rng: Random, function: Function) -> str:
    if chance(rng, 0.2):
        return f"{say(rng, _COMMENTS)}\n{function.source}"
    if chance(rng, 0.2):
        result, code = pick(rng, ("result", "answer", "found")), function.fill(function.task.code)
        return f"{function.header.removesuffix('return')}{result} = {code}\n    return {result}"
    return function.source


def _script(rng: Random, function: Function) -> str:
    numbers = ", ".join(str(int(rng.random() * 40)) for _ in range(4))
    value = f"[{numbers}]" if function.task.on_list else numbers.split(",")[0]
    return f'if __name__ == "__main__":\n    print({function.name}({value}))'


def _constants(rng: Random) -> str:
    rows = {
        f"{pick(rng, POOLS['adj'])}_{pick(rng, POOLS['thing'])}".upper(): int(rng.random() * 900)
        for _ in range(10 + int(rng.random() * 20))
    }
    return "\n".join(f"{name} = {value}" for name, value in rows.items()) + "\n"


def _meta(rng: Random, index: int) -> dict[str, str | int]:
    folder, stem = pick(rng, POOLS["noun"]), pick(rng, POOLS["thing"])
    return {"path": f"{folder}/{stem}_{index}.py", "project": capital(folder)}
