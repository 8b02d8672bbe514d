"""Writes optimizers.json: torch.optim.AdamW steps and transformers' schedules, for OptimizersTests.

Run from anywhere: python Tests/Fixtures/Optimizers/make.py
"""

import json
import pathlib

import torch
from transformers import optimization

PARAMETERS, STEPS = 11, 6
DECAYING = [(0, 4), (4, 5), (8, 10)]
SETTINGS = {"beta1": 0.8, "beta2": 0.95, "epsilon": 1e-6, "weightDecay": 0.1, "clipNorm": 1.5}
RATES = [0.0, 0.01, 0.03, 0.02, 0.01, 0.005]


def adamw():
    generator = torch.Generator().manual_seed(7)
    start = torch.randn(PARAMETERS, generator=generator)
    # Some steps are clipped, some are not.
    gradients = [torch.randn(PARAMETERS, generator=generator) * scale for scale in (1, 0.1, 3, 0.2, 0.01, 1)]
    decays = [any(a <= i < b for a, b in DECAYING) for i in range(PARAMETERS)]
    # One tensor an element, so that each can belong to either group of torch's optimizer.
    tensors = [torch.nn.Parameter(start[i : i + 1].clone()) for i in range(PARAMETERS)]
    optimizer = torch.optim.AdamW(
        [
            {"params": [t for t, d in zip(tensors, decays) if d], "weight_decay": SETTINGS["weightDecay"]},
            {"params": [t for t, d in zip(tensors, decays) if not d], "weight_decay": 0.0},
        ],
        betas=(SETTINGS["beta1"], SETTINGS["beta2"]),
        eps=SETTINGS["epsilon"],
    )
    norms, values = [], []
    for rate, gradient in zip(RATES, gradients):
        for i, tensor in enumerate(tensors):
            tensor.grad = gradient[i : i + 1].clone()
        norms.append(torch.nn.utils.clip_grad_norm_(tensors, SETTINGS["clipNorm"]).item())
        for group in optimizer.param_groups:
            group["lr"] = rate
        optimizer.step()
        values.append(torch.cat([t.detach() for t in tensors]).tolist())
    return {
        "start": start.tolist(),
        "gradients": [g.tolist() for g in gradients],
        "decaying": DECAYING,
        "settings": SETTINGS,
        "rates": RATES,
        "norms": norms,
        "values": values,
    }


def schedules():
    makers = {
        "constant": lambda o, w, t, f: optimization.get_constant_schedule_with_warmup(o, w),
        "linear": lambda o, w, t, f: optimization.get_linear_schedule_with_warmup(o, w, t),
        "cosine": lambda o, w, t, f: optimization.get_cosine_with_min_lr_schedule_with_warmup(o, w, t, min_lr_rate=f),
    }
    results = []
    for shape, warmup, total, floor in [
        ("constant", 3, 10, 0.0),
        ("linear", 3, 10, 0.0),
        ("linear", 0, 5, 0.0),
        ("cosine", 4, 12, 0.0),
        ("cosine", 0, 9, 0.1),
    ]:
        optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=0.02)
        scheduler = makers[shape](optimizer, warmup, total, floor)
        rates = []
        for _ in range(total):
            rates.append(optimizer.param_groups[0]["lr"])
            optimizer.step()
            scheduler.step()
        results.append({"shape": shape, "warmup": warmup, "total": total, "floor": floor, "peak": 0.02, "rates": rates})
    return results


path = pathlib.Path(__file__).with_name("optimizers.json")
path.write_text(json.dumps({"adamw": adamw(), "schedules": schedules()}) + "\n")
