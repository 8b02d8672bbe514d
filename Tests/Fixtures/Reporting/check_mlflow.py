"""Reads what `maxmin export mlflow RUN` wrote with MLflow's own client, and compares it with metrics.jsonl.

    python Tests/Fixtures/Reporting/check_mlflow.py runs/smoke

Needs mlflow or mlflow-skinny (tried: 3.17.2).
"""

import json
import os
import pathlib
import sys

# MLflow 3 reads file stores where it is told that they are meant.
os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
from flat_figures import flat_figures
from mlflow.tracking import MlflowClient

run = pathlib.Path(sys.argv[1])
client = MlflowClient(tracking_uri=(run / "mlruns").absolute().as_uri())
(experiment,) = client.search_experiments()
runs = {found.info.run_name: found for found in client.search_runs([experiment.experiment_id])}


figures = 0
seen = set()
for text in open(run / "metrics.jsonl"):
    line = json.loads(text)
    part = line.get("objective") or line.get("fit", "")
    names = [name for name in runs if name.split("/")[0] == line["stage"] and name.partition("/")[2].startswith(part)]
    assert names, f"no run of {line['stage']} {part}: {sorted(runs)}"
    seen.add(names[0])
    for name, number in flat_figures(line):
        history = client.get_metric_history(runs[names[0]].info.run_id, name) if line["step"] == 1 else None
        if history is not None:
            assert (history[0].step, history[0].value) == (1, number), f"{names[0]}, {name}: {history[0]}"
            assert [m.timestamp for m in history] == sorted(m.timestamp for m in history)
        figures += 1
total = sum(
    len(client.get_metric_history(found.info.run_id, name)) for found in runs.values() for name in found.data.metrics
)
assert seen == set(runs), f"runs {set(runs) - seen} have no lines"
assert total == figures, f"{total} values for {figures} in metrics.jsonl"
assert all(found.data.params["run.seed"] for found in runs.values())
print(f"ok: {len(runs)} runs, {total} values, {len(next(iter(runs.values())).data.params)} parameters")
