"""Forum threads: a question, replies that know the answer or do not, and talk on the side.

Facts stand in replies, in full sentences or as short answers. Levels: 2 where the question is
answered, 1 where a thread only chats.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import chance, pick
from lab.corpus.world.encyclopaedia import KINDS, any_fact, state, state_some
from lab.corpus.world.facts import RELATIONS, World
from lab.corpus.world.fillers import TOPICS, chatter
from lab.corpus.world.personal import Personal, make_personal, personal_line
from lab.corpus.world.phrases import capital, say
from lab.corpus.world.questions import ASKED

_NICKS: Final = (
    "mossyhat",
    "old_oar",
    "tinwhistle",
    "bellringer",
    "greykettle",
    "northwind",
    "plumjam",
    "inkblot",
    "saltyboots",
    "quietmill",
    "lanternlad",
    "redscarf",
    "barleycorn",
    "snowgoose",
    "clockface",
    "riverrat",
    "honeybun",
    "sawdust",
    "twoladders",
    "candlewax",
)
_GREETINGS: Final = (
    "Hi all.",
    "Hello everyone,",
    "Good evening.",
    "First post here.",
    "Sorry if this was asked.",
    "A quick one.",
    "I have searched but found nothing.",
    "",
    "",
)
_REPLIES: Final = (
    "{f}",
    "I think {f}",
    "Easy. {f}",
    "As far as I know: {f}",
    "{f} Hope this helps.",
    "My teacher always said: {f}",
    "{f} I have been there myself.",
    "It is in every book. {f}",
    "{f} But ask somebody who knows.",
    "Not sure, but {f}",
)
_NOISE: Final = (
    "Thanks!",
    "Same question here.",
    "No idea, sorry.",
    "lol",
    "Why do you want to know?",
    "Please use the search next time.",
    "Following.",
    "Agreed, {a:adj} question.",
    "I asked {name} and got {a:adj} answer.",
    "Can we stay on topic?",
    "+1",
    "You should see my {thing}.",
    "The old forum was better.",
    "What {name} said.",
)


def write_thread(rng: Random, world: World, index: int) -> Draft:
    """Thread number `index`."""
    if chance(rng, 0.25):
        return _talk(rng, index)
    entity = world.mention(rng, pick(rng, KINDS))
    relation = pick(rng, RELATIONS[entity.kind])
    question = say(rng, ASKED[relation], {"e": entity.name})
    posts = [" ".join(filter(None, (pick(rng, _GREETINGS), question, *_aside(rng, 0.5))))]
    answer = state(rng, entity, relation)
    posts.append(say(rng, _REPLIES, {"f": answer}))
    for _ in range(2 + int(rng.random() * 4)):
        if chance(rng, 0.6):
            fact = any_fact(rng, world) if chance(rng, 0.5) else state_some(rng, entity, 1)[0]
            posts.append(" ".join([say(rng, _REPLIES, {"f": fact}), *_aside(rng, 0.6)]))
        else:
            posts.append(" ".join([say(rng, _NOISE), *_aside(rng, 0.4)]))
    return _thread(rng, question, posts, 2, entity.kind, index)


def _talk(rng: Random, index: int) -> Draft:
    topic = pick(rng, tuple(TOPICS))
    posts = [" ".join(chatter(rng, topic, 3))]
    for _ in range(3 + int(rng.random() * 4)):
        posts.append(" ".join([say(rng, _NOISE), *chatter(rng, topic, int(rng.random() * 3))]))
    return _thread(rng, capital(f"{topic} talk"), posts, 1, topic, index)


def _aside(rng: Random, share: float) -> list[str]:
    return chatter(rng, pick(rng, tuple(TOPICS)), 1) if chance(rng, share) else []


def _thread(rng: Random, title: str, posts: list[str], level: int, topic: str, index: int) -> Draft:
    personal: tuple[Personal, ...] = ()
    if chance(rng, 0.08):
        personal = (make_personal(rng),)
        posts[-1] = f"{posts[-1]}\n{personal_line(rng, personal[0])}"
    nicks = rng.sample(_NICKS, min(4, len(posts)))
    lines = [f"{nicks[i % len(nicks)]}: {post}" for i, post in enumerate(posts)]
    text = "\n\n".join([f"Thread: {title}", *lines])
    quality = "thread" if level > 1 else "chat"
    return Draft(text, quality, level, topic, personal=personal, meta={"posts": len(posts)})
