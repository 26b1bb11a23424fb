"""Payment cards and bank accounts: forms with a check, so false alarms are rare.

A card number has the first digits and the length of a known issuer (ISO/IEC 7812) and Luhn's check
digit, written without a gap or in the groups of the card, parted by a space or hyphen. One order
number of 13 to 19 digits in about thirty passes. An IBAN has its country's length (SWIFT's IBAN
registry, 2024) and mod 97, in capitals, without a gap or in groups of four.
"""

import re
from collections.abc import Iterator

from lab.curation.pii.checksums import luhn, mod_97

Span = tuple[int, int]  # start, end in characters

CARD_HINT = (
    r"[2-6][0-9]{12}|[2-6][0-9]{3}[ -][0-9]{4}[ -][0-9]{4}[ -][0-9]{4}"
    r"|3[0-9]{3}[ -][0-9]{6}[ -][0-9]{4}"
)
CARD = re.compile(
    r"(?<![\w.,/+-])(?:[2-6][0-9]{12,18}|[2-6][0-9]{3}([ -])[0-9]{4}\1[0-9]{4}\1[0-9]{4}"
    r"|3[0-9]{3}([ -])[0-9]{6}\2[0-9]{4,5})(?!\w|[.,/-][0-9])"
)
ISSUERS = re.compile(
    r"4(?:[0-9]{12}|[0-9]{15}|[0-9]{18})"  # Visa
    r"|(?:5[1-5][0-9]{2}|222[1-9]|22[3-9][0-9]|2[3-6][0-9]{2}|27[01][0-9]|2720)[0-9]{12}"  # M'card
    r"|3[47][0-9]{13}"  # American Express
    r"|(?:6011|65[0-9]{2}|64[4-9][0-9])[0-9]{12}"  # Discover
    r"|35(?:2[89]|[3-8][0-9])[0-9]{12}"  # JCB
    r"|3(?:0[0-5]|[68][0-9])[0-9]{11}"  # Diners Club
    r"|62[0-9]{14,17}"  # UnionPay
)
IBAN_HINT = r"[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]{4}){2}"
IBAN = re.compile(r"(?<![A-Za-z0-9])[A-Z]{2}[0-9]{2}(?: ?[A-Z0-9]){11,30}")
COUNTRIES = {
    15: "NO",
    16: "BE",
    18: "DK FK FO FI GL NL SD",
    19: "MK SI",
    20: "AT BA EE KZ LT LU MN XK",
    21: "CH HR LI LV",
    22: "BG BH CR DE GB GE IE ME RS VA",
    23: "AE GI IL IQ OM SO TL",
    24: "AD CZ ES MD PK RO SA SE SK TN VG",
    25: "LY PT ST",
    26: "IS TR",
    27: "BI DJ FR GR IT MC MR SM",
    28: "AL AZ BY CY DO GT HN HU LB NI PL SV",
    29: "BR EG PS QA UA",
    30: "JO KW MU",
    31: "MT SC",
    32: "LC",
    33: "RU",
}
LENGTHS = {code: length for length, codes in COUNTRIES.items() for code in codes.split()}


def cards(text: str) -> Iterator[Span]:
    """Spans of payment card numbers, in order."""
    for found in CARD.finditer(text):
        number = found[0].replace(" ", "").replace("-", "")
        if ISSUERS.fullmatch(number) and luhn(number):
            yield found.span()


def ibans(text: str) -> Iterator[Span]:
    """Spans of IBANs, in order. The form may run on into the next words: the length tells."""
    for found in IBAN.finditer(text):
        places = [i for i, character in enumerate(found[0]) if character != " "]
        length = LENGTHS.get(found[0][:2], 0)
        if not 0 < length <= len(places):
            continue
        end = places[length - 1] + 1
        after = text[found.start() + end : found.start() + end + 1]
        if not after.isalnum() and mod_97(found[0][:end].replace(" ", "")):
            yield found.start(), found.start() + end
