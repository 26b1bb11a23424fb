"""Which documents quote a benchmark: GPT-3's 13-gram rule and phi-4's 13/7-gram algorithm.

*13-grams* (Brown et al. 2020, appendix C): a document is contaminated if any run of 13 words,
lower-cased and without punctuation, also stands in an item: in its question followed by one of its
choices or by its answer. *7-grams* (phi-4, Abdin et al. 2024, arXiv:2412.08905, appendix B.1):

    some 13-gram of the document in Bench13 minus allowed13          -> CONTAMINATED(13)
    r = max over items t of |doc7 and t7| / min(|doc7|, |t7|)
    r > info threshold:   r >= contaminated threshold                -> CONTAMINATED(7)
                          else                                       -> PARTIAL (information only)
    otherwise                                                        -> CLEAN

Both thresholds, and whether |.| counts sets or multisets, are unpublished by the authors; both are
open here, with sets and 0.2 and 0.5 of our own as defaults, and the report has the curve. r is
stored, so no threshold needs another search. PARTIAL never removes anything. Items of fewer than 7
words are *uncheckable*, those of 7 to 12 by 13-grams too, which is not the same as clean.

Both see quotation only: a rephrased or translated item passes. Common phrases (legal notices,
reference formats) are false alarms; the stored matches show the n-gram, a list of allowed n-grams
spares them, and a reviewer can overrule a match. Published checks: MMLU against 45.1 M web
documents found 557 questions, one of them in 311 documents (marin-community/marin #5519).
"""

from lab.curation.contamination.method import NGRAM
from lab.curation.contamination.reviews import decisions, override, review_id, undo
from lab.curation.contamination.search import (
    contamination_columns,
    decontaminate,
    require_columns,
    require_contamination,
)

__all__ = [
    "NGRAM",
    "contamination_columns",
    "decisions",
    "decontaminate",
    "override",
    "require_columns",
    "require_contamination",
    "review_id",
    "undo",
]
