"""Writes orders.json: log p of ordered choices and its gradient by choix's Top1Fcts, for PlackettLuceTests.

Run from anywhere: pip install choix && python Tests/Fixtures/RewardMixture/make_orders.py
"""

import json
import pathlib

import choix.opt
import numpy

CASES = [(2, 1), (3, 1), (3, 2), (4, 1), (4, 3), (6, 2), (9, 8)]


def case(responses, ranked, spread, random):
    # As floats, which the rewards are.
    rewards = (spread * random.standard_normal(responses)).astype(numpy.float32)
    choices = [(best, list(range(best + 1, responses))) for best in range(ranked)]
    likelihood = choix.opt.Top1Fcts(choices, penalty=0.0)
    values = rewards.astype(numpy.float64)
    return {
        "rewards": [float(reward) for reward in rewards],
        "ranked": ranked,
        "log_probability": -likelihood.objective(values),
        "gradient": [-float(part) for part in likelihood.gradient(values)],
    }


def main():
    random = numpy.random.default_rng(5)
    cases = [case(n, m, spread, random) for n, m in CASES for spread in (1.0, 30.0)]
    path = pathlib.Path(__file__).with_name("orders.json")
    path.write_text(json.dumps(cases, indent=1) + "\n")


if __name__ == "__main__":
    main()
