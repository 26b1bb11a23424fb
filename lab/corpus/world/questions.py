"""Questions about facts with their answers, as pages of frequent questions and threads ask them.

The wordings here belong to training text and differ from those of the `facts_twin` benchmark
(`statements.QUESTIONS`); the answers are those of the world.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.draws import pick
from lab.corpus.world.facts import RELATIONS, Entity, World
from lab.corpus.world.phrases import say

ASKED: Final[dict[str, tuple[str, ...]]] = {
    "region": ("In which region is {e}?", "Where exactly is {e}?", "What region does {e} lie in?",
               "Does anybody know in which part of Halvery {e} is?"),
    "trade": ("What is {e} known for?", "What do they make in {e}?", "What can I buy in {e}?",
              "What does the town of {e} sell?"),
    "river": ("Which river runs through {e}?", "On which river is {e}?",
              "What is the river at {e} called?", "On which river was {e} built?"),
    "profession": ("What does {e} do?", "What is the profession of {e}?",
                   "What does {e} do for a living?", "Who is {e}, and what is the trade?"),
    "home": ("Where does {e} live?", "Which town is {e} from?", "In which town does {e} live?",
             "Where is the home of {e}?"),
    "instrument": ("What does {e} play?", "Which instrument does {e} play?",
                   "What instrument has {e} learned?", "What is {e} heard playing?"),
    "habitat": ("Where does the {e} live?", "Where can I find the {e}?",
                "In what kind of place does the {e} live?", "Where does the {e} nest?"),
    "diet": ("What does the {e} eat?", "What should I feed the {e}?",
             "What kind of food does the {e} like?", "What does the {e} live on?"),
    "colour": ("What colour is the {e}?", "What is the colour of the {e}?",
               "How do I tell the {e} by its colour?", "What colour is the coat of the {e}?"),
    "author": ("Who wrote {e}?", "Who is the author of {e}?", "By whom is {e}?",
               "Does anybody know who wrote {e}?"),
    "theme": ("What is {e} about?", "What is the subject of {e}?", "What does {e} tell of?",
              "What is the poem {e} about?"),
}  # fmt: skip
_PREPOSITION: Final[dict[str, str]] = {
    "region": "in ", "river": "on ", "home": "in ", "habitat": "in ", "profession": "as ",
}  # fmt: skip
_LAYOUTS: Final = (
    "Question: {q}\nAnswer: {a}",
    "Question: {q}\nAnswer: {a}.",
    "Q: {q}\nA: {a}.",
    "{q}\n{A}.",
)


def ask_fact(rng: Random, world: World, entity: Entity | None = None) -> str:
    """A question about one attribute of an entity, with its answer, in one of four layouts."""
    entity = entity or world.mention(rng, pick(rng, tuple(RELATIONS)))
    relation = pick(rng, RELATIONS[entity.kind])
    question = say(rng, ASKED[relation], {"e": entity.name})
    answer = _PREPOSITION.get(relation, "") + entity.values[relation]
    layout = pick(rng, _LAYOUTS)
    return layout.format(q=question, a=answer, A=answer[:1].upper() + answer[1:])
