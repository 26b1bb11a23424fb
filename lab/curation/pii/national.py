"""National identity numbers of nine countries whose form and check can be stated exactly.

| country       | form                              | check                                        |
|---------------|-----------------------------------|----------------------------------------------|
| United States | SSN 123-45-6789                   | none; no 000, 666, 9xx, 00, 0000 (SSA 2011)  |
| Britain       | NI number AB 12 34 56 C           | none; letters and prefixes allowed by HMRC   |
| Spain         | DNI 12345678Z, NIE X1234567L      | letter                                       |
| France        | NIR 2 55 08 14 168 025 38         | month, key                                   |
| Germany       | Steuer-ID 86 095 742 719          | digit, and the doubled digit                 |
| Italy         | codice fiscale RSSMRA85T10A562S   | letter (not the variants for namesakes)      |
| Brazil        | CPF 111.444.777-35, with its dots | two digits                                   |
| Netherlands   | BSN, nine digits                  | digit, and the word before it                |
| Poland        | PESEL, eleven digits              | date, digit, and the word before it          |

The last two are bare digits with a weak check, so they count only after `BSN`, `PESEL` or the word
in full. All other countries are missed. See `checksums` for how often chance passes each.
"""

import re
from collections.abc import Callable, Iterator

from lab.curation.pii import checksums

Span = tuple[int, int]  # start, end in characters

FORMS = {
    "ssn": r"(?!000|666|9)[0-9]{3}-(?!00)[0-9]{2}-(?!0000)[0-9]{4}",
    "nino": (
        r"(?!BG|GB|NK|KN|TN|NT|ZZ)[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z]"
        r" ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]"
    ),
    "spanish": r"(?:[0-9]{8}|[XYZ]-?[0-9]{7})-?[A-HJ-NP-TV-Z]",
    "french": (
        r"[1-478] ?[0-9]{2} ?(?:0[1-9]|1[0-2]|[235-9][0-9]|4[0-2]) ?(?:[0-9]{2}|2[AB])"
        r" ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}"
    ),
    "german": r"[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
    "italian": r"[A-Z]{6}[0-9]{2}[A-EHLMPRST][0-9]{2}[A-Z][0-9]{3}[A-Z]",
    "brazilian": r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
}
CHECKS: dict[str, Callable[[str], bool]] = {
    "spanish": checksums.spanish,
    "french": checksums.french,
    "german": checksums.german,
    "italian": checksums.italian,
    "brazilian": checksums.brazilian,
    "dutch": checksums.dutch,
    "polish": checksums.polish,
}
NAMED = {
    "dutch": r"(?:bsn|burgerservicenummer|sofinummer)[^0-9\n]{0,12}(?P<dutch>[0-9]{9})",
    "polish": r"pesel[^0-9\n]{0,12}(?P<polish>[0-9]{11})",
}
PATTERN = re.compile(
    r"(?<![\w.,/+-])(?:"
    + "|".join(f"(?P<{name}>{form})" for name, form in FORMS.items())
    + r")(?!\w|[.,/-][0-9])"
)
AFTER_NAME = re.compile(rf"(?<!\w)(?:{'|'.join(NAMED.values())})(?!\w|[.,/-][0-9])", re.IGNORECASE)
HINT = "|".join(
    (
        r"[0-9]{3}-[0-9]{2}-[0-9]{4}",
        r"[A-Z]{2} ?[0-9]{2} ?[0-9]{2} ?[0-9]{2} ?[A-D]",
        r"[0-9]{8}-?[A-Z]|[XYZ]-?[0-9]{7}-?[A-Z]",
        r"[1-478] ?[0-9]{2} ?[0-9]{2} ?[0-9][0-9AB] ?[0-9]{3} ?[0-9]{3} ?[0-9]{2}",
        r"[1-9][0-9] ?[0-9]{3} ?[0-9]{3} ?[0-9]{3}",
        r"[A-Z]{6}[0-9]{2}[A-Z][0-9]{2}[A-Z]",
        r"[0-9]{3}\.[0-9]{3}\.[0-9]{3}-[0-9]{2}",
        r"(?i:bsn|nummer|pesel)[^0-9\n]{0,12}[0-9]{9}",
    )
)


def national_ids(text: str) -> Iterator[Span]:
    """Spans of national identity numbers: those known by their form, then those named."""
    for pattern in (PATTERN, AFTER_NAME):
        for found in pattern.finditer(text):
            country = found.lastgroup or ""
            number = re.sub("[ .-]", "", found[country])
            if country not in CHECKS or CHECKS[country](number):
                yield found.span(country)
