"""The verdict on two mixtures in one sentence, and what would change it.

Guardrails come before the mean: whoever reads one sentence must learn of a loss. Then the checks of
`gain`: a lead that is contamination or format is no lead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.evaluation.comparing.verdicts import Difference
from lab.evaluation.gain.guardrails import Guardrail


@dataclass(frozen=True, slots=True)
class Overall:
    """`kind`: real, trade-off, hidden loss, contaminated, format, worse, open, unresolved."""

    kind: str
    sentence: str
    change: tuple[str, ...]  # what would change the verdict


FALSE = ("contaminated", "format")  # a lead that is none


def judge_whole(
    a: str,
    b: str,
    lines: Sequence[Guardrail],
    mean: Difference | None,
    checked: Mapping[str, tuple[str, str, str]],
) -> Overall:
    """The verdict on `b` against the baseline `a`.

    `checked`: benchmark -> who is better, whether that is real, what would settle it. A lead of `a`
    that is contamination or format is no loss of `b`.
    """
    ahead = {name: v for name, (who, v, _) in checked.items() if who == "A better"}
    leads = {name: v for name, (who, v, _) in checked.items() if who == "B better"}
    hollow = {name: v for name, v in ahead.items() if v in FALSE}
    behind = sorted(set(ahead) - set(hollow))
    lost = [line.group for line in lines if fell(line, behind, hollow)]
    kind, words = compared_words(a, b, lines, mean, leads, behind, lost)
    told = [f"{name} ({verdict})" for name, verdict in sorted(hollow.items())]
    words += f" The lead of {a} on {listed(told)} is not real." if told else ""
    return Overall(kind, words, changes(lines, checked))


def fell(line: Guardrail, behind: Sequence[str], hollow: Mapping[str, str]) -> bool:
    """Whether a guardrail is lost for a reason other than a lead that is none."""
    if not line.lost:
        return False
    members = set(line.benchmarks)
    return bool(members & set(behind)) or not members & set(hollow)


def compared_words(
    a: str,
    b: str,
    lines: Sequence[Guardrail],
    mean: Difference | None,
    leads: Mapping[str, str],
    behind: Sequence[str],
    lost: Sequence[str],
) -> tuple[str, str]:
    """(kind, sentence): a loss before a gain, a guardrail before a benchmark."""
    won = [line.group for line in lines if line.won]
    false = {name: v for name, v in leads.items() if v in FALSE}
    real = sorted(name for name, v in leads.items() if v == "real")
    if false and len(false) == len(leads):
        kinds = sorted(set(false.values()))
        causes = {"contaminated": "training text quotes its items", "format": "it is format"}
        cause = causes[kinds[0]] if len(kinds) == 1 else listed([causes[k] for k in kinds])
        words = f"The gain of {b} on {listed(sorted(false))} is not real: {cause}."
        return kinds[0], words + lost_words(b, lost)
    if lost and mean is not None and mean.verdict == "B better":
        words = f"{b} gained in the mean and lost {listed(lost)}."
        return "hidden loss", words + false_words(false)
    if lost and won:
        words = f"A trade-off: {b} gained {listed(won)} and lost {listed(lost)}."
        return "trade-off", words + false_words(false)
    if lost:
        return "worse", f"{b} lost {listed(lost)} and gained no guardrail."
    if leads and len(real) == len(leads):
        words = f"The gain of {b} on {listed(real)} is real"
        if behind:
            return "trade-off", f"{words}; it lost {listed(behind)}."
        return "real", f"{words}, and no guardrail fell."
    if leads:
        return "open", open_words(b, leads, real, behind) + false_words(false)
    if behind:
        return "worse", f"{a} is ahead on {listed(behind)}; {b} on nothing."
    return "unresolved", f"The runs do not tell {a} and {b} apart."


def open_words(b: str, leads: Mapping[str, str], real: Sequence[str], behind: Sequence[str]) -> str:
    """Leads of which some are not shown to be real yet."""
    rest = sorted(name for name, v in leads.items() if v not in ("real", *FALSE))
    told = f"{b} is ahead on {listed(sorted(leads))}"
    told += f"; real on {listed(real)}" if real else ""
    told += f"; not yet shown to be real on {listed(rest)}" if rest else ""
    return told + (f"; behind on {listed(behind)}." if behind else ".")


def lost_words(b: str, lost: Sequence[str]) -> str:
    """The losses as a sentence of their own."""
    return f" {b} lost {listed(lost)}." if lost else ""


def false_words(false: Mapping[str, str]) -> str:
    """Leads that are none, as a sentence of their own."""
    told = [f"{name} ({verdict})" for name, verdict in sorted(false.items())]
    return f" Not real: {listed(told)}." if told else ""


def changes(
    lines: Sequence[Guardrail], checked: Mapping[str, tuple[str, str, str]]
) -> tuple[str, ...]:
    """What would change the verdict, most useful first."""
    told = []
    single = [g.group for g in lines if g.difference and g.difference.p is None]
    if single:
        told.append(
            "Train at least two seeds of both, better three: with one, nothing is resolved."
        )
    inside = [g.group for g in lines if g.difference and g.difference.verdict == "unresolved"]
    if inside and not single:
        told.append(f"{listed(inside)} may go either way: more seeds, or more items.")
    missing = [g.group for g in lines if g.difference is None]
    if missing:
        told.append(f"Nothing guards {listed(missing)}: register a benchmark of that group.")
    for name, (_, verdict, settle) in sorted(checked.items()):
        if settle and verdict == "unresolved":
            told.append(f"{name}: {settle}.")
    return tuple(told)


def listed(names: Sequence[str]) -> str:
    """`a`, `a and b`, `a, b and c`."""
    if len(names) < 2:
        return "".join(names)
    return ", ".join(names[:-1]) + " and " + names[-1]
