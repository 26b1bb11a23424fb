"""Tokenizers of a workspace: trained here, or brought from a file, a folder or the hub.

Training is byte-level BPE (Sennrich et al. 2016; bytes as in GPT-2, Radford et al. 2019): text is
split by GPT-2's pattern, and the commonest pair of neighbouring symbols is merged until the
vocabulary is full. All 256 bytes are in it, so nothing is ever unknown. It is trained on the union
of the sources, because a tokenizer trained on one of them would flatter that one; never on held-out
documents; above 64 MB on a sample chosen by content hash, whose size is recorded. The result is the
same file on every run. Cost: 3.5 MB of text a second on two cores.

Losses per token cannot be compared across tokenizers; bits per byte can.

The vocabulary holds an end-of-text token that no document can contain: text that spells it is
encoded as ordinary characters (`encode_special_tokens`), or a page about language models would end
documents in their middle.
"""

from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import polars as pl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

from lab.core.artifacts import Artifact
from lab.core.errors import ArtifactMissing, ConfigError, nearest
from lab.core.files import confined, file_sha256, new_folder, read_json, read_yaml, write_yaml
from lab.core.progress import SILENT, Progress
from lab.core.settings import from_mapping
from lab.core.workspace import Workspace
from lab.corpus.readers.hub import download_tokenizer
from lab.corpus.sources import NAME, documents, list_sources

EOT = "<|endoftext|>"
SMALLEST = 257  # 256 bytes and the end-of-text token
SAMPLE_BYTES = 64_000_000  # of text to train on: more changes few merges of a small vocabulary
SHARES = 1 << 32
LONGEST_RUN = 1000  # characters of a word, or of white space, that are trained on as one
ENDLESS = rf"\S{{{LONGEST_RUN}}}|\s{{{LONGEST_RUN}}}"


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known about a tokenizer; stored as `tokenizer.yaml` beside it."""

    name: str
    origin: str  # "trained", or the path or hub id it was read from
    vocab_size: int  # special tokens included
    eot_token: str
    eot_id: int
    sources: dict[str, str]  # source -> documents artifact it was trained on
    trained_bytes: int  # of text in the sample it was trained on; 0 if it was not trained here
    available_bytes: int  # of text in those sources, held-out documents included


def train_tokenizer(
    ws: Workspace,
    name: str,
    vocab_size: int = 4096,
    sources: Sequence[str] | None = None,
    progress: Progress = SILENT,
    sample_bytes: int = SAMPLE_BYTES,
) -> Facts:
    """Train a byte-level BPE of `vocab_size` tokens on `sources` (default: all).

    It is stored as `name`. A small corpus may fill less than `vocab_size`; `Facts.vocab_size` is
    what came out. Raises ConfigError if the name is taken or impossible, the size is too small, or
    there is no source.
    """
    check_new(ws, name)
    if not SMALLEST <= vocab_size <= SHARES:
        raise ConfigError(
            "This is no size for a byte-level vocabulary.",
            value=vocab_size,
            next_step=f"choose {SMALLEST} or more; 4096 suits proxies",
        )
    chosen = sorted(set(sources)) if sources is not None else [s.name for s in list_sources(ws)]
    if not chosen:
        raise ConfigError("There is no source to train on.", next_step="mixlab add NAME PATH")
    artifacts = {source: documents(ws, source) for source in chosen}
    available = sum(int(a.manifest["counts"]["bytes"]) for a in artifacts.values())
    sample = Sample(artifacts, min(1.0, sample_bytes / available), progress)
    tokenizer = new_bpe()
    tokenizer.train_from_iterator(sample.texts(), bpe_trainer(vocab_size))
    facts = Facts(
        name=name,
        origin="trained",
        vocab_size=tokenizer.get_vocab_size(),
        eot_token=EOT,
        eot_id=token_id(tokenizer, EOT),
        sources={source: artifact.id for source, artifact in artifacts.items()},
        trained_bytes=sample.bytes,
        available_bytes=available,
    )
    store(ws, facts, tokenizer)
    return facts


def new_bpe() -> Tokenizer:
    """An empty byte-level BPE with GPT-2's splitting pattern."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    return tokenizer


def bpe_trainer(vocab_size: int) -> trainers.BpeTrainer:
    """A trainer that keeps all bytes and the end-of-text token (id 0)."""
    return trainers.BpeTrainer(
        vocab_size=vocab_size,
        special_tokens=[EOT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )


@dataclass(slots=True)
class Sample:
    """The training text of some sources: all of it, or `share` of the documents by content hash."""

    artifacts: dict[str, Artifact]
    share: float
    progress: Progress
    bytes: int = 0  # delivered so far

    def texts(self) -> Iterator[list[str]]:
        """Yield the texts of one part after another, held-out documents left out."""
        parts = [part for artifact in self.artifacts.values() for part in artifact.parts]
        # digits 8-15: the held-out split has used the first eight
        draw = pl.col("content_hash").str.slice(8, 8).str.to_integer(base=16)
        train = ~pl.col("heldout") & (draw < self.share * SHARES)
        for number, part in enumerate(parts):
            self.progress(number, len(parts), "training a tokenizer")
            frame = pl.scan_parquet(part).filter(train).select("text", "bytes").collect()
            self.bytes += int(frame["bytes"].sum())
            yield in_pieces(frame["text"])


def in_pieces(texts: pl.Series) -> list[str]:
    """`texts`, those with an endless word in pieces of `LONGEST_RUN` characters.

    Training takes time quadratic in the length of a word: 2.4 s for 80,000 times `a`.
    """
    endless = texts.str.contains(ENDLESS)
    cut = [
        text[start : start + LONGEST_RUN]
        for text in texts.filter(endless)
        for start in range(0, len(text), LONGEST_RUN)
    ]
    return [*texts.filter(~endless), *cut]


def add_tokenizer(ws: Workspace, name: str, path_or_hub_id: str) -> Facts:
    """Store the tokenizer of a `tokenizer.json`, a folder with one, or a hub model, as `name`.

    Truncation and padding that the file asks for are switched off: they would cut documents. Its
    end of text is `<|endoftext|>` if it has that, else its `eos_token`, else one is added.
    """
    check_new(ws, name)
    path = Path(path_or_hub_id).expanduser()
    if not path.exists():
        path = download_tokenizer(path_or_hub_id)
    file = path / "tokenizer.json" if path.is_dir() else path
    tokenizer = read_tokenizer(file)
    tokenizer.no_truncation()
    tokenizer.no_padding()
    eot = choose_eot(tokenizer, file.with_name("tokenizer_config.json"))
    facts = Facts(
        name=name,
        origin=path_or_hub_id,
        vocab_size=tokenizer.get_vocab_size(),
        eot_token=eot,
        eot_id=token_id(tokenizer, eot),
        sources={},
        trained_bytes=0,
        available_bytes=0,
    )
    store(ws, facts, tokenizer)
    return facts


def read_tokenizer(file: Path) -> Tokenizer:
    """The tokenizer in a `tokenizer.json`; ConfigError if there is none."""
    if not file.is_file():
        raise ConfigError(
            "There is no tokenizer.json here.",
            where=str(file),
            next_step="in Python: transformers.AutoTokenizer.from_pretrained(DIR)"
            ".save_pretrained(NEW_DIR), then name NEW_DIR",
        )
    try:
        return Tokenizer.from_file(str(file))
    except Exception as error:  # tokenizers raises nothing narrower
        raise ConfigError(
            "This is no tokenizer file.",
            where=str(file),
            value=str(error),
            next_step="name a tokenizer.json, or a folder that holds one",
        ) from error


def choose_eot(tokenizer: Tokenizer, config: Path) -> str:
    """The token that ends a document, added to `tokenizer` if it has none."""
    if tokenizer.token_to_id(EOT) is not None:
        return EOT
    named: Any = read_json(config).get("eos_token") if config.is_file() else None
    token = named.get("content") if isinstance(named, dict) else named
    if isinstance(token, str) and tokenizer.token_to_id(token) is not None:
        return token
    tokenizer.add_special_tokens([EOT])
    return EOT


def token_id(tokenizer: Tokenizer, token: str) -> int:
    """The id of a token that the vocabulary is known to hold."""
    found = tokenizer.token_to_id(token)
    assert found is not None, token
    return found


def check_new(ws: Workspace, name: str) -> None:
    """ConfigError unless `name` is a possible and free name of a tokenizer."""
    if not NAME.fullmatch(name):
        raise ConfigError(
            "This cannot be the name of a tokenizer.",
            value=name,
            next_step="use a-z, 0-9, '-' and '_', beginning with a letter or digit, at most 63",
        )
    if name in list_tokenizers(ws):
        raise ConfigError(
            "A tokenizer of this name exists; runs and counts depend on it.",
            where=str(folder_of(ws, name)),
            value=name,
            next_step="choose another name",
        )


def store(ws: Workspace, facts: Facts, tokenizer: Tokenizer) -> None:
    """Write both files of a tokenizer; the folder appears whole."""
    with new_folder(folder_of(ws, facts.name)) as folder:
        tokenizer.save(str(folder / "tokenizer.json"))
        write_yaml(folder / "tokenizer.yaml", asdict(facts))


def folder_of(ws: Workspace, name: str) -> Path:
    """Where a tokenizer is stored."""
    return confined(ws.tokenizers, name)


def list_tokenizers(ws: Workspace) -> list[str]:
    """Names of the tokenizers, sorted."""
    return sorted(path.parent.name for path in ws.tokenizers.glob("[!.]*/tokenizer.yaml"))


def default_tokenizer(ws: Workspace) -> str:
    """The tokenizer that was made first, so that adding another changes no count shown by default;
    ArtifactMissing if there is none.
    """
    files = list(ws.tokenizers.glob("[!.]*/tokenizer.yaml"))
    if not files:
        raise ArtifactMissing(
            "This workspace has no tokenizer.",
            where=str(ws.tokenizers),
            next_step="`mixlab measure` trains one on all sources",
        )
    return min(files, key=lambda path: (path.stat().st_mtime_ns, path.parent.name)).parent.name


def tokenizer_facts(ws: Workspace, name: str) -> Facts:
    """What is known about a tokenizer; ConfigError that names the nearest if there is none."""
    path = folder_of(ws, name) / "tokenizer.yaml"
    if not path.is_file():
        raise ConfigError(
            "There is no such tokenizer.", value=name, next_step=nearest(name, list_tokenizers(ws))
        )
    return from_mapping(Facts, read_yaml(path), str(path))


def load_tokenizer(ws: Workspace, name: str) -> Tokenizer:
    """A tokenizer that encodes the spelling of special tokens as ordinary text."""
    tokenizer_facts(ws, name)
    tokenizer = read_tokenizer(folder_of(ws, name) / "tokenizer.json")
    tokenizer.encode_special_tokens = True  # not stored in the file
    return tokenizer


def tokenizer_id(ws: Workspace, name: str) -> str:
    """The hash of a tokenizer's file: what counts and runs depend on."""
    tokenizer_facts(ws, name)
    return file_sha256(folder_of(ws, name) / "tokenizer.json")[:20]


def eot_id(ws: Workspace, name: str) -> int:
    """The id of the token that ends a document."""
    return tokenizer_facts(ws, name).eot_id


def vocab_size(ws: Workspace, name: str) -> int:
    """Number of tokens, special ones included."""
    return tokenizer_facts(ws, name).vocab_size
