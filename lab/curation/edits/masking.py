"""Personal data replaced by tokens, as Dolma does (Soldaini et al. 2024, arXiv:2402.00159).

An e-mail address becomes `|||EMAIL_ADDRESS|||`, a telephone number `|||PHONE_NUMBER|||`, an IP
address `|||IP_ADDRESS|||`: Dolma's tokens, without the spaces that it puts around them, so that
punctuation stays where it was. Card, account and identity numbers get tokens of the same form. What
is found and missed stands in `lab.curation.pii`; a second run changes nothing. Cost: that of the
search, 30 microseconds for a document of 2.7 kB.
"""

import polars as pl

from lab.curation.pii.search import Found, search

TOKENS = {
    "email": "|||EMAIL_ADDRESS|||",
    "phone": "|||PHONE_NUMBER|||",
    "ip": "|||IP_ADDRESS|||",
    "card": "|||CARD_NUMBER|||",
    "iban": "|||ACCOUNT_NUMBER|||",
    "national_id": "|||IDENTITY_NUMBER|||",
}


def mask_personal(text: pl.Series) -> pl.Series:
    """`text` (no nulls) with every piece of personal data replaced by the token of its kind."""
    masked = {row: mask(candidate, found) for row, candidate, found in search(text) if found}
    if not masked:
        return text
    rows = pl.DataFrame({"row": list(masked), "masked": list(masked.values())})
    frame = text.to_frame("text").with_columns(row=pl.int_range(pl.len(), dtype=pl.Int64))
    joined = frame.join(rows, on="row", how="left", maintain_order="left")
    return joined.select(pl.coalesce("masked", "text").alias(text.name))[text.name]


def mask(text: str, found: list[Found]) -> str:
    """`text` with tokens in place of the spans."""
    pieces, at = [], 0
    for piece in found:
        pieces += [text[at : piece.start], TOKENS[piece.kind]]
        at = piece.end
    return "".join([*pieces, text[at:]])
