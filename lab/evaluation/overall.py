"""The verdict on two mixtures in one sentence, and what would change it.

Guardrails come before the mean: whoever reads one sentence must learn of a loss. Then the checks of
`gain`: a lead that is contamination or format is no lead.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from lab.evaluation.guardrails import Guardrail
from lab.evaluation.verdicts import Difference


@dataclass(frozen=True, slots=True)
class Overall:
    """`kind`: real, trade-off, hidden loss, contaminated, format, worse, open, unresolved."""

    kind: str
    sentence: str
    change: tuple[str, ...]  # what would change the verdict


def judge_whole(
    a: str,
    b: str,
    lines: Sequence[Guardrail],
    mean: Difference | None,
    checked: Mapping[str, tuple[str, str, str]],
) -> Overall:
    """The verdict on `b` against the baseline `a`.

    `checked`: benchmark -> who is better, whether that is real, what would settle it.
    """
    verdicts = {g.group: g.difference.verdict for g in lines if g.difference}
    won = [group for group, verdict in verdicts.items() if verdict == "B better"]
    lost = [group for group, verdict in verdicts.items() if verdict == "A better"]
    leads = {name: v for name, (who, v, _) in checked.items() if who == "B better"}
    false = {name: v for name, v in leads.items() if v in ("contaminated", "format")}
    change = changes(lines, checked)
    if false and len(false) == len(leads):
        kind = "contaminated" if "contaminated" in false.values() else "format"
        cause = "training text quotes its items" if kind == "contaminated" else "it is format"
        words = f"The gain of {b} on {listed(sorted(false))} is not real: {cause}."
        return Overall(kind, words + lost_words(b, lost), change)
    if lost and mean is not None and mean.verdict == "B better":
        words = f"{b} gained in the mean and lost {listed(lost)}."
        return Overall("hidden loss", words + false_words(false), change)
    if lost and won:
        words = f"A trade-off: {b} gained {listed(won)} and lost {listed(lost)}."
        return Overall("trade-off", words + false_words(false), change)
    if lost:
        return Overall("worse", f"{b} lost {listed(lost)} and gained no guardrail.", change)
    real = [name for name, verdict in leads.items() if verdict == "real"]
    behind = sorted(name for name, (who, *_) in checked.items() if who == "A better")
    if leads and len(real) == len(leads):
        words = f"The gain of {b} on {listed(sorted(real))} is real"
        if behind:
            return Overall("trade-off", f"{words}; it lost {listed(behind)}.", change)
        return Overall("real", f"{words}, and no guardrail fell.", change)
    if leads:
        rest = sorted(set(leads) - set(real) - set(false))
        told = f"{b} is ahead on {listed(sorted(leads))}"
        told += f"; real on {listed(sorted(real))}" if real else ""
        told += f"; not yet shown to be real on {listed(rest)}" if rest else ""
        told += f"; behind on {listed(behind)}" if behind else ""
        return Overall("open", told + "." + false_words(false), change)
    if behind:
        return Overall("worse", f"{a} is ahead on {listed(behind)}; {b} on nothing.", change)
    return Overall("unresolved", f"The runs do not tell {a} and {b} apart.", change)


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
