"""Writes intervals.json: win rates with numpy's percentile bootstrap intervals, for EvaluationTests.

Two policies and a reference answer the same prompts for three groups. The resampled prompts are those of
Sources/Randomness/CounterRandom.swift, whose mixing function is written anew here; everything else is numpy's.

Run from anywhere: python Tests/Fixtures/Evaluation/make_intervals.py
"""

import json
import pathlib

import numpy

GROUPS, PROMPTS, SAMPLES, RESAMPLES, SEED = 3, 37, 4, 500, 9
BOOTSTRAP = 8
WORD = 2**64


def mix(z):
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9 % WORD
    z = (z ^ (z >> 27)) * 0x94D049BB133111EB % WORD
    return z ^ (z >> 31)


def drawn_prompts(resample):
    key = mix((SEED + 0x9E3779B97F4A7C15) % WORD)
    key = mix(key ^ mix((BOOTSTRAP + 0xD1B54A32D192ED03) % WORD))
    key = mix(key ^ mix(0x8CB92BA72F3D8DD7))
    key = mix(key ^ mix((resample + 0xABC98388FB8FAC03) % WORD))
    return [mix((key + i * 0x9E3779B97F4A7C15) % WORD) * PROMPTS // WORD for i in range(1, PROMPTS + 1)]


def interval(point, resampled):
    low, high = numpy.percentile(resampled, [2.5, 97.5])
    return {"mean": float(point), "low": float(low), "high": float(high)}


random = numpy.random.default_rng(7)
# Whole numbers, so that there are ties. The second policy is better for group 0 and worse for group 2.
shift = numpy.array([[0, 0, 0], [1, 1, 1], [2, 1, 0]])
utilities = random.integers(0, 5, (3, GROUPS, PROMPTS, SAMPLES)) + shift[:, :, None, None]
reference = utilities[0]
drawn = numpy.array([drawn_prompts(r) for r in range(RESAMPLES)])
policies, worst_point, worst_resampled = [], [], []
for own in utilities[1:]:
    pairs = numpy.sign(own[..., :, None] - reference[..., None, :])
    wins = (pairs / 2 + 0.5).mean((2, 3))
    resampled = wins[:, drawn].mean(2)
    worst_point.append(wins.mean(1).min())
    worst_resampled.append(resampled.min(0))
    policies.append(
        {
            "groups": [interval(w.mean(), r) for w, r in zip(wins, resampled)],
            "worst": interval(worst_point[-1], worst_resampled[-1]),
        }
    )
golden = {
    "resamples": RESAMPLES,
    "seed": SEED,
    "utilities": utilities.tolist(),
    "policies": policies,
    "worstLess": interval(worst_point[1] - worst_point[0], worst_resampled[1] - worst_resampled[0]),
}
pathlib.Path(__file__).with_name("intervals.json").write_text(json.dumps(golden) + "\n")
