"""Texts to measure with: examples of the articles, questions of the question set, and texts of exact length."""

import csv
import tomllib
from pathlib import Path

ROOT = Path(__file__).parent.parent
LANGUAGES = ["da", "en", "de", "uk", "ar", "pl", "tr"]


def articles():
    """(layer, id, examples by language) of each, layer "" being the shared one."""
    found = []
    for path in sorted((ROOT / "knowledge").glob("*/*/*.md")):
        front = tomllib.loads(path.read_text(encoding="utf-8").split("+++\n")[1])
        layer = path.parent.name if path.parts[-3] == "kommune" else ""
        found.append((layer, front["id"], front["examples"]))
    return found


def spread(items, count):
    """As many of them, evenly from first to last."""
    count = min(count, len(items))
    return [items[i * len(items) // count] for i in range(count)]


def eight_languages(count):
    """(language, text): what is written here in Spanish, the rest from the articles, as many of each language."""
    spanish = (Path(__file__).parent / "spanish.txt").read_text(encoding="utf-8").splitlines()
    spanish = spread(spanish, count // 8)
    chosen = [("es", text) for text in spanish]
    everything = articles()
    for n, language in enumerate(LANGUAGES):
        share = (count - len(spanish)) * (n + 1) // 7 - (count - len(spanish)) * n // 7
        texts = [text for _, _, examples in everything for text in examples.get(language, [])]
        chosen += [(language, text) for text in spread(texts, share)]
    return chosen


def of_length(tokenize, tokens, count, passage=False):
    """`count` different Danish texts of exactly so many tokens, prefix and ends included.

    A word's tokens do not depend on its neighbours, so words are added until the number is right.
    """
    # Of plain letters, so that no tokenizer can see them otherwise.
    texts = [text for _, _, examples in articles() for text in examples["da"]]
    words = [word for word in " ".join(spread(texts, 1500)).split() if word.isalpha()]
    one, two, *ids = map(len, tokenize([words[0], f"{words[0]} {words[0]}", *words], passage))
    empty = one - (two - one)
    lengths = [n - empty for n in ids]
    made = []
    for start in range(0, len(words), len(words) // count - 1)[:count] if count > 1 else [0]:
        text, left = [], tokens - empty
        for at in range(start, start + len(words)):
            at %= len(words)
            if lengths[at] <= left:
                text.append(words[at])
                left -= lengths[at]
            if left == 0:
                break
        made.append(" ".join(text))
    ids = tokenize(made, passage)
    if any(len(text) != tokens for text in ids):
        raise SystemExit(f"no texts of {tokens} tokens: {sorted({len(text) for text in ids})}")
    return made, ids


def retrieval(examples_each):
    """Danish questions and what they may be found by.

    (question, municipality, right articles) and (layer, article, example); a municipality sees the shared layer and its
    own, where its own article replaces the shared one of the same name.
    """
    with open(ROOT / "tests/questions/danish.tsv", encoding="utf-8", newline="") as file:
        rows = list(csv.DictReader(file, delimiter="\t", quoting=csv.QUOTE_NONE))
    questions = [(row["question"], row["municipality"], row["expected"].split("|")) for row in rows]
    municipalities = {municipality for _, municipality, _ in questions}
    examples = [
        (layer, article, text)
        for layer, article, by_language in articles()
        if not layer or layer in municipalities
        for text in spread(by_language["da"], examples_each)
    ]
    return questions, examples
