"""The table of methods: how documents are chosen, and what to call those that are not.

    method            a document stays if it is                       cost beside the embeddings
    random            drawn                                           none: the baseline
    semdedup          not much like one before it                     n x 1,000 cosines
    d4                that, and not the middle of its topic           the same and k-means twice
    clusters          of a topic that has given few tokens yet        k-means
    mmr               relevant, or far from all chosen                n x 2,048 cosines
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

from lab.diversity.layout.cluster import choose_k
from lab.diversity.layout.partition import ROWS, centre, find_partition
from lab.diversity.selecting.earlier import largest_earlier
from lab.diversity.selecting.greedy import order_dpp, order_facility, order_mmr, order_product
from lab.diversity.selecting.problem import F32, Method, Problem, Rows, fill, in_blocks

DUPLICATE = 0.95  # cosine: 1 - epsilon, the epsilon of `mixlab dedup --semantic`
DEDUP_SHARE = 0.75  # R_dedup of D4: what SemDeDup leaves for the second step


@dataclass(frozen=True, slots=True)
class Entry:
    """A method: `order` gives rows, best first; `absent` names why a row is not in it, `beyond` why
    one in it is not chosen. `label` is for people.
    """

    order: Method
    label: str
    absent: str
    beyond: str
    needs_quality: bool = False


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
    found = find_partition(problem.vectors, choose_k(len(problem)), problem.seed)
    numbers = found.assign(problem.vectors).astype(np.int64)
    distance = np.empty(len(problem), np.float32)
    for start in range(0, len(problem), ROWS):
        own = slice(start, start + ROWS)
        gap = centre(problem.vectors[own], found.mean) - found.centroids[numbers[own]]
        distance[own] = np.linalg.norm(gap, axis=1)
    return numbers, distance


LESS = "adds less"
METHODS: Mapping[str, Entry] = {
    "random": Entry(order_random, "drawn by chance", "", "not drawn"),
    "semdedup": Entry(order_semdedup, "semantic de-duplication", "duplicate", "like another"),
    "d4": Entry(order_d4, "prototype removal (D4)", "like another", "prototypical"),
    "clusters": Entry(order_clusters, "balanced over clusters", "", "cluster is full"),
    "mmr": Entry(lambda p: in_blocks(p, order_mmr), "marginal relevance (MMR)", LESS, LESS),
    "quality-diversity": Entry(
        lambda p: in_blocks(p, order_product), "quality times diversity", LESS, LESS, True
    ),
    "dpp": Entry(lambda p: in_blocks(p, order_dpp), "largest volume (DPP)", LESS, LESS),
    "facility": Entry(lambda p: in_blocks(p, order_facility), "facility location", LESS, LESS),
}
