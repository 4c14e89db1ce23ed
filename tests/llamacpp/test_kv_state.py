"""What the cache holds of a sequence, carried between the layouts that flash attention and its absence have."""

from __future__ import annotations

import ctypes
import json
import subprocess
import sys
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from core.child import ROOT
from core.llamacpp.kv_state import turned

PROGRAM = """
import ctypes, json, sys
import llama_cpp.llama_cpp as llama
import numpy as np
from core.llamacpp import kv_state, sampling
from core.llamacpp.loading import LoadedModel
from core.models.local.model_settings import ModelSettings
from core.models.local.wire import Load

model = LoadedModel(Load(sys.argv[1], "x", ModelSettings(context_length=256)), lambda done: None)
tokens = model.vocabulary.tokenize("The Loire is the longest river of France, and it flows into", special=False)
batch = model.new_batch()

def read(some, start):
    batch.clear()
    for place, token in enumerate(some, start):
        row = batch.add(3, token, place, place == start + len(some) - 1)
    assert llama.llama_decode(model.context, batch.handle) == 0
    return sampling.logits(model.context, row, model.vocabulary.size).copy()

def state():
    size = int(llama.llama_state_seq_get_size(model.context, 3))
    found = (ctypes.c_ubyte * size)()
    assert llama.llama_state_seq_get_data(model.context, found, size, 3) == size
    return found

read(tokens[:-1], 0)
columns = state()
expected = read(tokens[-1:], len(tokens) - 1)
rows = kv_state.turned(columns)
model.attend(flash=True)
refused = llama.llama_state_seq_set_data(model.context, columns, len(columns), 3)
taken = llama.llama_state_seq_set_data(model.context, rows, len(rows), 3)
given = read(tokens[-1:], len(tokens) - 1)
llama.llama_memory_clear(llama.llama_get_memory(model.context), True)
read(tokens[:-1], 0)
anew = read(tokens[-1:], len(tokens) - 1)

def apart(logits):
    return float(np.sqrt(np.mean((logits - expected) ** 2)) / expected.std())

print(json.dumps({
    "refused": refused, "taken": taken == len(rows), "again": bytes(kv_state.turned(rows)) == bytes(columns),
    "apart": apart(given), "rounding": apart(anew),
    "same": int(given.argmax()) == int(expected.argmax()),
    "cuts": sum(kv_state.turned((ctypes.c_ubyte * end).from_buffer_copy(bytes(rows)[:end])) is not None
                for end in range(40, len(rows), 997)),
}))
"""


def test_the_numbers_are_the_same_in_the_other_layout(smollm: Path) -> None:
    """Real keys and values: read without flash attention, turned, and gone on with in a context that has it."""
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(smollm)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    said = json.loads(done.stdout.splitlines()[-1])
    assert not said["refused"], "llama.cpp takes no copy of the other layout"
    assert said["taken"] and said["again"] and said["same"]
    assert said["rounding"] < 0.2
    assert said["apart"] < 3 * said["rounding"], "no more than what the other attention rounds on this processor"
    assert not said["cuts"], "what is cut off is known as such"


@given(st.binary(max_size=200))
def test_another_form_is_known_as_such(data: bytes) -> None:
    """Nothing is raised, and what is turned can be turned back."""
    found = turned((ctypes.c_ubyte * len(data)).from_buffer_copy(data))
    assert found is None or bytes(turned(found) or b"") == data
