"""The facts of the world: entities, their attributes, and how well known each one is.

Method: four classes of named entity, each with two or three attributes whose values come from small
closed sets, so that a wrong answer can always be drawn from the same class as the right one. Values
are dealt evenly (round robin over a shuffled deck) so that the most frequent value of an attribute
is right no more often than chance. Entities are mentioned with a mild power law, as in any corpus:
the k-th best known of a class has weight 1/(k + 12)^0.5.

About 300 facts: a model of 0.4M parameters that reads each some 100 times in 1.5M tokens learns a
good part of them and not all, so the knowledge benchmark has room to move both ways.

`minor_entity` makes any number of further entities with the same attributes and no benchmark item:
they let the encyclopaedia grow to a million articles.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from itertools import accumulate
from random import Random
from typing import Final

from lab.corpus.world.draws import pick, stream
from lab.corpus.world.names import invent

WORLD_NAME: Final = "Halvery"
COUNTS: Final[dict[str, int]] = {"town": 28, "person": 28, "creature": 28, "work": 28}
VALUES: Final[dict[str, tuple[str, ...]]] = {
    "region": ("the Northmarch", "the Saltfen", "the Highmoor", "the Greenvale", "the Ashlands",
               "the Coldcoast", "the Redhills", "the Lowwold"),
    "trade": ("glass", "rope", "salt", "paper", "copper", "honey", "leather", "clocks"),
    "river": ("the Amber", "the Brindle", "the Curlew", "the Dove", "the Ember", "the Fallow",
              "the Gannet", "the Heron"),
    "profession": ("a surgeon", "a painter", "a judge", "a sailor", "a mason", "a poet",
                   "a printer", "a gardener"),
    "instrument": ("the harp", "the drum", "the flute", "the viol", "the horn", "the lute",
                   "the organ", "the fiddle"),
    "habitat": ("caves", "marshes", "orchards", "cliffs", "meadows", "harbours", "forests",
                "dunes"),
    "diet": ("beetles", "acorns", "snails", "moss", "berries", "minnows", "seeds", "worms"),
    "colour": ("grey", "scarlet", "white", "golden", "black", "violet", "green", "brown"),
    "theme": ("war", "grief", "winter", "love", "exile", "harvest", "thunder", "justice"),
}  # fmt: skip
RELATIONS: Final[dict[str, tuple[str, ...]]] = {
    "town": ("region", "trade", "river"),
    "person": ("profession", "home", "instrument"),
    "creature": ("habitat", "diet", "colour"),
    "work": ("author", "theme"),
}
HOMES: Final = 8  # the best known towns are the possible homes of a person
AUTHORS: Final = 8  # the best known people are the possible authors of a work


@dataclass(frozen=True, slots=True)
class Entity:
    """A named thing of the world: its class, its name and the value of each attribute."""

    kind: str
    name: str
    values: dict[str, str]


@dataclass(frozen=True, slots=True)
class World:
    """All entities by class, the allowed values by relation, and cumulative mention weights."""

    entities: dict[str, tuple[Entity, ...]]
    values: dict[str, tuple[str, ...]]
    weights: dict[str, tuple[float, ...]]

    def mention(self, rng: Random, kind: str) -> Entity:
        """An entity of class `kind`, the better known the likelier."""
        return rng.choices(self.entities[kind], cum_weights=self.weights[kind])[0]


@lru_cache(maxsize=8)
def build_world(seed: int) -> World:
    """The world of `seed`: same seed, same names and facts."""
    rng = stream(seed, "world")
    taken: set[str] = set()
    names = {kind: invent(rng, kind, count, taken) for kind, count in COUNTS.items()}
    values = {
        **VALUES,
        "home": tuple(names["town"][:HOMES]),
        "author": tuple(names["person"][:AUTHORS]),
    }
    entities = {kind: _deal(rng, kind, names[kind], values) for kind in COUNTS}
    weights = {kind: _popularity(count) for kind, count in COUNTS.items()}
    return World(entities, values, weights)


def minor_entity(world: World, rng: Random, kind: str) -> Entity:
    """A further entity, drawn afresh; its name may repeat once in thousands, its facts not."""
    name = invent(rng, kind, 1, {entity.name for entity in world.entities[kind]})[0]
    return Entity(kind, name, {r: pick(rng, world.values[r]) for r in RELATIONS[kind]})


def _deal(
    rng: Random, kind: str, names: list[str], values: dict[str, tuple[str, ...]]
) -> tuple[Entity, ...]:
    columns: dict[str, list[str]] = {}
    for relation in RELATIONS[kind]:
        deck = list(values[relation]) * (len(names) // len(values[relation]) + 1)
        deck = deck[: len(names)]
        rng.shuffle(deck)
        columns[relation] = deck
    return tuple(
        Entity(kind, name, {relation: deck[i] for relation, deck in columns.items()})
        for i, name in enumerate(names)
    )


def _popularity(count: int) -> tuple[float, ...]:
    return tuple(accumulate((rank + 12) ** -0.5 for rank in range(count)))
