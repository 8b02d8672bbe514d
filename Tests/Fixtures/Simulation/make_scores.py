"""Makes scorer.json (a small n-gram scorer) and scores.jsonl (50 review snippets with their scores).

Run in this folder: python3 make_scores.py /work/shared
Takes the n-grams of the shared scorer that occur in the snippets, so that the fixture stays small.
"""

import json
import random
import re
import sys

shared = sys.argv[1]
scorer = json.load(open(f"{shared}/oracles/imdb-sentiment.json"))
reviews = [json.loads(line)["text"] for line in open(f"{shared}/data/imdb-train.jsonl")]
random.seed(7)

snippets = []
for text in random.sample(reviews, 45):
    words = text.split()
    start = random.randrange(max(1, len(words) - 40))
    snippets.append(" ".join(words[start : start + 40]))
# What lower-casing and the pattern must get right: Unicode case, apostrophes, digits, repetition, nothing at all.
snippets += [
    "WORST film. The worst, the WORST film!",
    "It's 'great'... DON'T miss it \u2014 caf\u00e9 na\u00efve",
    "\u212aeen and \u0130mmense and gro\u00df",
    "not\nbad\tat all; not123bad",
    "",
]


def ngrams(text):
    words = re.findall(scorer["token_pattern"], text.lower())
    return set(words) | {f"{a} {b}" for a, b in zip(words, words[1:])}


found = sorted(set().union(*map(ngrams, snippets)) & set(scorer["weights"]))
scorer["weights"] = {ngram: scorer["weights"][ngram] for ngram in found}
strongest = dict(sorted(scorer["weights"].items(), key=lambda item: (-abs(item[1]), item[0]))[:200])


def score(text, weights):
    return scorer["bias"] + sum(weights[ngram] for ngram in sorted(ngrams(text)) if ngram in weights)


json.dump(scorer, open("scorer.json", "w"), indent=0)
with open("scores.jsonl", "w") as out:
    for text in snippets:
        row = {"text": text, "score": score(text, scorer["weights"]), "strongest_200": score(text, strongest)}
        print(json.dumps(row), file=out)
