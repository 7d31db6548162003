"""The rules against text that is built to take long: how their time grows with it, and the slowest of them."""

from collections.abc import AsyncIterator

from bench._figures import Figure, at_most
from tests.adversarial import SHAPES, growth, public_rules

SMALL = ("marks in turn", "digits", "blanks and a sign", "blank lines", "quoted lines", "addresses")
SIZE, LARGE = 20_000, 100_000


async def run(full: bool) -> AsyncIterator[Figure]:
    """`rules.growth`: times the seconds for twice the text; `rules.seconds`: of the slowest at 20 kB."""
    rules, shapes = public_rules(), SHAPES if full else SMALL
    texts = [(shape, SHAPES[shape](SIZE)) for shape in shapes]
    for rule in rules:
        rule.seconds("a")  # patterns are compiled once in a process, not once a text
    slowest = max((rule.seconds(text), rule.name, shape) for rule in rules for shape, text in texts)
    yield at_most("rules.seconds", slowest[0], 0.2, worst=f"{slowest[1]}: {slowest[2]}", rules=len(rules))
    size = LARGE if full else SIZE * 2
    steepest = max((growth(rule, shape, size), rule.name, shape) for rule in rules for shape in shapes)
    yield at_most("rules.growth", steepest[0], 2.5, worst=f"{steepest[1]}: {steepest[2]}", rules=len(rules))
