"""Compares our token ids with those of tokenizers, line by line.

    maxmin tokenize --model DIR --input TEXTS.jsonl --json > IDS.jsonl
    python compare_reviews.py DIR/tokenizer.json TEXTS.jsonl IDS.jsonl

TEXTS has {"text": "..."} lines, IDS {"ids": [...]} lines. Ends with 1 if any line differs. Special tokens' text counts as
ordinary text; with --special, as the special token.
"""
import json
import sys

from tokenizers import Tokenizer


def main():
    arguments = [a for a in sys.argv[1:] if a != "--special"]
    if len(arguments) != 3:
        sys.exit(__doc__)
    tokenizer_file, texts_file, ids_file = arguments
    tokenizer = Tokenizer.from_file(tokenizer_file)
    tokenizer.encode_special_tokens = "--special" not in sys.argv
    # What the post-processor adds is no text; special tokens that the text itself names are.
    skipped = "--special" not in sys.argv
    lines = different = undecoded = 0
    with open(texts_file, encoding="utf-8") as texts, open(ids_file, encoding="utf-8") as ids:
        for number, (text_line, ids_line) in enumerate(zip(texts, ids, strict=True), 1):
            text, ours = json.loads(text_line)["text"], json.loads(ids_line)["ids"]
            theirs = tokenizer.encode(text).ids
            lines += 1
            undecoded += tokenizer.decode(ours, skip_special_tokens=skipped) != text
            if ours != theirs:
                different += 1
                if different <= 5:
                    at = next((i for i, (a, b) in enumerate(zip(ours, theirs)) if a != b), min(len(ours), len(theirs)))
                    print(f"line {number}: ids differ from position {at}: {ours[at:at + 5]} and {theirs[at:at + 5]}")
    print(f"{lines} lines, {different} with different ids, {undecoded} whose ids do not decode to the text")
    sys.exit(1 if different or undecoded or lines == 0 else 0)


main()
