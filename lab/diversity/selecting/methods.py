"""The table of methods: how documents are chosen, and what to call those that are not.

    method            a document stays if it is                       cost beside the embeddings
    random            drawn                                           none: the baseline
    semdedup          not much like one before it                     n x 1,000 cosines
    d4                that, and not the middle of its topic           the same and k-means twice
    clusters          of a topic that has given few tokens yet        k-means
    mmr               relevant, or far from all chosen                n x 2,048 cosines, twice
    quality-diversity good, times far from all chosen                 the same
    dpp               adding volume to all chosen                     the same, and k^2 a block
    facility          near to many that no chosen one is near to      the same

None knows what a text says but by its embedding: the first 256 word pieces, topic before wording.
Breadth for its own sake rewards junk, which is unlike everything; give a quality score, or filter
first. Libraries exist (pyversity 0.2.0 for MMR and DPP, an oracle of the tests): they take a number
of documents and not of tokens, hold n x k numbers, and take negative cosines for zero.
"""

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from lab.diversity.layout.cluster import choose_k, find_clusters
from lab.diversity.layout.partition import FITTED, Partition, centre
from lab.diversity.selecting.blocks import in_blocks
from lab.diversity.selecting.earlier import largest_earlier
from lab.diversity.selecting.greedy import dpp, facility, mmr, product
from lab.diversity.selecting.problem import F32, Method, Problem, Rows, fill
from lab.diversity.selecting.vectors import Vectors, mean_of, pieces

DUPLICATE = 0.95  # cosine: 1 - epsilon, the epsilon of `mixlab dedup --semantic`
SPEED = {  # tests/benchmarks/selecting_at_size.py: 200,000 vectors of 384 dimensions, one core
    "random": 100_000,
    "semdedup": 3900,
    "d4": 2800,
    "clusters": 12_000,
    "mmr": 13_000,
    "quality-diversity": 13_000,
    "dpp": 1000,
    "facility": 4300,
}
DEDUP_SHARE = 0.75  # R_dedup of D4: what SemDeDup leaves for the second step


@dataclass(frozen=True, slots=True)
class Entry:
    """A method: `order` gives rows, best first; `absent` names why a row is not in it, `beyond` why
    one in it is not chosen. `label` is for people, as are one sentence each on what it `does`, what
    it `costs` and where it `fails`. `speed`: documents a second at half of the tokens. A quality
    changes nothing where `reads_quality` is False.
    """

    order: Method
    label: str
    absent: str
    beyond: str
    does: str
    costs: str
    fails: str
    speed: int
    needs_quality: bool = False
    reads_quality: bool = True

    def seconds(self, documents: int) -> float:
        """About how long choosing takes on one core, without reading and measuring."""
        return documents / self.speed


def order_random(problem: Problem) -> Rows:
    """By chance: the rows are in such an order. No paper, no cost; the baseline. Sees nothing."""
    return np.arange(len(problem))


def order_semdedup(problem: Problem) -> Rows:
    """Semantic de-duplication: by M, the largest cosine to an earlier document of the same cluster,
    lowest first; none above `DUPLICATE`.

    SemDeDup (Abbas et al. 2023, arXiv:2303.09540): drop where M > 1 - epsilon, and choose epsilon
    by the size that is to be left; here the budget does, so 1 - epsilon is the M of the last that
    fits, and `DUPLICATE` at most. What is left may be less than the budget. Cost: 1,000 cosines a
    document and k-means of n / 1,000 clusters. A pair that k-means separates is not seen; a copy of
    a dropped document is dropped too; topics are not balanced.
    """
    largest, _ = largest_earlier(problem.vectors, "hash", problem.progress)
    order = np.argsort(largest, kind="stable")
    return order[largest[order] <= DUPLICATE]


def order_d4(problem: Problem) -> Rows:
    """Prototype removal after de-duplication: farthest from the centroid of its cluster first.

    D4 (Tirumala et al. 2023, arXiv:2308.12284): SemDeDup to a share of .75 (or to the budget, if
    that is more), clusters of what is left anew, then drop the most prototypical (Sorscher et al.
    2022, arXiv:2206.14486). Clusters lie in the centred space. Cost: that of `semdedup` and k-means
    of sqrt(n / 10) clusters. Far from a centroid lies also what belongs nowhere: junk is kept, and
    a large bland topic is thinned although it may be the useful one.
    """
    share = DEDUP_SHARE * float(problem.tokens.sum())
    left = np.sort(fill(order_semdedup(problem), problem.tokens, max(share, problem.budget)))
    if not len(left):
        return left
    _, distance = cluster(problem.take(left, problem.budget))
    return left[np.argsort(-distance, kind="stable")]


def order_clusters(problem: Problem) -> Rows:
    """Cluster-balanced: each cluster gives the same number of tokens, until it has no more.

    As ClusterClip (Shao et al. 2024, arXiv:2402.14526), without repeating documents. Order: by the
    tokens that the cluster has given before; in a cluster the more relevant first, else by chance.
    Cost: k-means of sqrt(n / 10) clusters. It is blind inside a cluster, copies stay; small
    clusters are kept whole, also those of junk.
    """
    numbers, _ = cluster(problem)
    inside = np.lexsort((np.arange(len(problem)), -problem.worth, numbers))
    tokens = problem.tokens[inside]
    before = np.cumsum(tokens, dtype=np.int64) - tokens
    first = np.flatnonzero(np.diff(numbers[inside], prepend=-1))
    starts = np.repeat(before[first], np.diff(first, append=len(inside)))
    return inside[np.lexsort((inside, before - starts))]


def cluster(problem: Problem) -> tuple[Rows, F32]:
    """Cluster number of each document, and its distance to the centroid in the centred space."""
    found = partition_of(problem.vectors, problem.seed)
    numbers, distance = np.empty(len(problem), np.int64), np.empty(len(problem), np.float32)
    for own, piece in pieces(problem.vectors):
        numbers[own] = found.assign(piece)
        gap = centre(piece, found.mean) - found.centroids[numbers[own]]
        distance[own] = np.linalg.norm(gap, axis=1)
    return numbers, distance


def partition_of(vectors: Vectors, seed: int) -> Partition:
    """k-means of at most `FITTED` vectors, centred on the mean of all."""
    mean = mean_of(vectors)
    rows = np.sort(np.random.default_rng(seed).permutation(len(vectors))[:FITTED])
    found = find_clusters(centre(vectors[rows], mean), choose_k(len(vectors)), seed)
    return Partition(found.centroids, mean)


LESS = "adds less"
PAIRS = "All pairs of blocks of 2,048 documents"
METHODS: Mapping[str, Entry] = {
    "random": Entry(
        order_random, "drawn by chance", "", "not drawn",
        "Uniform sampling: the baseline that every other method has to beat.",
        "Nothing beside reading.",
        "Copies and the commonest topics come as often as they are there.",
        SPEED["random"], reads_quality=False,
    ),
    "semdedup": Entry(
        order_semdedup, "semantic de-duplication (SemDeDup)", "duplicate", "like another",
        "Drops near copies of an earlier document of the same k-means cluster: all above a cosine "
        "of 0.95, then the nearest first until the budget is met.",
        "k-means of n / 1,000 clusters and 1,000 cosines a document.",
        "Pairs that k-means separates stay; topics are not balanced; stories of one kind count as "
        "copies.",
        SPEED["semdedup"], reads_quality=False,
    ),
    "d4": Entry(
        order_d4, "prototype removal (D4)", "like another", "prototypical",
        "De-duplicates, clusters anew, then drops what lies nearest the centroids.",
        "That of SemDeDup and k-means of up to 64 clusters.",
        "Junk that scatters lies far from every centroid and stays (junk made by a template goes); "
        "a large bland topic is thinned even if it is the useful one.",
        SPEED["d4"], reads_quality=False,
    ),
    "clusters": Entry(
        order_clusters, "cluster-balanced sampling", "", "cluster is full",
        "Takes the same number of tokens from every cluster, the better documents first.",
        "k-means of up to 64 clusters.",
        "Copies inside a cluster stay; small clusters are kept whole, those of junk too.",
        SPEED["clusters"],
    ),
    "mmr": Entry(
        lambda p: in_blocks(p, mmr), "maximal marginal relevance (MMR)", LESS, LESS,
        "Next is what is good and far from the nearest chosen; without a quality, farthest first.",
        f"{PAIRS}, twice at small budgets.",
        "It sees only the nearest chosen document, so outliers and junk come early.",
        SPEED["mmr"],
    ),
    "quality-diversity": Entry(
        lambda p: in_blocks(p, product), "quality times diversity", LESS, LESS,
        "Next is the largest product of the quality's rank and the distance to the nearest chosen.",
        f"{PAIRS}, twice at small budgets.",
        "A wrong score is trusted; what scores nearly zero is never chosen.",
        SPEED["quality-diversity"], True,
    ),
    "dpp": Entry(
        lambda p: in_blocks(p, dpp), "determinantal point process (DPP)", LESS, LESS,
        "Greedy maximum of the determinant of a similarity kernel: all chosen are seen together.",
        f"{PAIRS} and their Cholesky factor: the dearest.",
        "It likes whatever is isolated, as the Vendi score does: junk comes early.",
        SPEED["dpp"],
    ),
    "facility": Entry(
        lambda p: in_blocks(p, facility, again=False), "facility location", LESS, LESS,
        "Greedy maximum of how near every document is to a chosen one: the set stands for all.",
        f"{PAIRS} and some looks a document.",
        "It stands for the bulk: a rare topic is covered late.",
        SPEED["facility"],
    ),
}  # fmt: skip
