#!/usr/bin/env python3
"""Makes the corpus of Tests/fuzz from small files of every format: `make.py RUN`, RUN a finished run of launch/runs/smoke.yaml.

Files whose name begins with a number other than this script's own variants are inputs that once went wrong; they stay as they are.
"""
import gzip
import json
import pathlib
import struct
import sys

here = pathlib.Path(__file__).resolve().parent
root = here.parent.parent.parent
run = pathlib.Path(sys.argv[1])


def save(name, content):
    path = here / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())


def xxh64(data):
    """https://github.com/Cyan4973/xxHash/blob/dev/doc/xxhash_spec.md"""
    p1, p2, p3, p4, p5 = (11400714785074694791, 14029467366897019727, 1609587929392839161, 9650029242287828579,
                          2870177450012600261)
    m = (1 << 64) - 1
    rotate = lambda x, r: ((x << r) | (x >> (64 - r))) & m
    mix = lambda lane, word: rotate((lane + word * p2) & m, 31) * p1 & m
    at, word = 0, lambda i: int.from_bytes(data[i:i + 8], "little")
    if len(data) >= 32:
        lanes = [(p1 + p2) & m, p2, 0, (-p1) & m]
        while at + 32 <= len(data):
            lanes = [mix(lane, word(at + 8 * i)) for i, lane in enumerate(lanes)]
            at += 32
        h = sum(rotate(lane, r) for lane, r in zip(lanes, (1, 7, 12, 18))) & m
        for lane in lanes:
            h = ((h ^ mix(0, lane)) * p1 + p4) & m
    else:
        h = p5
    h = (h + len(data)) & m
    while at + 8 <= len(data):
        h, at = (rotate(h ^ mix(0, word(at)), 27) * p1 + p4) & m, at + 8
    if at + 4 <= len(data):
        h, at = (rotate(h ^ int.from_bytes(data[at:at + 4], "little") * p1 & m, 23) * p2 + p3) & m, at + 4
    for byte in data[at:]:
        h = rotate(h ^ byte * p5 & m, 11) * p1 & m
    h = (h ^ h >> 33) * p2 & m
    h = (h ^ h >> 29) * p3 & m
    return f"{h ^ h >> 32:016x}"


def safetensors(tensors, metadata=None):
    """`tensors`: name → (type, shape, bytes)."""
    header, data = {}, b""
    if metadata:
        header["__metadata__"] = metadata
    for name, (kind, shape, content) in tensors.items():
        header[name] = {"dtype": kind, "shape": shape, "data_offsets": [len(data), len(data) + len(content)]}
        data += content
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + data


floats = lambda count: struct.pack(f"<{count}f", *(i / 8 for i in range(count)))

# JSON.
save("json/object.json", '{"a": [1, -2.5e3, true, null, "\\u00e9\\ud83d\\ude00\\n"], "b": {"c": {}}, "": 9223372036854775807}')
save("json/nested.json", "[[[[[{\"deep\": [0.1, 1e-7, -0, 12345678901234567890]}]]]]]")

# safetensors.
small = {"weight": ("F32", [2, 3], floats(6)), "half": ("BF16", [5], bytes(10)), "scalar": ("F16", [], bytes(2)),
         "empty": ("F32", [2, 0], b"")}
save("safetensors/small.safetensors", safetensors(small, {"format": "pt"}))
save("safetensors/other.safetensors", safetensors({"a": ("I64", [1], bytes(8)), "b": ("U8", [3], b"abc")}))

# Tokenizers: GPT-2's bytes with a few merges, and SentencePiece's with byte fallback.
alphabet = [b for b in range(256) if 33 <= b <= 126 or 161 <= b <= 172 or 174 <= b]
letters, others = {b: chr(b) for b in alphabet}, 0
for b in range(256):
    if b not in letters:
        letters[b], others = chr(256 + others), others + 1
merges = [["Ġ", "a"], ["i", "n"], ["Ġ", "f"], ["t", "h"], ["th", "e"], ["Ġ", "the"]]


def added(first, texts):
    return [{"id": first + i, "content": text, "single_word": False, "lstrip": False, "rstrip": False,
             "normalized": False, "special": True} for i, text in enumerate(texts)]


def byte_level(texts):
    vocab = {letters[b]: b for b in range(256)}
    for left, right in merges:
        vocab[left + right] = len(vocab)
    tokens = added(len(vocab), texts)
    return json.dumps({
        "version": "1.0", "added_tokens": tokens, "normalizer": None,
        "pre_tokenizer": {"type": "ByteLevel", "add_prefix_space": False, "trim_offsets": True, "use_regex": True},
        "post_processor": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": False, "use_regex": True},
        "decoder": {"type": "ByteLevel", "add_prefix_space": True, "trim_offsets": True, "use_regex": True},
        "model": {"type": "BPE", "dropout": None, "unk_token": None, "fuse_unk": False, "byte_fallback": False,
                  "ignore_merges": False, "vocab": vocab, "merges": merges}}, ensure_ascii=False, separators=(",", ":"))


pieces = ["<unk>", "<s>", "</s>"] + [f"<0x{b:02X}>" for b in range(256)]
pieces += ["▁", "a", "b", "i", "n", "f", "t", "h", "e", "▁a", "in", "th", "the", "▁the"]
save("tokenizer/tokenizer.json", byte_level(["<|endoftext|>"]))
save("tokenizer/1-tokenizer.json", json.dumps({
    "version": "1.0", "added_tokens": added(0, pieces[:3]),
    "normalizer": {"type": "Sequence", "normalizers": [
        {"type": "Prepend", "prepend": "▁"}, {"type": "Replace", "pattern": {"String": " "}, "content": "▁"}]},
    "pre_tokenizer": None,
    "post_processor": {
        "type": "TemplateProcessing",
        "single": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "pair": [{"SpecialToken": {"id": "<s>", "type_id": 0}}, {"Sequence": {"id": "A", "type_id": 0}}],
        "special_tokens": {"<s>": {"id": "<s>", "ids": [1], "tokens": ["<s>"]}}},
    "decoder": {"type": "Sequence", "decoders": [
        {"type": "Replace", "pattern": {"String": "▁"}, "content": " "}, {"type": "ByteFallback"}, {"type": "Fuse"},
        {"type": "Strip", "content": " ", "start": 1, "stop": 0}]},
    "model": {"type": "BPE", "dropout": None, "unk_token": "<unk>", "fuse_unk": True, "byte_fallback": True,
              "vocab": {p: i for i, p in enumerate(pieces)},
              "merges": ["▁ a", "i n", "t h", "th e", "▁ the"]}}, ensure_ascii=False, separators=(",", ":")))
config = {"eos_token": "<|endoftext|>", "bos_token": {"content": "<|endoftext|>", "special": True},
          "model_max_length": 1024, "tokenizer_class": "GPT2Tokenizer"}
save("tokenizer/tokenizer_config.json", json.dumps(config))
chat = ["<|endoftext|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>", "<|im_start|>", "<|im_end|>"]
save("template-tokenizer/tokenizer.json", byte_level(chat))
save("template-tokenizer/tokenizer_config.json", json.dumps(config))

# Conversations.
save("template/text.json", '"Name a film.\\n<|user|> [INST] <|im_start|>"')
turns = [("system", "Be brief."), ("user", "Name a film that we'll remember."), ("assistant", " Alien "), ("user", "Another?")]
save("template/turns.json", json.dumps([{"role": r, "content": c} for r, c in turns]))

# Configurations and clusters.
save("yaml/run.yaml", (root / "launch/runs/smoke.yaml").read_bytes())
save("yaml/1-run.yaml", (root / "launch/runs/tulu2-7b-p3.yaml").read_bytes())
save("yaml/2-run.yaml", (run / "config.yaml").read_bytes())
save("yaml/cluster.yaml", (root / "cluster-configs/slurm-infiniband-64.yaml").read_bytes())

# Preferences.
rows = [{"user_id": "u1", "prompt": "The film", "chosen": " was good.", "rejected": " was bad.", "group": "positive"},
        {"user_id": "u2", "prompt": [{"role": "user", "content": "Hi"}], "chosen": "Yes", "rejected": "No",
         "chosen_complete": False},
        {"user_id": "é", "prompt": "Name one", "responses": ["A", "B", "C"], "scores": [1, 2.5, 1]},
        {"user_id": 3, "chosen": "The film was good.", "rejected": "The film was bad.", "tie": True},
        {"prompt": "The plot"}, {"text": "The acting was fine."}]
save("jsonl/preferences.jsonl", "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows[:4]))
save("jsonl/texts.jsonl", "\ufeff" + "\r\n".join(json.dumps(row) for row in rows[4:]))
save("csv/preferences.csv", 'user_id,prompt,chosen,rejected,group\nu1,"The ""film"",\nagain",good,bad,a\r\nu2,Hi,"yes, it is",no,\n')
foreign = root / "Tests/Fixtures/Preferences"
save("csv/community-alignment.csv", (foreign / "community-alignment.csv").read_bytes())
for name in ["prism", "multipref", "ultrafeedback", "openai-comparisons"]:
    save(f"jsonl/{name}.jsonl", (foreign / f"{name}.jsonl").read_bytes())
save("gzip/preferences.jsonl.gz", gzip.compress((here / "jsonl/preferences.jsonl").read_bytes(), mtime=0))
save("gzip/members.jsonl.gz", 2 * gzip.compress(b'{"user_id": "u", "prompt": "p", "chosen": "a", "rejected": "b"}\n', mtime=0))

# Mappings of fields.
save("fields/turns.json", json.dumps({
    "user_id": "user_id", "prompt": ["conversation_history[turn<*, if_chosen!=false]", "conversation_history[turn=*, role=user]"],
    "responses": "conversation_history[turn=*, role=model].content",
    "scores": "conversation_history[turn=*, role=model].score"}))
save("fields/elements.json", json.dumps([
    {"user_id": "={user_id} on {conversation_history[].turn}", "prompt": "opening_prompt", "group": "absent?",
     "responses": ["conversation_history[0].content", "conversation_history[1].`content`"],
     "choice": "conversation_history[].turn", "choices": {"0": 0, "1": "tie", "2": None}, "missing": ["N/A"]},
    {"prompt": "opening_prompt", "chosen": "open_{x}", "rejected": "={{"}]))

# A checkpoint of two parts.
part = lambda names: safetensors({f"{n}@{s}": ("F32", [c], floats(c)) for n, s, c in names})
parts = {"part-0.safetensors": [("weights", 0, 20), ("moments", 0, 14)],
         "part-1.safetensors": [("weights", 20, 21), ("moments", 14, 15)]}
files = {name: part(names) for name, names in parts.items()}
files["records.jsonl"] = b'{"name":"note","record":{"step":2}}\n{"name":"em/user 1","record":[1.5,"inf"]}\n'
seal = lambda content: {"bytes": len(content), "xxh64": xxh64(content)}
vectors = {vector: {"length": length, "parts": [{"start": s, "count": c, "file": f} for f, names in parts.items()
                                                for n, s, c in names if n == vector]}
           for vector, length in (("weights", 41), ("moments", 29))}
files["manifest.json"] = json.dumps({
    "format": 1, "training": "sft", "step": 2, "metrics_bytes": 20, "configuration": {"sft.steps": "4"},
    "files": {name: seal(content) for name, content in files.items()}, "vectors": vectors}, indent=1).encode()
files["COMMIT"] = json.dumps({"manifest": seal(files["manifest.json"])}).encode()
for name, content in files.items():
    save(f"manifest/{name}", content)

# What stages leave to those after them.
for name in ["reward/mixture.json", "reward/calibration.json", "reward/assignments.csv", "status.json"]:
    save(f"stage/{name.split('/')[-1]}", (run / name).read_bytes())
save("stage/completed.json", (run / "completed/sft").read_bytes())
evaluation = json.loads((run / "evaluation.json").read_text())
for policy in evaluation["policies"].values():
    policy["samples"] = policy["samples"][:1]
save("stage/evaluation.json", json.dumps(evaluation))
metrics = [json.loads(line) for line in (run / "metrics.jsonl").read_text().splitlines()]
save("stage/metrics.jsonl", "".join(json.dumps(row) + "\n" for row in metrics if row["stage"] in ("sft", "policy")))

# Models.
save("model/config.json", (run / "reference/config.json").read_bytes())
llama = {"architectures": ["LlamaForCausalLM"], "model_type": "llama", "vocab_size": 300, "hidden_size": 16,
         "intermediate_size": 32, "num_hidden_layers": 1, "num_attention_heads": 4, "num_key_value_heads": 2,
         "max_position_embeddings": 64, "rms_norm_eps": 1e-5, "rope_theta": 10000.0, "hidden_act": "silu",
         "tie_word_embeddings": False, "bos_token_id": 1, "eos_token_id": 2, "torch_dtype": "float32",
         "rope_scaling": {"rope_type": "llama3", "factor": 8.0, "low_freq_factor": 1.0, "high_freq_factor": 4.0,
                          "original_max_position_embeddings": 32}}
save("model/1-config.json", json.dumps(llama))
save("model/2-config.json", json.dumps({**llama, "model_type": "qwen2", "architectures": ["Qwen2ForCausalLM"],
                                        "use_sliding_window": False, "rope_scaling": None}))
save("model/3-config.json", json.dumps({**llama, "model_type": "qwen3", "architectures": ["Qwen3ForCausalLM"],
                                        "head_dim": 8, "attention_bias": False, "rope_scaling": None}))
save("model/4-config.json", json.dumps({**llama, "model_type": "olmo2", "architectures": ["Olmo2ForCausalLM"],
                                        "attention_bias": False, "rope_scaling": None}))
save("model/part.safetensors", safetensors(small))
save("model/model.safetensors.index.json", json.dumps({
    "metadata": {"total_size": 46}, "weight_map": {name: "part.safetensors" for name in small}}))
save("model/adapter_config.json", json.dumps({
    "peft_type": "LORA", "base_model_name_or_path": "base", "r": 4, "lora_alpha": 8, "lora_dropout": 0.0,
    "target_modules": ["q_proj", "v_proj"], "bias": "none", "task_type": "CAUSAL_LM", "modules_to_save": None,
    "layers_to_transform": [0]}))
save("model/adapter_model.safetensors", safetensors({"base_model.model.a.lora_A.weight": ("F32", [4, 2], floats(8))}))
save("model/provenance.json", json.dumps({"chat_template": "tulu", "chat_template_xxh64": "0" * 16,
                                          "tokenizer_xxh64": "0" * 16, "base_xxh64": None}))
