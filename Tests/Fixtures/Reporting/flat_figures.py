"""The figures of a line of metrics.jsonl by flat names, as `maxmin` gives them to TensorBoard and MLflow."""


def flat_figures(line):
    for key, value in line.items():
        if key not in ("stage", "step", "objective", "fit", "restart"):
            yield from flat(value, key)


def flat(value, name):
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from flat(inner, f"{name}/{key}")
    elif isinstance(value, list):
        for index, inner in enumerate(value):
            yield from flat(inner, f"{name}/{index}")
    elif isinstance(value, (bool, int, float)):
        yield name, float(value)
