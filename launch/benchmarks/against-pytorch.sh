#!/usr/bin/env bash
# Times the same tasks in maxmin and in PyTorch, in turn, and prints the ratios. PyTorch and transformers come from PyPI
# into an environment of their own under .build/. Arguments go to compare.py, as in:
#   ./launch/benchmarks/against-pytorch.sh --rounds 3 --threads 2
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."

swift build -c release --product maxmin
maxmin=$(swift build -c release --product maxmin --show-bin-path)/maxmin
environment=.build/pytorch
if [[ ! -x $environment/bin/python ]]; then
    python3 -m venv "$environment"
    "$environment/bin/pip" install --quiet "torch==${TORCH_VERSION:-2.13.0}" transformers peft safetensors numpy
fi
model=.build/benchmark-gpt2
[[ -e $model/model.safetensors ]] || "$maxmin" init --preset gpt2 --out "$model"
exec "$environment/bin/python" launch/benchmarks/compare.py --maxmin "$maxmin" --model "$model" "$@"
