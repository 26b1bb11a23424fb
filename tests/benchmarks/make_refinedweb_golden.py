"""Write tests/curation/golden/refinedweb_lines.json: texts, and what DCLM's line edits leave.

    git clone https://github.com/mlfoundations/dclm  # read at 361714bd
    python tests/benchmarks/make_refinedweb_golden.py dclm/baselines/mappers/modifiers.py

The five functions are taken out of that file, whose imports need packages that they do not use, and
called with the arguments of `baselines/baselines_configs/refinedweb.yaml`. The texts are our own.
"""

import json
import random
import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

TARGET = Path(__file__).parents[1] / "curation" / "golden" / "refinedweb_lines.json"
NAMES = ("uppercase_ratio", "numeric_ratio", "counter", "line_length", "substring")
WORDS = ["the", "mill", "turns", "A", "B", "CAPITALS", "HERE", "12", "²", "①", "٣", "likes", "3"]
WORDS += ["1,204", "Views", "5k", "followers", "items", "in", "cart", "Items In Cart", "é", "É"]
WORDS += ["Read more...", "read more abc", "Sign-in", "sign-in", "3 comments", "ß", "漢", "Ⅷ", "•"]
GAPS = [" "] * 6 + ["\n"] * 5
GAPS += ["\n\n", "\t", "\x1f", "\u2028", "\u00a0", "  ", "", " \n", "\n ", "...\n", ")\n", "(", "_"]


def modifiers(source: str) -> list[Callable[[dict[str, str]], list[dict[str, str]]]]:
    """The steps of refinedweb.yaml that edit lines, in its order."""
    space: dict[str, Any] = {"re": re, "CONTENT": "text", "Dict": dict, "List": list}
    space["Union"] = {(str, list): str}  # for an annotation
    found = {}
    for name in NAMES:
        function = f"{name}_modifier" if "line" in name else f"{name}_line_modifier"
        body = re.search(rf"^def {function}\(.*?(?=^(?:def |@))", source, re.M | re.S)
        assert body, function
        exec(body[0], space)
        found[name] = space[function]
    cut = {"max_length": 10, "remove_substring_only": True}
    return [
        lambda page: found["uppercase_ratio"](page, max_ratio=0.5),
        lambda page: found["numeric_ratio"](page, max_ratio=0.999999),
        found["counter"](),
        lambda page: found["line_length"](page, min_length=2),
        found["substring"](banlist="items in cart", **cut),
        found["substring"](banlist="Read more...", location="suffix", **cut),
        found["substring"](banlist="Sign-in", location="prefix", **cut),
    ]


def main() -> None:
    """Write the golden file; a text that DCLM drops as empty is edited to nothing."""
    steps = modifiers(Path(sys.argv[1]).read_text("utf-8"))
    rng = random.Random(0)
    pairs = []
    for _ in range(200):
        size = rng.randrange(1, 30)
        text = "".join(rng.choice(WORDS) + rng.choice(GAPS) for _ in range(size))
        page = {"text": text}
        kept = all(step(page) for step in steps)
        pairs.append({"text": text, "refinedweb-lines": page["text"] if kept else ""})
    made_by = "tests/benchmarks/make_refinedweb_golden.py with mlfoundations/dclm 361714bd"
    content = json.dumps({"made_by": made_by, "pairs": pairs}, indent=0)
    TARGET.write_text(content + "\n", "utf-8")


if __name__ == "__main__":
    main()
