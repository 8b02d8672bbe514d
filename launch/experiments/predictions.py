#!/usr/bin/env python3
"""Do groups gain what theory predicts? Needs scipy.

    python3 launch/experiments/predictions.py RUN...

Each RUN is a run directory with simulated users, judged by true taste. For every policy and group it prints

    predicted   the gain that `tastes.json` predicts from the correlations of the true tastes, in what the group's own
                policy would gain at that KL; for `diagnosis` in place of `taste`, what `reward/diagnosis.json` predicts
                from the learned rewards
    measured    the same from the win rate w: the normal quantile of w over the root of the KL
    w           the win rate that is predicted at the measured KL, and the measured one

and at the end Spearman's rank correlation of predicted and measured, over all lines, with a 95 % interval by bootstrap
over runs: the lines of a run share its users and models.
"""
import json
import pathlib
import random
import sys

from scipy.stats import norm, spearmanr


def lines_of(run):
    """(objective, group, source, predicted gain, KL, win rate) of every policy and group of a run."""
    evaluation = json.loads((run / "evaluation.json").read_text())
    tastes = json.loads((run / "tastes.json").read_text())
    diagnosis = json.loads((run / "reward/diagnosis.json").read_text())
    mixture = json.loads((run / "reward/mixture.json").read_text())
    for objective, policy in evaluation["policies"].items():
        rates = policy["by_judge"]["taste"]["win_rate"]
        kl = policy["kl"]
        if kl <= 0:
            continue
        for source, names, predictions in [
            ("taste", tastes["groups"], tastes["predictions"]),
            ("diagnosis", mixture["label_of_group"], diagnosis["predictions"]),
        ]:
            for name, gain in zip(names, predictions.get(objective, [])):
                if name in rates:
                    yield objective, name, source, gain, kl, rates[name]["mean"]


def correlation(pairs):
    return spearmanr([predicted for predicted, _ in pairs], [measured for _, measured in pairs]).statistic


def gains(line):
    _, _, _, gain, kl, rate = line
    return gain, norm.ppf(min(max(rate, 1e-3), 1 - 1e-3)) / kl**0.5


def rates(line):
    _, _, _, gain, kl, rate = line
    return norm.cdf(gain * kl**0.5), rate


runs = [pathlib.Path(path) for path in sys.argv[1:]]
if not runs:
    sys.exit(__doc__)
by_run = [list(lines_of(run)) for run in runs]
print("run objective group by predicted measured KL w-predicted w-measured")
for run, lines in zip(runs, by_run):
    for line in lines:
        objective, name, source, gain, kl, rate = line
        print(run.name, objective, name, source, f"{gain:.2f} {gains(line)[1]:.2f} {kl:.1f} {rates(line)[0]:.3f} {rate:.3f}")
for source in ["taste", "diagnosis"]:
    for name, of in [("gains", gains), ("win rates", rates)]:
        pairs = [[of(line) for line in lines if line[2] == source] for lines in by_run]
        value = correlation(sum(pairs, []))
        random.seed(1)
        draws = sorted(correlation(sum(random.choices(pairs, k=len(pairs)), [])) for _ in range(1000))
        count = sum(map(len, pairs))
        print(f"{source}: rank correlation of {name} {value:.2f} ({draws[25]:.2f} to {draws[974]:.2f}), "
              f"{count} lines of {len(runs)} runs")
