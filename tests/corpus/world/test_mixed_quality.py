"""The web is really of mixed quality: published filters drop its bad pages and few good ones."""

import polars as pl
import pytest

from lab.corpus.world.draws import stream
from lab.corpus.world.languages import LANGUAGES, foreign_page
from lab.corpus.world.phrases import fill
from lab.curation.filters.mask import fails
from lab.curation.presets import load_preset
from lab.curation.signals.batches import compute


@pytest.fixture(scope="module")
def dropped(corpus):
    """Share of documents that the FineWeb filters drop, by (source, quality)."""
    rows = [
        (r.id, r.source, r.draft.quality, r.draft.text)
        for r in corpus.values()
        if r.source in ("web", "encyclopaedia")
    ]
    frame = pl.DataFrame(rows, schema=["id", "source", "quality", "text"], orient="row")
    signals = compute(frame.select("id", "text")).drop("id", strict=False)
    failing = pl.any_horizontal(fails(rule) for rule in load_preset("fineweb-paper").rules)
    kept = frame.drop("text").hstack(signals).with_columns(drop=failing.fill_null(True))
    shares = kept.group_by("source", "quality").agg(pl.col("drop").mean())
    return {(source, quality): share for source, quality, share in shares.iter_rows()}


@pytest.mark.parametrize("quality", ["spam", "results", "list", "boilerplate", "foreign"])
def test_filters_drop_bad_pages(dropped, quality):
    assert dropped["web", quality] > 0.9


def test_filters_keep_good_pages(dropped):
    assert dropped["web", "good"] < 0.05
    assert dropped["encyclopaedia", "article"] < 0.05


def test_some_worthless_pages_pass_the_filters(dropped):
    """That is what a learned score is for."""
    assert dropped["web", "shop"] < 0.5
    assert dropped["web", "small talk"] < 0.5


def test_foreign_pages_come_in_all_languages():
    pages = [foreign_page(stream(0, number)) for number in range(60)]
    assert {page.language for page in pages} == set(LANGUAGES)
    assert not [page for page in pages if "{" in page.text]


def test_no_slot_is_left_unfilled(corpus):
    assert not [r.id for r in corpus.values() if "{" in r.draft.text or "}" in r.draft.text]


def test_articles_and_capitals_follow_their_word():
    assert fill(stream(0, 1), "{a:x} and {^x}", {"x": "oar"}) == "an oar and Oar"
    assert fill(stream(0, 1), "{^a:x}.", {"x": "lamp"}) == "A lamp."


def test_documents_are_varied(corpus):
    """Openings differ: no template stands at the head of more than a few documents."""
    good = [r.draft.text for r in corpus.values() if r.draft.quality in ("good", "article")]
    assert len({" ".join(text.split()[:12]) for text in good}) > 0.9 * len(good)
