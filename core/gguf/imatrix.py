"""Importance matrices: how much each input of each tensor mattered on a text, as `llama-imatrix` writes them.

Two forms: GGUF (tensors NAME.in_sum2 and NAME.counts), and the older one of bare numbers. Read as
`common_imatrix_load` (common/imatrix-loader.cpp) and `load_imatrix` (tools/quantize/quantize.cpp) of llama.cpp read
them, but with everything in the file checked first. Raises `ImatrixInvalid`.
"""

from __future__ import annotations

import math
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from core.errors import ImatrixInvalid, ModelFileInvalid, ModelNotFound
from core.gguf import reader
from core.gguf.header import GGUF, Tensor

if TYPE_CHECKING:
    from numpy import ndarray
    from numpy.typing import NDArray

MAX_BYTES = 2 << 30
MAX_ENTRIES = 65536
MAX_NAME = 255
_SUMS, _COUNTS = ".in_sum2", ".counts"


@dataclass(frozen=True)
class ImportanceMatrix:
    """`weights`: for each tensor, the mean square of each of its inputs (float32). `dataset`: the text it was made on.

    `chunks`: how many parts of the text; 0 where it is not known.
    """

    weights: dict[str, NDArray[Any]]
    dataset: str | None
    chunks: int


def read(path: Path) -> ImportanceMatrix:
    """The matrix in a file."""
    try:
        with path.open("rb") as file:
            size = file.seek(0, 2)
            file.seek(0)
            if size > MAX_BYTES:
                raise _Unusable("it is larger than any importance matrix")
            if file.read(4) == b"GGUF":
                return _of_gguf(reader.read_one(path), file)
            file.seek(0)
            return _of_numbers(file, size)
    except _Unusable as error:
        raise ImatrixInvalid(file=path.name, detail=str(error)) from error
    except ModelFileInvalid as error:
        raise ImatrixInvalid(file=path.name, detail=error.values["detail"]) from error
    except (OSError, ModelNotFound, ValueError) as error:
        detail = error.strerror if isinstance(error, OSError) and error.strerror else "it cannot be read"
        raise ImatrixInvalid(file=path.name, detail=detail) from error


class _Unusable(Exception):  # says what is wrong
    pass


def _of_gguf(gguf: GGUF, file: BinaryIO) -> ImportanceMatrix:
    import numpy as np

    tensors = {tensor.name: tensor for tensor in gguf.tensors}
    chunks, datasets = gguf.metadata.get("imatrix.chunk_count"), gguf.metadata.get("imatrix.datasets")
    if not isinstance(chunks, int) or not isinstance(datasets, tuple) or "imatrix.chunk_size" not in gguf.metadata:
        raise _Unusable("it does not say what it was made from")
    weights: dict[str, NDArray[Any]] = {}
    for name, tensor in tensors.items():
        if not name.endswith((_SUMS, _COUNTS)):
            continue
        bare = name.removesuffix(_SUMS).removesuffix(_COUNTS)
        sums, counts = tensors.get(bare + _SUMS), tensors.get(bare + _COUNTS)
        if sums is None or counts is None or sums.type.name != "F32" or counts.type.name != "F32":
            raise _Unusable(f"its sums and counts for {bare[:60]!a} do not belong together")
        if tensor is not sums:
            continue
        sum, count = _values(gguf, sums, file), np.rint(_values(gguf, counts, file))
        if count.size == 0 or sum.size % count.size:
            raise _Unusable(f"its sums and counts for {bare[:60]!a} do not belong together")
        each = sum.reshape(count.size, -1)
        seen = count[:, None] > 0
        mean = np.where(seen, each / np.where(seen, count[:, None], 1), np.float32(1))
        weights[bare] = _finite(mean.astype(np.float32).ravel(), bare)
    return _whole(weights, str(datasets[0]) if datasets else None, max(chunks, 0))


def _values(gguf: GGUF, tensor: Tensor, file: BinaryIO) -> ndarray[Any, Any]:
    import numpy as np

    file.seek(gguf.data_offset + tensor.offset)
    return np.frombuffer(_taken(file, tensor.n_bytes), dtype="<f4")


def _of_numbers(file: BinaryIO, size: int) -> ImportanceMatrix:
    import numpy as np

    def number(most: int, what: str) -> int:
        value: int = struct.unpack("<i", _taken(file, 4))[0]
        if not 0 < value <= most:
            raise _Unusable(f"it claims to have {value} {what}")
        return value

    weights: dict[str, NDArray[Any]] = {}
    for _ in range(number(MAX_ENTRIES, "entries")):
        name = _taken(file, number(MAX_NAME, "letters in a name")).decode("utf-8", errors="replace")
        calls: int = struct.unpack("<i", _taken(file, 4))[0]
        count = number((size - file.tell()) // 4, "values in an entry")
        values = np.frombuffer(_taken(file, 4 * count), dtype="<f4")
        with np.errstate(invalid="ignore"):  # what is no number is refused
            weights[name] = _finite(values / np.float32(calls) if calls > 0 else values, name)
    chunks, dataset = _trailer(file, number)
    return _whole(weights, dataset, chunks)


def _trailer(file: BinaryIO, number: Callable[[int, str], int]) -> tuple[int, str | None]:
    """What newer ones have at their end: the number of chunks, and the text's name."""
    data = file.read(4)
    if len(data) < 4:
        return 0, None
    chunks = max(struct.unpack("<i", data)[0], 0)
    if len(file.read(1)) < 1:
        return chunks, None
    file.seek(-1, 1)
    return chunks, _taken(file, number(4096, "letters in a name")).decode("utf-8", errors="replace")


def _whole(weights: dict[str, NDArray[Any]], dataset: str | None, chunks: int) -> ImportanceMatrix:
    if not weights:
        raise _Unusable("there is nothing in it")
    return ImportanceMatrix(weights, dataset, chunks)


def _finite(values: NDArray[Any], name: str) -> NDArray[Any]:
    if not math.isfinite(float(abs(values).sum(dtype="f8"))):
        raise _Unusable(f"its values for {name[:60]!a} are no numbers")
    return values


def _taken(file: BinaryIO, count: int) -> bytes:
    data = file.read(count)
    if len(data) < count:
        raise _Unusable("it ends too early")
    return data
