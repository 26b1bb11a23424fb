"""Counts of personal data as signals: how many e-mail addresses, telephone numbers and so on.

The forms, checks and known misses stand in `lab.curation.pii`. Dolma (Soldaini et al. 2024,
arXiv:2402.00159) drops documents with more than five and masks the spans of the others; the lab
counts here, lets a rule drop, and masks by the edit `mask-pii`.

Measured (2026-11): all 659 pieces planted in the sample world found at their exact places, nothing
else in its 16,000 documents (recall and precision 1.00 for e-mail, telephone and IP; it plants no
others). Of real text there is no truth; of some 60 finds in C4 and other corpora read by eye all
were right but two telephone numbers of the form of a social security number. Cost on one core for
2.7 kB: 15 to 35 microseconds on prose and web pages, 45 on worked arithmetic, 70 on a directory of
embassies, where every thirteenth document has numbers to check.
"""

import polars as pl

from lab.curation.pii import count_personal
from lab.curation.signals.definitions import COUNT, Definition, Functions

DOLMA = "Soldaini et al. 2024, arXiv:2402.00159"
HIGH = "any points to private persons or to contact pages"
SUMMARIES = {
    "email": ("e-mail addresses", "addresses `name@host.tld`"),
    "phone": ("telephone numbers", "numbers with +, in North American form, or with the prefix 0"),
    "ip": ("IP addresses", "public IPv4 and IPv6 addresses; version numbers left out"),
    "card": ("payment card numbers", "numbers of a known issuer that pass Luhn's check"),
    "iban": ("bank account numbers", "IBANs of the right length that pass mod 97"),
    "national_id": ("identity numbers", "numbers of nine countries that pass their check"),
}

DEFINITIONS = {
    kind: Definition(f"pii.{kind}@lab1", label, "count", summary, HIGH, DOLMA, COUNT)
    for kind, (label, summary) in SUMMARIES.items()
}
TOTAL = Definition(
    "pii.count@lab1",
    "pieces of personal data",
    "count",
    "e-mail addresses, telephone, IP, card, account and identity numbers together",
    HIGH,
    DOLMA,
    COUNT,
)


def count(text: pl.Series) -> pl.DataFrame:
    """The seven counts of each text, one column per definition, rows in order."""
    found = count_personal(text)
    columns = [pl.col(kind).alias(d.id) for kind, d in DEFINITIONS.items()]
    return found.select(*columns, pl.sum_horizontal(pl.all()).alias(TOTAL.id))


FUNCTIONS: Functions = {(*DEFINITIONS.values(), TOTAL): count}
