"""Reads the event files of a finished run with TensorBoard's own reader, and compares them with metrics.jsonl.

    python Tests/Fixtures/Reporting/check_tensorboard.py runs/smoke

Needs tensorboard (tried: 2.21.0).
"""

import json
import math
import pathlib
import struct
import sys

from flat_figures import flat_figures
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator
from tensorboard.util import tensor_util

run = pathlib.Path(sys.argv[1])


def part(line):
    if "objective" in line:
        return f"{line['stage']}/{line['objective']}"
    if "fit" not in line:
        return line["stage"]
    groups = f"-of-{len(line['group_sizes'])}" if "group_sizes" in line else ""
    restart = line.get("restart") or 0
    return f"{line['stage']}/{line['fit']}{groups}" + (f"-start-{restart + 1}" if restart else "")


expected = {}
for text in open(run / "metrics.jsonl"):
    line = json.loads(text)
    series = expected.setdefault(part(line), {})
    for name, number in flat_figures(line):
        # TensorBoard keeps 32 bits.
        number = struct.unpack("f", struct.pack("f", number))[0]
        series.setdefault(name, []).append((line["step"], number))

folders = {str(file.parent.relative_to(run / "tensorboard")) for file in (run / "tensorboard").rglob("*tfevents*")}
assert folders == set(expected), f"folders {folders} for the parts {set(expected)}"
scalars = histograms = texts = 0
for name, series in expected.items():
    events = EventAccumulator(str(run / "tensorboard" / name), size_guidance={"scalars": 0, "histograms": 0, "tensors": 0})
    events.Reload()
    assert set(events.Tags()["scalars"]) == set(series), f"{name}: {set(events.Tags()['scalars']) ^ set(series)}"
    for tag, points in series.items():
        read = [(event.step, event.value) for event in events.Scalars(tag)]
        assert read == points, f"{name}, {tag}: {read[:3]}…, not {points[:3]}…"
        scalars += len(read)
    steps = sorted({step for points in series.values() for step, _ in points})
    if name.startswith("policy/"):
        for tag in (t for t in series if t.startswith("reward/")):
            own = events.Histograms("rewards/" + tag.removeprefix("reward/"))
            assert [event.step for event in own] == steps, f"{name}, {tag}: histograms of steps {[e.step for e in own]}"
            for event, (_, mean) in zip(own, series[tag]):
                value = event.histogram_value
                assert value.num == sum(value.bucket) > 0 and len(value.bucket) == len(value.bucket_limit)
                assert math.isclose(value.sum / value.num, mean, rel_tol=1e-4, abs_tol=1e-4), f"{name}, {tag}: mean {mean}"
                histograms += 1
    if name.startswith("evaluate/"):
        policy = json.load(open(run / "evaluation.json"))["policies"][name.removeprefix("evaluate/")]
        rows = [[sample["prompt"], sample["response"]] for sample in policy["samples"]]
        (event,) = events.Tensors("samples")
        read = [[text.decode() for text in row] for row in tensor_util.make_ndarray(event.tensor_proto)]
        assert read == rows, f"{name}: samples {read}"
        assert events.SummaryMetadata("samples").plugin_data.plugin_name == "text"
        texts += len(rows)
print(f"ok: {len(expected)} event files, {scalars} scalars, {histograms} histograms, {texts} samples")
