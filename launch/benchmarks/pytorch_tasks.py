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


def update(loss, parameters, optimizer):
    loss.backward()
    torch.nn.utils.clip_grad_norm_(parameters, 1.0)
    optimizer.step()
    optimizer.zero_grad(set_to_none=True)


def reward_step(path, dtype, autocast, repeats, lengths):
    """Forward, Bradley-Terry loss, backward, AdamW: pairs of these lengths in one padded batch, every parameter trained."""
    model = reward_model(path, dtype).train()
    optimizer = torch.optim.AdamW(model.parameters(), lr=1e-5, fused=True)
    pairs = len(lengths)
    tokens = tokens_of(model, 2 * pairs, max(lengths)).clamp(max=model.config.vocab_size - 2)
    mask = torch.arange(max(lengths)) < torch.tensor(lengths * 2)[:, None]
    tokens[~mask] = model.config.pad_token_id

    def work():
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            rewards = model(tokens, attention_mask=mask.long()).logits[:, 0].float()
        loss = -torch.nn.functional.logsigmoid(rewards[:pairs] - rewards[pairs:]).mean()
        update(loss, model.parameters(), optimizer)

    return timed(repeats, work), 2 * sum(lengths)


def spread(least, most, count):
    """Lengths spread evenly, as `maxmin bench --length least-most` has them."""
    return [least + (most - least) * place // (count - 1) for place in range(count)]


def score(path, dtype, autocast, repeats):
    """Rewards of 8 pairs of 128 tokens, no gradient."""
    model = reward_model(path, dtype).eval()
    tokens = tokens_of(model, 16, 128).clamp(max=model.config.vocab_size - 2)

    def work():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            model(tokens)

    return timed(repeats, work), 16 * 128


def sample(model, prompts):
    """48 more tokens for each prompt, at temperature 1, with a key-value cache."""
    return model.generate(
        prompts,
        attention_mask=torch.ones_like(prompts),
        do_sample=True,
        top_k=0,
        max_new_tokens=48,
        min_new_tokens=48,
        pad_token_id=0,
    )


def generate(path, dtype, autocast, repeats, batch):
    """Sampling at temperature 1: prompts of 8 tokens, 48 new tokens each, key-value cache."""
    model = GPT2LMHeadModel.from_pretrained(path, dtype=dtype).eval()
    tokens = tokens_of(model, batch, 8)

    def work():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            sample(model, tokens)

    return timed(repeats, work), batch * 48


def policy_step(path, dtype, autocast, repeats):
    """16 responses of 48 tokens to 4 prompts, rewarded by 2 models, scored by policy and reference, 4 epochs of PPO."""
    policy = GPT2LMHeadModel.from_pretrained(path, dtype=dtype).eval()
    reference = GPT2LMHeadModel.from_pretrained(path, dtype=dtype).eval()
    value_head = torch.nn.Linear(policy.config.n_embd, 1, dtype=dtype)
    rewards = [reward_model(path, dtype).eval() for _ in range(2)]
    parameters = [*policy.parameters(), *value_head.parameters()]
    optimizer = torch.optim.AdamW(parameters, lr=1e-5, fused=True)
    prompts = tokens_of(policy, 4, 8).repeat_interleave(4, dim=0)
    response = slice(7, -1)

    def log_probabilities(model, tokens):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            hidden = model.transformer(tokens).last_hidden_state[:, response]
            logits = model.lm_head(hidden)
        chosen = torch.log_softmax(logits.float(), -1).gather(-1, tokens[:, 8:, None])[..., 0]
        return chosen, value_head(hidden.to(dtype))[..., 0].float()

    def work():
        with torch.inference_mode(), torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            tokens = sample(policy, prompts)
        with torch.no_grad():
            tokens = tokens.clone()
            old, old_values = log_probabilities(policy, tokens)
            base, _ = log_probabilities(reference, tokens)
            with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
                scores = torch.stack(
                    [model(tokens.clamp(max=policy.config.vocab_size - 2)).logits[:, 0].float() for model in rewards]
                )
            token_rewards = -0.05 * (old - base)
            token_rewards[:, -1] += scores.min(0).values
            advantages = torch.zeros_like(token_rewards)
            running = torch.zeros(len(tokens))
            for place in reversed(range(48)):
                following = old_values[:, place + 1] if place < 47 else torch.zeros(len(tokens))
                running = token_rewards[:, place] + following - old_values[:, place] + 0.95 * running
                advantages[:, place] = running
            returns = advantages + old_values
            advantages = (advantages - advantages.mean()) / (advantages.std() + 1e-8)
        for _ in range(4):
            new, values = log_probabilities(policy, tokens)
            ratio = (new - old).exp()
            loss = -torch.minimum(ratio * advantages, ratio.clamp(0.8, 1.2) * advantages).mean()
            loss = loss + 0.5 * (values - returns).square().mean()
            update(loss, parameters, optimizer)

    return timed(repeats, work), 16 * 48


def em_iteration(path, dtype, autocast, repeats):
    """An iteration of EM as the paper's code does it: LoRA models of two groups, for each group and comparison a pass of its own.

    M-step: every group's model steps through all comparisons of 8 users, one at a time, the chosen and the rejected response in a
    forward pass each. E-step: both responses of every comparison scored under every group, again one at a time. The adapters are in
    the last two of the layers, as in `maxmin bench em-iteration --lora-rank 8 --top-layers 2`.
    """
    from peft import LoraConfig, get_peft_model

    groups, users, comparisons, length = 2, 8, 4, 128
    settings = LoraConfig(
        r=8, lora_alpha=32, target_modules=["c_attn", "c_proj", "c_fc"], layers_to_transform=[10, 11],
        modules_to_save=["score"], fan_in_fan_out=True, task_type="SEQ_CLS")
    models = [get_peft_model(reward_model(path, dtype), settings).train() for _ in range(groups)]
    trained = [[p for p in model.parameters() if p.requires_grad] for model in models]
    optimizers = [torch.optim.AdamW(parameters, lr=1e-5) for parameters in trained]
    vocabulary = models[0].config.vocab_size - 2
    pairs = tokens_of(models[0], 2 * users * comparisons, length).clamp(max=vocabulary).view(-1, 2, 1, length)

    def margin(model, pair):
        with torch.autocast("cpu", torch.bfloat16, enabled=autocast):
            chosen, rejected = (model(response).logits[0, 0].float() for response in pair)
        return chosen - rejected

    def work():
        for model, parameters, optimizer in zip(models, trained, optimizers):
            for pair in pairs:
                update(-torch.nn.functional.logsigmoid(margin(model, pair)), parameters, optimizer)
        with torch.inference_mode():
            for model in models:
                for pair in pairs:
                    margin(model, pair)

    return timed(repeats, work), 2 * groups * pairs.numel()


TASKS = {
    "em-iteration": em_iteration,
    "reward-step": lambda *arguments: reward_step(*arguments, lengths=[128] * 8),
    "reward-step-mixed": lambda *arguments: reward_step(*arguments, lengths=spread(16, 512, 16)),
    "policy-step": policy_step,
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
