"""Classes of characters, as the published filters mean them: Python's, not Rust's and not ASCII's.

Python's white space has four characters that Rust's `\\s` lacks (U+001C..U+001F), its `splitlines`
breaks at ten characters and not at `\\n` alone, and datatrove's "symbols" are 281 listed
characters. Using the regex engine's own classes instead changes values on hostile text, so each
class is written out here once, as a regex fragment for Polars and as bits of one lookup table for
the kernel.

Letters, capitals and digits follow the Unicode data of the running Python (14.0 in 3.11, 15.0 in
3.12): a character assigned in a later edition of Unicode counts as no letter.

Source of SENTENCE_END and SYMBOLS: huggingface/datatrove 0.10.1 `src/datatrove/utils/text.py`
(TERMINAL_PUNCTUATION, 159 characters; PUNCTUATION_SET, 281), Apache-2.0. Both are compared with
that file's sets in the tests.
"""

from functools import cache
from unicodedata import category

import numpy as np
from numpy.typing import NDArray


def expand(ranges: str) -> frozenset[str]:
    """The characters of a list such as `21 2E 589-58A`, in hexadecimal, both ends included."""
    found: set[str] = set()
    for part in ranges.split():
        first, _, last = part.partition("-")
        found.update(map(chr, range(int(first, 16), int(last or first, 16) + 1)))
    return frozenset(found)


def regex_class(characters: frozenset[str]) -> str:
    """The inside of a Rust regex class for `characters`; hex escapes avoid every metacharacter."""
    return "".join(f"\\x{{{ord(c):X}}}" for c in sorted(characters))


SPACE = expand("9-D 1C-20 85 A0 1680 2000-200A 2028-2029 202F 205F 3000")  # str.isspace()
LINE_BREAK = expand("A-D 1C-1E 85 2028-2029")  # str.splitlines(); "\r\n" is one break
SENTENCE_END = expand(
    "21 2E 3F 589 61D-61F 6D4 700-702 7F9 837 839 83D-83E 964-965 104A-104B 1362 1367-1368 166E "
    "1735-1736 17D4-17D6 17D9-17DA 1803 1809 1944-1945 1AA8-1AAB 1B5A-1B5B 1B5E-1B5F 1B7D-1B7E "
    "1C3B-1C3C 1C7E-1C7F 203C-203D 2047-2049 2E2E 2E3C 2E53-2E54 3002 A4FF A60E-A60F A6F3 A6F7 "
    "A876-A877 A8CE-A8CF A92F A9C8-A9C9 AA5D-AA5F AAF0-AAF1 ABEB FE52 FE56-FE57 FF01 FF0E FF1F "
    "FF61 10A56-10A57 10F55-10F59 10F86-10F89 11047-11048 110BE-110C1 11141-11143 111C5-111C6 "
    "111CD 111DE-111DF 11238-11239 1123B-1123C 112A9 1144B-1144C 115C2-115C3 115C9-115D7 "
    "11641-11642 1173C-1173E 11944 11946 11A42-11A43 11A9B-11A9C 11C41-11C42 11EF7-11EF8 "
    "11F43-11F44 16A6E-16A6F 16AF5 16B37-16B38 16B44 16E98 1BC9F 1DA88"
)
SYMBOLS = SENTENCE_END | expand(
    "0-8 B-1F 21-2F 3A-40 5B-60 7B-9F AB B4 BB 2013-2014 2019 201C-201E 2026 2236 2501 25BA "
    "3001-3002 3008-300D 3010-3011 FF05 FF08-FF09 FF0C FF11 FF1A-FF1B FF5E"
)  # U+FF11, a full-width digit one, is in datatrove's list

SPACES = "".join(sorted(SPACE))  # for strip_chars
NON_SPACE = f"[^{regex_class(SPACE)}]"
BLANKS = f"[{regex_class(SPACE)}]*"

# What `unicode_words` reads: characters that are a word each (written without spaces between words:
# Han, kana, Thai, Lao, Myanmar, Khmer), and marks that hold a word together where both sides fit.
SINGLE = expand(
    "E01-EDF 1000-109F 1780-17DF 3005-3007 3021-3029 3031-3035 3038-303C 3041-309F 30A1-30FF "
    "31F0-31FF 3400-4DBF 4E00-9FFF F900-FAFF FF66-FF9F 1B000-1B16F 20000-3347F"
)
MID_LETTER = frozenset("'’‘.:·‧․＇．：")  # UAX #29: MidLetter, MidNumLet, Single_Quote
MID_NUMBER = frozenset("'’‘.,;․＇．，；")  # UAX #29: MidNum, MidNumLet, Single_Quote

# Bits of the kernels' table.
IS_SPACE, IS_LETTER, IS_SYMBOL, IS_UPPER, IS_DIGIT, IS_BREAK = (1 << bit for bit in range(6))
IS_ALNUM, IS_LOWER, IS_NUMERIC, IS_MARK, IS_SINGLE, IS_MID_LETTER, IS_MID_NUMBER = (
    1 << bit for bit in range(8, 15)
)
ASSIGNED = 0x40000  # from here on there are only marks and tags (plane 14) and private characters
MARKS = ("Mn", "Mc", "Me", "Cf")  # combining marks and joiners: no word starts with one


@cache
def table() -> NDArray[np.uint16]:
    """Bits of every code point, [0x110000]. Built once a process, about 0.2 s."""
    found = np.zeros(0x110000, np.uint16)
    # A loop over the assigned characters, because Python's predicates are the definition.
    everything = [chr(code) for code in range(ASSIGNED)]
    for bit, test in (
        (IS_LETTER, str.isalpha),
        (IS_UPPER, str.isupper),
        (IS_DIGIT, str.isdecimal),
        (IS_ALNUM, str.isalnum),
        (IS_NUMERIC, str.isnumeric),
        (IS_LOWER, lambda c: c.islower() or category(c) == "Lt"),  # either one denies capitals
        (IS_MARK, lambda c: category(c) in MARKS),
    ):
        found[:ASSIGNED] |= np.fromiter(map(test, everything), np.uint16, ASSIGNED) * np.uint16(bit)
    for bit, members in (
        (IS_SPACE, SPACE),
        (IS_SYMBOL, SYMBOLS),
        (IS_BREAK, LINE_BREAK),
        (IS_SINGLE, SINGLE),
        (IS_MID_LETTER, MID_LETTER),
        (IS_MID_NUMBER, MID_NUMBER),
        (IS_MARK, expand("E0001 E0020-E007F E0100-E01EF")),
    ):
        found[[ord(c) for c in members]] |= np.uint16(bit)
    found.setflags(write=False)
    return found
