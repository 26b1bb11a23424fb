"""How a long step says how far it is, and learns that it should stop.

A step takes a `Progress` and calls it with (done, total, message); whoever runs the step decides
what happens with that: a terminal bar, a job's `progress.json`, or nothing. Calls are thinned to
five a second, so a step may report as often as it likes. `stopping` is asked by steps that can
checkpoint; all others are stopped by the `Cancelled` that the next call raises.
"""

import time
from collections.abc import Callable
from dataclasses import dataclass, field

from lab.core.errors import Cancelled

INTERVAL = 0.2  # seconds between two reports


@dataclass(frozen=True, slots=True)
class Report:
    """One look at a running step: `done` of `total` (same unit), what it is doing, seconds since
    start.
    """

    done: float
    total: float
    message: str
    seconds: float

    @property
    def eta(self) -> float | None:
        """Seconds still to go at the mean speed so far; None before anything is done."""
        return self.seconds * (self.total - self.done) / self.done if self.done > 0 else None


def nowhere(report: Report) -> None:
    """Drop a report."""


def never() -> bool:
    """Nobody asks to stop."""
    return False


@dataclass
class Progress:
    """Callable handed down through a step; see the module's text."""

    report: Callable[[Report], None] = nowhere
    should_stop: Callable[[], bool] = never
    low: float = 0.0  # this progress fills [low, high] of its parent's bar
    high: float = 1.0
    prefix: str = ""
    whole: bool = True  # False for a part of a longer bar: done/total become a share of 1
    started: float = field(default_factory=time.monotonic)
    last: list[float] = field(
        default_factory=lambda: [-1.0]
    )  # shared by parts: time of last report

    @property
    def stopping(self) -> bool:
        """True once the user asked to stop."""
        return self.should_stop()

    def __call__(self, done: float, total: float, message: str = "") -> None:
        """Report `done` of `total`; raises Cancelled if the user asked to stop."""
        if self.should_stop():
            raise Cancelled("Stopped on request.", next_step="run the same command to continue")
        self.show(done, total, message)

    def show(self, done: float, total: float, message: str = "") -> None:
        """Report without asking whether to stop: for steps that checkpoint by themselves."""
        now = time.monotonic()
        if now - self.last[0] < INTERVAL and done < total:
            return
        self.last[0] = now
        text = f"{self.prefix}{message}"
        if not self.whole:
            done, total = self.low + (self.high - self.low) * (done / max(total, 1e-12)), 1.0
        self.report(Report(done, total, text, now - self.started))

    def part(self, low: float, high: float, prefix: str = "") -> "Progress":
        """A progress for one part of this step, filling the share [low, high] of its bar."""
        span = self.high - self.low
        return Progress(
            self.report,
            self.should_stop,
            self.low + span * low,
            self.low + span * high,
            self.prefix + prefix,
            False,
            self.started,
            self.last,
        )


SILENT = Progress()
