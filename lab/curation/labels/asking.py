"""The loop that asks: a few questions at a time, each reserved before and settled after.

One thread decides and writes; the others only wait for answers. A question that the server may have
charged for without answering goes to the end of the queue and is reserved anew, at most `TRIES`
times; `FAILURES` questions in a row without an answer end the run.
"""

from collections import deque
from collections.abc import Iterator
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event
from typing import NamedTuple

from lab.core.errors import DependencyMissing
from lab.core.progress import Progress
from lab.curation.journal import Record, append
from lab.curation.labels.endpoint import Endpoint, ask
from lab.curation.labels.prompts import SHOWN, Prompt
from lab.curation.labels.replies import Failure, Reply
from lab.curation.labels.spending import Budget, Ledger, Tokens, bound

TRIES = 3  # of a document whose question was charged and not answered
FAILURES = 5  # in a row, after which the endpoint is given up
LONGEST_TOKEN = 32  # bytes a token; fewer tokens than that for a question are not believed


class Asked(NamedTuple):
    """One document in the queue: its question, and how often it was asked."""

    id: str
    text: str  # content hash
    question: str
    tries: int = 0


@dataclass
class Run:
    """What a run of questions shares: written by the main thread only."""

    endpoint: Endpoint
    prompt: Prompt
    budget: Budget
    ledger: Ledger
    cache: Path
    answers: dict[str, Record]
    failed: dict[str, str] = field(default_factory=dict)  # content hash: why
    in_a_row: int = 0
    unstated: int = 0  # answers without a usable statement of their tokens
    stopped: str = ""


def work(run: Run, queue: "deque[Asked]", concurrency: int, progress: Progress) -> None:
    """Ask until the queue is empty, the budget is used up, or the endpoint gives no answers.

    However it ends, answers in flight are waited for and kept: they are paid for.
    """
    total, stop = len(queue), Event()
    flying: dict[Future[Reply | Failure], tuple[Asked, int]] = {}
    with ExitStack() as at_end:
        pool = at_end.enter_context(ThreadPoolExecutor(concurrency))
        at_end.callback(lambda: finish(run, flying))
        at_end.callback(stop.set)
        while (queue and not run.stopped) or flying:
            for asked in next_questions(run, queue, concurrency - len(flying), bool(flying)):
                number = run.ledger.reserve(bound(asked.question, run.endpoint.answer_tokens))
                flying[pool.submit(ask, run.endpoint, asked.question, stop)] = (asked, number)
            done, _ = wait(flying, timeout=0.2, return_when=FIRST_COMPLETED)
            for future in done:
                asked, number = flying.pop(future)
                if settle(run, asked, number, future):
                    queue.append(asked._replace(tries=asked.tries + 1))
            progress(total - len(queue) - len(flying), max(total, 1), "asking the model")


def next_questions(run: Run, queue: "deque[Asked]", places: int, waiting: bool) -> Iterator[Asked]:
    """Questions that the budget allows now; says in `stopped` when there will be no more."""
    while queue and places > 0 and not run.stopped:
        most = bound(queue[0].question, run.endpoint.answer_tokens)
        if not run.budget.allows(run.ledger.committed.plus(most)):
            if not waiting:  # what is in flight may turn out cheaper than its bound
                run.stopped = "the budget does not cover another question"
            return
        places, waiting = places - 1, True
        yield queue.popleft()


def finish(run: Run, flying: dict[Future[Reply | Failure], tuple[Asked, int]]) -> None:
    """Keep the answers that are still under way."""
    wait(flying)
    for future, (asked, number) in flying.items():
        outcome = None if future.exception() else future.result()
        if isinstance(outcome, Reply):
            keep(run, asked, number, outcome)
        else:
            run.ledger.settle(number, charged(run, asked, outcome))


def settle(run: Run, asked: Asked, number: int, future: Future[Reply | Failure]) -> bool:
    """Write down what came of a question; True to ask it again. Raises what `ask` raised."""
    if future.exception() is not None:
        run.ledger.settle(number, Tokens())
    outcome = future.result()
    if isinstance(outcome, Failure):
        run.ledger.settle(number, charged(run, asked, outcome))
        return fail(run, asked, outcome)
    run.in_a_row = 0
    keep(run, asked, number, outcome)
    return False


def charged(run: Run, asked: Asked, failure: Failure | None) -> Tokens:
    """What a question without answer counts as: its bound, if the server may have done the work."""
    if failure is None or not failure.charged:
        return Tokens()
    return bound(asked.question, run.endpoint.answer_tokens)


def keep(run: Run, asked: Asked, number: int, reply: Reply) -> None:
    """Cache an answer, then settle its question."""
    used = used_tokens(run, asked, reply)
    label, why = run.prompt.read(reply.content)
    said = reply.content[:SHOWN].encode("utf-8", "replace").decode("utf-8")
    answer = {"text": asked.text, "label": label, "why": why, "said": run.endpoint.hide(said)}
    append(run.cache, [answer | {"used": used}])
    run.ledger.settle(number, used)
    run.answers[asked.text] = answer


def used_tokens(run: Run, asked: Asked, reply: Reply) -> Tokens:
    """What the server says it used, or the bound where it says nothing or too little to be true."""
    most = bound(asked.question, run.endpoint.answer_tokens)
    stated, answered = reply.prompt_tokens, reply.answer_tokens
    if stated is None or answered is None or stated < most.question // LONGEST_TOKEN:
        run.unstated += 1
        return most
    return Tokens(stated, answered)


def fail(run: Run, asked: Asked, failure: Failure) -> bool:
    """Count a question without answer; True to ask it again.

    Raises DependencyMissing after `FAILURES` in a row.
    """
    run.in_a_row += 1
    if run.in_a_row >= FAILURES:
        raise DependencyMissing(
            f"{FAILURES} questions in a row were not answered.",
            where=run.endpoint.url,
            value=failure.why,
            next_step="look at the endpoint, then run the same command: answers so far are kept",
        )
    if failure.again and asked.tries + 1 < TRIES:
        return True
    run.failed[asked.text] = failure.why
    return False
