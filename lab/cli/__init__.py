"""`mixlab`: everything the app does, from a shell.

Human text by default, progress bars on standard error; with `--json` standard output holds one JSON
object and nothing else. Exit status: 0 done, 1 failed with a message that says what, where, the
value and the next step, 2 wrong usage, 130 interrupted (what was finished is kept).
"""

from lab.cli.main import main

__all__ = ["main"]
