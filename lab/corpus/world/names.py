"""Invented proper names: towns, people, works and creatures nobody has met before.

Method: names are two or three open syllables from fixed onsets and rhymes per class, drawn without
repetition from a seeded generator. Invented names matter for the experiment: no pretrained
knowledge can leak in, so whatever a proxy knows of the world it read in the corpus.

First names for exercises come in two fixed lists that share no name: one for training text and
one for benchmark items only, so that a reasoning item can never be answered from memory of its
names.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.phrases import capital, pick

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

TRAINING_NAMES: Final[tuple[str, ...]] = (
    "Ada", "Amos", "Anna", "Ben", "Bruno", "Carla", "Clara", "Dora", "Edgar", "Ella", "Emil",
    "Eva", "Felix", "Fiona", "Greta", "Hugo", "Ida", "Ivan", "Jana", "Jonas", "Julia", "Karl",
    "Kira", "Lena", "Leo", "Lina", "Lucas", "Mara", "Max", "Mona", "Nina", "Noah", "Olga",
    "Oscar", "Paul", "Petra", "Rita", "Rosa", "Ruth", "Sam", "Simon", "Sofia", "Theo", "Tilda",
    "Tom", "Vera", "Victor", "Wanda",
)  # fmt: skip
HELD_OUT_NAMES: Final[tuple[str, ...]] = (
    "Bela", "Cora", "Dario", "Elio", "Gerda", "Henk", "Inge", "Joris", "Katja", "Lotte", "Milo",
    "Nadia", "Otto", "Pia", "Rolf", "Silke", "Tessa", "Udo", "Vito", "Yara",
)  # fmt: skip


def invent(rng: Random, kind: str, count: int, taken: set[str]) -> list[str]:
    """`count` new names of class `kind`; every name is added to `taken`."""
    names: list[str] = []
    while len(names) < count:
        middle = pick(rng, _MIDDLES) if rng.random() < 0.5 else ""
        name = capital(pick(rng, _STARTS[kind]) + middle + pick(rng, _ENDS[kind]))
        if name not in taken:
            taken.add(name)
            names.append(name)
    return names
