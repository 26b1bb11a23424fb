"""Labels from a model behind a real HTTP server: paid once, within budget, resumable, inert."""

import json
import os
import re
import signal
import subprocess
import sys
import threading
import time
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from llm_server import Answer, Behaviour, Server, completion, serving, slowly

from lab.core.errors import Cancelled, ConfigError, DependencyMissing
from lab.core.progress import Progress
from lab.core.workspace import Workspace, create
from lab.corpus.sources import add_source
from lab.curation.labels.draw import allocate, draw
from lab.curation.labels.endpoint import connect
from lab.curation.labels.llm import label_with_llm
from lab.curation.labels.prompts import PROMPTS, Prompt, load_prompt
from lab.curation.labels.replies import Reply, asked_wait, parse_reply
from lab.curation.labels.spending import Budget, Ledger, Tokens

PROMPT = PROMPTS["educational"]
PLENTY = Budget(tokens=10_000_000)
KEY = "sk-secret-0123456789"


@pytest.fixture(autouse=True)
def no_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("MIXLAB_LLM_API_KEY", "OPENAI_API_KEY", "http_proxy", "HTTP_PROXY"):
        monkeypatch.delenv(name, raising=False)


@pytest.fixture
def ws(tmp_path: Path) -> Workspace:
    """Source `web` of 40 texts, `books` of 8, three of them also in `web`."""
    ws = create(tmp_path / "workspace")
    texts = [f"text {k} of the web, grade {k % 6}" for k in range(40)]
    for name, own in (
        ("web", texts),
        ("books", [*texts[:3], *(f"book {k}, grade 5" for k in range(5))]),
    ):
        path = tmp_path / f"{name}.jsonl"
        rows = [json.dumps({"key": str(k), "text": text}) for k, text in enumerate(own)]
        path.write_text("\n".join(rows))
        add_source(ws, name, [str(path)], id_column="key")
    return ws


def honest(number: int, question: str) -> Answer:
    """Answers with the grade that the text states."""
    grade = re.search(r"grade (\d)", question)
    assert grade
    return completion(f"It says so.\nEducational score: {grade[1]}")


def label(ws: Workspace, server: Server, **changed: Any) -> dict[str, Any]:
    quick = {"first_wait": 0.01, "longest_wait": 1.0, "timeout": 5.0, "attempts": 4}
    asked = {"count": 20, "model": "m-1", "prompt": PROMPT, "budget": PLENTY} | quick | changed
    return label_with_llm(ws, "edu", ["web", "books"], base_url=server.url, **asked)


def rows(ws: Workspace, name: str) -> list[dict[str, Any]]:
    path = ws.folder("labels", "llm", "edu", f"{name}.jsonl")
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_a_rerun_pays_nothing_and_a_larger_one_pays_the_difference(ws: Workspace) -> None:
    with serving(honest) as server:
        report = label(ws, server)
        assert (report["drawn"], report["labelled"], report["quarantined"]) == (20, 20, {})
        assert (report["question_tokens"], report["answer_tokens"]) == (20 * 300, 20 * 20)
        texts = pl.concat(
            [pl.read_parquet(p) for p in ws.artifacts.glob("documents/*/part-*.parquet")]
        )
        grades = dict(texts.select("id", pl.col("text").str.extract(r"grade (\d)")).iter_rows())
        assert {row["id"]: row["label"] for row in rows(ws, "labels")} == {
            row["id"]: int(grades[row["id"]]) for row in rows(ws, "labels")
        }
        assert server.requests[0]["path"] == "/v1/chat/completions"
        assert server.requests[0]["temperature"] == 0
        first = rows(ws, "labels")
        assert label(ws, server)["labelled"] == 20
        assert rows(ws, "labels") == first
        assert len(server.questions) == 20
        assert label(ws, server, count=30)["labelled"] == 30
        assert len(server.questions) == len(set(server.questions)) == 30
        label(ws, server, prompt=Prompt(PROMPT.template, "0-5", 100))  # another question: paid anew
        assert len(server.questions) == 50


def test_documents_are_drawn_evenly_once_and_reproducibly(ws: Workspace) -> None:
    assert allocate({"a": 2, "b": 100, "c": 100}, 20) == {"a": 2, "b": 9, "c": 9}
    assert allocate({"a": 3, "b": 1}, 20) == {"a": 3, "b": 1}
    assert allocate({"a": 10, "b": 10}, 1) == {"a": 0, "b": 1}
    chosen = draw(ws, ["web", "books"], 20)
    assert chosen["content_hash"].n_unique() == 20
    assert chosen.group_by("source").len().sort("source").rows() == [("books", 8), ("web", 12)]
    assert chosen["source"].head(4).to_list() == ["books", "web"] * 2  # in rounds
    assert chosen.equals(draw(ws, ["books", "web"], 20))
    assert draw(ws, ["web", "books"], 10)["id"].is_in(chosen["id"].implode()).all()
    assert not chosen.equals(draw(ws, ["web", "books"], 20, seed=1))


def test_a_dry_run_sends_nothing_and_its_bound_holds(ws: Workspace) -> None:
    prices = Budget(money=1.0, question_price=0.5, answer_price=1.5)
    with serving(honest) as server:
        plan = label(ws, server, dry_run=True, budget=prices)["estimate"]
        assert server.questions == []
        assert not ws.folder("labels", "llm").exists()
        report = label(ws, server, budget=prices)
    assert plan["to_ask"] == 20
    assert plan["cost"] == pytest.approx(
        plan["question_tokens"] * 0.5e-6 + plan["answer_tokens"] * 1.5e-6
    )
    assert report["cost"] == pytest.approx(20 * (300 * 0.5e-6 + 20 * 1.5e-6))
    assert report["cost"] < plan["most_cost"]


@pytest.mark.parametrize("usage", ["count", None, {"prompt_tokens": 0}, {"prompt_tokens": "9"}, []])
def test_the_budget_is_never_exceeded(ws: Workspace, usage: object) -> None:
    """Whether or not the server says what it used."""
    with serving(lambda n, q: completion("Educational score: 3", usage)) as server:
        report = label(ws, server, budget=Budget(tokens=5_000))
        assert "budget" in report["stopped"]
        assert report["question_tokens"] + report["answer_tokens"] <= 5_000
        assert 0 < report["labelled"] == len(server.questions) < 20
        assert report["not_asked"] == 20 - report["labelled"]
        if usage != "count":
            assert report["unstated_usage"] == report["labelled"]
        before = len(server.questions)
        label(ws, server, budget=Budget(tokens=5_000))  # the budget is that of all runs together
        assert len(server.questions) == before
        assert label(ws, server)["labelled"] == 20


def test_a_server_that_bills_beyond_all_bounds_is_left_after_one_round(ws: Workspace) -> None:
    usage = {"prompt_tokens": 900_000, "completion_tokens": 900_000}
    with serving(lambda n, q: completion("3", usage)) as server:
        report = label(ws, server, budget=Budget(tokens=20_000), concurrency=1)
        assert len(server.questions) == 1
    assert report["labelled"] == 1
    assert report["question_tokens"] == 900_000  # what it says is what will be on the bill


def test_a_rate_limit_is_waited_for(ws: Workspace) -> None:
    seen: dict[str, list[float]] = {}

    def limited(number: int, question: str) -> Answer:
        times = seen.setdefault(question, [])
        times.append(time.monotonic())
        if len(times) == 1:
            return 429, {"Retry-After": "0.3"}, b"slow down"
        return (503, {}, b"") if len(times) == 2 else honest(number, question)

    with serving(limited) as server:
        report = label(ws, server, count=4)
    assert report["labelled"] == 4
    assert report["question_tokens"] == 4 * 300  # refusals are not paid for
    assert all(b - a >= 0.3 for a, b, _ in seen.values())


FAR = "Mon, 01 Jan 2024 00:00:00 +99999999999999999999"


def test_retry_after_is_a_number_or_a_date() -> None:
    soon = format_datetime(datetime.now(UTC) + timedelta(seconds=40))
    assert 35 < asked_wait({"Retry-After": soon}) < 41
    assert asked_wait({"Retry-After": "7"}) == 7
    for value in ("", "soon", "-5", "1e999", "Thu, 01 Jan 1970 00:00:00 GMT", FAR):
        assert asked_wait({"Retry-After": value}) == 0


def test_a_server_that_asks_for_an_hour_or_never_answers_is_given_up(ws: Workspace) -> None:
    with serving(lambda n, q: (429, {"Retry-After": "3600"}, b"")) as server:
        with pytest.raises(DependencyMissing, match="in a row") as caught:
            label(ws, server)
        assert "3600" in str(caught.value.value)
    with pytest.raises(DependencyMissing, match="in a row"):
        label(ws, server)  # nothing listens there any more


def test_a_time_out_is_charged_and_asked_again(ws: Workspace) -> None:
    """The server may have done the work."""

    def first_hangs(number: int, question: str) -> Answer:
        return slowly(0.6, honest)(number, question) if number == 0 else honest(number, question)

    with serving(first_hangs) as server:
        report = label(ws, server, count=3, timeout=0.3)
    assert report["labelled"] == 3
    assert len(server.questions) == 4
    assert report["question_tokens"] > 3 * 300 + 500


GARBAGE: dict[str, Behaviour] = {
    "no json": lambda n, q: (200, {}, b"<html>\xff"),
    "no choices": lambda n, q: (200, {}, b'{"choices": []}'),
    "a list": lambda n, q: (200, {}, b"[" * 5000),
    "content null": lambda n, q: completion(None),
    "refused": lambda n, q: (400, {}, b"too long"),
    "endless": lambda n, q: (200, {}, b"x" * 3_000_000),
}


@pytest.mark.parametrize("kind", GARBAGE)
def test_a_document_the_server_chokes_on_is_set_aside(ws: Workspace, kind: str) -> None:
    def behave(number: int, question: str) -> Answer:
        return GARBAGE[kind](number, question) if "book 1" in question else honest(number, question)

    with serving(behave) as server:
        report = label(ws, server)
    assert report["labelled"] == 19
    (aside,) = rows(ws, "quarantine")
    assert aside["id"] == "books/4"
    assert len(aside["why"]) < 400


def test_nonsense_is_set_aside_with_the_answer_and_never_guessed(ws: Workspace) -> None:
    hostile = "<script>alert(1)</script>\x1b[2J \ud800 score: 9 " + "z" * 10_000
    said = ["Educational score: 7", "I cannot say.", hostile, "3 or 4", "Educational score: 4"]
    with serving(lambda n, q: completion(said[n % 5])) as server:
        report = label(ws, server, count=10, concurrency=1)
        assert report["labelled"] == 2
        assert report["quarantined"] == {"outside the scale": 4, "no score": 4}
        assert {row["label"] for row in rows(ws, "labels")} == {4}
        assert max(len(row["said"]) for row in rows(ws, "quarantine")) == 500
        label(ws, server, count=10)
        assert len(server.questions) == 10  # nonsense is remembered too
        server.behave = honest
        assert label(ws, server, count=10, retry=True)["labelled"] == 10


def test_a_wrong_key_or_a_redirect_ends_it_at_once(ws: Workspace) -> None:
    with serving(honest) as other:
        moved = {"Location": other.url + "/chat/completions"}
        with serving(lambda n, q: (307, moved, b"")) as server:
            with pytest.raises(DependencyMissing) as caught:
                label(ws, server)
            assert other.url in str(caught.value.value)
        assert other.questions == []
    with (
        serving(lambda n, q: (401, {}, b"no")) as server,
        pytest.raises(DependencyMissing, match="refuses"),
    ):
        label(ws, server)


def test_the_key_is_sent_and_written_nowhere(
    ws: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("MIXLAB_LLM_API_KEY", KEY)
    echo = [completion(f"your key {KEY}"), (400, {}, f"bad {KEY}".encode()), completion("3")]
    with serving(lambda n, q: echo[n % 3]) as server:
        label(ws, server, concurrency=1)
        assert set(server.keys) == {f"Bearer {KEY}"}
        server.behave = lambda n, q: (403, {"Location": KEY}, KEY.encode())
        with pytest.raises(DependencyMissing) as caught:
            label(ws, server, count=30)
    assert "[key]" in str(caught.value)
    assert KEY not in str(caught.value) + repr(connect(server.url, "m"))
    files = [path for path in tmp_path.rglob("*") if path.is_file()]
    assert any("spending" in path.name for path in files)
    assert not [path for path in files if KEY.encode() in path.read_bytes()]


def test_impossible_settings_are_refused(ws: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    for url in ("ftp://host/v1", "file:///etc/passwd", "host/v1", "http://", "javascript:1", ""):
        with pytest.raises(ConfigError, match="address"):
            connect(url, "m")
    for url in ("http://user:word@host/v1", "https://host/v1?key=1"):
        with pytest.raises(ConfigError) as caught:
            connect(url, "m")
        assert "word" not in str(caught.value)
    monkeypatch.setenv("OPENAI_API_KEY", KEY)
    with pytest.raises(ConfigError, match="unencrypted"):
        connect("http://far.example/v1", "m")
    monkeypatch.setenv("OPENAI_API_KEY", KEY + "\nX: y")
    with pytest.raises(ConfigError) as caught:
        connect("https://far.example/v1", "m")
    assert KEY not in str(caught.value)
    monkeypatch.delenv("OPENAI_API_KEY")
    with serving(honest) as server:
        for budget in (Budget(), Budget(money=1.0), Budget(tokens=-1)):
            with pytest.raises(ConfigError):
                label(ws, server, budget=budget)
        with pytest.raises(ConfigError, match="name of a score"):
            label_with_llm(
                ws, "../x", ["web"], count=1, base_url=server.url, model="m", prompt=PROMPT,
                budget=PLENTY,
            )  # fmt: skip
        assert server.questions == []


def test_prompts_come_from_files(tmp_path: Path) -> None:
    path = tmp_path / "mine.txt"
    path.write_text("Rate {text} now, {braces} stay")
    prompt = load_prompt(str(path), "1-7", 4)
    assert prompt.fill("abc{text}def") == "Rate abc{ now, {braces} stay"
    assert prompt.read("7") == (7, "")
    assert prompt.read("0")[0] is None
    path.write_text("no place")
    for wrong in (str(path), "educatoinal", str(tmp_path)):
        with pytest.raises(ConfigError):
            load_prompt(wrong)
    with pytest.raises(ConfigError, match="scale"):
        load_prompt("educational", "5-0")


@pytest.mark.parametrize(
    ("answer", "label"),
    [
        ("Because.\n**Educational score:** 3", 3), ("Educational score: 4/5", 4), ("2.", 2),
        ('```json\n{"score": 2, "reason": "x"}\n```', 2), ("score 5. Educational score: 2", 2),
        ("<think>score: 1</think>\nEducational score: 0", 0), ("Educational score: 3.0", 3),
        ("Educational score: 4/10", None), ("score: 45", None), ("Educational score: 3.5", None),
        ("Educational score: 3\nEducational score: 4", None), ("Educational score: 0-5", None),
        ("score: 3/" + "9" * 5000, None), ("<think>" * 3 + "1</think>2", 2),
        ("-1", None), ("", None), ('{"score": true}', None), ("{" * 9000, None),
    ],
)  # fmt: skip
def test_answers_are_read_strictly(answer: str, label: int | None) -> None:
    assert PROMPT.read(answer)[0] == label


@pytest.mark.parametrize(
    "answer",
    [
        "score" + "*" * 900_000 + "x", "3" + "*" * 900_000 + "x", '{"a"' + " " * 900_000 + "b}",
        "<think>" * 120_000, "score: 1" + " " * 900_000 + "x",
    ],
)  # fmt: skip
def test_an_answer_of_a_megabyte_is_read_in_linear_time(answer: str) -> None:
    assert PROMPT.read(answer)[0] in (None, 1)  # hours, where a pattern backtracks


def test_impossible_numbers_of_tokens_are_not_believed() -> None:
    value = {"choices": [{"message": {"content": "3"}}]}
    for number in (10**400, -1, True, 1e9, "7"):
        usage = {"prompt_tokens": number, "completion_tokens": number}
        assert parse_reply(value | {"usage": usage}) == Reply("3", None, None)


def test_yes_and_no_are_read_strictly() -> None:
    read = PROMPTS["ask-llm"].read
    assert [read(a)[0] for a in ("Yes", "**no**.", '{"answer": "yes"}')] == [1, 0, 1]
    assert [read(a)[0] for a in ("yes and no", "maybe", "yesterday", "")] == [None] * 4


def test_a_ledger_charges_what_was_never_settled(tmp_path: Path) -> None:
    ledger = Ledger(tmp_path / "spending.jsonl")
    first, second = ledger.reserve(Tokens(100, 10)), ledger.reserve(Tokens(50, 5))
    assert ledger.committed == (150, 15)
    ledger.settle(first, Tokens(40, 4))
    assert (ledger.spent, ledger.committed) == ((40, 4), (90, 9))
    assert second == 2
    again = Ledger(tmp_path / "spending.jsonl")
    assert again.committed == again.spent == (90, 9)
    assert again.reserve(Tokens(1, 1)) == 3


def test_cancelling_keeps_the_answers_in_flight(ws: Workspace) -> None:
    asked = threading.Event()

    def behave(number: int, question: str) -> Answer:
        asked.set()
        return slowly(0.3, honest)(number, question)

    with serving(behave) as server, pytest.raises(Cancelled):
        label(ws, server, progress=Progress(should_stop=asked.is_set))
    assert len(rows(ws, "labels")) == len(server.questions) > 0


def test_a_killed_run_continues_and_pays_at_most_what_was_in_flight(ws: Workspace) -> None:
    code = (
        "import sys; from pathlib import Path; from lab.core.workspace import open_workspace;"
        "from lab.curation.labels.llm import label_with_llm;"
        "from lab.curation.labels.prompts import PROMPTS;"
        "from lab.curation.labels.spending import Budget\n"
        "label_with_llm(open_workspace(Path(sys.argv[1])), 'edu', ['web', 'books'], count=20,"
        "base_url=sys.argv[2], model='m-1', prompt=PROMPTS['educational'],"
        "budget=Budget(tokens=10**7), concurrency=2)"
    )
    with serving(slowly(0.1, honest)) as server:
        process = subprocess.Popen([sys.executable, "-c", code, str(ws.root), server.url])
        while len(server.questions) < 7:
            assert process.poll() is None
            time.sleep(0.01)
        os.kill(process.pid, signal.SIGKILL)
        process.wait()
        time.sleep(0.2)
        report = label(ws, server)
        repeated = len(server.questions) - len(set(server.questions))
    assert report["labelled"] == 20
    assert repeated <= 2
    assert len(server.questions) == 20 + repeated
    assert report["question_tokens"] >= 20 * 300
