"""Text of a corpus with places marked: inert, because every character of it is escaped.

The second door beside `lab.ui.text.show_document`, for where a reader must see *which* words a rule
counts. The text is cut at the ends of the marks, each piece passes `html.escape`, and only our own
`<mark>` elements stand between the pieces, so no character of a document can become markup, an
attribute or an address; the sanitiser of `st.html` and the content-security policy are a second and
a third line. Control characters are shown by their own pictures (U+2400 block), because a terminal
or a bidirectional override in a page can hide text. Cost: 1 ms for 4,000 characters.
"""

import html
from collections.abc import Sequence
from dataclasses import dataclass

import streamlit as st

MOST = 300  # marks drawn; a page with more shows nothing
AROUND = 220  # characters before the first mark
LINES = 9  # of an excerpt
CUT = 700  # characters shown of either end of a long deletion or insertion
WHOLE = 30_000  # characters of a changed document
OPENING = {
    "equal": "",
    "delete": '<del style="background:rgba(224,60,60,.22);color:inherit">',
    "insert": '<ins style="background:rgba(40,160,80,.25);color:inherit">',
}
CLOSING = {"equal": "", "delete": "</del>", "insert": "</ins>"}
LOOK = "white-space:pre-wrap;overflow-wrap:anywhere;font-size:0.9rem;line-height:1.5;max-width:92ch"
ROW = "display:flex;flex-wrap:wrap;gap:4px;margin:2px 0 8px;font-size:0.82rem"
CHIP = "padding:1px 7px;border-radius:6px;"
STATES = {  # sign and look; text keeps the page's own colour, so both themes read well
    "says": ("", "font-weight:600;padding-left:0"),
    "fails": ("✕ ", "background:rgba(220,50,47,.22)"),
    "near": ("! ", "background:rgba(255,169,14,.28)"),
    "passes": ("✓ ", "background:rgba(128,136,140,.14);opacity:.75"),
}
COLOURS = ("255,169,14", "87,144,252", "200,75,120", "87,160,90", "150,90,220", "120,130,140")
PICTURES = {c: chr(0x2400 + c) for c in range(32) if chr(c) not in "\n\t"} | {0x7F: "␡"}
PICTURES |= dict.fromkeys((*range(0x202A, 0x202F), *range(0x2066, 0x206A)), "␘")  # bidi overrides


@dataclass(frozen=True, slots=True, order=True)
class Mark:
    """Characters [start, end) of a text, what they are in a few words, and one of six colours."""

    start: int
    end: int
    what: str
    colour: int = 0


@dataclass(frozen=True, slots=True)
class Chip:
    """One verdict in a few words; `state` is fails, near, passes or says."""

    words: str
    state: str
    help: str = ""


def show_verdict(
    chips: Sequence[Chip],
    text: str,
    marks: Sequence[Mark],
    *,
    limit: int = 700,
    lines: int = LINES,
) -> None:
    """Verdicts above an excerpt, as one element: a page shows many, and each element costs the
    browser milliseconds.
    """
    st.html(f'<div style="{ROW}">{chip_row(chips)}</div>{marked(text, marks, limit, lines)}')


def chip_row(chips: Sequence[Chip]) -> str:
    """HTML of verdicts: escaped words behind a sign, so that colour is not all that tells."""
    pieces = []
    for state, (sign, look) in STATES.items():
        for chip in chips:
            if chip.state == state:
                pieces.append(
                    f'<span title="{escaped(chip.help)}" style="{CHIP}{look}">'
                    f"{sign}{escaped(chip.words)}</span>"
                )
    return "".join(pieces)


def show_marked(text: str, marks: Sequence[Mark], *, limit: int = 700, lines: int = LINES) -> None:
    """Show about `limit` characters or `lines` lines of a document around its first mark, inert."""
    st.html(marked(text, marks, limit, lines))


def marked(text: str, marks: Sequence[Mark], limit: int = 700, lines: int = LINES) -> str:
    """HTML of an excerpt: escaped text and `<mark>`; what is left out is counted at both ends."""
    start, end = window(text, marks, limit, lines)
    before = f"<i>[{start:,} characters before] </i>" if start else ""
    after = f"<i> [{len(text) - end:,} characters more]</i>" if end < len(text) else ""
    body = stretch(text, marks, start, end)
    return f'<div dir="auto" style="{LOOK}">{before}{body}{after}</div>'


def show_stretch(text: str, marks: Sequence[Mark], *, fixed: bool = False) -> None:
    """Show the whole of `text`, inert, with its marks; in letters of one width if `fixed`."""
    look = f"{LOOK};font-family:monospace;font-size:0.82rem" if fixed else LOOK
    st.html(f'<div dir="auto" style="{look}">{stretch(text, marks, 0, len(text))}</div>')


def show_chips(chips: Sequence[Chip]) -> None:
    """Verdicts alone."""
    st.html(f'<div style="{ROW}">{chip_row(chips)}</div>')


def stretch(text: str, marks: Sequence[Mark], start: int, end: int) -> str:
    """HTML of the characters [start, end): escaped text and `<mark>`."""
    pieces, at = [], start
    for mark in apart(marks):
        low, high = max(mark.start, at), min(mark.end, end)
        if low < high:
            colour = COLOURS[mark.colour % len(COLOURS)]
            pieces += [
                escaped(text[at:low]),
                f'<mark title="{escaped(mark.what)}" style="background:rgba({colour},.38);'
                f'color:inherit">{escaped(text[low:high])}</mark>',
            ]
            at = high
    return "".join([*pieces, escaped(text[at:end])])


def show_changes(changes: Sequence[tuple[str, str]]) -> None:
    """Show the pieces (op, text) of a changed document, inert: `delete`d ones red and struck
    through, `insert`ed ones green and underlined, long `equal` ones folded.
    """
    st.html(changed(changes))


def changed(changes: Sequence[tuple[str, str]]) -> str:
    """HTML of a changed document: escaped text, `<del>`, `<ins>`; at most WHOLE characters."""
    pieces, left = [], WHOLE
    for place, (op, text) in enumerate(changes):
        if left <= 0:
            pieces.append("<p><i>[more changes follow, not shown]</i></p>")
            break
        inside = (place > 0, place < len(changes) - 1) if op == "equal" else (True, True)
        shown = folded(text, *inside, AROUND if op == "equal" else CUT)
        left -= sum(map(len, shown))
        body = visible(shown[0], op)
        if len(shown) == 3:
            body += f"<i>{shown[1]}</i>{visible(shown[2], op)}"
        pieces.append(f"{OPENING[op]}{body}{CLOSING[op]}")
    return f'<div dir="auto" style="{LOOK}">{"".join(pieces)}</div>'


def folded(text: str, before: bool, after: bool, keep: int = AROUND) -> list[str]:
    """`text`, or its ends with a note of ours between: [end, note, end]. An end that no change
    touches is left out.
    """
    head, tail = keep * before, keep * after
    hidden = len(text) - head - tail
    if hidden <= keep:
        return [text]
    return [text[:head], f" [{hidden:,} characters not shown] ", text[len(text) - tail :]]


def visible(text: str, op: str) -> str:
    """Escaped text in which a deletion of nothing but white space can be seen."""
    if op == "delete" and text.isspace():
        return escaped(text.replace(" ", "\u00b7").replace("\n", "\u21b5\n"))
    return escaped(text)


def window(text: str, marks: Sequence[Mark], limit: int, lines: int = LINES) -> tuple[int, int]:
    """Which characters are shown: from a little before the first mark, whole words if possible, and
    at most `limit` characters or `lines` lines.
    """
    first = min((mark.start for mark in marks), default=0)
    start = max(0, min(first - AROUND, len(text) - limit))
    if start:
        space = text.find(" ", start, start + 40)
        start = space + 1 if space >= 0 else start
    end = start
    for _ in range(lines):
        end = text.find("\n", end, start + limit) + 1
        if not end:
            return start, min(start + limit, len(text))
    return start, end - 1


def apart(marks: Sequence[Mark]) -> list[Mark]:
    """At most MOST marks in order; where two overlap the later one begins at the end of the first
    (`marked` cuts it).
    """
    return sorted(marks)[:MOST]


def escaped(text: str) -> str:
    """`text` for HTML, in an element or in a quoted attribute."""
    return html.escape(text.translate(PICTURES), quote=True)
