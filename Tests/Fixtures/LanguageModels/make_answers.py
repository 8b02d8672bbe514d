"""Makes the golden files of losses on answers alone with transformers (fp32, CPU), on the models of make_golden.py, whose
files it reads.

Run in this folder:  python make_answers.py [NAME …]
Needs torch, transformers and safetensors; the versions used last are written into every file's metadata.

Each NAME-answers.golden is a safetensors file:
  answers.I           first token and end of each answer in NAME.golden's sequence I, one after the other, as float32
  loss                transformers' own loss of all sequences, other tokens labelled -100, over all answers' tokens
  grad.NAME           its gradients
"""

import sys

import torch
import transformers
from safetensors.torch import save_file

from make_adapters import base

NAMES = ["small", "llama3", "qwen3", "olmo2"]


def answers(length):
    """Two answers where there is room, one that begins at the second token among them."""
    return [(1, 2)] if length < 4 else [(1, 2), (length // 2, length - length // 4)]


def make(name):
    model, sequences = base(name, transformers.AutoModelForCausalLM)
    ranges = [answers(len(s)) for s in sequences]
    count = sum(end - first for of_one in ranges for first, end in of_one)
    out, loss = {}, 0
    for i, (sequence, of_one) in enumerate(zip(sequences, ranges)):
        out[f"answers.{i}"] = torch.tensor([edge for pair in of_one for edge in pair], dtype=torch.float32)
        labels = torch.full_like(sequence, -100)
        for first, end in of_one:
            labels[first:end] = sequence[first:end]
        loss = loss + model(sequence[None], labels=labels[None], num_items_in_batch=torch.tensor(count)).loss
    loss.backward()
    out["loss"] = loss.detach()[None]
    for key, parameter in model.named_parameters():
        out[f"grad.{key}"] = parameter.grad.clone()
    versions = {"torch": torch.__version__, "transformers": transformers.__version__}
    save_file(out, f"{name}-answers.golden", versions)
    print(name, count, loss.item())


if __name__ == "__main__":
    for name in sys.argv[1:] or NAMES:
        make(name)
