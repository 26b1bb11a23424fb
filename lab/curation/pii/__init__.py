"""Personal data in texts: e-mail, telephone, IP, card, bank account and identity numbers.

    from lab.curation.pii import find_personal
    find_personal("Write to ann@example.org.")  # [Found(start=9, end=24, kind='email')]

Regular expressions and check digits find what has a form. Names and postal addresses have none and
are not looked for; that would take a model of language. Finding decides nothing: counts are signals
to filter by, and the edit `mask-pii` replaces the spans in a copy of the text.
"""

from lab.curation.pii.search import KINDS, Found, count_personal, find_personal

__all__ = ["KINDS", "Found", "count_personal", "find_personal"]
