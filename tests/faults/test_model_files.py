"""Missing, broken, hostile and unknown model files, from the shelf on: an error that says what is wrong, no crash."""

from __future__ import annotations

import struct
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from core.errors import (
    ModelFileInvalid,
    ModelLoadFailed,
    ModelNotFound,
    ModelUnsupported,
    TemplateInvalid,
    WorkbenchError,
)
from core.models.local.shelf import Shelf
from tests.asking import request, text
from tests.faults.models import SHORT, answers, model, with_template
from tests.gguf.making import Raw, array, i32s, string, strings, tensor, tiny, u32

pytestmark = pytest.mark.faults

Make = Callable[[Path], object]
FAR = 1 << 62


def cut(share: float) -> Make:
    def make(path: Path) -> None:
        data = tiny(path).read_bytes()
        path.write_bytes(data[: int(len(data) * share)])

    return make


def changed(old: bytes, new: bytes) -> Make:
    """A sound file in which some bytes are other ones."""

    def make(path: Path) -> None:
        data = tiny(path).read_bytes()
        assert old in data
        path.write_bytes(data.replace(old, new, 1))

    return make


BROKEN: dict[str, tuple[Make, type[WorkbenchError]]] = {
    "missing": (lambda path: None, ModelNotFound),
    "a folder": (Path.mkdir, ModelFileInvalid),
    "empty": (Path.touch, ModelFileInvalid),
    "one byte": (lambda path: path.write_bytes(b"G"), ModelFileInvalid),
    "magic alone": (lambda path: path.write_bytes(b"GGUF"), ModelFileInvalid),
    "zeros": (lambda path: path.write_bytes(bytes(4096)), ModelFileInvalid),
    "a web page": (lambda path: path.write_text("<!doctype html><title>404</title>"), ModelFileInvalid),
    "a zip": (lambda path: path.write_bytes(b"PK\x03\x04" + bytes(4096)), ModelFileInvalid),
    "wrong magic": (changed(b"GGUF", b"GGML"), ModelFileInvalid),
    "cut in the header": (cut(0.02), ModelFileInvalid),
    "cut in the tensors": (cut(0.9), ModelFileInvalid),
    "more tensors than there are": (lambda path: Raw(tensor_count=FAR).write(path), ModelFileInvalid),
    "more keys than there are": (lambda path: Raw(key_count=FAR).write(path), ModelFileInvalid),
    "a tensor outside the file": (
        lambda path: Raw(tensors=[tensor("a", offset=1 << 40)], data=bytes(64)).write(path),
        ModelFileInvalid,
    ),
    "a tensor larger than memory": (
        lambda path: Raw(tensors=[tensor("a", (1 << 31, 1 << 31))], data=bytes(64)).write(path),
        ModelFileInvalid,
    ),
    "a text longer than the file": (
        changed(struct.pack("<Q", 4) + b"Tiny", struct.pack("<Q", FAR) + b"Tiny"),
        ModelFileInvalid,
    ),
    "an array longer than the file": (
        lambda path: Raw(pairs=[string("general.architecture", "llama"), array("a", 4, FAR, b"")]).write(path),
        ModelFileInvalid,
    ),
}


@pytest.mark.parametrize(("make", "error"), BROKEN.values(), ids=BROKEN.keys())
def test_a_broken_file_is_refused_before_anything_is_started(
    shelf: Shelf, tmp_path: Path, make: Make, error: type[WorkbenchError]
) -> None:
    path = tmp_path / "broken.gguf"
    make(path)
    processes = psutil.Process().children()
    for _ in range(4):
        with pytest.raises(error) as refused:
            list(model(shelf, path).stream(SHORT))
        assert "broken.gguf" in str(refused.value) and refused.value.advice()
    assert psutil.Process().children() == processes
    assert shelf.loaded() == []


def test_a_broken_file_troubles_no_other_model(shelf: Shelf, tmp_path: Path, sound: Path) -> None:
    (tmp_path / "broken.gguf").write_bytes(b"GGUF" * 100)
    assert answers(model(shelf, sound))
    with pytest.raises(ModelFileInvalid):
        answers(model(shelf, tmp_path / "broken.gguf"))
    assert answers(model(shelf, sound))


@pytest.mark.parametrize("name", ["a\0b.gguf", "x" * 5000 + ".gguf", "no/such/folder/a.gguf"])
def test_a_name_that_no_file_can_have_is_not_found(shelf: Shelf, tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelNotFound):
        answers(model(shelf, tmp_path / name))


def raw_model(architecture: str, **pairs: bytes) -> Raw:
    """A well-formed file with a vocabulary and one tensor, of any architecture; a pair by name is another value."""
    usual = {
        "architecture": string("general.architecture", architecture),
        "blocks": u32(f"{architecture}.block_count", 1),
        "context": u32(f"{architecture}.context_length", 128),
        "width": u32(f"{architecture}.embedding_length", 32),
        "heads": u32(f"{architecture}.attention.head_count", 4),
        "model": string("tokenizer.ggml.model", "gpt2"),
        "tokens": strings("tokenizer.ggml.tokens", ["a", "b", "c"]),
        "types": i32s("tokenizer.ggml.token_type", [1, 1, 1]),
    }
    return Raw(pairs=list((usual | pairs).values()), tensors=[tensor("token_embd.weight", (32, 3))], data=bytes(384))


def test_an_architecture_that_llama_cpp_does_not_know_is_named(shelf: Shelf, tmp_path: Path, sound: Path) -> None:
    path = raw_model("nosucharch").write(tmp_path / "new.gguf")
    for _ in range(4):
        with pytest.raises(ModelUnsupported, match="nosucharch") as refused:
            list(model(shelf, path).stream(SHORT))
        assert refused.value.advice()
    assert shelf.loaded() == []
    assert answers(model(shelf, sound))


INCOMPLETE: dict[str, Make] = {
    "no tensors": lambda path: tiny(path, tensors=False),
    "a tensor with another name": changed(b"blk.0.attn_q.weight", b"blk.0.attn_x.weight"),
    "heads that do not divide the width": lambda path: raw_model(
        "llama", heads=u32("llama.attention.head_count", 7)
    ).write(path),
    "an unknown tokenizer": lambda path: raw_model("llama", model=string("tokenizer.ggml.model", "nosuch")).write(path),
    "no vocabulary": changed(b"tokenizer.ggml.tokens", b"tokenizer.ggml.tokenz"),
}


@pytest.mark.parametrize("make", INCOMPLETE.values(), ids=INCOMPLETE.keys())
def test_a_sound_file_that_is_no_model_fails_with_llama_cpps_reason(shelf: Shelf, tmp_path: Path, make: Make) -> None:
    path = tmp_path / "incomplete.gguf"
    make(path)
    with pytest.raises((ModelLoadFailed, ModelUnsupported, ModelFileInvalid)) as failed:
        answers(model(shelf, path))
    assert "no reason" not in str(failed.value) and "signal" not in str(failed.value)
    assert shelf.loaded() == []


LOOPS = "{% for a in range(99999) %}" * 3 + "{% endfor %}" * 3
BAD_TEMPLATES = {
    "does not parse": "{% for %}",
    "loops": LOOPS,
    "asks for gigabytes": "{{ 'x'.center(10 ** 10) }}",
    "refuses": "{{ raise_exception('no') }}",
}


@pytest.mark.parametrize("template", BAD_TEMPLATES.values(), ids=BAD_TEMPLATES.keys())
def test_a_files_own_template_that_fails_says_so_and_another_can_be_used(
    shelf: Shelf, tmp_path: Path, sound: Path, template: str
) -> None:
    asked = model(shelf, with_template(sound, tmp_path / "changed.gguf", template))
    with pytest.raises(TemplateInvalid):
        list(asked.stream(SHORT))
    pid = asked.engine().pid
    assert text(asked.stream(request("a b", max_tokens=3, ignore_end=True, chat_template="{{ messages[0].content }}")))
    assert asked.engine().pid == pid


ESCAPES = [
    "cycler.__init__.__globals__.os.popen('touch FILE').read()",
    "self.__init__.__globals__.__builtins__.open('FILE', 'w')",
    "''.__class__.__mro__[1].__subclasses__()",
    "raise_exception.__globals__['__builtins__']['open']('FILE', 'w')",
    "strftime_now.__globals__.sys.modules['os'].system('touch FILE')",
    "('%s.__class__'|attr('format'))(messages)",
    "messages.__init__.__globals__",
    "(messages|map(attribute='__class__')|list|first).__mro__",
]


def test_a_files_own_template_cannot_reach_outside(shelf: Shelf, tmp_path: Path, sound: Path) -> None:
    target = tmp_path / "escaped"
    asked = model(shelf, with_template(sound, tmp_path / "changed.gguf", "{{ messages[0].content }}"))
    assert answers(asked)
    pid = asked.engine().pid
    for escape in ESCAPES:
        template = "a b {{ " + escape.replace("FILE", str(target)) + " }}"
        try:
            list(asked.stream(request("a b", max_tokens=1, chat_template=template)))
        except TemplateInvalid:
            continue
    assert not target.exists()
    assert asked.engine().pid == pid


def test_an_escape_in_the_file_itself_is_refused(shelf: Shelf, tmp_path: Path, sound: Path) -> None:
    target = tmp_path / "escaped"
    template = "{{ cycler.__init__.__globals__.os.popen('touch FILE').read() }}".replace("FILE", str(target))
    with pytest.raises(TemplateInvalid):
        answers(model(shelf, with_template(sound, tmp_path / "changed.gguf", template)))
    assert not target.exists()
