"""What a crawler brings home besides pages: spam, menus, tables of results, lists, stubs, notices.

Each kind fails some rule of the published filters for the reason the rule was made: spam repeats
itself and its lines (Gopher repetition), menus have short lines without full stops (FineWeb),
results are mostly numbers (alphabetic words), lists are bullets (Gopher), stubs end in an ellipsis
or are short. Two kinds pass most rules and are worth little all the same, as in any crawl: shop
pages and small talk; those need a learned score. Levels follow the scale of an annotator.
"""

from __future__ import annotations

from collections.abc import Callable
from random import Random
from typing import Final

from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import pick, sample, shuffled
from lab.corpus.world.encyclopaedia import any_fact
from lab.corpus.world.facts import World
from lab.corpus.world.fillers import TOPICS, chatter
from lab.corpus.world.personal import make_personal, personal_line
from lab.corpus.world.phrases import article, capital, fill, say

_MENU: Final = (
    "Home", "About us", "Contact", "Sign in", "Register", "My account", "Basket (0)", "Help",
    "Search", "Next page", "Previous page", "Terms of use", "Privacy policy", "Cookie policy",
    "Newsletter", "Share this page", "Print", "Archive", "Tags", "Top stories", "Latest news",
    "Sitemap", "Read more", "Back to top", "Accept all cookies", "Advertise with us", "Jobs",
)  # fmt: skip
_PITCH: Final = (
    "Buy {a:adj} {thing} today!!!",
    "Best {thing}s, best price, best deal!",
    "#cheap #{thing} #deal #{food}",
    "Click here for {a:adj} {thing}.",
    "Free {thing} with every order ### limited offer ###",
    "{^adj} {thing} {thing} {thing} sale",
    "Order now and save {number} coins!!!",
    "Win {a:thing} in {number} minutes!",
    "You will not believe this {adj} {thing}...",
    "{^people} love this one {adj} trick!",
)
_SHOP: Final = (
    "This {adj} {thing} is made of {stuff} and comes with {a:thing}.",
    "Customers who bought the {thing} also bought the {thing}.",
    "The {thing} is {adj}, {adj} and easy to clean.",
    "Delivery takes {number} days.",
    "We have sold {number} of these {thing}s since {month}.",
    "If you are not happy with the {thing}, send it back to the shop.",
    "Only {number} left, so order it before the fair.",
    "It fits in any {noun} and every {noun}.",
    "Rated {number} out of fifty by our customers.",
    "The {stuff} has been treated with wax.",
    "A {adj} gift for {a:job} or {a:job} that you know.",
)
_TALK: Final = (
    "I do not know what to say about the {noun}, but it was {adj}.",
    "Anyway, {name} and I went out {time} and that was it.",
    "So I got up late and had {food} and then some more {food}.",
    "You know that feeling when the {noun} is {adj} and you are {feeling}.",
    "Not much happened this week, to be honest.", "{name} is {feeling} again, what else is new.",
    "I lost my {thing} and found my {thing}.", "Maybe I will write more {time}, maybe not.",
    "I wanted to go to the {noun} with {name}, but we were both {feeling}.",
    "Thanks for reading and see you all {time}.", "The {thing} I bought is {adj} and that is fine.",
)  # fmt: skip


def _spam(rng: Random, _: World) -> Draft:
    lines = [say(rng, _PITCH) for _ in range(3 + int(rng.random() * 4))]
    repeated = [pick(rng, lines) for _ in range(10 + int(rng.random() * 20))]
    return Draft("\n".join(lines + repeated), "spam", 0, "trade")


def _menu(rng: Random, _: World) -> Draft:
    entries = sample(rng, _MENU, 10 + int(rng.random() * 14))
    body = " ".join(chatter(rng, pick(rng, tuple(TOPICS)), int(rng.random() * 3)))
    again = sample(rng, entries, 6)
    return Draft(
        "\n".join([*entries, body, *again]).replace("\n\n", "\n"), "boilerplate", 0, "none"
    )


def _results(rng: Random, world: World) -> Draft:
    towns = [town.name for town in world.entities["town"]]
    rows = []
    for day in range(12 + int(rng.random() * 14)):
        one, two = sample(rng, towns, 2)
        score = f"{int(rng.random() * 7)} - {int(rng.random() * 7)}"
        rows.append(f"{day + 1}. {one} {score} {two} ({int(rng.random() * 900)})")
    return Draft(f"Results, {fill(rng, '{month}')}\n" + "\n".join(rows), "results", 1, "trade")


def _list(rng: Random, _: World) -> Draft:
    mark = pick(rng, ("- ", "• ", "• "))
    lines = [
        f"{mark}{fill(rng, pick(rng, ('{adj} {thing}', '{number} {thing}s', '{food} and {food}')))}"
        for _ in range(18 + int(rng.random() * 18))
    ]
    return Draft("\n".join(lines), "list", 1, "home")


def _stub(rng: Random, _: World) -> Draft:
    topic = pick(rng, tuple(TOPICS))
    sentences = chatter(rng, topic, 1 + int(rng.random() * 3))
    last = chatter(rng, topic, 1)[0]
    cut = last[: len(last) // 2].rstrip()
    end = pick(rng, ("...", "…", " [...]", "... Read more"))
    return Draft("\n".join([*sentences, cut + end]), "truncated", 1, topic)


def _teasers(rng: Random, _: World) -> Draft:
    topic = pick(rng, tuple(TOPICS))
    lines = [sentence[: 30 + int(rng.random() * 30)].rstrip() + "..." for sentence in
             chatter(rng, topic, 8 + int(rng.random() * 8))]  # fmt: skip
    return Draft("\n".join(lines), "truncated", 1, topic)


def _notice(rng: Random, _: World) -> Draft:
    personal = [make_personal(rng) for _ in range(2 + int(rng.random() * 4))]
    lines = [personal_line(rng, item) for item in personal]
    lines += chatter(rng, "trade", 1 + int(rng.random() * 3))
    return Draft("\n".join(shuffled(rng, lines)), "contact", 1, "trade", personal=tuple(personal))


def _shop(rng: Random, _: World) -> Draft:
    thing = fill(rng, "{thing}")
    lines = [say(rng, _SHOP, {"thing": thing} if rng.random() < 0.6 else None)
             for _ in range(7 + int(rng.random() * 6))]  # fmt: skip
    lines += chatter(rng, "trade", 2)
    head = f"{capital(article(thing))} for your home"
    return Draft(f"{head}\n\n{' '.join(lines)}", "shop", 1, "trade")


def _talk(rng: Random, world: World) -> Draft:
    topic = pick(rng, tuple(TOPICS))
    lines = [say(rng, _TALK) for _ in range(7 + int(rng.random() * 7))]
    lines += [*chatter(rng, topic, 2), any_fact(rng, world)]
    body = shuffled(rng, lines)
    return Draft(f"{' '.join(body[:5])}\n\n{' '.join(body[5:])}", "small talk", 1, topic)


JUNK: Final[dict[str, Callable[[Random, World], Draft]]] = {
    "spam": _spam,
    "menu": _menu,
    "results": _results,
    "list": _list,
    "stub": _stub,
    "teasers": _teasers,
    "notice": _notice,
    "shop": _shop,
    "talk": _talk,
}
