"""Writes figures.json: divergences of categorical distributions, and GRPO's loss with its gradient, for MaxMinPolicyTests.

Run from anywhere: python Tests/Fixtures/MaxMinPolicy/make_figures.py

The divergences are torch's own. GRPO is written down here from arXiv 2402.03300, equations 3 and 4; advantages are as
TRL has them, with the unbiased standard deviation and 1e-4 added to it. Gradients come from autograd, in float64.
"""

import json
import pathlib

import torch

generator = torch.Generator().manual_seed(11)


def randn(*shape, scale=1.0):
    return (torch.randn(*shape, generator=generator, dtype=torch.float32) * scale).double()


def divergence(vocabulary, temperature, scale):
    logits, other = randn(vocabulary, scale=scale), randn(vocabulary, scale=scale)
    own, reference = (torch.distributions.Categorical(logits=x / temperature) for x in (logits, other))
    return {
        "logits": logits.tolist(),
        "other": other.tolist(),
        "temperature": temperature,
        "kl": torch.distributions.kl_divergence(own, reference).item(),
    }


def grpo(prompts, samples, lengths, clip, beta):
    """Responses in a row, those of a prompt next to one another, of these lengths."""
    tokens = sum(lengths)
    rewards = randn(prompts * samples, scale=2.0)
    old = -randn(tokens).abs()
    own = (old + randn(tokens, scale=0.3)).requires_grad_()
    reference = old + randn(tokens, scale=0.5)
    grouped = rewards.view(prompts, samples)
    advantages = (grouped - grouped.mean(1, keepdim=True)) / (grouped.std(1, keepdim=True) + 1e-4)
    of_token = torch.repeat_interleave(advantages.view(-1), torch.tensor(lengths))
    ratio = torch.exp(own - old)
    surrogate = torch.minimum(ratio * of_token, ratio.clamp(1 - clip, 1 + clip) * of_token)
    kl = torch.exp(reference - own) - (reference - own) - 1
    per_token = surrogate - beta * kl
    means = [part.mean() for part in per_token.split(lengths)]
    loss = -torch.stack(means).mean()
    loss.backward()
    return {
        "samples": samples,
        "lengths": lengths,
        "clip": clip,
        "beta": beta,
        "rewards": rewards.tolist(),
        "old": old.tolist(),
        "own": own.tolist(),
        "reference": reference.tolist(),
        "advantages": advantages.view(-1).tolist(),
        "loss": loss.item(),
        "gradient": own.grad.tolist(),
    }


figures = {
    "divergences": [divergence(7, 1.0, 3.0), divergence(19, 0.7, 6.0), divergence(33, 1.5, 12.0)],
    "grpo": [grpo(2, 3, [4, 1, 6, 2, 2, 5], 0.2, 0.1), grpo(1, 2, [3, 8], 0.1, 0.0)],
}
path = pathlib.Path(__file__).parent / "figures.json"
path.write_text(json.dumps(figures, indent=1) + "\n")
