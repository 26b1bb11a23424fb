"""Telephone numbers: no check digit, so their form must speak for them.

Found are

- international ones: `+`, an assigned country code (ITU-T E.164), 8 to 15 digits in all, and at
  least 10 where nothing parts them;
- North American ones of 3-3-4 digits, area and exchange from 2 to 9 and not N11: with hyphens, dots
  or the area in brackets, and with plain spaces only after a word such as `call` or `phone`;
- national ones with the trunk prefix 0 (most of Europe, Asia, Australia): groups of two digits and
  more, 9 to 11 digits in all, as in `07700 900123`, `06 12 34 56 78`, `030/1234567`.

Bare runs of digits are none, nor are numbers after `order`, `ISBN` and the like, nor those with a 0
that continue a row of numbers; so order numbers, dates, decimals and ISBNs pass. Missed: numbers
without area code, 00 in place of +, digits of other scripts. A list of two-digit numbers that
starts with 0 is a false alarm.
"""

import re
from collections.abc import Iterator

Span = tuple[int, int]  # start, end in characters

COUNTRY = (
    r"(?:7|2[07]|3[0-469]|4[013-9]|5[1-8]|6[0-6]|8[1246]|9[0-58]"
    r"|(?:2[1-689]|3[578]|42|5[09]|6[789]|8[0578]|9[679])[0-9])"
)  # assigned codes but 1
AREA = r"[2-9](?!11)[0-9]{2}"
GAP = r"[ ().\-/\xa0\u2011]{0,3}"
CLOSED = r"(?!\w|[.,/-][0-9])"  # not followed by more of a number
ABROAD = re.compile(
    rf"(?<![\w+])\+(?:1{GAP}[0-9]{{3}}{GAP}[0-9]{{3}}{GAP}[0-9]{{4}}"
    rf"|{COUNTRY}(?:{GAP}[0-9]){{5,13}}){CLOSED}"
)
AMERICAN = re.compile(
    rf"(?<![\w.,+#/$-])(?:1[ .-])?(?:\({AREA}\) ?|{AREA}[ .-]){AREA}[ .-][0-9]{{4}}{CLOSED}"
)
TRUNK = re.compile(
    r"(?<![\w.,+#/$-])(?<![0-9] )\(?0[1-9][0-9]{0,4}\)?(?: ?[/-] ?|[ .])[0-9]{2,8}(?![0-9])"
    rf"(?:([ .-])[0-9]{{2,8}}(?![0-9])(?:\1[0-9]{{2,8}}(?![0-9])){{0,3}})?{CLOSED}"
)
HINT = (
    r"\+[1-9][0-9 ().\-/\x{A0}\x{2011}]{7}"
    r"|[2-9][0-9]{2}(?:\) ?|[ .-])[2-9][0-9]{2}[ .-][0-9]{4}"
    r"|0[1-9](?:[ )./-]{0,3}[0-9]){7}"
)
BEFORE = 32  # characters read for one of these words
CALLED = re.compile(
    r"\b(?:call|dial|ring|phone|telephone|tel|mobile|cell|fax|whatsapp|text|sms)\b[^0-9]*\Z",
    re.IGNORECASE,
)
ORDERED = re.compile(
    r"\b(?:order|invoice|isbn|issn|doi|sku|serial|ticket|tracking|patent|part|item|model|account)"
    r"(?: (?:no|nr|number|id|code))?\b[ .:#]*\Z",
    re.IGNORECASE,
)


def phones(text: str) -> Iterator[Span]:
    """Spans of telephone numbers: the international ones, the American ones, those with a 0."""
    for pattern, is_phone in ((ABROAD, is_abroad), (AMERICAN, is_american), (TRUNK, is_trunk)):
        for found in pattern.finditer(text):
            before = text[max(0, found.start() - BEFORE) : found.start()]
            if is_phone(found[0], before) and not ORDERED.search(before):
                unopened = found[0][0] == "(" and ")" not in found[0]
                yield found.start() + unopened, found.end()


def is_abroad(number: str, before: str) -> bool:
    """8 to 15 digits in groups of which one at most is a single digit, as 6 in +33 6 12 34."""
    groups = re.findall("[0-9]+", number)
    size = sum(map(len, groups))
    single = sum(len(group) == 1 for group in groups[1:])
    return (8 if len(groups) > 1 else 10) <= size <= 15 and single <= 1


def is_american(number: str, before: str) -> bool:
    """Marked as a telephone number by its signs or by the words before it."""
    return any(sign in number for sign in "(.-") or CALLED.search(before) is not None


def is_trunk(number: str, before: str) -> bool:
    """9 to 11 digits, the 0 included: German and British numbers have up to 11."""
    return 9 <= sum(map(str.isdigit, number)) <= 11
