"""One of the three edges where errors are caught: parse, run, print, and turn an error into a
status.
"""

import argparse
import contextlib
import json
import os
import signal
import sys
from collections.abc import Sequence
from types import FrameType

from lab.cli.parser import build_parser
from lab.cli.show import Shown, say, show_result
from lab.core.errors import Cancelled, LabError


class Interrupt:
    """Ctrl-C asks once, politely; the second time it ends the process at once."""

    asked = False

    def __call__(self, number: int, frame: FrameType | None) -> None:
        """Signal handler."""
        if self.asked:
            raise KeyboardInterrupt
        self.asked = True
        say("stopping at the next safe point; press Ctrl-C again to stop at once")


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    options = build_parser().parse_args(argv)
    options.interrupt = Interrupt()
    signal.signal(signal.SIGINT, options.interrupt)
    signal.signal(signal.SIGTERM, options.interrupt)
    try:
        return run(options)
    except (Cancelled, KeyboardInterrupt):
        say("stopped; run the same command to continue")
        return 130
    except LabError as error:
        if options.debug:
            raise
        report(error, options.json)
        return 130 if options.interrupt.asked else 1
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # the reader left: no fault
        return 0
    except Exception as error:
        if options.debug:
            raise
        report(unforeseen(error), options.json)
        return 1


def unforeseen(error: Exception) -> LabError:
    """A fault that no stage foresaw: an unreadable file, or an error of ours."""
    where = getattr(error, "filename", None)
    return LabError(
        f"{type(error).__name__}: {error}",
        where=str(where or ""),
        next_step="check that file and its permissions"
        if where
        else "run it again with --debug and report what it prints: this is a fault of Mixture Lab",
    )


def run(options: argparse.Namespace) -> int:
    """Run the command, print what it found, return its status."""
    aside = sys.stderr if options.json else sys.stdout  # a library's chatter must not join the JSON
    with contextlib.redirect_stdout(aside):
        result: Shown = options.command(options)
    if options.json:
        print(json.dumps(result.data, ensure_ascii=False, allow_nan=False, default=str))
    else:
        show_result(result)
    sys.stdout.flush()
    return result.status


def report(error: LabError, as_json: bool) -> None:
    """Say the error; with --json also as the one object on standard output."""
    if as_json:
        value = {
            "error": error.what,
            "where": error.where,
            "value": None if error.value is None else str(error.value),
            "next": error.next_step,
        }
        print(json.dumps(value, ensure_ascii=False))
    say(f"error: {error}")
