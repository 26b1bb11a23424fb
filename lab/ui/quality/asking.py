"""Ask a language model for labels: the settings, what it would cost, and the button.

Nothing is sent before the button; the estimate is a dry run of the same function. The key comes
from the environment of this server and is neither shown nor typed here. A prompt that is edited is
kept in the workspace under its hash, so a job that is resumed asks the same.
"""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import streamlit as st

from lab.core.errors import LabError
from lab.core.files import digest, write_text
from lab.core.workspace import Workspace
from lab.corpus.sources import get_source
from lab.curation.labels.endpoint import KEYS, connect, is_local
from lab.curation.labels.llm import label_with_llm
from lab.curation.labels.prompts import PROMPTS, SLOT, Prompt
from lab.curation.labels.spending import Budget, check_budget
from lab.ui.components import metrics
from lab.ui.formats import compact, count, number
from lab.ui.job_panel import start
from lab.ui.quality.found import report_of
from lab.ui.text import label, show_error, show_plain

ALL, UNNAMED = "all sources", "unnamed"
LOCAL = "http://localhost:8000/v1"  # where vLLM and others listen unless told otherwise


@dataclass(frozen=True, slots=True)
class Request:
    """What is asked of whom, and what it may cost."""

    name: str
    base_url: str
    model: str
    source: str | None
    count: int
    prompt: str
    template: str
    scale: str
    budget: Budget
    retry: bool

    def params(self, prompt: str) -> dict[str, Any]:
        """The parameters of the job `label`."""
        return {
            "name": self.name,
            "base_url": self.base_url,
            "model": self.model,
            "count": self.count,
            "source": self.source,
            "prompt": prompt,
            "scale": self.scale,
            "budget": self.budget.money,
            "budget_tokens": self.budget.tokens,
            "price_in": self.budget.question_price,
            "price_out": self.budget.answer_price,
            "retry": self.retry,
        }


def show_asking(ws: Workspace, sources: Sequence[str]) -> None:
    """Settings left, cost and button right."""
    left, right = st.columns([3, 2], gap="medium")
    with left:
        request = pick_request(sources)
    with right:
        show_key(request.base_url)
        try:
            found = estimate_of(ws, request, sources)
        except LabError as error:
            show_error(error)
            return
        show_cost(request, found)
        show_spent(ws, request)
        ready = may_start(request)
        if st.button(
            f"Ask for {count(found['to_ask'])} labels", key="ask", type="primary",
            icon=":material/send:", disabled=not ready,
        ):  # fmt: skip
            start(ws, "label", request.params(kept_prompt(ws, request)))
        st.caption(
            "A job of its own: it stops before the budget is exceeded, goes on where it was when "
            "it is started again, and never asks twice for the same text."
        )


def pick_request(sources: Sequence[str]) -> Request:
    """The settings of the page."""
    one, two = st.columns(2)
    name = one.text_input("Name of the labels", "educational", key="ask_name")
    source = two.selectbox("From", [ALL, *sources], key="ask_source")
    base_url = one.text_input(
        "Base URL", LOCAL, key="ask_url",
        help="Any endpoint that speaks OpenAI's chat completions: a vendor's, vLLM, llama.cpp, "
        "Ollama.",
    )  # fmt: skip
    model = two.text_input("Model", key="ask_model", placeholder="as the endpoint names it")
    wanted = one.number_input("Documents", 10, 100_000, 300, 10, key="ask_count")
    prompt = two.selectbox("Question", list(PROMPTS), key="ask_prompt")
    budget = pick_budget()
    template = PROMPTS[prompt].template
    with st.expander("The question, word for word"):
        template = st.text_area(
            f"Edit it if you like; {label(SLOT)} is where the document goes", template, height=340,
            key=f"ask_template.{prompt}",
        )  # fmt: skip
    retry = st.toggle("Ask again where the answer was nonsense", key="ask_retry")
    return Request(
        name.strip(), base_url.strip(), model.strip(), None if source == ALL else source,
        int(wanted), prompt, template, PROMPTS[prompt].scale, budget, retry,
    )  # fmt: skip


def pick_budget() -> Budget:
    """Prices and limits."""
    cells = st.columns(2)
    price_in = cells[0].number_input(
        "Price per million tokens asked", 0.0, None, 0.0, 0.1, key="ask_price_in", format="%.4g"
    )
    price_out = cells[1].number_input(
        "Price per million tokens answered", 0.0, None, 0.0, 0.1, key="ask_price_out", format="%.4g"
    )
    money = cells[0].number_input(
        "Spend at most", 0.0, None, None, 0.5, key="ask_budget", format="%.4g",
        placeholder="no limit in money", help="In the money of the prices.",
    )  # fmt: skip
    tokens = cells[1].number_input(
        "Use at most, million tokens", 0.0, None, 2.0, 0.5, key="ask_tokens", format="%.4g"
    )
    most = None if tokens is None else int(tokens * 1e6)
    return Budget(money, most, float(price_in), float(price_out))


def show_spent(ws: Workspace, request: Request) -> None:
    """What earlier runs for these labels used; the budget counts it."""
    report = report_of(ws, request.name)
    if report:
        tokens = report["question_tokens"] + report["answer_tokens"]
        st.caption(
            f"Used for these labels so far: {compact(tokens)} tokens, cost "
            f"{number(report['cost'], 3)}. The limits count it."
        )


def may_start(request: Request) -> bool:
    """True if everything needed is there; else it says what is missing."""
    if not request.model:
        st.caption("Name the model to go on.")
        return False
    if request.template.count(SLOT) != 1:
        st.caption("The question needs the place of the document in it, once.")
        return False
    try:
        check_budget(request.budget)
    except LabError as error:
        show_plain(error)
        return False
    return True


def show_key(base_url: str) -> None:
    """Where the key comes from and where the documents go."""
    found = next((name for name in KEYS if os.environ.get(name)), "")
    if found:
        st.caption(f"The key is taken from {label(found)} in the environment of this server.")
    else:
        st.caption(
            f"No key: neither {label(KEYS[0])} nor {label(KEYS[1])} is set in the environment of "
            "this server. A local endpoint needs none; for another, set it and start the server "
            "again."
        )
    host = urlsplit(base_url).hostname or ""
    if host and not is_local(host):
        st.warning(
            f"The beginnings of the documents leave this machine for {label(host)}.",
            icon=":material/outbound:",
        )


def estimate_of(ws: Workspace, request: Request, sources: Sequence[str]) -> dict[str, Any]:
    """The plan of a dry run; draws the documents, sends nothing."""
    connect(request.base_url, UNNAMED)
    names = [request.source] if request.source else list(sources)
    cache = ws.folder("labels", "llm-cache")
    answered = [(p.name, p.stat().st_size) for p in sorted(cache.glob("*.jsonl"))]
    ids = [get_source(ws, name).documents for name in names]
    key = digest([str(ws.root), ids, answered, request.model, request.template, request.retry])
    return cached_estimate(ws, request, tuple(names), key, request.count, request.budget)


@st.cache_data(max_entries=32, show_spinner="Estimating the cost")
def cached_estimate(
    _ws: Workspace, _request: Request, names: tuple[str, ...], key: str, wanted: int, budget: Budget
) -> dict[str, Any]:
    """The plan for `key`: 30 ms for 300 documents of the sample world, 2 s of a million."""
    report = label_with_llm(
        _ws,
        _request.name,
        names,
        count=wanted,
        base_url=_request.base_url,
        model=_request.model or UNNAMED,
        prompt=Prompt(_request.template, _request.scale),
        budget=budget,
        retry=_request.retry,
        dry_run=True,
    )
    plan: dict[str, Any] = report["estimate"]
    return plan


def show_cost(request: Request, found: dict[str, Any]) -> None:
    """Questions, tokens and money before anything is sent."""
    answered = found["documents"] - found["to_ask"]
    priced = request.budget.question_price + request.budget.answer_price > 0
    most = found["most_tokens"]
    tokens = found["question_tokens"] + found["answer_tokens"]
    metrics(
        [
            ("Questions", count(found["to_ask"]), f"{answered:,} of them answered already"),
            ("Tokens, likely", compact(tokens), "four bytes a token, 60 tokens an answer"),
            (
                "Cost, likely",
                number(found["cost"], 3) if priced else "no price",
                "at these prices per million tokens",
            ),
            (
                "At most",
                number(found["most_cost"], 3) if priced else f"{compact(most)} tokens",
                "one token a byte and the longest answers; the budget cuts it earlier",
            ),
        ]
    )  # fmt: skip


def kept_prompt(ws: Workspace, request: Request) -> str:
    """The name of the question, or the file that an edited one is kept in."""
    if request.template == PROMPTS[request.prompt].template:
        return request.prompt
    path = ws.folder("labels", "prompts", f"{digest(request.template)}.txt")
    path.parent.mkdir(parents=True, exist_ok=True)
    write_text(path, request.template)
    return str(path)
