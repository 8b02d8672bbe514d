"""Makes the golden files of tiny random models of both families with transformers and PyTorch (fp32, CPU, eager attention).

Run in this folder:  python make_golden.py [NAME …]
Needs torch, transformers and safetensors; the versions used last are written into every file's metadata.

Each NAME.golden is a safetensors file (the ending keeps it out of .gitignore):
  config              GPT-2 only: the shape, as float32 scalars [vocab, positions, width, layers, heads, inner]
                      (the others have the text of their config.json in the metadata, as transformers writes it)
  weight.NAME         the language model's tensors, Hugging Face names
  sequence.I          token ids (as float32) of sequence I
  logits.I            its logits
  loss                mean next-token loss over all predictions of all sequences
  grad.NAME           its gradients
  adamw.losses        the losses before each of ten AdamW steps, and after the last
  score.weight        a reward head on the same trunk
  rewards             rewards of the sequences (GPT2ForSequenceClassification and so on)
  bt.loss             Bradley-Terry loss of the pairs (0, 1), (2, 3): sequence 2i is chosen over 2i + 1
  bt.grad.NAME        its gradients
"""

import sys

import torch
import transformers
from safetensors.torch import save_file

SHAPES = {
    # name: vocabulary, positions, width, layers, heads, inner, lengths of the sequences
    "small": (50, 24, 16, 2, 2, None, [9, 1 + 4, 17, 24]),
    "odd": (37, 19, 15, 3, 3, 22, [3, 19, 2, 8]),
    "deep": (61, 40, 12, 4, 1, 40, [40, 7, 11, 30]),
}
LLAMA_SHAPES = {
    # name: configuration class, its arguments, lengths of the sequences
    "llama3": (transformers.LlamaConfig, dict(
        vocab_size=41, hidden_size=16, intermediate_size=22, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=48, rope_parameters=dict(
            rope_type="llama3", rope_theta=100.0, factor=4.0, low_freq_factor=1.0, high_freq_factor=2.0,
            original_max_position_embeddings=16)), [9, 5, 17, 48]),
    "llama-bias": (transformers.LlamaConfig, dict(
        vocab_size=37, hidden_size=12, intermediate_size=20, num_hidden_layers=1, num_attention_heads=3,
        max_position_embeddings=24, attention_bias=True, tie_word_embeddings=True, rms_norm_eps=1e-5,
        rope_parameters=dict(rope_type="linear", rope_theta=50.0, factor=2.0)), [3, 24, 2, 8]),
    "mistral": (transformers.MistralConfig, dict(
        vocab_size=37, hidden_size=12, intermediate_size=18, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=1, head_dim=4, max_position_embeddings=64, sliding_window=40), [40, 7, 11, 30]),
    "qwen2": (transformers.Qwen2Config, dict(
        vocab_size=43, hidden_size=16, intermediate_size=24, num_hidden_layers=2, num_attention_heads=4,
        num_key_value_heads=2, max_position_embeddings=32, tie_word_embeddings=True,
        rope_parameters=dict(rope_type="default", rope_theta=1e6)), [9, 3, 17, 32]),
    "qwen3": (transformers.Qwen3Config, dict(
        vocab_size=39, hidden_size=14, intermediate_size=22, num_hidden_layers=2, num_attention_heads=6,
        num_key_value_heads=3, head_dim=4, max_position_embeddings=32, rope_parameters=dict(
            rope_type="default", rope_theta=1e4)), [9, 3, 17, 32]),
    "olmo2": (transformers.Olmo2Config, dict(
        vocab_size=37, hidden_size=30, intermediate_size=13, num_hidden_layers=2, num_attention_heads=5,
        num_key_value_heads=1, max_position_embeddings=32, rope_parameters=dict(
            rope_type="default", rope_theta=500.0)), [9, 3, 17, 32]),
    "llama32": (transformers.LlamaConfig, dict(
        vocab_size=43, hidden_size=18, intermediate_size=26, num_hidden_layers=2, num_attention_heads=3,
        num_key_value_heads=1, head_dim=10, max_position_embeddings=64, tie_word_embeddings=True,
        rope_parameters=dict(
            rope_type="llama3", rope_theta=200.0, factor=32.0, low_freq_factor=1.0, high_freq_factor=4.0,
            original_max_position_embeddings=24)), [64, 5, 17, 29]),
}
LEARNING_RATE, WEIGHT_DECAY, STEPS = 1e-2, 0.1, 10


def configuration(shape):
    vocabulary, positions, width, layers, heads, inner, _ = shape
    return transformers.GPT2Config(
        vocab_size=vocabulary, n_positions=positions, n_embd=width, n_layer=layers, n_head=heads, n_inner=inner,
        resid_pdrop=0.0, embd_pdrop=0.0, attn_pdrop=0.0, activation_function="gelu_new",
        bos_token_id=0, eos_token_id=0, attn_implementation="eager", num_labels=1, pad_token_id=None,
    )


def randomize(model, generator):
    """Larger than the usual start, biases and gains included, so that every term matters."""
    with torch.no_grad():
        for name, parameter in model.named_parameters():
            noise = torch.randn(parameter.shape, generator=generator)
            if parameter.dim() == 1 and name.endswith("weight"):
                parameter.copy_(1 + 0.2 * noise)
            else:
                parameter.copy_(0.25 * noise if parameter.dim() > 1 else 0.1 * noise)


def next_token_loss(model, sequences):
    losses = [
        torch.nn.functional.cross_entropy(model(s[None]).logits[0, :-1], s[1:], reduction="sum") for s in sequences
    ]
    return sum(losses) / sum(len(s) - 1 for s in sequences)


def make_gpt2(name, shape, seed):
    out = {"config": torch.tensor([*shape[:5], shape[5] or 4 * shape[2]], dtype=torch.float32)}
    make(name, configuration(shape), shape[6], seed, out, {})


def make_llama(name, shape, seed):
    config_class, arguments, lengths = shape
    config = config_class(
        **arguments, bos_token_id=0, eos_token_id=0, attn_implementation="eager", num_labels=1, pad_token_id=None)
    make(name, config, lengths, seed, {}, {"config.json": config.to_json_string(use_diff=False)})


def make(name, config, lengths, seed, out, metadata):
    generator = torch.Generator().manual_seed(seed)
    sequences = [torch.randint(config.vocab_size, (n,), generator=generator) for n in lengths]
    for i, s in enumerate(sequences):
        out[f"sequence.{i}"] = s.float()

    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.float32).eval()
    randomize(model, generator)
    for key, parameter in model.named_parameters():
        out[f"weight.{key}"] = parameter.detach().clone()
    with torch.no_grad():
        for i, s in enumerate(sequences):
            out[f"logits.{i}"] = model(s[None]).logits[0]
    loss = next_token_loss(model, sequences)
    loss.backward()
    out["loss"] = loss.detach()[None]
    for key, parameter in model.named_parameters():
        out[f"grad.{key}"] = parameter.grad.clone()

    classifier = transformers.AutoModelForSequenceClassification.from_config(config, dtype=torch.float32).eval()
    classifier.base_model.load_state_dict(model.base_model.state_dict())
    with torch.no_grad():
        classifier.score.weight.copy_(torch.randn(classifier.score.weight.shape, generator=generator))
    out["score.weight"] = classifier.score.weight.detach().clone()
    rewards = torch.stack([classifier(s[None]).logits[0, 0] for s in sequences])
    bt = -torch.nn.functional.logsigmoid(rewards[0::2] - rewards[1::2]).mean()
    bt.backward()
    out["rewards"] = rewards.detach()
    out["bt.loss"] = bt.detach()[None]
    for key, parameter in classifier.named_parameters():
        out[f"bt.grad.{key}"] = parameter.grad.clone()

    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(
        [
            {"params": [p for p in parameters if p.dim() > 1], "weight_decay": WEIGHT_DECAY},
            {"params": [p for p in parameters if p.dim() <= 1], "weight_decay": 0.0},
        ],
        lr=LEARNING_RATE,
    )
    losses = []
    for _ in range(STEPS):
        optimizer.zero_grad()
        loss = next_token_loss(model, sequences)
        losses.append(loss.item())
        loss.backward()
        optimizer.step()
    with torch.no_grad():
        losses.append(next_token_loss(model, sequences).item())
    out["adamw.losses"] = torch.tensor(losses)

    save_file(
        {key: value.contiguous() for key, value in out.items()}, f"{name}.golden",
        metadata={
            "torch": torch.__version__, "transformers": transformers.__version__, "seed": str(seed), **metadata},
    )


if __name__ == "__main__":
    torch.set_num_threads(1)
    makers = [(make_gpt2, *item) for item in SHAPES.items()] + [(make_llama, *item) for item in LLAMA_SHAPES.items()]
    for seed, (maker, name, shape) in enumerate(makers):
        if len(sys.argv) == 1 or name in sys.argv[1:]:
            maker(name, shape, seed)
