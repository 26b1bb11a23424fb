"""Proper names: invented ones for the world, ordinary first names for problems and posts.

Method: invented names are two or three open syllables from fixed onsets and endings per class,
drawn without repetition from a seeded generator. Because nobody has met them before, whatever a
proxy knows of the world it read in the corpus: no pretrained knowledge leaks in.

First names come in three lists. `LOGIC_HELD_OUT` never appear in a reasoning problem of training
text, `SUMS_HELD_OUT` never in a sum; benchmark items use only these. Each list does appear in the
rest of the text, so that a model knows the words, and none of the items: a run of words with a name
from its held-out list in it cannot have been read in training.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.draws import pick

_STARTS: Final[dict[str, tuple[str, ...]]] = {
    "town": ("bel", "cor", "dun", "fal", "gor", "hal", "kel", "mar", "nor", "os", "pel", "quar",
             "rav", "sel", "tor", "ul", "vel", "wes", "yar", "zan"),
    "person": ("al", "ber", "cas", "do", "el", "fen", "ga", "ir", "jo", "ka", "lo", "mi", "nas",
               "or", "pa", "ro", "sa", "te", "va", "zo"),
    "creature": ("blu", "chir", "dro", "fli", "gru", "jib", "klo", "mur", "nib", "plo", "scro",
                 "sni", "tru", "vro", "wim", "yop", "zir"),
    "work": ("amar", "brin", "cael", "dith", "esk", "faun", "glim", "hesk", "isol", "lirr", "myth",
             "nemor", "oric", "phae", "rhys", "syl", "tam", "vesp"),
}  # fmt: skip
_MIDDLES: Final[tuple[str, ...]] = ("a", "e", "i", "o", "u", "ar", "en", "in", "or", "an")
_ENDS: Final[dict[str, tuple[str, ...]]] = {
    "town": ("dale", "wick", "mouth", "stead", "ford", "holm", "bury", "gate", "haven", "mere"),
    "person": ("dric", "lena", "mond", "rissa", "ston", "vane", "wen", "bert", "thia", "ndor"),
    "creature": ("ble", "ck", "dget", "fin", "gle", "lot", "mp", "nter", "ppit", "zzle"),
    "work": ("iad", "elle", "une", "ora", "ance", "ion", "ade", "ique", "ode", "yre"),
}

LOGIC_HELD_OUT: Final[tuple[str, ...]] = (
    "Bela", "Cora", "Gerda", "Inge", "Lotte", "Nadia", "Dario", "Elio", "Henk", "Milo", "Otto",
    "Rolf",
)  # fmt: skip
SUMS_HELD_OUT: Final[tuple[str, ...]] = (
    "Katja", "Pia", "Silke", "Tessa", "Yara", "Zelda", "Joris", "Udo", "Vito", "Arno", "Klaus",
    "Piet",
)  # fmt: skip
_WOMEN: Final[tuple[str, ...]] = (
    "Ada", "Anna", "Carla", "Clara", "Dora", "Ella", "Eva", "Fiona", "Greta", "Ida", "Jana",
    "Julia", "Kira", "Lena", "Lina", "Mara", "Mona", "Nina", "Olga", "Petra", "Rita", "Rosa",
    "Ruth", "Vera",
)  # fmt: skip
_MEN: Final[tuple[str, ...]] = (
    "Amos", "Ben", "Bruno", "Edgar", "Emil", "Felix", "Hugo", "Ivan", "Jonas", "Karl", "Leo",
    "Lucas", "Max", "Noah", "Oscar", "Paul", "Sam", "Simon", "Theo", "Tom", "Victor", "Anton",
    "Jakob", "David",
)  # fmt: skip
FIRST_NAMES: Final[tuple[str, ...]] = (*_WOMEN, *_MEN, *LOGIC_HELD_OUT, *SUMS_HELD_OUT)
LOGIC_NAMES: Final[tuple[str, ...]] = (*_WOMEN, *_MEN, *SUMS_HELD_OUT)
SUMS_NAMES: Final[tuple[str, ...]] = (*_WOMEN, *_MEN, *LOGIC_HELD_OUT)
_FEMALE: Final[frozenset[str]] = frozenset((*_WOMEN, *LOGIC_HELD_OUT[:6], *SUMS_HELD_OUT[:6]))


def is_female(name: str) -> bool:
    """Whether a first name of the lists above is a woman's."""
    return name in _FEMALE


def invent(rng: Random, kind: str, count: int, taken: set[str]) -> list[str]:
    """`count` new names of class `kind`; every name is added to `taken`."""
    names: list[str] = []
    while len(names) < count:
        middle = pick(rng, _MIDDLES) if rng.random() < 0.5 else ""
        name = (pick(rng, _STARTS[kind]) + middle + pick(rng, _ENDS[kind])).capitalize()
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names
