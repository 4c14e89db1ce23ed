"""A child process: perplexity of a model over a text, and how far it is from a reference. `python -m` it, see measures.

The procedure is that of llama.cpp's tools/perplexity/perplexity.cpp. The text's tokens, with those that the model wants
around a text, are cut into chunks of `context`; the first token of a chunk is replaced by the one that begins a text
where the model wants one; every chunk is computed by itself, and of each the positions from context/2 to the last but
one are scored by the token that follows. One chunk is computed at a time, so that a pass can be stopped after any.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence

import llama_cpp.llama_cpp as llama

from core.errors import TextTooShort, VocabulariesDiffer
from core.gguf.measures import Chunk, Frame, Opened, QualityTask
from core.llamacpp import measuring
from core.llamacpp.measuring import Context, Machine, Measured
from core.llamacpp.scoring import Scored, Scorer
from core.llamacpp.stored_probabilities import Kept


def frames(task: QualityTask) -> Iterator[Frame]:
    """The pass. Raises what loading raises, `TextTooShort`, `VocabulariesDiffer`, `LogitsInvalid`."""
    machine = Machine()
    began = time.perf_counter()
    model = Measured(task.path, task.name, task.setup)
    context = model.context(task.context, outputs=min(task.setup.batch, task.context))
    load_s = time.perf_counter() - began
    tokens = tokenized(model, task.text)
    chunks = len(tokens) // task.context
    if not chunks:
        raise TextTooShort(tokens=len(tokens), needed=task.context)
    chunks = min(chunks, task.chunks or chunks)
    used = tokens[: chunks * task.context]
    reference = _reference(task, model, used)
    kept = (
        Kept.begun(
            task.keep,
            context=task.context,
            vocabulary=model.vocabulary.size,
            tokens=used,
            skip=task.skip,
            name=task.name,
        )
        if task.keep is not None
        else None
    )
    yield Opened(
        threads=model.threads, load_s=load_s, vocabulary=model.fingerprint(), tokens=len(tokens), chunks=chunks
    )
    with Scorer(model, threads=model.threads, reference=reference, kept=kept) as scorer:
        for number in range(task.skip, chunks):
            start = time.perf_counter()
            own = used[number * task.context : (number + 1) * task.context]
            scored = score(model, context, own, scorer, number)
            pieces = tuple(model.vocabulary.text(token) for token in own[task.context // 2 + 1 :])
            yield Chunk(number=number, seconds=time.perf_counter() - start, pieces=pieces, **scored.columns())
    yield measuring.finished(machine)


def tokenized(model: Measured, text: str) -> list[int]:
    """As llama-perplexity reads a file: its last line end is not part of the text."""
    text = text.removesuffix("\n")
    tokens = model.vocabulary.tokenize(text, special=False, begin=True)
    ends = llama.llama_vocab_get_add_eos(model.vocabulary.handle)  # a chunk is no end of a text
    return tokens[:-1] if ends and tokens else tokens


def score(model: Measured, context: Context, tokens: Sequence[int], scorer: Scorer, number: int) -> Scored:
    """One chunk: computed in batches, each scored while its logits are there."""
    first, last = len(tokens) // 2, len(tokens) - 1
    read = list(tokens)
    if model.vocabulary.adds_bos:
        read[0] = llama.llama_vocab_bos(model.vocabulary.handle)
    context.clear()
    scored = Scored()
    for start in range(0, last, context.size):
        end = min(start + context.size, last)  # what follows the last token is not known
        context.batch.clear()
        for place in range(start, end):
            context.batch.add(0, read[place], place, place >= first)
        context.decode()
        from_here = max(start, first)
        if from_here < end:
            logits = context.logits(from_here - start, end - from_here)
            scorer.score(logits, tokens[from_here + 1 : end + 1], scored, chunk=number, place=from_here - first)
    return scored


def _reference(task: QualityTask, model: Measured, tokens: Sequence[int]) -> Kept | None:
    if task.reference is None:
        return None
    kept = Kept.opened(task.reference)
    if kept.context != task.context or kept.vocabulary != model.vocabulary.size or kept.tokens != list(tokens):
        raise VocabulariesDiffer(model=task.name)
    return kept


def main() -> None:
    """The process: one task, then its frames."""
    task = measuring.task()
    assert isinstance(task, QualityTask)
    measuring.say(frames(task))


if __name__ == "__main__":
    main()
