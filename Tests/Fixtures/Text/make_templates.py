"""Makes templates.json: conversations under each chat template, by transformers, the oracle of the ChatTemplate tests.

    python make_templates.py        # beside itself, after make_fixtures.py; needs: pip install transformers jinja2

The templates are written here as the models' own files have them. `jinja` is what maxmin writes beside a trained model; both
must render alike.
"""
import json
import pathlib
import sys

from tokenizers import AddedToken, Tokenizer
from transformers import PreTrainedTokenizerFast

HERE = pathlib.Path(__file__).parent
LLAMA3 = ["<|begin_of_text|>", "<|end_of_text|>", "<|start_header_id|>", "<|end_header_id|>", "<|eot_id|>"]
OLMO = ["<|endoftext|>"]
CHATML = ["<|endoftext|>", "<|im_start|>", "<|im_end|>"]

# By file name of the template: the vocabulary of modern.json, tokens added to it, beginning and end of text, and the model's own Jinja.
TEMPLATES = {
    "tulu": ("sentencepiece", [], "<s>", "</s>", """{{ bos_token }}{% for message in messages %}
{% if message['role'] == 'user' %}
{{ '<|user|>\n' + message['content'] }}
{% elif message['role'] == 'system' %}
{{ '<|system|>\n' + message['content'] }}
{% elif message['role'] == 'assistant' %}
{{ '<|assistant|>\n'  + message['content'] + eos_token }}
{% endif %}
{% if loop.last and add_generation_prompt %}
{{ '<|assistant|>' }}
{% endif %}
{% endfor %}"""),
    "olmo": ("llama3-bare", OLMO, "<|endoftext|>", "<|endoftext|>", """{{ bos_token }}{% for message in messages %}
{%- if message['role'] == 'system' %}{{ '<|system|>\n' + message['content'] + '\n' }}
{%- elif message['role'] == 'user' %}{{ '<|user|>\n' + message['content'] + '\n' }}
{%- elif message['role'] == 'assistant' %}
{%- if not loop.last %}{{ '<|assistant|>\n'  + message['content'] + eos_token + '\n' }}
{%- else %}{{ '<|assistant|>\n'  + message['content'] + eos_token }}{% endif %}{% endif %}
{%- if loop.last and add_generation_prompt %}{{ '<|assistant|>\n' }}{% endif %}{% endfor %}"""),
    "llama2": ("sentencepiece", [], "<s>", "</s>", """
{%- if messages[0]['role'] == 'system' %}
{%- set loop_messages = messages[1:] %}{% set system_message = messages[0]['content'] %}
{%- else %}{% set loop_messages = messages %}{% set system_message = false %}{% endif %}
{%- for message in loop_messages %}
{%- if loop.index0 == 0 and system_message != false %}
{%- set content = '<<SYS>>\\n' + system_message + '\\n<</SYS>>\\n\\n' + message['content'] %}
{%- else %}{% set content = message['content'] %}{% endif %}
{%- if message['role'] == 'user' %}{{ bos_token + '[INST] ' + content.strip() + ' [/INST]' }}
{%- elif message['role'] == 'assistant' %}{{ ' '  + content.strip() + ' ' + eos_token }}{% endif %}
{%- endfor %}"""),
    "llama3": ("llama3", LLAMA3, "<|begin_of_text|>", "<|end_of_text|>", """
{%- set loop_messages = messages %}
{%- for message in loop_messages %}
{%- set content = '<|start_header_id|>' + message['role'] + '<|end_header_id|>\n\n'+ message['content'] | trim + '<|eot_id|>' %}
{%- if loop.index0 == 0 %}{% set content = bos_token + content %}{% endif %}
{{- content }}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|start_header_id|>assistant<|end_header_id|>\n\n' }}{% endif %}"""),
    "llama3.1": ("llama3", LLAMA3, "<|begin_of_text|>", "<|end_of_text|>", """{{- bos_token }}
{%- if not date_string is defined %}{% set date_string = "26 Jul 2024" %}{% endif %}
{%- if messages[0]['role'] == 'system' %}
{%- set system_message = messages[0]['content']|trim %}{% set messages = messages[1:] %}
{%- else %}{% set system_message = "" %}{% endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Cutting Knowledge Date: December 2023\\n" }}
{{- "Today Date: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
{{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n'+ message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}{{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}{% endif %}"""),
    "chatml": ("qwen2", CHATML, "<|endoftext|>", "<|endoftext|>", """
{%- for message in messages %}{{'<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}
{%- endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""),
    "chatml-system": ("digits", CHATML, "<|im_start|>", "<|im_end|>", """{% for message in messages %}
{%- if loop.first and messages[0]['role'] != 'system' %}
{{- '<|im_start|>system\nYou are a "helpful" assistant\\'s \\\\ assistant.\\nBe kind<|im_end|>\n' }}{% endif %}
{{- '<|im_start|>' + message['role'] + '\n' + message['content'] + '<|im_end|>' + '\n'}}{% endfor %}
{%- if add_generation_prompt %}{{ '<|im_start|>assistant\n' }}{% endif %}"""),
    "alpaca": ("sentencepiece", [], "<s>", "</s>", """{{ bos_token }}
{%- set task = 'Below is an instruction that describes a task. '
    + 'Write a response that appropriately completes the request.' %}
{%- if messages[0]['role'] == 'system' %}{% set task = messages[0]['content'] %}{% endif %}
{{- task + '\n\n' }}
{%- for message in messages %}
{%- if message['role'] == 'user' %}{{ '### Instruction:\n' + message['content'] + '\n\n### Response:\n' }}
{%- elif message['role'] == 'assistant' %}{{ message['content'] + eos_token + '\n\n' }}{% endif %}
{%- endfor %}"""),
}
TURNS = [
    ["Name a film that we'll remember."],
    ["  spaces around \n"],
    ["\n\nlines\n\nwithin\n"],
    ["日本の映画は? é e\u0301 👍🏽"],
    [""],
    ["Hello", "Hi there!", "And now?"],
    ["a", " led by a space, ending in lines\n\n", "  b", "c", "\td"],
]
SYSTEMS = [None, "Be kind.", " \nBe brief.\nBe kind.\n"]


def conversations():
    for system in SYSTEMS:
        for turns in TURNS:
            roles = ["user", "assistant"] * len(turns)
            messages = [{"role": role, "content": content} for role, content in zip(roles, turns)]
            yield ([{"role": "system", "content": system}] if system is not None else []) + messages


def main(jinja_folder):
    modern = json.loads((HERE / "modern.json").read_text())
    result = {}
    for name, (vocabulary, added, bos, eos, template) in TEMPLATES.items():
        file = modern[vocabulary.removesuffix("-bare")]["tokenizer"]
        if vocabulary.endswith("-bare"):
            file["post_processor"] = None
        tokenizer = Tokenizer.from_str(json.dumps(file))
        tokenizer.add_special_tokens([AddedToken(token, special=True, normalized=False) for token in added])
        fast = PreTrainedTokenizerFast(tokenizer_object=tokenizer, bos_token=bos, eos_token=eos)
        cases = []
        for messages in conversations():
            ids = fast.apply_chat_template(
                messages, chat_template=template, add_generation_prompt=True, tokenize=True, return_dict=False)
            cases.append({"messages": messages, "ids": ids})
            if jinja_folder:
                ours = (pathlib.Path(jinja_folder) / f"{name}.jinja").read_text()
                kind = {"add_generation_prompt": True, "tokenize": False}
                expected = fast.apply_chat_template(messages, chat_template=template, **kind)
                found = fast.apply_chat_template(messages, chat_template=ours, **kind)
                assert found == expected, (name, found, expected)
        # A whole answer after its prompt, as the assistant's turn of a longer conversation has it.
        result[name] = {
            "tokenizer": json.loads(tokenizer.to_str()), "jinja": template, "bos_token": bos, "eos_token": eos, "cases": cases}
    lines = ",\n".join(f"{json.dumps(k)}: {json.dumps(v, separators=(',', ':'))}" for k, v in result.items())
    (HERE / "templates.json").write_text("{" + lines + "}\n")


main(sys.argv[1] if len(sys.argv) > 1 else None)
