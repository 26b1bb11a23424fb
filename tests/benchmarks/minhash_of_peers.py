"""MinHash-LSH of datasketch, or datatrove's signatures, on texts: prints the CPU seconds.

Run by `duplicates_against_peers.py` in the peers' environment, which holds other versions than
the lab. Both get 14 bands of 8 rows over 5-word shingles.
"""

import os
import sys
import tempfile
import time

os.environ["POLARS_MAX_THREADS"] = "1"
os.environ["OMP_NUM_THREADS"] = "1"

import polars as pl


def with_datasketch(texts: list[str]) -> None:
    from datasketch import MinHash, MinHashLSH

    index = MinHashLSH(num_perm=112, params=(14, 8))
    for k, text in enumerate(texts):
        words = text.lower().split()
        signature = MinHash(num_perm=112)
        signature.update_batch([" ".join(words[i : i + 5]).encode() for i in range(len(words) - 4)])
        index.query(signature)
        index.insert(str(k), signature)


def with_datatrove(texts: list[str]) -> None:
    from datatrove.pipeline.dedup.minhash import MinhashConfig, MinhashDedupSignature

    config = MinhashConfig(n_grams=5, num_buckets=14, hashes_per_bucket=8)
    stage = MinhashDedupSignature(tempfile.mkdtemp(), config=config)
    for text in texts:
        stage.get_signature(stage.get_shingles(text))


def main() -> None:
    search = {"datasketch": with_datasketch, "datatrove": with_datatrove}[sys.argv[1]]
    texts = pl.read_parquet(sys.argv[2])["text"].to_list()
    search(texts[:2])  # loads what is loaded once
    start = time.process_time()
    search(texts)
    print(time.process_time() - start)


if __name__ == "__main__":
    main()
