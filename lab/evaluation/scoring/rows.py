"""Spans of tokens as rows to feed: what begins alike stands once, what is long is cut.

A row is a tree in one sequence: a shared beginning, then the endings side by side, each token with
its position and its branch. `likelihood` says why, and feeds them.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from lab.evaluation.scoring.encoding import Span, windows

BATCH_TOKENS: Final = 1024  # fed at once; larger batches leave the caches of a CPU
PAIRS_PER_TOKEN: Final = 128  # of attention, that cost as much as the products of one more token
NONE: Final = -1
HEADER: Final = 32  # tokens: items that begin with the same so many may share a header


@dataclass(frozen=True, slots=True)
class Row:
    """One sequence to feed, and what to read: after index `at`, token `target`, for `owner`."""

    tokens: list[int]
    positions: list[int]
    branches: list[int]  # 0 for the shared beginning, 1.. for the endings
    at: list[int]
    targets: list[int]
    owners: list[int]
    header: int  # the tokens of this header of the plan stand before it; NONE: nothing does

    @property
    def kind(self) -> tuple[int, bool]:
        """Rows of one kind can be fed together: behind the same header, with branches or not."""
        return self.header, self.branches[-1] > 1


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows to feed, per span the context tokens that do not fit, and tokens of headers."""

    rows: list[Row]
    lost: list[int]
    headers: list[list[int]]


def plan(groups: Sequence[Sequence[Span]], max_length: int) -> Plan:
    """Rows that score every span."""
    rows: list[Row] = []
    lost: list[int] = []
    headers, behind = find_headers(groups, max_length)
    for group, header in zip(groups, behind, strict=True):
        owners = range(len(lost), len(lost) + len(group))
        begin = len(headers[header]) if header != NONE else 0
        pieces = [windows(span, max_length) for span in group]
        lost.extend(cut for _, cut in pieces)
        alike: dict[int, list[tuple[Span, int]]] = {}  # cut alike, so they still begin alike
        for owner, (parts, cut) in zip(owners, pieces, strict=True):
            if len(parts) == 1:
                alike.setdefault(cut, []).append((parts[0], owner))
            else:
                rows.extend(tree([part], len(part.tokens) - 1, 0, [owner]) for part in parts)
        for members in alike.values():
            rows.extend(rows_of(members, begin, header))
    return Plan(rows, lost, headers)


def rows_of(members: Sequence[tuple[Span, int]], begin: int, header: int) -> list[Row]:
    """Spans with their owners as one row, or one each if that costs less."""
    spans, owners = [span for span, _ in members], [owner for _, owner in members]
    shared = common_beginning(spans)
    if len(spans) > 1 and pays(spans, shared, begin):
        return [tree(spans, shared, begin, owners, header)]
    return [tree([span], len(span.tokens) - 1, begin, [owner], header) for span, owner in members]


def fits(group: Sequence[Span], max_length: int) -> bool:
    """True if no span of the group has to be cut."""
    return all(len(span.tokens) - 1 <= max_length for span in group)


def find_headers(
    groups: Sequence[Sequence[Span]], max_length: int
) -> tuple[list[list[int]], list[int]]:
    """Tokens of every header, and for each group the number of its header or NONE.

    Groups that begin with the same HEADER tokens share what all of them begin with, up to one token
    before the first that is scored in any of them.
    """
    alike: dict[tuple[int, ...], list[int]] = {}
    for number, group in enumerate(groups):
        begin = tuple(group[0].tokens[:HEADER])
        if len(begin) == HEADER and fits(group, max_length):
            alike.setdefault(begin, []).append(number)
    headers: list[list[int]] = []
    behind = [NONE] * len(groups)
    for numbers in alike.values():
        spans = [span for number in numbers for span in groups[number]]
        size = min(common_beginning(spans), min(span.start - 1 for span in spans))
        if len(numbers) > 1 and size >= HEADER:
            for number in numbers:
                behind[number] = len(headers)
            headers.append(spans[0].tokens[:size])
    return headers, behind


def common_beginning(group: Sequence[Span]) -> int:
    """Number of tokens that all spans begin with, short of the last token of the shortest."""
    first, last = min(s.tokens for s in group), max(s.tokens for s in group)
    limit = min(len(span.tokens) for span in group) - 1
    pairs = zip(first[:limit], last, strict=False)
    return next((i for i, (a, b) in enumerate(pairs) if a != b), limit)


def pays(group: Sequence[Span], shared: int, begin: int) -> bool:
    """True if one row costs less than the spans apart: fewer tokens against more attention."""
    lengths = [len(span.tokens) - 1 - begin for span in group]
    together = sum(lengths) - (len(group) - 1) * (shared - begin)
    pairs = together**2 - sum(length**2 for length in lengths)
    return pairs < PAIRS_PER_TOKEN * (sum(lengths) - together)


def tree(
    group: Sequence[Span], shared: int, begin: int, owners: Sequence[int], header: int = NONE
) -> Row:
    """Tokens `begin` to `shared` once, then the rest of every span; last tokens are targets only.

    What is scored before the branches counts for every span.
    """
    trunk = group[0].tokens[begin:shared]
    row = Row(trunk, list(range(begin, shared)), [0] * len(trunk), [], [], [], header)
    for branch, (span, owner) in enumerate(zip(group, owners, strict=True), start=1):
        shift = len(row.tokens) - shared  # from a place in the span to its place in the row
        ending = span.tokens[shared:-1]
        row.tokens.extend(ending)
        row.positions.extend(range(shared, shared + len(ending)))
        row.branches.extend([branch] * len(ending))
        before = range(span.start - 1, len(span.tokens) - 1)
        row.at.extend(i - begin if i < shared else i + shift for i in before)
        row.targets.extend(span.tokens[span.start :])
        row.owners.extend([owner] * len(before))
    return row


def batches(rows: Sequence[Row]) -> Iterator[list[Row]]:
    """Runs of rows of one kind that hold at most BATCH_TOKENS with padding; longest rows first."""
    batch: list[Row] = []
    for row in rows:
        full = bool(batch) and len(batch[0].tokens) * (len(batch) + 1) > BATCH_TOKENS
        if batch and (full or batch[0].kind != row.kind):
            yield batch
            batch = []
        batch.append(row)
    if batch:
        yield batch
