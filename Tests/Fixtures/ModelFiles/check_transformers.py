"""Checks that transformers loads what ModelFiles writes, and computes the same. Run by hand, in the repository:

    MAXMIN_MODELS_OUT=/tmp/written swift test --filter TransformersTests
    python Tests/Fixtures/ModelFiles/check_transformers.py /tmp/written

The test writes each model as FOLDER/NAME and what our engine computes of it, fp32, as FOLDER/NAME.json:
{"sequences": [[ids]], "logprobs": [[natural log-probability of each next token]] or [], "rewards": [number] or null}
Needs torch and transformers.
"""

import json
import pathlib
import sys

import torch
import transformers

TOLERANCE = 1e-3


def check(folder, expected):
    sequences = [torch.tensor(s) for s in expected["sequences"]]
    kind = transformers.AutoConfig.from_pretrained(folder).architectures[0]
    model = getattr(transformers, kind).from_pretrained(folder, dtype=torch.float32).eval()
    worst = 0.0
    with torch.no_grad():
        if expected["rewards"] is not None:
            assert kind.endswith("ForSequenceClassification"), kind
            for s, reward in zip(sequences, expected["rewards"]):
                worst = max(worst, abs(model(s[None]).logits.item() - reward))
            head = torch.nn.functional.linear
            logits = lambda s: head(model.base_model(s[None])[0][0], model.get_input_embeddings().weight)
        else:
            families = "Llama", "Mistral", "Qwen2", "Qwen3", "Olmo2"
            assert kind in ("GPT2LMHeadModel", *(f"{family}ForCausalLM" for family in families)), kind
            logits = lambda s: model(s[None]).logits[0]
        for s, logprobs in zip(sequences, expected["logprobs"]):
            theirs = logits(s).log_softmax(-1)[:-1].gather(1, s[1:, None])[:, 0]
            worst = max(worst, (theirs - torch.tensor(logprobs)).abs().max().item())
    return kind, worst


def main(folder):
    failed = 0
    for file in sorted(pathlib.Path(folder).glob("*.json")):
        kind, worst = check(file.with_suffix(""), json.loads(file.read_text()))
        print(f"{file.stem}: {kind}, largest difference {worst:.2e}")
        failed += worst > TOLERANCE
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
