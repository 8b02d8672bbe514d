"""Checks that peft loads the adapters that ModelFiles writes, and that transformers computes the same from the merged models.
Run by hand, in the repository:

    MAXMIN_MODELS_OUT=/tmp/written swift test --filter TransformersTests
    python Tests/Fixtures/ModelFiles/check_peft.py /tmp/written/adapters

The test writes folders with base/, the adapters none/ and reward/, their merged models none-merged/ and reward-merged/, and
what our engine computes, as none.json and reward.json (see check_transformers.py).
Needs torch, transformers and peft.
"""

import json
import pathlib
import sys

import peft
import torch
import transformers

TOLERANCE = 1e-4


def outputs(model, sequences):
    with torch.no_grad():
        return [model(input_ids=s[None]).logits[0] for s in sequences]


def largest(xs, ys):
    return max((x - y).abs().max().item() for x, y in zip(xs, ys))


def check(adapter, expected):
    is_reward = adapter.name == "reward"
    auto = transformers.AutoModelForSequenceClassification if is_reward else transformers.AutoModelForCausalLM
    arguments = {"num_labels": 1} if is_reward else {}
    base = auto.from_pretrained(adapter.parent / "base", dtype=torch.float32, **arguments)
    adapted = peft.PeftModel.from_pretrained(base, adapter).eval()
    sequences = [torch.tensor(s) for s in expected["sequences"]]
    theirs = outputs(adapted, sequences)
    if is_reward:
        ours = [torch.tensor([reward]) for reward in expected["rewards"]]
        engine = largest(theirs, ours)
    else:
        scores = [x.log_softmax(-1)[:-1].gather(1, s[1:, None])[:, 0] for x, s in zip(theirs, sequences)]
        engine = largest(scores, [torch.tensor(x) for x in expected["logprobs"]])
    merged = auto.from_pretrained(adapter.with_name(adapter.name + "-merged"), dtype=torch.float32).eval()
    return engine, largest(theirs, outputs(merged, sequences))


def main(folder):
    failed = 0
    for file in sorted(pathlib.Path(folder).glob("*/*.json")):
        engine, merged = check(file.with_suffix(""), json.loads(file.read_text()))
        print(f"{file.parent.name}/{file.stem}: engine to peft {engine:.2e}, peft to merged {merged:.2e}")
        failed += max(engine, merged) > TOLERANCE
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1]))
