"""Ordinary sentences, by topic: the large part of any page that states no fact of the world.

Method: about ninety templates over six topics and a common stock. They carry the plain English
(agreement, tense, word order) that the grammar benchmark asks about, and give pages their topic.
With some twenty to forty words a slot, a template yields 10^4 to 10^6 different sentences.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.draws import pick
from lab.corpus.world.phrases import fill

COMMON: Final[tuple[str, ...]] = (
    "{^opener}, {people} {verb} the {adj} {noun} {time}.",
    "The {noun} {where} was {adj}, and {people} {verb} it {time}.",
    "{^time}, {people} {verb} {a:adj} {thing} {reason}.",
    "Nobody {verb} the {noun} {reason}.",
    "{^people} were {feeling} {reason}.",
    "There were {number} {thing}s {where}.",
    "{name} {verb} the {noun} {where} and was {feeling} about it.",
    "{^opener}, the {job} {adverb} {verb} {a:adj} {thing}.",
    "The {adj} {noun} has been closed {reason}.",
    "{^people} have never {verb} such {a:adj} {noun}.",
    "What {name} said about the {noun} was {adj} but true.",
    "It is {adj} work, yet the {group} like it.",
    "The {thing}s {where} were {adj} and the {noun} was {adj}.",
    "When {people} came back {time}, the {noun} was {adj}.",
    "{name} told the {job} that the {noun} needed care.",
    "Each {job} owns {a:thing}, and most {group} own {number}.",
)
TOPICS: Final[dict[str, tuple[str, ...]]] = {
    "trade": (
        "{^time} the {group} bring {food} and {food} to the square.",
        "A basket of {food} costs {number} coins, and {food} costs {number}.",
        "The price of {food} has risen {reason}.",
        "{name} bought {number} {thing}s from the {job} {where}.",
        "Good {food} is sold out before noon, so the {group} come early.",
        "The {job} keeps a ledger and writes down every {thing} that is sold.",
        "{^people} complained that the {thing}s were {adj} and too dear.",
        "In {month} the fair fills the square, and the inns are full.",
        "A {job} who cheats loses the stall for {number} weeks.",
        "The council set the weight of a loaf and the length of a yard.",
        "Two {thing}s for one coin is a fair price, said the {job}.",
        "{^opener}, {food} sells better than {food} {time}.",
    ),
    "weather": (
        "{^weather} came over the hills {time}.",
        "After {weather} the roads were {adj} and the {noun} stood empty.",
        "{^people} expected {weather}, but {weather} came instead.",
        "In {month} there is often {weather}, and the {group} stay at home.",
        "The stream rose {reason}, and the {noun} {where} was flooded.",
        "{name} keeps a daily note of wind and rain.",
        "Because of {weather} the ferry did not run {time}.",
        "The winter was long, and {food} became scarce.",
        "{^weather} is good for barley and bad for plums.",
        "Old {group} say that a red dusk means {weather}.",
        "The frost split the stone of the {noun} {where}.",
        "{^time} the sky cleared and {people} went out.",
    ),
    "craft": (
        "A good {tool} should be {adj} and easy to hold.",
        "First the {stuff} is cut, then it is washed and dried {where}.",
        "The {job} showed {name} how to work {stuff} with {a:tool}.",
        "{^stuff} is hard to shape, while {stuff} bends {adverb}.",
        "Keep the {tool} clean, or the {stuff} will crack.",
        "It takes {number} days to make {a:thing} out of {stuff}.",
        "{name} repaired the {tool} with {stuff} and a little wax.",
        "The {group} learn for {number} years before they work alone.",
        "Before you begin, lay out the {tool}, the {stuff} and the {thing}.",
        "A {adj} {thing} is made of {stuff}; a cheap one is made of {stuff}.",
        "Never leave {a:tool} in the rain, the old {job} used to say.",
        "The edge of the {tool} is tested on a piece of {stuff}.",
    ),
    "travel": (
        "The road to the {noun} is {adj}, and the {noun} lies {where}.",
        "{^people} reach the {noun} after {number} hours on foot.",
        "Take the path {where} and turn at the {adj} {noun}.",
        "The ferry leaves {time} and returns {time}.",
        "We slept in {a:adj} inn {where} and ate {food} with {food}.",
        "A guide is useful, since the {noun} is {adj} and the path is {adj}.",
        "{name} walked for {number} days and saw only {a:adj} {noun}.",
        "Carry {food}, {a:thing} and a warm coat.",
        "From the {noun} one can see the {noun} and, {time}, the hills.",
        "The bridge is {adj}, so carts go through the ford.",
        "Our host, {a:job}, told us to leave {time}.",
        "The view from the {noun} is worth the climb, wrote {name}.",
    ),
    "home": (
        "Boil the {food} for {number} minutes and add {food}.",
        "{name} cooked {food} with {food}, and the children were {feeling}.",
        "A {adj} kitchen needs {a:thing}, {a:thing} and a dry shelf.",
        "To keep {food} fresh, put it in {a:adj} cellar.",
        "{^people} eat {food} {time} and {food} on feast days.",
        "My mother {adverb} {verb} the {thing} {where}.",
        "The cat sleeps {where} and wakes {time}.",
        "We {verb} the {noun} {time}, and {name} helped us.",
        "Stir the {food} {adverb}, then let it rest {time}.",
        "The children played {where} until {name} called them.",
        "Add a spoon of butter if the {food} is too dry.",
        "A little {food} goes well with {adj} {food}.",
    ),
    "history": (
        "{^opener}, the {noun} {where} was built by the {group}.",
        "The {adj} {noun} burned down {number} years later.",
        "A wall was raised {reason}, and {people} paid for it.",
        "In the year {number} after the flood the council met {time}.",
        "The oldest part of the {noun} is made of {stuff}.",
        "Letters from that time speak of {weather} and {adj} harvests.",
        "The {group} lost their rights {reason} and won them back {time}.",
        "A {adj} stone {where} marks the place of the old {noun}.",
        "Under the elders the {noun} was {verb} and the {noun} was {verb}.",
        "The archive keeps {number} {adj} ledgers and {a:thing}.",
        "For {number} years nobody {verb} the {noun}.",
        "The peace was signed {time}, {where}.",
    ),
}


def chatter(rng: Random, topic: str, count: int) -> list[str]:
    """`count` sentences, two in three on `topic`, the rest from the common stock."""
    own = TOPICS[topic]
    return [fill(rng, pick(rng, own if rng.random() < 0.67 else COMMON)) for _ in range(count)]
