"""The encyclopaedia: articles that state the facts of the world, most of them several times over.

Five kinds of article on the known entities (overview, notes, comparison, visit, list), so that a
fact is read in many wordings and neighbourhoods: exposure in varied wording is what makes a fact
answerable later (Allen-Zhu and Li, 2023, arXiv:2309.14316). The longer the encyclopaedia, the more
obscure its subjects: article i is on a minor entity with probability i / (i + 20,000).
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import chance, pick, sample, shuffled
from lab.corpus.world.facts import COUNTS, RELATIONS, Entity, World, minor_entity
from lab.corpus.world.fillers import chatter
from lab.corpus.world.phrases import capital, say
from lab.corpus.world.statements import STATEMENTS

KINDS: Final[tuple[str, ...]] = tuple(COUNTS)
_MINOR_FROM: Final = 20_000
_OPENERS: Final[dict[str, tuple[str, ...]]] = {
    "town": ("{e} is a town of Halvery.", "{e} is a {adj} town of some size.",
             "{e} is one of the older towns of Halvery.", "{e} is a town that grew {reason}."),
    "person": ("{e} is a citizen of Halvery.", "{e} is known in all Halvery.",
               "{e} is one of the {adj} people of the age.", "{e} was born in {month}."),
    "creature": ("The {e} is a wild creature of Halvery.", "The {e} is a small creature.",
                 "The {e} is a shy animal with {adj} habits.",
                 "The {e} is a creature that children love."),
    "work": ("{e} is a book of {number} chapters.", "{e} is a poem that is read aloud {time}.",
             "{e} is one of the {adj} books of Halvery.", "{e} is read in every school."),
}  # fmt: skip
_SECTIONS: Final[dict[str, tuple[str, ...]]] = {
    "town": ("Position", "Trade", "History", "Life in the town", "Visitors"),
    "person": ("Life", "Work", "Home", "Music", "Later years"),
    "creature": ("Appearance", "Food", "Habitat", "Behaviour", "Young"),
    "work": ("Contents", "Author", "Reception", "Copies", "Style"),
}
_TOPIC: Final[dict[str, str]] = {
    "town": "travel", "person": "craft", "creature": "weather", "work": "history",
}  # fmt: skip


def state(rng: Random, entity: Entity, relation: str) -> str:
    """A sentence that states one attribute of `entity`."""
    bound = {"e": entity.name, "v": entity.values[relation]}
    return say(rng, STATEMENTS[relation], bound)


def state_some(rng: Random, entity: Entity, count: int) -> list[str]:
    """`count` sentences on `entity`, its attributes in turn."""
    relations = shuffled(rng, RELATIONS[entity.kind])
    return [state(rng, entity, relations[i % len(relations)]) for i in range(count)]


def any_fact(rng: Random, world: World) -> str:
    """A sentence on some entity of the world."""
    return state_some(rng, world.mention(rng, pick(rng, KINDS)), 1)[0]


def write_article(rng: Random, world: World, index: int) -> Draft:
    """Article number `index` of the encyclopaedia."""
    kind = pick(rng, KINDS)
    minor = chance(rng, index / (index + _MINOR_FROM))
    entity = minor_entity(world, rng, kind) if minor else world.mention(rng, kind)
    write = pick(rng, (_overview, _overview, _notes, _comparison, _list))
    text = write(rng, world, entity)
    level = 4 if write is _overview or write is _comparison else 3
    meta: dict[str, str | int] = {"title": entity.name, "revision": 1 + int(rng.random() * 90)}
    return Draft(text, "article", level, kind, meta=meta)


def _lead(rng: Random, entity: Entity) -> str:
    return capital(say(rng, _OPENERS[entity.kind], {"e": entity.name}))


def _overview(rng: Random, world: World, entity: Entity) -> str:
    facts = state_some(rng, entity, 9)
    asides = [*chatter(rng, _TOPIC[entity.kind], 3), *(any_fact(rng, world) for _ in range(4))]
    titles = sample(rng, _SECTIONS[entity.kind], 2)
    first = " ".join([_lead(rng, entity), *facts[:3], asides[0]])
    second = " ".join(shuffled(rng, [*facts[3:6], *asides[1:4]]))
    third = " ".join(shuffled(rng, [*facts[6:], *asides[4:]]))
    return f"{entity.name}\n\n{first}\n\n{titles[0]}\n\n{second}\n\n{titles[1]}\n\n{third}"


def _notes(rng: Random, world: World, entity: Entity) -> str:
    body = [*state_some(rng, entity, 6), *chatter(rng, _TOPIC[entity.kind], 3)]
    body += [any_fact(rng, world) for _ in range(6)]
    lead = _lead(rng, entity)
    half = shuffled(rng, body)
    return f"{entity.name}: notes\n\n{lead} {' '.join(half[:5])}\n\n{' '.join(half[5:])}"


def _comparison(rng: Random, world: World, entity: Entity) -> str:
    other = world.mention(rng, entity.kind)
    pairs: list[str] = []
    for relation in RELATIONS[entity.kind]:
        pairs += [state(rng, entity, relation), state(rng, other, relation)]
    closing = [*chatter(rng, _TOPIC[entity.kind], 2), *(any_fact(rng, world) for _ in range(4))]
    title = f"{entity.name} and {other.name}"
    lead = f"{_lead(rng, entity)} {_lead(rng, other)}"
    return f"{title}\n\n{lead} {' '.join(pairs)}\n\n{' '.join(closing)}"


def _list(rng: Random, world: World, entity: Entity) -> str:
    others = [entity, *(world.mention(rng, entity.kind) for _ in range(5))]
    lines = [" ".join(state_some(rng, other, 2)) for other in others]
    lead = " ".join(chatter(rng, _TOPIC[entity.kind], 2))
    return f"{capital(entity.kind)} register\n\n{lead}\n\n" + "\n".join(lines)
