#!/usr/bin/env python3
"""How should `maxmin` weigh the groups from step to step? Needs numpy.

    python3 launch/experiments/maxmin-weights.py

A policy in closed form: rewards are normal under the reference with correlations C, the policy is the reference tilted by
sum_u theta_u r_u, so the groups' gains are C E theta and the divergence is theta' E C E theta / 2. E says how much more easily
than its correlations tell a group's reward is moved: theory, from whose weights all rules start, does not know E. A step moves
theta by a fixed length along the weights, with Adam's momentum .9, and sees gains through the noise of 128 responses. Training
ends at 2 nats.

    argmins   the weights are a running mean of argmins of F
    mean F    all weight is on the argmin of a running mean of F
    leaning   w = m exp(-F / T), normalized; the memory m is a running mean of w

The table has the worst-off group's gain at the end, as a part of what its own policy gives: mean over 100 seeds, and the
5th percentile. `best` is what no weights can exceed.
"""
import numpy as np

CORRELATIONS = np.array([[1, 0, -0.6], [0, 1, -0.6], [-0.6, -0.6, 1]])
NOISE = np.linalg.cholesky(CORRELATIONS + 1e-9 * np.eye(3)) / np.sqrt(128)
KL = 2.0


def gains_at_kl(theta, ease):
    """Gains where the line from the reference through theta is KL nats from it, in parts of the own policy's."""
    pulled = CORRELATIONS @ (ease * theta)
    divergence = theta @ (ease * pulled) / 2
    return pulled / np.sqrt(2 * divergence) if divergence > 1e-9 else np.full(3, -1.0)


def best_weights(ease):
    best, step = np.full(3, 1 / 3), 0.05
    while step > 1e-4:
        around = [best + step * np.array([a, b, -a - b]) for a in range(-3, 4) for b in range(-3, 4)]
        best = max((w for w in around if w.min() >= 0), key=lambda weights: gains_at_kl(weights, ease).min())
        step /= 2
    return best


def argmins(utilities, state, half_life, _):
    kept = 2 ** (-1 / half_life) if half_life else 0
    state["m"] = kept * state["m"] + (1 - kept) * np.eye(3)[utilities.argmin()]
    return state["m"]


def mean_of_utilities(utilities, state, half_life, _):
    kept = 2 ** (-1 / half_life) if half_life else 0
    state["f"] = kept * state.get("f", utilities) + (1 - kept) * utilities
    return np.eye(3)[state["f"].argmin()]


def leaning(utilities, state, half_life, temperature):
    kept = 2 ** (-1 / half_life) if half_life else 0
    weights = np.maximum(state["m"], 1e-4) * np.exp(-(utilities - utilities.min()) / temperature)
    weights /= weights.sum()
    state["m"] = kept * state["m"] + (1 - kept) * weights
    return weights


def train(rule, half_life, temperature, ease, rate, seed):
    random = np.random.default_rng(seed)
    theta, momentum, state = np.zeros(3), np.zeros(3), {"m": START}
    for _ in range(60):
        pulled = CORRELATIONS @ (ease * theta)
        if theta @ (ease * pulled) / 2 >= KL:
            break
        weights = rule(pulled + NOISE @ random.standard_normal(3), state, half_life, temperature)
        momentum = 0.9 * momentum + 0.1 * weights
        variance = (ease * momentum) @ CORRELATIONS @ (ease * momentum)
        theta = theta + rate * momentum / np.sqrt(max(variance, 1e-4))
    return gains_at_kl(theta, ease).min()


START = best_weights(np.ones(3))
RULES = (
    [("argmins", argmins, half_life, 0) for half_life in (0, 1, 2, 4, 8, 16, 32)]
    + [("mean F", mean_of_utilities, half_life, 0) for half_life in (2, 8)]
    + [("leaning", leaning, half_life, temperature) for half_life in (4, 8, 16, 32) for temperature in (0.25, 0.5, 1)]
)
SETTINGS = [(rate, np.array(ease)) for rate in (0.06, 0.12) for ease in ((1, 1, 1), (0.7, 1, 1.4), (1, 1, 2))]
for rate, ease in SETTINGS:
    print(f"rate {rate}, ease {ease}: best {gains_at_kl(best_weights(ease), ease).min():.2f}")
    for name, rule, half_life, temperature in RULES:
        worst = [train(rule, half_life, temperature, ease, rate, seed) for seed in range(100)]
        label = f"{name}, half-life {half_life}" + (f", T {temperature}" if temperature else "")
        print(f"    {label:32} {np.mean(worst):5.2f} {np.quantile(worst, 0.05):6.2f}")
