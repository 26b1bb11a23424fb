"""The chat template: how messages become text, in words the pretrained vocabulary knows.

    SYSTEM
    USER
    Answer: ASSISTANT<end of text>

The usual templates mark turns with new special tokens. Here none is added: the vocabulary and the
number of weights stay those of the parent, so that scores before and after are of one and the same
scorer, and what is learned is the answer, not the mark. `Answer:` is the sample world's own form of
a question; a user's text ends before it, the assistant's begins with a space, because byte-level
tokenizers join a space to the word after it (`lab.evaluation.scoring.encoding` cuts there too).

In training the assistant's part stands between `generation` tags, by which `trl` finds the tokens
that count; the template in the model's folder has no tags, since not every engine knows them.
"""

from pathlib import Path

from lab.core.files import read_json, write_json, write_text

OPEN, CLOSE = "{% generation %}", "{% endgeneration %}"
MARKED = (
    "{% for message in messages %}"
    "{% if message['role'] == 'system' %}{{ message['content'] + '\\n' }}"
    "{% elif message['role'] == 'user' %}{{ message['content'] + '\\nAnswer:' }}"
    "{% else %}" + OPEN + "{{ ' ' + message['content'] + eos_token }}" + CLOSE + "{% endif %}"
    "{% endfor %}"
)
TEMPLATE = MARKED.replace(OPEN, "").replace(CLOSE, "")


def add_template(folder: Path) -> None:
    """Write the template into the tokenizer files in `folder`; padding is end of text."""
    path = folder / "tokenizer_config.json"
    config = read_json(path)
    config |= {"pad_token": config["eos_token"], "chat_template": TEMPLATE}
    write_json(path, config)
    write_text(folder / "chat_template.jinja", TEMPLATE)
