"""The process that reads questions and passages together with a cross-encoder: `python -m core.rag.reranking.worker`.

Offline, from one folder of safetensors; no code that comes with a model is run.
"""

from __future__ import annotations

import os
from typing import Any

import msgspec
import numpy as np

from core.errors import RerankerUnusable, WorkbenchError
from core.rag.attending import Desk
from core.rag.reranking.wire import Load, Score, Scored

BATCH = 8
"""Pairs at once: on a processor larger batches are slower, being filled up to the longest."""


def main() -> None:
    """Serves until the input ends."""
    desk = Desk()
    load = msgspec.json.decode(desk.hello(), type=Load)
    desk.begin()
    model: Any = None
    for asked in desk.requests():
        score = msgspec.json.decode(asked.body, type=Score)
        try:
            model = model or loaded(load.folder)
            pairs = [(score.question, text) for text in score.texts]
            found = np.asarray(model.predict(pairs, batch_size=BATCH, show_progress_bar=False), np.float32)
            desk.answer(asked.id, Scored(found.reshape(len(pairs), -1)[:, 0].tolist()))
        except WorkbenchError as error:
            desk.refuse(asked.id, error)


def loaded(folder: str) -> Any:
    """The cross-encoder. Raises `RerankerUnusable`."""
    os.environ |= {"HF_HUB_OFFLINE": "1", "TRANSFORMERS_OFFLINE": "1", "TOKENIZERS_PARALLELISM": "false"}
    try:
        from sentence_transformers import CrossEncoder

        return CrossEncoder(
            folder,
            device="cpu",
            local_files_only=True,
            trust_remote_code=False,
            model_kwargs={"use_safetensors": True},
        )
    except Exception as exc:  # whatever a folder holds that is no cross-encoder
        raise RerankerUnusable(folder=folder) from exc


if __name__ == "__main__":
    main()
