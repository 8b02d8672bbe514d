"""Makes tiny/, cases.json, modern.json and classes.json with Hugging Face tokenizers, the oracle of the Text tests.

    python make_fixtures.py        # beside itself; needs: pip install tokenizers (made with 0.23)
"""
import json
import os
import re
from pathlib import Path

os.environ["TOKENIZERS_PARALLELISM"] = "false"
from tokenizers import (
    AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors, trainers)

HERE = Path(__file__).parent
CORPUS = [
    "It's a film that we'll remember; they've made it well, and I'd say you're in for a treat.",
    "The acting was dull, the script was duller, and the ending didn't make sense. 2/10, I'm done.",
    "An honest, moving and beautifully filmed story. The best film of 1999!!! Don't miss it...",
    "naïve café, naïve cafe\u0301, coöperate; 日本の映画は素晴らしい。日本の映画! Фильм очень хороший, фильм скучный.",
    "aaaa aaaaaaa aaa  banana   bananas\n\n\tindented\n\tindented again\r\nline\r\nline 👩‍👩‍👧‍👦 👍🏽 👍🏽 👍",
    "The film, the film, the films: watching a film is watching people watch. Overlong? Over-long! Overdone.",
] * 3
CASES = [
    "", " ", "  ", "a", " a", "  a", "   a  b ", "a ", "a  ", "\n", "\n\n", "\r\n", "a\r\nb\r\n\r\nc", "a\tb\t\tc", "\ta", " \ta", "\t a",
    "it's IT'S it'S we're WE'RE they've I'll I'm he'd don't 's 't 're 've 'm 'll 'd", "''s '''ll 'sx 'rex 'r 'l 'v ' '", "a's'll", "'", "''", "x'", " 's", "’s it’s",
    "abc123def", "1234567890 12,345.67", "٠١٢٣٤٥٦٧٨٩ عربى١٢", "x² ½ Ⅷ ① 一二三", "१२३ हिन्दी", "v1.2.3-beta+4", "\u0660a\u0661",
    "!!! ... ?!?! (a) [b] {c} <d/> a_b __c__ #h @u $5 50% 5€", "<br /><br />A line", "http://example.org/?q=1&r=%20", "--- *** ~~~", "a-b a - b a--b",
    "日本の映画は素晴らしい。", "中文 字符", "한국어 텍스트", "ไทย ไม่มีช่องว่าง", "Ünïcödé ñandú ß ẞ ǅ ʰ ª º", "Ελληνικά Русский עברית العربية",
    "e\u0301 é \u0301 a\u0308\u0301", "à a\u0300", "Å \u212b A\u030a", "ﬁ ﷺ \u1e9b\u0323", "\u0301start", "q\u0307\u0323 q\u0323\u0307",
    "👩‍👩‍👧‍👦", "👍🏽👍", " 👍🏽 a", "🇯🇵🇫🇷", "❤️ ❤", "a\u200db \u200d", "\ufe0f", "🏴\U000e0067\U000e0062\U000e007f",
    "\u0000", "a\u0000b", "\u0001\u001b\u007f\u0080\u009f", "\ufeffBOM", "\u00ad soft\u00adhyphen",
    "a\u00a0b\u00a0\u00a0c", "\u00a0a", " \u00a0a", "\u00a0 a", "a\u0085b", "a\u1680b", "a\u2000\u2001\u2002\u2003\u2004\u2005\u2006\u2007\u2008\u2009\u200ab", "a\u2028b\u2029c", "a\u202fb\u205fc\u3000d", "\u3000\u3000字",
    "a\u200bb", "a\u180eb", "a\u2060b\ufeffc", "a\u000b\u000cb", "\u001c\u001d\u001e\u001f",
    "\u0378\u0379", "\u1c8b a", "\ue000\uf8ff", "\U000f0000 \U0010ffff \ufffe \uffff \ufdd0", "\U0001d7d8\U0001d7d9 \U0001d400", "𠀀𪜀 \U00030000", "\U0001F600\U0001FAE0", "\u16ee\u3007\u12400",
    "aaaaaaaaaaaaaaaaaaaa", "bananasbananas", "a" * 200, " " * 100 + "x", "\n" * 70, "!?" * 80, "日" * 90, "filmfilmfilm" * 20, "thethe" * 30 + " " + "ing" * 40,
    "<|endoftext|>", "a<|endoftext|>b", "<|endoftext|><|endoftext|> ", " <|endoftext|> x", "<|endoftext|", "<|endoftext|>'s", "a <|endoftext|>  b<|user|>c", "<|user|>", "<|user|><|user|>>", "< |user|>",
    "The film was well made, and they've remembered the best of 1999!!!", "mixed日本text と English, 123個", "tab\there  two   three\n four \n five",
]


def train(add_prefix_space):
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=add_prefix_space)
    tokenizer.post_processor = processors.ByteLevel(trim_offsets=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=400, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


MODERN = (
    r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|DIGITS| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
MODERN_CASES = CASES + [
    "'S'T'RE'VE'M'LL'D 'Re'vE'Ll", "'ſ it'ſ", "a\r\n\r\n  b", "  \n  \n   c", "\n\n\ta", "x \n", "!\n\n?\r\nz", " \t\n \t", "\u2028\n\u3000\n d",
    "(word) -word \tword\u00a0word", "1234 12345678 1,000,000.50 ٠١٢٣٤", "½¾1", "#hash @at $1234", "e\u0301\u0302x \u0301\u0301",
    "  1", "a  1 2", " 1  ", "\t\t12\n3", "x²½ Ⅷ1 ①②", "'1s '2", "a\u00041\u0000 \u0006", "!\U00011de0!  \U00011de9'\U00016ff5s \U00016ff4a",
    "\u0004", "\U00040000\U0010ffff",
    "q\u0898\u0316 a\u0301\u0eba\u0eb8 \u1dfa\u1df9\u0301", "\U00011935\U00011930 \U0001e2ae\u0301e\u0301",
    "ﬁ ½ Å A\u030a \u1100\u1161\u11a8 q\u0307\u0323", "<s>", "</s> <s>x", "▁a ▁", "a▁b▁▁c", "<0x41><0xE2>", "\u2581\u2581",
]


def train_modern(digits, normalizer=None, ignore_merges=False):
    """The form of Llama 3's and Qwen2's files, on a vocabulary of our own."""
    tokenizer = Tokenizer(models.BPE(ignore_merges=ignore_merges))
    tokenizer.normalizer = normalizer
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(Regex(MODERN.replace("DIGITS", digits)), "isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=420, min_frequency=2, special_tokens=["<|begin|>", "<|end|>"], show_progress=False,
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet())
    tokenizer.train_from_iterator(CORPUS, trainer)
    byte_level = processors.ByteLevel(trim_offsets=False)
    template = processors.TemplateProcessing(single="<|begin|> $A", special_tokens=[("<|begin|>", 0)])
    tokenizer.post_processor = processors.Sequence([byte_level, template]) if ignore_merges else byte_level
    return tokenizer


def train_digits():
    """The form of SmolLM2's file: numerals one by one, and some bytes without a token."""
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Digits(individual_digits=True), pre_tokenizers.ByteLevel(add_prefix_space=False)])
    tokenizer.decoder = decoders.ByteLevel()
    absent = {spelled("\x04"), spelled("\x06")} | {chr(byte) for byte in range(0xF1, 0x100)}
    trainer = trainers.BpeTrainer(
        vocab_size=400, min_frequency=2, special_tokens=["<|endoftext|>"], show_progress=False,
        initial_alphabet=[c for c in pre_tokenizers.ByteLevel.alphabet() if c not in absent])
    tokenizer.train_from_iterator(CORPUS, trainer)
    return tokenizer


def spelled(text):
    return pre_tokenizers.ByteLevel(add_prefix_space=False).pre_tokenize_str(text)[0][0]


def train_sentencepiece(metaspace):
    """The form of Llama 2's file (or the newer one), on a vocabulary of our own that lacks most characters."""
    tokenizer = Tokenizer(models.BPE(unk_token="<unk>", fuse_unk=True, byte_fallback=True))
    older = normalizers.Sequence([normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")])
    tokenizer.normalizer = older
    special = ["<unk>", "<s>", "</s>"] + [f"<0x{i:02X}>" for i in range(256)]
    trainer = trainers.BpeTrainer(
        vocab_size=420, min_frequency=2, special_tokens=special, show_progress=False, limit_alphabet=60,
        initial_alphabet=list("abcdefghijklmnopqrstuvwxyz▁"))
    tokenizer.train_from_iterator([word for text in CORPUS for word in re.findall(" *[^ ]+", text)], trainer)
    file = json.loads(tokenizer.to_str())
    file["added_tokens"] = [token for token in file["added_tokens"] if token["id"] < 3]
    if metaspace:
        file["normalizer"] = None
        file["pre_tokenizer"] = {"type": "Metaspace", "replacement": "▁", "prepend_scheme": "first", "split": False}
    strip = [decoders.Strip(" ", 1, 0)]
    tokenizer = Tokenizer.from_str(json.dumps(file))
    tokenizer.decoder = decoders.Sequence([decoders.Replace("▁", " "), decoders.ByteFallback(), decoders.Fuse()] + strip)
    tokenizer.post_processor = processors.TemplateProcessing(single="<s> $A", special_tokens=[("<s>", 1)])
    return tokenizer


def modern():
    tokenizers = {
        "llama3": train_modern(r"\p{N}{1,3}", ignore_merges=True), "qwen2": train_modern(r"\p{N}", normalizers.NFC()),
        "digits": train_digits(),
        "sentencepiece": train_sentencepiece(False), "metaspace": train_sentencepiece(True)}
    result = {}
    for name, tokenizer in tokenizers.items():
        as_text = Tokenizer.from_str(tokenizer.to_str())
        as_text.encode_special_tokens = True
        result[name] = {
            "tokenizer": json.loads(tokenizer.to_str()),
            "ids": [as_text.encode(text).ids for text in MODERN_CASES],
            "ids_special": [tokenizer.encode(text).ids for text in MODERN_CASES],
            "decoded": [tokenizer.decode(as_text.encode(text).ids, skip_special_tokens=True) for text in MODERN_CASES],
        }
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in result.items())
    (HERE / "modern.json").write_text('{"texts": ' + json.dumps(MODERN_CASES) + ",\n" + lines + "}\n")


def class_ranges():
    """Runs of equal class over all scalars; a class shows in what two of a scalar join between a letter and a digit."""
    split = pre_tokenizers.ByteLevel(add_prefix_space=False)
    ranges, previous = [], None
    for value in range(0x110000):
        if 0xD800 <= value <= 0xDFFF:
            kind = "other"
        else:
            spans = [span for _, span in split.pre_tokenize_str("a" + 2 * chr(value) + "1")]
            kind = "letter" if (0, 3) in spans else "number" if (1, 4) in spans else "other" if (1, 3) in spans else "space"
        if kind != previous:
            ranges.append([value, kind])
            previous = kind
    return ranges


def main():
    plain, prefixed = train(False), Tokenizer.from_str(train(False).to_str())
    prefixed.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=True)
    (HERE / "tiny").mkdir(exist_ok=True)
    plain.save(str(HERE / "tiny/tokenizer.json"))
    config = {"tokenizer_class": "PreTrainedTokenizerFast", "eos_token": {"content": "<|endoftext|>"}, "bos_token": "<|endoftext|>"}
    (HERE / "tiny/tokenizer_config.json").write_text(json.dumps(config, indent=2) + "\n")
    as_text = Tokenizer.from_str(plain.to_str())
    as_text.encode_special_tokens = True
    added = Tokenizer.from_str(plain.to_str())
    added.add_tokens([AddedToken("<|user|>", special=False, normalized=False)])
    cases = [
        {
            "text": text,
            "ids": as_text.encode(text).ids,
            "ids_special": plain.encode(text).ids,
            "ids_prefix_space": prefixed.encode(text).ids,
            "ids_added": added.encode(text).ids,
        }
        for text in CASES
    ]
    lines = ",\n".join(json.dumps(case, separators=(",", ":")) for case in cases)
    (HERE / "cases.json").write_text('{"corpus": ' + json.dumps(CORPUS) + ',\n"cases": [\n' + lines + "\n]}\n")
    (HERE / "classes.json").write_text(json.dumps(class_ranges(), separators=(",", ":")) + "\n")
    modern()


main()
