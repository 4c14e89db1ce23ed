"""The decode loop of one model: all requests in progress decoded together, one thread, continuous batching.

Every turn decodes the next token of each answer and a slice of the prompts that wait, as large as a turn may take
(so that a long prompt does not freeze the others, and a cancel is heard soon); short ones that come together are read
in one turn, which is quicker for the last of them. When the cache is full, idle sequences go first; then the youngest
request steps back to the head of the queue and is prefilled again when there is room. Several answers are attended to
otherwise than one (`SEVERAL`): that takes another context, into which what the cache holds is carried.
"""

from __future__ import annotations

import time
from collections import deque
from collections.abc import Callable, Sequence

import llama_cpp.llama_cpp as llama

from core.errors import ModelBusy, ModelLoadFailed, WorkbenchError
from core.events import Event, Queued
from core.llamacpp.generation import Generation
from core.llamacpp.loading import LoadedModel
from core.llamacpp.sequences import Kept, Sequences
from core.llamacpp.turns import in_common, slices

TURN_ALONE_S = 0.75
TURN_SHARED_S = 0.12
"""How long a turn with prompt tokens in it may take: nobody else is answering, somebody is."""

TURN_SHORT_S = 1.5
"""What waits is short when all of it can be read in that time (and, where somebody is answering, none of it is a long
prompt by itself), and is then read in one turn: in two, those that are read first would begin to write in the midst of
it, and the last would wait longer."""

SEVERAL = 3
"""Answers from which flash attention is quicker on a processor. Without it each token attends to the cells of all of
them, and is masked from those that are not its own; with it a cell that is masked is passed over."""

SMALLEST_SLICE = 16
QUEUE_LIMIT = 256

ROOM_TO_GROW = 64
"""Tokens of the cache left free for each answer in progress before another is let in."""

PARKED_SHARE = 2
"""Conversations that wait for their next turn take at most the context's tokens divided by this, outside the cache."""

Emit = Callable[[list[tuple[int, Event]]], None]
Fail = Callable[[int, WorkbenchError], None]


class Batcher:
    """Requests in, events out. `submit`, `cancel` and `turn` are called from one thread."""

    def __init__(self, model: LoadedModel, *, parallel: int, emit: Emit, fail: Fail) -> None:
        self._model = model
        self._parallel = parallel
        self._emit = emit
        self._fail = fail
        self._sequences = Sequences(
            model.context,
            count=model.sequences,
            can_share=model.can_share_prefix,
            parked=model.context_length // PARKED_SHARE,
        )
        self._waiting: deque[Generation] = deque()
        self._running: list[tuple[Generation, Kept]] = []
        self._batch = model.new_batch()
        self._prompt_rate = 256.0
        self._events: list[tuple[int, Event]] = []

    @property
    def busy(self) -> bool:
        """Whether another turn has anything to do."""
        return bool(self._waiting or self._running)

    @property
    def full(self) -> bool:
        """Whether who comes now must wait."""
        return len(self._running) >= self._parallel

    @property
    def gathers(self) -> bool:
        """Whether what comes in the next moments may be read together with what has come."""
        return self.busy and not self.full and not self.changing  # what comes during a change is read after it

    @property
    def changing(self) -> bool:
        """Whether the next turn makes it ready for several answers."""
        if self._model.flash or len(self._running) < SEVERAL or not self._model.chooses_attention:
            return False
        return self._sequences.can_move

    def submit(self, generation: Generation) -> None:
        """A new request, to the end of the queue; fails it with `ModelBusy` when the queue is full."""
        if len(self._waiting) >= QUEUE_LIMIT:
            self._fail(generation.id, ModelBusy(model=self._model.name, waiting=len(self._waiting)))
            generation.close()
            return
        self._waiting.append(generation)
        self._admit()
        if self._waiting:
            self._report_queue()

    def cancel(self, request: int) -> None:
        """Ends a request wherever it is; its `Finished` says cancelled. Unknown ids are ignored: it had just ended."""
        for generation in self._waiting:
            if generation.id == request:
                self._waiting.remove(generation)
                self._finish(generation, None, "cancelled")
                self._report_queue()
                break
        for generation, kept in self._running:
            if generation.id == request:
                self._finish(generation, kept, "cancelled")
                break
        self._flush()

    def turn(self) -> None:
        """Admits, decodes once, samples, and reports; or makes itself ready for several, and what has come meanwhile is
        decoded with the rest."""
        self._admit()
        if self.changing:
            self._attend(flash=True)
            return
        if self._model.flash and len(self._running) >= SEVERAL:
            self._sequences.pack()
        rows = self._fill()
        if self._batch.count:
            self._decode(rows)
        self._flush()

    def rest(self) -> None:
        """There has been nothing to do for a while: made ready for one answer alone."""
        if self._model.flash:
            self._attend(flash=False)

    def _attend(self, *, flash: bool) -> None:
        self._sequences.move(lambda: self._model.attend(flash=flash))

    def _admit(self) -> None:
        admitted = False
        while self._waiting and not self.full:
            generation = self._waiting[0]
            if self._running and not self._has_room(generation):
                break
            kept = self._sequences.take(generation.tokens)
            if kept is None:
                break
            self._waiting.popleft()
            admitted = True
            generation.admitted(cached=len(kept.tokens))
            self._running.append((generation, kept))
            self._report_prefill(generation, kept)
        if admitted:
            self._report_queue()

    def _has_room(self, generation: Generation) -> bool:
        # What the others will hold, not what they hold so far: one that had to give way would be let in again at once,
        # and none would ever get on.
        everybody = [*(running for running, _ in self._running), generation]
        return sum(len(g.tokens) + ROOM_TO_GROW for g in everybody) <= self._model.context_length

    def _fill(self) -> list[tuple[Generation, Kept, int]]:
        """Puts the next tokens into the batch. Returns the requests to sample for, each with its output row."""
        batch, rows = self._batch, []
        batch.clear()
        for generation, kept in self._running:
            if generation.decoding(kept):
                rows.append((generation, kept, batch.add(kept.id, generation.tokens[-1], len(kept.tokens), True)))
        waiting = [(g, k) for g, k in self._running if not g.decoding(k)]
        return [*rows, *self._fill_prompts(waiting, answering=bool(rows))] if waiting else rows

    def _fill_prompts(
        self, waiting: Sequence[tuple[Generation, Kept]], *, answering: bool
    ) -> list[tuple[Generation, Kept, int]]:
        """Puts what this turn reads of the waiting prompts into the batch, once what several of them begin with.
        Returns those that are read to their end, each with its output row."""
        batch, ended = self._batch, []
        common = [(0, 0)] * len(waiting)
        if self._model.can_share_prefix:
            common = in_common([g.tokens for g, _ in waiting], [len(k.tokens) for _, k in waiting])
        unread = [len(g.tokens) - len(k.tokens) - most for (g, k), (_, most) in zip(waiting, common, strict=True)]
        budget = self._budget(unread, answering=answering)
        sizes = slices([left * (most <= budget) for left, (_, most) in zip(unread, common, strict=True)], budget)
        read: list[list[int]] = []
        for (generation, kept), (other, most), size in zip(waiting, common, sizes, strict=True):
            rows = read[other][:most] if most else []
            for row in rows:
                batch.join(row, kept.id)
            if len(rows) == most:
                start = len(kept.tokens) + most
                new = enumerate(generation.tokens[start : start + size], start)
                rows = [*rows, *(batch.add(kept.id, token, position, False) for position, token in new)]
            read.append(rows)
            if rows:
                generation.prefilling()
                if len(kept.tokens) + len(rows) == len(generation.tokens):
                    batch.output(rows[-1])
                    ended.append((generation, kept, rows[-1]))
        return ended

    def _budget(self, unread: Sequence[int], *, answering: bool) -> int:
        """Prompt tokens that this turn may read."""
        short = not answering or max(unread) <= self._prompt_rate * 2 * TURN_SHARED_S
        if short and sum(unread) <= self._prompt_rate * TURN_SHORT_S:
            turn = TURN_SHORT_S
        else:
            turn = TURN_SHARED_S if answering else TURN_ALONE_S
        return min(max(int(self._prompt_rate * turn), SMALLEST_SLICE), self._batch.room)

    def _decode(self, rows: list[tuple[Generation, Kept, int]]) -> None:
        began = time.perf_counter()
        code = llama.llama_decode(self._model.context, self._batch.handle)
        if code == 1:
            self._make_room()
            return
        if code != 0:
            self._fail_all(ModelLoadFailed(model=self._model.name, detail=f"llama_decode returned {code}"))
            return
        self._account(time.perf_counter() - began)
        for generation, kept, row in rows:
            self._sample(generation, kept, row)

    def _account(self, seconds: float) -> None:
        """Books the batch's tokens to their sequences, reports prefills, learns the prompt rate."""
        by_id = {kept.id: (generation, kept) for generation, kept in self._running}
        prompt_tokens = self._batch.count - sum(generation.decoding(kept) for generation, kept in self._running)
        sizes: dict[int, int] = {}
        for sequences, token in self._batch.contents():
            for place, sequence in enumerate(sequences):
                generation, kept = by_id[sequence]
                kept.tokens.append(token)
                generation.processed(shared=place > 0)
                sizes[sequence] = sizes.get(sequence, 0) + 1
        if prompt_tokens >= SMALLEST_SLICE and seconds > 0:
            # A few tokens take hardly longer than one: they tell no more than that twice as many can be tried.
            rate = min(prompt_tokens / seconds, 2 * prompt_tokens / TURN_SHARED_S)
            self._prompt_rate += 0.5 * (rate - self._prompt_rate)
        for sequence, size in sizes.items():
            generation, kept = by_id[sequence]
            if size > 1:
                kept.together = len(kept.tokens)
                if not generation.started:
                    self._report_prefill(generation, kept)

    def _sample(self, generation: Generation, kept: Kept, row: int) -> None:
        try:
            event, reason = generation.next(self._model.context, row)
        except WorkbenchError as error:
            self._end(generation, kept)
            self._fail(generation.id, error)
            return
        if event is not None:
            self._events.append((generation.id, event))
        if reason is not None:
            self._finish(generation, kept, reason)
        elif len(generation.tokens) >= self._model.context_length:
            self._overflow(generation, kept)

    def _overflow(self, generation: Generation, kept: Kept) -> None:
        trimmed = generation.roll()
        if trimmed is None:
            self._finish(generation, kept, "context")
            return
        self._events.append((generation.id, trimmed))
        self._sequences.drop(kept, keep=generation.keep)

    def _make_room(self) -> None:
        """The cache had no cell left for this batch, and nothing was decoded: somebody must give way."""
        if self._sequences.evict_idle():
            return
        if len(self._running) > 1:
            generation, kept = self._running.pop()
            self._sequences.drop(kept)
            self._sequences.release(kept)
            self._waiting.appendleft(generation)
            self._report_queue()
            return
        generation, kept = self._running[0]
        self._overflow(generation, kept)

    def _finish(self, generation: Generation, kept: Kept | None, reason: str) -> None:
        self._events += [(generation.id, event) for event in generation.finish(reason)]
        self._end(generation, kept)

    def _end(self, generation: Generation, kept: Kept | None) -> None:
        generation.close()
        if kept is not None:
            self._running = [(g, k) for g, k in self._running if g is not generation]
            self._sequences.release(kept)

    def _fail_all(self, error: WorkbenchError) -> None:
        for generation, kept in list(self._running):
            self._sequences.drop(kept)
            self._end(generation, kept)
            self._fail(generation.id, error)

    def _report_prefill(self, generation: Generation, kept: Kept) -> None:
        done = min(len(kept.tokens), generation.prompt_tokens)
        self._events.append((generation.id, generation.prefill(done)))

    def _report_queue(self) -> None:
        self._events += [(g.id, Queued(place)) for place, g in enumerate(self._waiting, 1)]

    def _flush(self) -> None:
        if self._events:
            self._emit(self._events)
            self._events = []
