"""Makes the golden files of LoRA adapters with peft (fp32, CPU), on the models of make_golden.py, whose files it reads.

Run in this folder:  python make_adapters.py [NAME …]
Needs torch, transformers, peft and safetensors; the versions used last are written into every file's metadata.

Each NAME-lora.golden is a safetensors file:
  adapter.NAME        the adapters' matrices and the reward head, by their names in adapter_model.safetensors
  logits.I            logits of NAME.golden's sequence I with the adapters
  loss                mean next-token loss over all predictions of all sequences
  grad.NAME           its gradients
  rewards             rewards of the sequences, with the same adapters on the sequence classifier
  bt.loss             Bradley-Terry loss of the pairs (0, 1), (2, 3)
  bt.grad.NAME        its gradients
Its metadata hold peft's own adapter_config.json of the classifier.
"""

import json
import sys
import tempfile

import peft
import torch
import transformers
from safetensors import safe_open
from safetensors.torch import load_file, save_file

from make_golden import SHAPES, configuration, next_token_loss

ADAPTERS = {
    # name of the base: arguments of LoraConfig
    "small": dict(r=3, lora_alpha=7, target_modules=["c_attn", "c_proj", "c_fc"], fan_in_fan_out=True),
    "llama3": dict(r=2, lora_alpha=8, target_modules=["q_proj", "v_proj", "gate_proj", "down_proj"],
                   layers_to_transform=[1]),
    "qwen3": dict(r=3, lora_alpha=5, target_modules=[
        "q_proj", "k_proj", "v_proj", "o_proj", "gate_proj", "up_proj", "down_proj"]),
    "olmo2": dict(r=2, lora_alpha=6, target_modules=["q_proj", "k_proj", "o_proj", "up_proj"]),
}


def base(name, auto_class):
    golden = load_file(f"{name}.golden")
    if name in SHAPES:
        config = configuration(SHAPES[name])
    else:
        with safe_open(f"{name}.golden", "pt") as file:
            fields = json.loads(file.metadata()["config.json"])
        config = transformers.AutoConfig.for_model(**fields, attn_implementation="eager")
    model = auto_class.from_config(config, dtype=torch.float32).eval()
    weights = {key.removeprefix("weight."): value for key, value in golden.items() if key.startswith("weight.")}
    if hasattr(model, "score"):
        weights["score.weight"] = golden["score.weight"]
    missing = model.load_state_dict(weights, strict=False).missing_keys
    assert set(missing) <= {"lm_head.weight"}, missing
    return model, [golden[f"sequence.{i}"].long() for i in range(4)]


def adapted(model, task, arguments, seed):
    """The model with adapters that are far from zero; the same for both tasks."""
    model = peft.get_peft_model(model, peft.LoraConfig(task_type=task, **arguments)).eval()
    generator = torch.Generator().manual_seed(seed)
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            if "lora_" in name:
                parameter.copy_(0.1 * torch.randn(parameter.shape, generator=generator))
    return model


def gradients(model):
    """Of what is trained, by the names of the saved file."""
    trained = {name: p.grad for name, p in model.named_parameters() if p.requires_grad}
    return {name.replace(".default", "").replace(".modules_to_save", ""): grad.clone() for name, grad in trained.items()}


def make(name, arguments, seed):
    out = {}
    model, sequences = base(name, transformers.AutoModelForCausalLM)
    model = adapted(model, "CAUSAL_LM", arguments, seed)
    with torch.no_grad():
        for i, s in enumerate(sequences):
            out[f"logits.{i}"] = model(input_ids=s[None]).logits[0]
    loss = next_token_loss(model.base_model.model, sequences)
    loss.backward()
    out["loss"] = loss.detach()[None]
    out |= {f"grad.{key}": value for key, value in gradients(model).items()}

    classifier, _ = base(name, transformers.AutoModelForSequenceClassification)
    classifier = adapted(classifier, "SEQ_CLS", arguments, seed)
    rewards = torch.stack([classifier(input_ids=s[None]).logits[0, 0] for s in sequences])
    loss = -torch.nn.functional.logsigmoid(rewards[0::2] - rewards[1::2]).mean()
    loss.backward()
    out["rewards"] = rewards.detach()
    out["bt.loss"] = loss.detach()[None]
    out |= {f"bt.grad.{key}": value for key, value in gradients(classifier).items()}

    with tempfile.TemporaryDirectory() as folder:
        classifier.save_pretrained(folder)
        saved = load_file(f"{folder}/adapter_model.safetensors")
        with open(f"{folder}/adapter_config.json") as file:
            config = file.read()
    out |= {f"adapter.{key}": value for key, value in saved.items()}
    save_file(
        {key: value.detach().contiguous() for key, value in out.items()}, f"{name}-lora.golden",
        metadata={
            "torch": torch.__version__, "transformers": transformers.__version__, "peft": peft.__version__,
            "seed": str(seed), "adapter_config.json": config},
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    for seed, (name, arguments) in enumerate(ADAPTERS.items()):
        if len(sys.argv) == 1 or name in sys.argv[1:]:
            make(name, arguments, seed)
