"""A selection as one line of text: what is asked of a document, never a list of documents.

    map=3f09a1c2 area=1200.800_5000.900_3000.7000 cluster=3,7 source=web gopher.word_count@ws1=50..

Pieces are separated by blanks and joined by AND; values of one piece are joined by OR. `area` is a
polygon on the map, its corners x.y in steps of 1/65,535 of the map's square, joined by `_`;
`cluster` holds numbers of that map's clusters; any other name is a stored column with a range,
either side of which may be missing (true is 1, false is 0). A line is short enough for an address,
can be typed, and goes on meaning the same when documents are added to a map that keeps its place.
Areas and clusters belong to one map, so a line with either names it by the start of its id.
"""

import math
from dataclasses import dataclass, replace

from lab.core.errors import ConfigError

STEPS = 65_535  # of the map's square
REACH = 4 * STEPS  # a lasso may leave the square, not the neighbourhood
MOST_CORNERS = 512
OWN = ("map", "area", "cluster", "source")  # names that are no columns

Corner = tuple[int, int]
Range = tuple[str, float | None, float | None]  # column, least, most


@dataclass(frozen=True, slots=True)
class Predicate:
    """What a document must be: inside `area` (no corners: anywhere), in one of `clusters`, of one
    of `sources`, and with every column of `ranges` within its bounds. Empty means no demand.
    """

    map: str = ""
    area: tuple[Corner, ...] = ()
    clusters: tuple[int, ...] = ()
    sources: tuple[str, ...] = ()
    ranges: tuple[Range, ...] = ()

    @property
    def demands(self) -> bool:
        """True if it asks for anything."""
        return bool(self.area or self.clusters or self.sources or self.ranges)

    def without_area(self) -> "Predicate":
        """The same, anywhere on the map."""
        return replace(self, area=())


def parse_predicate(text: str) -> Predicate:
    """The predicate written in `text`; ConfigError names the piece that cannot be read."""
    pieces: dict[str, str] = {}
    for piece in text.split():
        name, equals, value = piece.partition("=")
        if not equals or not name or not value or name in pieces:
            raise unreadable(piece)
        pieces[name] = value
    clusters = filter(None, pieces.get("cluster", "").split(","))
    sources = filter(None, pieces.get("source", "").split(","))
    return Predicate(
        pieces.get("map", ""),
        parse_area(pieces["area"]) if "area" in pieces else (),
        tuple(dict.fromkeys(whole(part, f"cluster={part}") for part in clusters)),
        tuple(dict.fromkeys(sources)),
        tuple(parse_range(name, value) for name, value in pieces.items() if name not in OWN),
    )


def parse_area(value: str) -> tuple[Corner, ...]:
    """The corners of `x.y_x.y_x.y`: at least three."""
    corners = []
    for pair in value.split("_"):
        x, dot, y = pair.partition(".")
        if not dot:
            raise unreadable(f"area={value[:60]}")
        corners.append((whole(x, pair), whole(y, pair)))
    check_corners(corners)
    return tuple(corners)


def check_corners(corners: list[Corner]) -> None:
    """ConfigError unless there are 3 to `MOST_CORNERS` corners near the map's square."""
    near = all(-REACH <= v <= STEPS + REACH for corner in corners for v in corner)
    if not near or not 3 <= len(corners) <= MOST_CORNERS:
        raise ConfigError(
            f"An area has 3 to {MOST_CORNERS} corners on or near the map (0 to {STEPS:,}).",
            where="selection",
            value=len(corners) if near else corners[:3],
            next_step="draw it again, or write area=0.0_65535.0_65535.65535_0.65535 for all",
        )


def parse_range(column: str, value: str) -> Range:
    """`MIN..MAX`, one side of which may be missing."""
    piece = f"{column}={value}"
    low, dots, high = value.partition("..")
    try:
        sides = [float(side) if side else None for side in (low, high)]
    except ValueError as error:
        raise unreadable(piece) from error
    given = [side for side in sides if side is not None]
    if not dots or not given or not all(map(math.isfinite, given)) or given != sorted(given):
        raise unreadable(piece)
    return column, sides[0], sides[1]


def whole(text: str, piece: str) -> int:
    """An integer of at most nine digits."""
    if not text.removeprefix("-").isdecimal() or not text.isascii() or len(text) > 10:
        raise unreadable(piece)
    return int(text)


def unreadable(piece: str) -> ConfigError:
    """The error for a piece that says nothing of a document."""
    return ConfigError(
        "This part of a selection cannot be read.",
        where="selection",
        value=piece,
        next_step="write area=X.Y_X.Y_X.Y, cluster=3,7, source=web,books or COLUMN=MIN..MAX, each "
        "once, with blanks between them",
    )


def write_predicate(predicate: Predicate) -> str:
    """The predicate as the line that `parse_predicate` reads back; "" if it demands nothing."""
    if not predicate.demands:
        return ""
    pieces = [f"map={predicate.map}"] if predicate.map else []
    if predicate.area:
        pieces.append("area=" + "_".join(f"{x:d}.{y:d}" for x, y in predicate.area))
    if predicate.clusters:
        pieces.append("cluster=" + ",".join(map(str, predicate.clusters)))
    if predicate.sources:
        pieces.append("source=" + ",".join(predicate.sources))
    pieces += [f"{column}={side(low)}..{side(high)}" for column, low, high in predicate.ranges]
    return " ".join(pieces)


def side(value: float | None) -> str:
    """One bound, with every digit it has."""
    return "" if value is None else repr(value).removesuffix(".0")
