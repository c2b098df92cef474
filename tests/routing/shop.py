"""Questions to a shop, made for these tests: three departments, and what no shop can answer."""

from __future__ import annotations

from itertools import product

_PARTS = {
    "kitchen": (["bake", "fry", "cook", "taste"], ["bread", "soup", "pasta", "cake", "rice"]),
    "garden": (["plant", "water", "prune", "dig up"], ["roses", "tulips", "hedges", "lawns", "shrubs"]),
    "garage": (["repair", "paint", "oil", "sell"], ["bicycles", "engines", "brakes", "tyres", "scooters"]),
}
_ASKED = ("How do I {} {}?", "When should one {} {}?")

LABELLED: tuple[tuple[str, str], ...] = tuple(
    (asked.format(verb, thing), label)
    for label, (verbs, things) in _PARTS.items()
    for asked, verb, thing in product(_ASKED, verbs, things)
)
"""120 questions, 40 of each department."""

STRANGE: tuple[str, ...] = tuple(
    f"Who {verb} the {thing} of {place}?"
    for verb, thing, place in product(("ruled", "mapped"), ("empire", "moons", "poets"), ("Persia", "Jupiter", "Mali"))
)
"""18 questions of no department."""
