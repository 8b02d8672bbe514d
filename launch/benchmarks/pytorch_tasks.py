"""The tasks of `maxmin bench`, in PyTorch and transformers: prints one JSON object per task.

Usage: python pytorch_tasks.py MODEL_DIR TASK [TASK ...] [--threads 2] [--repeats 5] [--precision bf16|fp32]

bf16 is measured twice, with autocast over float32 weights (what mixed-precision trainers do) and with weights cast to
bfloat16; the faster of the two is reported, so that the comparison is against PyTorch at its best.
"""

import argparse
import json
import statistics
import time

import torch
from transformers import GPT2ForSequenceClassification, GPT2LMHeadModel


def timed(repeats, work):
    work()
    seconds = []
    for _ in range(repeats):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return statistics.median(seconds)


def tokens_of(model, rows, length):
    generator = torch.Generator().manual_seed(1)
    return torch.randint(0, model.config.vocab_size, (rows, length), generator=generator)


def reward_model(path, dtype):
    model = GPT2ForSequenceClassification.from_pretrained(path, num_labels=1, dtype=dtype)
    model.config.pad_token_id = model.config.vocab_size - 1
    return model


def reward_step(path, dtype, autocast, repeats):
    """Forward, Bradley-Terry loss, backward, AdamW: 8 pairs of 128 tokens, every parameter trained."""
    model = reward_model(path, dtype).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    tokens = tokens_of(model, 16, 128).clamp(max=model.config.vocab_size - 2)

    def work():
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            rewards = model(tokens).logits[:, 0].float()
        loss = -torch.nn.functional.logsigmoid(rewards[:8] - rewards[8:]).mean()
        loss.backward()
        torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)

    return timed(repeats, work), 16 * 128


def score(path, dtype, autocast, repeats):
    """Rewards of 8 pairs of 128 tokens, no gradient."""
    model = reward_model(path, dtype).eval()
    tokens = tokens_of(model, 16, 128).clamp(max=model.config.vocab_size - 2)

    def work():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            model(tokens)

    return timed(repeats, work), 16 * 128


def generate(path, dtype, autocast, repeats, batch):
    """Sampling at temperature 1: prompts of 8 tokens, 48 new tokens each, key-value cache."""
    model = GPT2LMHeadModel.from_pretrained(path, dtype=dtype).eval()
    tokens = tokens_of(model, batch, 8)

    def work():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            model.generate(
                tokens,
                attention_mask=torch.ones_like(tokens),
                do_sample=True,
                top_k=0,
                max_new_tokens=48,
                min_new_tokens=48,
                pad_token_id=0,
            )

    return timed(repeats, work), batch * 48


TASKS = {
    "reward-step": reward_step,
    "score": score,
    "generate-16": lambda *arguments: generate(*arguments, batch=16),
    "generate-64": lambda *arguments: generate(*arguments, batch=64),
}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("model")
    parser.add_argument("tasks", nargs="+", choices=sorted(TASKS))
    parser.add_argument("--threads", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    arguments = parser.parse_args()
    torch.set_num_threads(arguments.threads)
    ways = [(torch.float32, False, "fp32")]
    if arguments.precision == "bf16":
        ways = [(torch.float32, True, "autocast"), (torch.bfloat16, False, "bf16 weights")]
    for task in arguments.tasks:
        best = None
        for dtype, autocast, name in ways:
            seconds, tokens = TASKS[task](arguments.model, dtype, autocast, arguments.repeats)
            if best is None or seconds < best["median_seconds"]:
                best = {
                    "task": task,
                    "way": name,
                    "torch": torch.__version__,
                    "threads": arguments.threads,
                    "median_seconds": seconds,
                    "tokens_per_second": tokens / seconds,
                }
        print(json.dumps(best), flush=True)


if __name__ == "__main__":
    main()
