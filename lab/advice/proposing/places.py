"""Sizes to train at: what a run costs there, and how far its order is that of the real run.

A larger proxy costs more and agrees better with the run that the decision is for. With truth T(x)
at the target, C(x) at the size of the fit, and correlation r0 of the two over mixtures,

    T = C + D,    var D = var C (1 / r0^2 - 1),

where D is smooth in the mixture: mixtures alike are misjudged alike. A run at a size of
correlation r > r0 shows C + g D, with the g in [0, 1] that gives that correlation,

    (1 + g a)^2 = (r / r0)^2 (1 + g^2 a),    a = 1 / r0^2 - 1,

and one of r < r0 shows C with further variance var C ((r0 / r)^2 - 1). Models of several fidelities
go back to Kennedy and O'Hagan (2000); ADMIRE-BayesOpt uses them for mixtures (arXiv:2508.11551).

Correlations by default are Olmix's with models of 1B (arXiv:2602.12237): .73 at 1M parameters, .89
from 15M up, by the logarithm between and below. They are rank correlations over swarms that hold
noise, so a little low. Where it fails: nobody measured them for the sources at hand, and nothing
proxies share is seen at all.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from math import log10, sqrt

from lab.core.errors import ConfigError
from lab.core.workspace import Workspace
from lab.proxy.sizes import SIZES, get_size
from lab.proxy.speed import speed_of

OLMIX = ((1e6, 0.73), (15e6, 0.89))  # (parameters, rank correlation with 1B)
LEAST = 0.3  # below Olmix's sizes the line is not followed further down
LONGEST = 60.0  # minutes of a run that is still proposed unasked


@dataclass(frozen=True, slots=True)
class Place:
    """A size to train at, tokens and minutes of one run, and the correlation of true costs with the
    target's. Of several, the first is the size of the fit.
    """

    size: str = ""
    minutes: float = 1.0
    agreement: float = 1.0
    tokens: int = 0


def agreement_of(parameters: float) -> float:
    """Correlation with the real run that is assumed of a model of that many parameters."""
    (small, low), (large, high) = OLMIX
    share = log10(parameters / small) / log10(large / small)
    return float(min(max(low + share * (high - low), LEAST), high))


def seen_of_difference(agreement: float, here: float) -> tuple[float, float]:
    """(g, further variance over var C) of a run at `agreement` where the fit's is `here`."""
    ratio, a = (agreement / here) ** 2, 1 / here**2 - 1
    if ratio <= 1 or a <= 0:
        return 0.0, max(1 / ratio - 1, 0.0)
    rise = ratio - 1
    root = sqrt(max(a * a + a * (a - ratio) * rise, 0.0))  # zero at the target itself
    return rise / (a + root), 0.0


def places_of(
    ws: Workspace, vocabulary: int, size: str, tokens: int, asked: Sequence[str] = ()
) -> tuple[Place, ...]:
    """The fit's size at its budget, then those `asked` for at their own: NAME, or NAME:AGREEMENT.

    By default the next larger size, if a run there takes less than `LONGEST` minutes. ConfigError
    for an unknown size or an agreement outside (0, 1].
    """
    given = dict(map(parse_place, asked or larger_than(size)))
    own = given.pop(size, None)
    places = [place(ws, vocabulary, size, tokens, own)]
    for name, agreement in given.items():
        found = place(ws, vocabulary, name, get_size(name).default_tokens, agreement)
        if asked or found.minutes <= LONGEST:
            places.append(found)
    return tuple(places)


def place(ws: Workspace, vocabulary: int, size: str, tokens: int, agreement: float | None) -> Place:
    """One size with its cost here, measured where runs of it exist."""
    speed, _ = speed_of(ws, size)
    assumed = agreement_of(get_size(size).parameters(vocabulary))
    return Place(size, tokens / speed / 60, agreement or assumed, tokens)


def larger_than(size: str) -> list[str]:
    """The preset after `size`, if there is one."""
    names = list(SIZES)
    return names[names.index(size) + 1 :][:1]


def parse_place(text: str) -> tuple[str, float | None]:
    """(size, agreement or None) of NAME or NAME:AGREEMENT."""
    name, _, number = text.partition(":")
    get_size(name)
    if not number:
        return name, None
    try:
        agreement = float(number)
    except ValueError:
        agreement = 0.0
    if not 0 < agreement <= 1:
        raise ConfigError(
            "An agreement is a correlation above 0 and up to 1.",
            where=f"sizes: {name}",
            value=number,
            next_step="write for example micro:0.8, or only micro",
        )
    return name, agreement
