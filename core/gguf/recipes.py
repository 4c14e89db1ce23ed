"""The quantizations that llama.cpp offers for a whole file, as a table, with what their names mean in words.

Names, numbers and base types are those of `enum llama_ftype` (include/llama.h) and `llama_ftype_get_default_type`
(src/llama-quant.cpp). Bits a weight are computed from the blocks (core/gguf/blocks.py), never written down here.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from core.errors import N_, SettingInvalid
from core.gguf.blocks import BY_NAME, FILE_TYPES, TensorType

Family = Literal["float", "round", "k", "iq", "ternary", "fp4"]


@dataclass(frozen=True, slots=True)
class Recipe:
    """A file type: `base` is the tensor type that most weights get, `letter` how generous its mixture is ("S" …, or
    empty), `needs_imatrix` whether llama.cpp refuses to make it without an importance matrix."""

    name: str
    id: int
    base: TensorType
    family: Family
    letter: str = ""
    needs_imatrix: bool = False


_IDS = {name: id for id, name in FILE_TYPES.items()}

_ROWS: tuple[tuple[str, str, Family, str, bool], ...] = (
    ("F32", "F32", "float", "", False),
    ("BF16", "BF16", "float", "", False),
    ("F16", "F16", "float", "", False),
    ("Q8_0", "Q8_0", "round", "", False),
    ("Q6_K", "Q6_K", "k", "", False),
    ("Q5_K_M", "Q5_K", "k", "M", False),
    ("Q5_K_S", "Q5_K", "k", "S", False),
    ("Q5_1", "Q5_1", "round", "", False),
    ("Q5_0", "Q5_0", "round", "", False),
    ("Q4_K_M", "Q4_K", "k", "M", False),
    ("Q4_K_S", "Q4_K", "k", "S", False),
    ("Q4_1", "Q4_1", "round", "", False),
    ("Q4_0", "Q4_0", "round", "", False),
    ("IQ4_NL", "IQ4_NL", "iq", "NL", False),
    ("IQ4_XS", "IQ4_XS", "iq", "XS", False),
    ("MXFP4_MOE", "MXFP4", "fp4", "", False),
    ("Q3_K_L", "Q3_K", "k", "L", False),
    ("Q3_K_M", "Q3_K", "k", "M", False),
    ("Q3_K_S", "Q3_K", "k", "S", False),
    ("IQ3_M", "IQ3_S", "iq", "M", False),
    ("IQ3_S", "IQ3_S", "iq", "S", False),
    ("IQ3_XS", "IQ3_S", "iq", "XS", True),
    ("IQ3_XXS", "IQ3_XXS", "iq", "XXS", True),
    ("Q2_K", "Q2_K", "k", "", False),
    ("Q2_K_S", "Q2_K", "k", "S", True),
    ("Q2_0", "Q2_0", "round", "", False),
    ("IQ2_M", "IQ2_S", "iq", "M", True),
    ("IQ2_S", "IQ2_XS", "iq", "S", True),
    ("IQ2_XS", "IQ2_XS", "iq", "XS", True),
    ("IQ2_XXS", "IQ2_XXS", "iq", "XXS", True),
    ("TQ2_0", "TQ2_0", "ternary", "", False),
    ("TQ1_0", "TQ1_0", "ternary", "", False),
    ("IQ1_M", "IQ1_M", "iq", "M", True),
    ("IQ1_S", "IQ1_S", "iq", "S", True),
    ("Q1_0", "Q1_0", "round", "", False),
)

RECIPES: dict[str, Recipe] = {
    name: Recipe(name, _IDS[name], BY_NAME[base], family, letter, needs) for name, base, family, letter, needs in _ROWS
}
"""By name, from the most bits to the fewest."""

ALIASES = {"Q3_K": "Q3_K_M", "Q4_K": "Q4_K_M", "Q5_K": "Q5_K_M"}

FAMILIES: dict[Family, tuple[str, str]] = {
    "float": (
        N_("Floating point"),
        N_(
            "No quantization: each weight is a number of its own. f16 has 16 bits, more of them after the point; bf16 "
            "has 16 bits with the range of f32; f32 has 32."
        ),
    ),
    "round": (
        N_("Simple blocks"),
        N_(
            "The oldest and simplest kind: a block of weights that follow each other shares one scale, and each weight "
            "is the nearest whole number of steps. _0: the steps count from zero. _1: the block has a minimum as well."
        ),
    ),
    "k": (
        N_("K-quants"),
        N_(
            "A super-block of 256 weights holds 8 or 16 smaller blocks; their scales (and minimums) are quantized "
            "themselves, to 4, 6 or 8 bits. More exact than simple blocks of the same size."
        ),
    ),
    "iq": (
        N_("I-quants"),
        N_(
            "Groups of weights are replaced by the nearest entry of a fixed codebook. The best quality below 4 bits, "
            "slower on a processor, and from 3 bits down of use only with an importance matrix."
        ),
    ),
    "ternary": (
        N_("Ternary"),
        N_(
            "Each weight is −1, 0 or 1 times a scale. Meant for models that were trained so (BitNet); other models are "
            "ruined by it."
        ),
    ),
    "fp4": (
        N_("4-bit floating point"),
        N_(
            "Four bits for each weight of an expert: a sign, two bits of exponent and one after the point, with a "
            "shared power of two for every 32. Meant for mixtures of experts; all other tensors get Q8_0."
        ),
    ),
}
"""What each family is called, and what it does."""

LETTERS: dict[str, str] = {
    "S": N_("S (small): nearly all tensors have the type of the name."),
    "M": N_("M (medium): the tensors that quality depends on most get more bits."),
    "L": N_("L (large): more tensors get more bits."),
    "XS": N_("XS (extra small): the smallest mixture but one."),
    "XXS": N_("XXS: the smallest mixture."),
    "NL": N_("NL (non-linear): the steps are close together near zero, where most weights are."),
}
"""What the end of a name means."""

TENSOR_CHOICES = ("F32", "BF16", "F16", "Q8_0", "Q6_K", "Q5_K", "Q5_1", "Q5_0", "Q4_K", "Q4_1", "Q4_0", "IQ4_NL")
"""Types for the output or embedding tensor, where another than the recipe's is wanted."""


def recipe(name: str) -> Recipe:
    """The recipe of this name, in capitals or not. Raises `SettingInvalid`."""
    known = name.strip().upper()
    known = ALIASES.get(known, known)
    if known not in RECIPES:
        raise SettingInvalid(setting="type", value=repr(name[:40]), allowed=", ".join(RECIPES))
    return RECIPES[known]


def tensor_type(name: str, *, setting: str) -> TensorType:
    """A type for one tensor, by its name. Raises `SettingInvalid`."""
    known = name.strip().upper()
    if known not in TENSOR_CHOICES:
        raise SettingInvalid(setting=setting, value=repr(name[:40]), allowed=", ".join(TENSOR_CHOICES))
    return BY_NAME[known]


def file_name(source: str, type: str) -> str:
    """A name for the result, from the source's: `phi-4.F16.gguf` and Q4_K_M make `phi-4.Q4_K_M.gguf`."""
    stem = _PART_OF.sub("", source.removesuffix(".gguf"))
    return f"{_TYPE_AT_END.sub('', stem) or 'model'}.{recipe(type).name}.gguf"


_PART_OF = re.compile(r"-\d{5}-of-\d{5}$")
_TYPE_AT_END = re.compile(
    rf"[.\-_](?:{'|'.join(sorted((*RECIPES, *ALIASES, 'FP16', 'FP32'), key=len, reverse=True))})$", re.I
)
