"""What several answers wrote, laid together in the cache: nothing else changes."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from core.child import ROOT

PROGRAM = """
import json, sys
import llama_cpp.llama_cpp as llama
import numpy as np
from core.llamacpp import packing, sampling
from core.llamacpp.loading import LoadedModel
from core.models.local.model_settings import ModelSettings
from core.models.local.wire import Load

model = LoadedModel(Load(sys.argv[1], "x", ModelSettings(context_length=256, parallel=4)), lambda done: None)
model.attend(flash=True)
memory = llama.llama_get_memory(model.context)
texts = ["The Loire is the longest river of France", "Bees dance to tell where flowers are", "A baker kneads the dough"]
written = [model.vocabulary.tokenize(text * 4, special=False)[:20] for text in texts] + [[5] * 20]
batch = model.new_batch()

def decode(place, tokens):
    batch.clear()
    rows = {sequence: batch.add(sequence, token, place, True) for sequence, token in tokens.items()}
    if llama.llama_decode(model.context, batch.handle):
        return None
    return np.array([sampling.logits(model.context, row, model.vocabulary.size) for row in rows.values()])

for place in range(20):
    decode(place, {sequence: tokens[place] for sequence, tokens in enumerate(written)})
asked = {sequence: written[sequence][0] for sequence in range(3)}
before = decode(20, asked)
for sequence in asked:
    llama.llama_memory_seq_rm(memory, sequence, 20, -1)
full = 20
while sys.argv[2] == "full" and decode(full, {3: 5}) is not None:
    full += 1
lost = packing.pack(model.context, 4, [(0, 4), (1, 4), (2, 12)])
ends = [int(llama.llama_memory_seq_pos_max(memory, sequence)) + 1 for sequence in range(5)]
llama.llama_memory_seq_rm(memory, 3, 12, -1)
after = decode(20, asked)
print(json.dumps({"lost": sorted(lost), "ends": ends, "filled": full,
                  "apart": float(np.sqrt(np.mean((after - before) ** 2))), "spread": float(before.std())}))
"""


def packed(model: Path, how: str) -> dict[str, Any]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, str(model), how], capture_output=True, text=True, check=True, cwd=ROOT
    )
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


@pytest.mark.model
@pytest.mark.parametrize("how", ["roomy", "full"])
def test_what_is_packed_is_attended_to_as_before(smollm: Path, how: str) -> None:
    """Also where the cache is full, so that nothing finds a place in one piece."""
    said = packed(smollm, how)
    assert said["lost"] == []
    assert said["filled"] == (20 if how == "roomy" else 256 - 3 * 20)
    assert said["ends"] == [20, 20, 20, said["filled"], 0], "and the spare sequence holds nothing"
    assert said["apart"] < 0.1 * said["spread"], "but for the order in which it is summed up"
