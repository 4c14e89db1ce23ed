"""A file's tokenizer and chat template, its weights left alone: `python -m core.llamacpp.look`, see core/gguf/look.py.

Takes a `Look` and says frames (core/gguf/look_wire.py). Templates are strangers' programs and run in the sandbox of
core/llamacpp/templates.py; the other side ends this process when it takes too long.
"""

from __future__ import annotations

import sys

from core.errors import ModelLoadFailed, WorkbenchError
from core.gguf.look_wire import Failed, Frame, Look, Rendered, Tokens, decode_look, encode
from core.llamacpp.bindings import llama
from core.llamacpp.templates import CHATML, ChatTemplate
from core.llamacpp.vocabulary import Vocabulary
from core.messages import Message


def _say(frame: Frame) -> None:
    sys.stdout.buffer.write(encode(frame) + b"\n")
    sys.stdout.buffer.flush()


def _look(look: Look) -> None:
    llama.llama_log_set(_silent, None)
    llama.llama_backend_init()
    params = llama.llama_model_default_params()
    params.vocab_only = True
    model = llama.llama_model_load_from_file(look.path.encode(errors="surrogateescape"), params)
    if not model:
        raise ModelLoadFailed(model=look.path.rsplit("/", 1)[-1], detail="llama.cpp cannot read its vocabulary")
    vocabulary = Vocabulary(model)
    for text in look.texts:
        ids = vocabulary.tokenize(text, special=look.special)
        _say(Tokens(ids, [vocabulary.raw_piece(id) for id in ids]))
    if look.render is not None:
        own = llama.llama_model_chat_template(model, None)
        source = own.decode("utf-8", errors="replace") if own else CHATML
        template = ChatTemplate(source, bos=vocabulary.bos, eos=vocabulary.eos)
        messages = [Message(role=one["role"], content=one["content"]) for one in look.render]  # type: ignore[arg-type]
        _say(Rendered(template.render(messages), own=bool(own)))


_silent = llama.llama_log_callback(lambda level, text, data: None)


def main() -> int:
    """Reads the task from standard input; the exit code is 0 where everything was said in frames."""
    try:
        _look(decode_look(sys.stdin.buffer.readline()))
    except WorkbenchError as error:
        _say(Failed(error.to_dict()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
