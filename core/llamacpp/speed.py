"""A child process: how fast a model reads and writes. `python -m` it, see core/gguf/measures.py.

The tests are llama-bench's (tools/llama-bench/llama-bench.cpp): `pp512` computes 512 tokens at once, `tg128` computes
128 one after another, tokens drawn at random after the one that begins a text; an empty cache before each; one warm-up
that does not count, of a single token where it writes. The rate is tokens ÷ seconds until llama.cpp has finished
computing. Nothing is sampled.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Literal

import llama_cpp.llama_cpp as llama

from core.gguf.measures import Frame, Opened, Round, SpeedTask
from core.llamacpp import measuring
from core.llamacpp.measuring import Context, Machine, Measured


def frames(task: SpeedTask) -> Iterator[Frame]:
    """Both tests. Raises what loading raises."""
    machine = Machine()
    began = time.perf_counter()
    model = Measured(task.path, task.name, task.setup)
    context = model.context(max(task.prompt, task.generate * task.parallel, 1), sequences=task.parallel)
    yield Opened(threads=model.threads, load_s=time.perf_counter() - began)
    draw = random.Random(0)
    if task.prompt:
        read = partial(_read, model, context, draw, task.prompt)
        yield from _rounds("read", read, read, task.prompt, task.repeat)
    if task.generate:
        write = partial(_write, model, context, draw, parallel=task.parallel)
        whole, warm_up = partial(write, task.generate), partial(write, 1)
        yield from _rounds("write", whole, warm_up, task.generate * task.parallel, task.repeat)
    yield measuring.finished(machine)


def _rounds(
    test: Literal["read", "write"], once: Callable[[], None], warm_up: Callable[[], None], tokens: int, repeat: int
) -> Iterator[Round]:
    warm_up()
    yield Round(test=test, number=0, rate=0.0)
    for number in range(1, repeat + 1):
        start = time.perf_counter()
        once()
        yield Round(test=test, number=number, rate=tokens / (time.perf_counter() - start))


def _read(model: Measured, context: Context, draw: random.Random, number: int) -> None:
    context.clear()
    context.read([_first(model, draw), *(draw.randrange(model.vocabulary.size) for _ in range(number - 1))])


def _write(model: Measured, context: Context, draw: random.Random, number: int, *, parallel: int) -> None:
    context.clear()
    for place in range(number):
        context.batch.clear()
        for sequence in range(parallel):
            token = draw.randrange(model.vocabulary.size) if place else _first(model, draw)
            context.batch.add(sequence, token, place, True)
        context.decode()


def _first(model: Measured, draw: random.Random) -> int:
    if model.vocabulary.adds_bos:
        return int(llama.llama_vocab_bos(model.vocabulary.handle))
    return draw.randrange(model.vocabulary.size)


def main() -> None:
    """The process: one task, then its frames."""
    task = measuring.task()
    assert isinstance(task, SpeedTask)
    measuring.say(frames(task))


if __name__ == "__main__":
    main()
