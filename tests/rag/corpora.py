"""Small corpora for tests of retrieval: passages in two languages, and vectors that are made of their words.

The vectors are no model's: a passage is the normalised sum of a fixed random vector a word, so that what shares words
is near, whatever language it is in, and the same text has the same vector on every machine.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

import numpy as np

from core.rag import words
from core.rag.fusion import Floats
from core.rag.retrieve import Searcher
from core.rag.values import Chunk

WIDTH = 64

ENGLISH = (
    "The lighthouse of Cordouan stands at the mouth of the Gironde. It was built of limestone. Keepers live in it.",
    "Bees dance to tell each other where flowers are. The angle of the dance shows the direction of the sun.",
    "A steam engine turns heat into motion. Its boiler holds water under pressure. The piston moves to and fro.",
    "Volcanoes form where plates of the crust drift apart. Lava that cools quickly becomes basalt.",
    "The violin has four strings. They are tuned in fifths. Its body is made of spruce and maple.",
    "Glaciers carve valleys as they flow. They leave moraines behind. Their ice is blue where it is dense.",
)
FRENCH = (
    "Le fromage de Roquefort mûrit dans des caves naturelles. Il est fait de lait de brebis. Ses veines sont bleues.",
    "Les chevaux de Camargue naissent bruns et deviennent blancs. Ils vivent dans les marais du delta du Rhône.",
    "La tapisserie de Bayeux raconte la conquête de l'Angleterre. Elle mesure près de soixante-dix mètres.",
    "Le métro de Paris a ouvert en 1900. Les entrées de Guimard sont en fonte. La ligne 1 est automatique.",
    "Les étoiles naissent dans des nuages de gaz. Leur couleur dépend de leur température.",
    "Le boulanger pétrit la pâte longtemps. Le levain donne au pain son goût. La croûte se forme au four.",
)


def chunk(number: int, text: str, *, document: str = "", page: int | None = None) -> Chunk:
    name = document or f"document-{number}"
    return Chunk(f"chunk-{number}", name, f"{name}.txt", number, text, 0, len(text), len(text.split()), page)


def chunks(texts: Sequence[str] = ENGLISH + FRENCH) -> list[Chunk]:
    return [chunk(number, text) for number, text in enumerate(texts)]


def embed(texts: Sequence[str]) -> Floats:
    """A unit vector a text."""
    rows = np.zeros((len(texts), WIDTH), np.float32)
    for row, text in zip(rows, texts, strict=True):
        for word in words.words(text):
            seed = int.from_bytes(hashlib.sha256(word.encode()).digest()[:8], "big")
            row += np.random.default_rng(seed).normal(size=WIDTH).astype(np.float32)
    lengths = np.linalg.norm(rows, axis=1, keepdims=True)
    return rows / np.where(lengths > 0, lengths, 1)


def embed_nothing(texts: Sequence[str]) -> Floats:
    """An embedding that cannot read: each text has a vector of its own that says nothing of what it is about."""
    rows = []
    for text in texts:
        seed = int.from_bytes(hashlib.sha256(text.encode()).digest()[:8], "big")
        rows.append(np.random.default_rng(seed).normal(size=WIDTH))
    made = np.asarray(rows, np.float32)
    return made / np.linalg.norm(made, axis=1, keepdims=True)


def searcher(passages: Sequence[Chunk] | None = None, *, weight: float | None = None) -> Searcher:
    passages = chunks() if passages is None else passages
    return Searcher(passages, embed([one.text for one in passages]), embed, weight=weight)
