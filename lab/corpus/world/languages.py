"""Simple pages in four other languages: German, French, Spanish and Dutch, in our own words.

A language filter should find them; an English quality filter mostly drops them for lack of English
stop words. Sentences are plain and correct, each with slots from small pools.
"""

from __future__ import annotations

from random import Random
from typing import Final

from lab.corpus.world.drafts import Draft
from lab.corpus.world.draws import pick

_POOLS: Final[dict[str, dict[str, tuple[str, ...]]]] = {
    "de": {
        "p": ("Der Müller", "Die Bäckerin", "Mein Bruder", "Unsere Nachbarin", "Der alte Lehrer",
              "Die Gärtnerin", "Ein Kind", "Der Fischer"),
        "o": ("Brot", "Käse", "Obst", "Holz", "Salz", "Honig", "Mehl", "Tee"),
        "t": ("am Morgen", "im Winter", "nach dem Regen", "am Markttag", "jeden Abend",
              "vor dem Fest"),
        "l": ("in der Küche", "auf dem Markt", "hinter der Mühle", "am Fluss", "im Garten",
              "neben der Brücke"),
    },
    "fr": {
        "p": ("Le meunier", "La boulangère", "Mon frère", "Notre voisine", "Le vieux maître",
              "La jardinière", "Un enfant", "Le pêcheur"),
        "o": ("du pain", "du fromage", "des fruits", "du bois", "du sel", "du miel",
              "de la farine", "du thé"),
        "t": ("le matin", "en hiver", "après la pluie", "le jour du marché", "chaque soir",
              "avant la fête"),
        "l": ("dans la cuisine", "sur la place", "derrière le moulin", "près de la rivière",
              "dans le jardin", "à côté du pont"),
    },
    "es": {
        "p": ("El molinero", "La panadera", "Mi hermano", "Nuestra vecina", "El viejo maestro",
              "La jardinera", "Un niño", "El pescador"),
        "o": ("pan", "queso", "fruta", "madera", "sal", "miel", "harina", "té"),
        "t": ("por la mañana", "en invierno", "después de la lluvia", "el día de mercado",
              "cada tarde", "antes de la fiesta"),
        "l": ("en la cocina", "en la plaza", "detrás del molino", "junto al río", "en el jardín",
              "al lado del puente"),
    },
    "nl": {
        "p": ("De molenaar", "De bakker", "Mijn broer", "Onze buurvrouw", "De oude meester",
              "De tuinvrouw", "Een kind", "De visser"),
        "o": ("brood", "kaas", "fruit", "hout", "zout", "honing", "meel", "thee"),
        "t": ("in de ochtend", "in de winter", "na de regen", "op marktdag", "elke avond",
              "voor het feest"),
        "l": ("in de keuken", "op de markt", "achter de molen", "aan de rivier", "in de tuin",
              "naast de brug"),
    },
}  # fmt: skip
_SENTENCES: Final[dict[str, tuple[str, ...]]] = {
    "de": ("{p} kauft {o} {l}.", "{p} verkauft {t} {o} und {o}.", "{p} wartet {t} {l}.",
           "Ohne {o} kann man hier nicht leben.", "Wir treffen uns {t} {l}.",
           "Wer {o} braucht, fragt {l} nach.", "{p} sagt, dass {o} zu teuer ist.",
           "Es ist {t} sehr still {l}.", "{p} hat uns {o} gebracht.",
           "Niemand arbeitet {t}, nur {l} brennt noch Licht."),
    "fr": ("{p} achète {o} {l}.", "{p} vend {o} et {o} {t}.", "{p} attend {l} {t}.",
           "Sans {o} on ne peut pas vivre ici.", "Nous nous retrouvons {l} {t}.",
           "On trouve {o} {l}.", "{p} dit que la vie est chère.", "Tout est calme {l} {t}.",
           "{p} nous a apporté {o}.", "Personne ne travaille {t}."),
    "es": ("{p} compra {o} {l}.", "{p} vende {o} y {o} {t}.", "{p} espera {l} {t}.",
           "Sin {o} no se puede vivir aquí.", "Nos vemos {l} {t}.",
           "Quien necesita {o} pregunta {l}.", "{p} dice que la vida es cara.",
           "Todo está tranquilo {l} {t}.", "{p} nos ha traído {o}.", "Nadie trabaja {t}."),
    "nl": ("{p} koopt {o} {l}.", "{p} verkoopt {t} {o} en {o}.", "{p} wacht {t} {l}.",
           "Zonder {o} kun je hier niet leven.", "Wij zien elkaar {t} {l}.",
           "Wie {o} nodig heeft, vraagt het {l}.", "{p} zegt dat {o} te duur is.",
           "Het is {t} erg stil {l}.", "{p} heeft ons {o} gebracht.", "Niemand werkt {t}."),
}  # fmt: skip
LANGUAGES: Final[tuple[str, ...]] = tuple(_SENTENCES)


def foreign_page(rng: Random) -> Draft:
    """A page of ten to twenty sentences in one of the four languages."""
    language = pick(rng, LANGUAGES)
    lines = [_sentence(rng, language) for _ in range(10 + int(rng.random() * 11))]
    cut = len(lines) // 2
    text = f"{' '.join(lines[:cut])}\n\n{' '.join(lines[cut:])}"
    return Draft(text, "foreign", 1, "home", language)


def _sentence(rng: Random, language: str) -> str:
    pools = _POOLS[language]
    pattern = pick(rng, _SENTENCES[language])
    for slot in ("p", "o", "o", "t", "l"):
        pattern = pattern.replace("{" + slot + "}", pick(rng, pools[slot]), 1)
    return pattern
