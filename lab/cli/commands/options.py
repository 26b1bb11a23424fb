"""What commands have in common: numbers, shared options, the engine."""

import argparse
from collections.abc import Callable, Sequence
from typing import Any

SIZES = ("nano", "micro", "mini", "small", "base", "125m")


class Options(argparse.ArgumentParser):
    """A command whose options may stand before, between and after what it is about.

    Plain argparse takes a positional that may be absent for absent as soon as an option follows the
    first one, so that `benchmark add -w W NAME PATH` was an error (Python issue 59317).
    """

    between = False  # while argparse parses the rest itself

    def parse_known_args(  # type: ignore[override]
        self, args: Sequence[str] | None = None, namespace: argparse.Namespace | None = None
    ) -> tuple[argparse.Namespace, list[str]]:
        """As of ArgumentParser, options and positionals in any order."""
        if self.between:
            return super().parse_known_args(args, namespace)
        self.between = True
        try:
            return self.parse_known_intermixed_args(args, namespace)
        finally:
            self.between = False


def whole(text: str, least: int = 0) -> int:
    """An option that is a whole number, zero or more."""
    if not text.isdecimal() or int(text) < least:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number from {least} up")
    return int(text)


def count(text: str) -> int:
    """An option that is a whole number above zero; underscores as in recipes: 5_000_000."""
    return whole(text.replace("_", ""), 1)


def command(
    commands: "argparse._SubParsersAction[Options]",
    name: str,
    run: Callable[[argparse.Namespace], object],
    summary: str,
    example: str,
    detachable: bool = False,
) -> Options:
    """One command with the options that all share."""
    parser = commands.add_parser(
        name,
        help=summary,
        description=summary[0].upper() + summary[1:] + ".",
        epilog="examples:\n" + "\n".join(f"  {line}" for line in example.splitlines()),
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("-w", "--workspace", help="default: $MIXLAB_WORKSPACE, else ./workspace")
    parser.add_argument("--json", action="store_true", help="one JSON object on standard output")
    parser.add_argument("--quiet", action="store_true", help="no progress bar")
    parser.add_argument("--debug", action="store_true", help="show the traceback of an error")
    if detachable:
        parser.add_argument("--detach", action="store_true", help="run as a job; see `mixlab jobs`")
    parser.set_defaults(command=run, detach=False, misused=parser.error)
    return parser


def add_run_options(parser: Options) -> None:
    """Size, tokens, seed and where to run."""
    parser.add_argument("--size", choices=SIZES, default="nano", help="default: nano")
    parser.add_argument("--tokens", type=count, help="tokens a run (default: the size's)")
    parser.add_argument("--seed", type=whole, default=0, help="first seed (default: 0)")
    parser.add_argument(
        "--no-repetition-match",
        dest="repetition",
        action="store_false",
        help="read all documents, so that a proxy repeats a source less often than the real run",
    )
    parser.add_argument(
        "--no-snapshots",
        dest="snapshots",
        action="store_false",
        help="keep no weights from before the end; metrics cannot be tested over training then",
    )
    parser.add_argument(
        "--score-snapshots",
        action="store_true",
        help="also score what training kept on the way; `mixlab early` and the gate read it",
    )
    add_track(parser)
    add_places(parser)


def add_track(parser: Options) -> None:
    """Where the numbers of runs are sent, if anywhere."""
    parser.add_argument(
        "--track",
        default="",
        metavar="NAME",
        help="send losses and scores to tensorboard, trackio, wandb (offline) or mlflow",
    )


def add_places(parser: Options) -> None:
    """Where runs are trained."""
    add_engine(parser, ("local", "ray", "slurm"))
    parser.add_argument(
        "--gpus-per-run",
        type=float,
        default=0.0,
        metavar="SHARE",
        help="of one GPU: 0.25 puts four runs on each (default: nothing is reserved)",
    )


def add_engine(parser: Options, engines: tuple[str, ...] = ("local", "ray")) -> None:
    """Where work runs."""
    parser.add_argument("--workers", type=count, metavar="N", help="processes (default: cores)")
    parser.add_argument("--engine", choices=engines, default="local")
    slurm = (
        '; with slurm its options, "partition=cpu,time=60,mem=4" (minutes, GB, others as in '
        'sbatch), or "local" for submitit\'s own processes'
    )
    parser.add_argument(
        "--address",
        help="of a Ray cluster (default: start one here)" + (slurm if "slurm" in engines else ""),
    )


def shards(options: argparse.Namespace) -> dict[str, Any]:
    """The options of `add_shards` as parameters of an action."""
    return {key: getattr(options, key) for key in ("workers", "engine", "address", "shard")}


def add_shards(parser: Options) -> None:
    """Where the shards of a step run, and which of them."""
    add_engine(parser)
    parser.add_argument(
        "--shard",
        metavar="K/N",
        help="do share K (from 0) of N of a job array; then run once without it to finish",
    )
