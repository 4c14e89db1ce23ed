"""The language of a question, by its commonest words: French or English. Anything else, and too little, is None.

German, Spanish, Italian and Portuguese are counted too, since they share words with both; a person who writes in
another language is not taken for a Frenchman.
"""

from __future__ import annotations

import re
from collections import Counter

TOLD = ("en", "fr")
SEARCHED = 20_000
"""Characters that are looked at."""

_WORDS = {
    "en": (
        "the of and to in is are was were be been you that it he she they we his her their for on with as at by this "
        "have has had from or an but not what when where which who how why can could will would should do does did "
        "there your my me its if about into than then them these those some write explain give tell"
    ),
    "fr": (
        "le la les un une des du de et est sont était été être vous que qui il elle ils elles nous je tu son sa ses "
        "leur leurs pour sur avec dans par ce cet cette ces avoir ai as avait au aux ou où mais pas ne quoi quand quel "
        "quelle quels quelles comment pourquoi peut peux pouvez y en si plus votre vos mon ma mes écris écrivez "
        "explique expliquez donne donnez"
    ),
    "de": (
        "der die das den dem ein eine einen und ist sind war von zu mit auf für nicht ich du er sie es wir ihr was wie "
        "wo wer warum wann im am an auch als aus bei nach über kann schreibe erkläre"
    ),
    "es": (
        "el la los las un una de del y es son qué que cuál cómo por para con en se no su lo al más dónde cuándo quién "
        "está puede escribe explica"
    ),
    "it": (
        "il lo la gli le un una di del della e è sono che chi come per con in si non su più dove quando qual quale "
        "perché scrivi spiega"
    ),
    "pt": (
        "o os as um uma de do da dos das e é são que qual como por para com em se não no na mais onde quando quem "
        "está escreva explique"
    ),
}
_STOP_WORDS = {language: frozenset(words.split()) for language, words in _WORDS.items()}
_ELISION = re.compile(r"\b(?:[cdjlmnst]|qu)'(?=[^\W\d_])")
"""As in "l'eau" and "qu'il": French (an Italian one counts for French too, and its other words against)."""
_WORD = re.compile(r"[^\W\d_]+")


def language_of(text: str) -> str | None:
    """ "en", "fr", or None where neither has more of its common words in the text than every other language."""
    text = text[:SEARCHED].lower().replace("’", "'")
    words = Counter(_WORD.findall(text))
    counts = {language: sum(words[word] for word in known) for language, known in _STOP_WORDS.items()}
    counts["fr"] += len(_ELISION.findall(text))
    best, second, *_ = sorted(counts, key=counts.__getitem__, reverse=True)
    return best if counts[best] > counts[second] and best in TOLD else None
