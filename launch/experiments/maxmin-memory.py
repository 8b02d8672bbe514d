#!/usr/bin/env python3
"""What should `maxmin` remember from step to step? Needs numpy.

    python3 launch/experiments/maxmin-memory.py

Two ways, on the six responses of TableTrainingTests with exact gradients of the logits:

    now    the weights are a running mean of argmins of F_u: w <- k w + (1 - k) e_argmin F
    other  all weight is on the argmin of a running mean of F_u

with k = 2^(-1/half-life). One would expect the other way to be the smoother one. It is not: all weight jumps from group
to group, and the policy swings between them.
"""
import numpy as np

REWARDS = np.array([[1.0, -1.0, 0.3, 0.0, -0.5, 0.2], [-0.6, 2.0, 0.7, 0.1, 0.4, -0.9]])
REFERENCE = np.exp([0.3, 0.1, -0.4, 0.5, 0.0, -0.2])
REFERENCE /= REFERENCE.sum()


def worst_utilities(smooths_utilities, half_life, beta, rate, steps=250):
    """The worst-off group's F before each step."""
    logits, weights, mean, worst = np.log(REFERENCE), np.array([0.5, 0.5]), None, []
    kept = 2 ** (-1 / half_life)
    for _ in range(steps):
        policy = np.exp(logits - logits.max())
        policy /= policy.sum()
        utilities = REWARDS @ policy - beta * (policy * np.log(policy / REFERENCE)).sum()
        worst.append(utilities.min())
        if smooths_utilities:
            mean = utilities if mean is None else kept * mean + (1 - kept) * utilities
            weights = np.eye(2)[mean.argmin()]
        else:
            weights = kept * weights + (1 - kept) * np.eye(2)[utilities.argmin()]
        reward = weights @ REWARDS - beta * np.log(policy / REFERENCE)
        logits = logits + rate * policy * (reward - (policy * reward).sum())
    return np.array(worst)


print("beta  rate  half-life  now: mean, least of the last 60 steps   other: mean, least")
better = settings = 0
for beta in (0.2, 0.5, 1.0):
    for rate in (0.3, 1.0, 3.0):
        for half_life in (4, 8, 16, 48):
            now, other = (worst_utilities(smooths, half_life, beta, rate)[-60:] for smooths in (False, True))
            better, settings = better + (now.mean() > other.mean()), settings + 1
            print(f"{beta:4} {rate:5} {half_life:10} {now.mean():22.3f} {now.min():7.3f} {other.mean():22.3f} {other.min():7.3f}")
print(f"now is the better one in {better} of {settings} settings")
