"""Word pools: the common words that templates of the sample world draw from.

Proper names and facts are not here (`names`, `facts`); these are the ordinary words around them.
Pools are flat tuples, so that a slot costs one list lookup.
"""

from __future__ import annotations

from typing import Final

from lab.corpus.world.names import FIRST_NAMES


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


def _phrases(text: str) -> tuple[str, ...]:
    return tuple(" ".join(part.split()) for part in text.split(";"))


POOLS: Final[dict[str, tuple[str, ...]]] = {
    "name": FIRST_NAMES,
    "noun": _words(
        "market bridge lantern barn mill kitchen garden orchard ferry tavern stable well tower "
        "chapel library cellar meadow harbour road gate wall roof field hall workshop bakery "
        "cottage courtyard stream forge school inn pond cart square stall fence window door path"
    ),
    "thing": _words(
        "lantern kettle basket ladder saddle mirror blanket hammer candle barrel ribbon bucket "
        "needle feather bell ledger map coin key spoon whistle comb chest kite button envelope "
        "anchor apron oar plate jug clock knife glove"
    ),
    "group": _words(
        "traders travellers teachers tailors players guards clerks coopers brewers tanners "
        "singers bakers millers weavers potters sailors farmers gardeners riders builders"
    ),
    "job": _words(
        "miller baker weaver potter farmer tailor fisher shepherd carpenter cooper porter smith "
        "brewer tanner clerk teacher cook ferryman hunter guard herald scribe glazier roofer"
    ),
    "adj": _words(
        "old quiet narrow bright heavy broken wide wooden cold small dusty crooked gentle steep "
        "busy empty pleasant strange clean rough famous humble sturdy damp cheerful plain tall "
        "shallow warm hidden noisy tidy faded grand lonely patient"
    ),
    "people": _phrases(
        "the neighbours; the children; the traders; the farmers; the travellers; the elders; "
        "the visitors; the students; the sailors; the cooks; the guards; most families; "
        "the council members; the villagers; the pilgrims; the weavers; the players; the clerks"
    ),
    "verb": _words(
        "repaired painted carried opened cleaned watched measured borrowed found counted sold "
        "moved closed visited admired described copied guarded covered emptied washed fixed "
        "praised ignored rented inspected decorated swept"
    ),
    "time": _phrases(
        "in the morning; at dusk; after the rain; before the frost; during the fair; last autumn; "
        "in early spring; on market day; at noon; every evening; for three weeks; that winter; "
        "all summer; after supper; in those years; on the longest day; at first light"
    ),
    "where": _phrases(
        "near the bridge; behind the mill; beside the stream; under the old roof; by the gate; "
        "across the square; along the wall; at the edge of town; in the lower hall; over the hill; "
        "close to the harbour; in the back room; on the north side; beyond the last houses"
    ),
    "reason": _phrases(
        "because the road was wet; because nobody had asked; since the price had gone up; "
        "because the wind had turned; as the days grew shorter; because supplies were late; "
        "since the bell had cracked; because the work was slow; as everyone expected; "
        "because the keys were lost; since the fair was near; because the ice had melted"
    ),
    "adverb": _words(
        "slowly carefully quickly quietly gladly rarely often usually seldom calmly proudly "
        "suddenly patiently badly neatly firmly"
    ),
    "opener": _phrases(
        "in fact; as a rule; for a while; in the end; by all accounts; to this day; now and then; "
        "as it happens; in the meantime; on the whole; by custom; in most years; at one time; "
        "more or less; from then on; to be fair; in short; year after year; oddly enough"
    ),
    "food": _words(
        "bread soup cheese onions apples plums pears cabbage barley oats butter fish beans eggs "
        "pepper honeycake dumplings mushrooms porridge walnuts"
    ),
    "number": _words(
        "two three four five six seven eight nine ten eleven twelve twenty thirty forty fifty"
    ),
    "feeling": _words("glad tired proud curious worried pleased angry sorry hopeful afraid calm"),
    "month": _words(
        "Thawmonth Seedmonth Rainmonth Haymonth Sunmonth Reapmonth Mistmonth Frostmonth"
    ),
    "weather": _phrases(
        "a cold wind; heavy rain; thick fog; a late frost; bright sunshine; a long drought; "
        "light snow; a sudden storm; warm drizzle; a clear sky; grey clouds; a gentle breeze"
    ),
    "tool": _words(
        "hammer chisel saw plane needle loom wheel ladle knife rope spade rake brush bellows tongs"
    ),
    "stuff": _words(
        "wood clay wool iron stone linen wax straw reed bone horn tin silver bark slate"
    ),
}
