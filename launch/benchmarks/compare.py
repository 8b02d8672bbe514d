"""Runs tasks in maxmin and in PyTorch in turn and prints the ratio of their speeds, round by round.

Called by against-pytorch.sh. The machine may be shared: a ratio is formed within each round, and the median of the ratios
is the result.
"""

import argparse
import json
import os
import pathlib
import statistics
import subprocess
import sys

EM_ITERATION = ["em-iteration", "--pairs", "4", "--length", "128", "--groups", "2", "--epochs", "1"]
EM_ITERATION += ["--lora-rank", "8", "--top-layers", "2"]
# A task, and maxmin's with its size.
TASKS = {
    "reward-step": ["reward-step", "--pairs", "8", "--length", "128"],
    "reward-step-prompts": ["reward-step", "--pairs", "8", "--length", "128", "--prompt", "64"],
    "reward-step-mixed": ["reward-step", "--pairs", "16", "--length", "16-512"],
    "score": ["score", "--pairs", "8", "--length", "128"],
    "score-prompts": ["score", "--pairs", "8", "--length", "128", "--prompt", "64"],
    "generate-16": ["generate", "--batch", "16"],
    "generate-64": ["generate", "--batch", "64"],
    "policy-step": ["policy-step", "--batch", "16"],
    # Beside the way of the paper's code: a full pass for each group and response.
    "em-iteration": EM_ITERATION,
    "em-iteration-prompts": [*EM_ITERATION, "--prompt", "64"],
}
# Repetitions at most: one of PyTorch's on padded sequences takes longer than all others together.
MOST_REPEATS = {"reward-step-mixed": 1, "policy-step": 2}


def tokens_per_second(command, environment):
    finished = subprocess.run(command, env=environment, check=True, stdout=subprocess.PIPE, text=True)
    return json.loads(finished.stdout.splitlines()[-1])["tokens_per_second"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--maxmin", required=True)
    parser.add_argument("--model", required=True)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--repeats", type=int, default=5)
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)))
    parser.add_argument("--precision", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--tasks", nargs="+", choices=list(TASKS), default=list(TASKS))
    arguments = parser.parse_args()
    # A core type forced from outside would slow one side only.
    environment = {key: value for key, value in os.environ.items() if key != "OPENBLAS_CORETYPE"}
    environment["OMP_NUM_THREADS"] = str(arguments.threads)
    settings = ["--threads", str(arguments.threads), "--precision", arguments.precision]
    pytorch = [sys.executable, str(pathlib.Path(__file__).with_name("pytorch_tasks.py")), arguments.model]

    print(f"{'task':<21}{'maxmin tokens/s':>18}{'PyTorch tokens/s':>18}{'ratio':>8}   ratios of the rounds")
    for name in arguments.tasks:
        ours, theirs = [], []
        repeats = min(arguments.repeats, MOST_REPEATS.get(name, arguments.repeats))
        common = [*settings, "--repeats", str(repeats)]
        for _ in range(arguments.rounds):
            command = [arguments.maxmin, "bench", *TASKS[name], "--model", arguments.model, "--json"]
            ours.append(tokens_per_second(command + common, environment))
            # Sequences of a pair are the same work to PyTorch whatever they share.
            theirs.append(tokens_per_second([*pytorch, name.removesuffix("-prompts"), *common], environment))
        ratios = [a / b for a, b in zip(ours, theirs)]
        print(
            f"{name:<21}{statistics.median(ours):>18.0f}{statistics.median(theirs):>18.0f}"
            f"{statistics.median(ratios):>8.2f}   {' '.join(f'{ratio:.2f}' for ratio in ratios)}",
            flush=True,
        )


if __name__ == "__main__":
    main()
