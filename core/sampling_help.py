"""What the current value of each sampling parameter does, as a sentence with its numbers. No streamlit.

It says what the engine does (core/llamacpp/sampling.py), also where another value leaves a parameter without effect.
Sources: the samplers of llama.cpp (src/llama-sampler.cpp).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from core.errors import N_
from core.messages import Sampling
from core.words import number, translator

_DRAWING = frozenset(
    {
        *("top_k", "top_p", "min_p", "typical_p", "xtc_probability", "xtc_threshold"),
        *("mirostat", "mirostat_tau", "mirostat_eta", "seed"),
    }
)
"""Without effect where nothing is drawn."""

_CUTTING = frozenset({"top_k", "top_p", "min_p", "typical_p", "xtc_probability", "xtc_threshold"})
"""Not used with mirostat, which cuts in their place."""

_PENALTIES = ("repeat_penalty", "presence_penalty", "frequency_penalty")

_TELLING = math.log(1e6)
"""The logarithm of a factor that still tells a person something."""

_MOST_CHOICES = 20
"""Bits of surprise whose number of equal choices is still said."""


@dataclass(frozen=True, slots=True)
class Sentence:
    """An English msgid, and the numbers that fill its placeholders."""

    text: str
    values: Mapping[str, float] = field(default_factory=dict)

    def said(self, language: str) -> str:
        """In a language, its numbers written as the language writes them."""
        numbers = {name: number(value, language) for name, value in self.values.items()}
        return translator(language)(self.text).format_map(numbers)


NO_EFFECT = Sentence(N_("No effect."))


def meaning(name: str, sampling: Sampling) -> Sentence:
    """What the value of this field of `sampling` does beside the others."""
    return _without_effect(name, sampling) or _MEANINGS[name](sampling)


def _without_effect(name: str, s: Sampling) -> Sentence | None:
    """Why another value leaves this one without effect; None where none does."""
    if s.temperature <= 0 and name in _DRAWING:
        return Sentence(N_("No effect: at temperature 0 the most probable token is always taken."))
    if s.mirostat == 2 and name in _CUTTING:
        return Sentence(N_("No effect: mirostat cuts in its place."))
    if s.mirostat != 2 and name in ("mirostat_tau", "mirostat_eta"):
        return Sentence(N_("No effect: mirostat is off."))
    if s.mirostat != 2 and s.top_k == 1 and name in (_DRAWING | {"temperature"}) - {"top_k", "mirostat"}:
        return Sentence(N_("No effect: top-k 1 leaves a single token."))
    if name.startswith("xtc"):
        return _without_xtc(name, s)
    if name.startswith("dry"):
        return _without_dry(name, s)
    if name in _PENALTIES and s.repeat_last_n == 0:
        return Sentence(N_("No effect: the penalties look back over no token."))
    if name == "repeat_last_n" and s.repeat_penalty == 1 and s.presence_penalty == 0 == s.frequency_penalty:
        return Sentence(N_("No effect: none of the three penalties is on."))
    return None


def _without_xtc(name: str, s: Sampling) -> Sentence | None:
    if name == "xtc_threshold" and s.xtc_probability <= 0:
        return Sentence(N_("No effect: the chance of XTC is 0."))
    if s.xtc_threshold > 0.5:
        return Sentence(N_("No effect: only one token can have more than half of the probability."))
    return None


def _without_dry(name: str, s: Sampling) -> Sentence | None:
    if name != "dry_multiplier" and s.dry_multiplier <= 0:
        return Sentence(N_("No effect: the strength of DRY is 0."))
    if name != "dry_penalty_last_n" and s.dry_penalty_last_n == 0:
        return Sentence(N_("No effect: DRY looks back over no token."))
    return None


def _temperature(s: Sampling) -> Sentence:
    if s.temperature <= 0:
        return Sentence(N_("0: always the most probable token, so always the same answer."))
    if s.temperature < 1:
        text = N_("{value}: probable tokens are favoured, more than the model would.")
    elif s.temperature == 1:
        text = N_("1: tokens are drawn as often as the model finds them probable.")
    else:
        text = N_("{value}: improbable tokens get more chances, and answers become odd.")
    return Sentence(text, {"value": s.temperature})


def _top_k(s: Sampling) -> Sentence:
    if s.top_k <= 0:
        return Sentence(N_("No effect: any token may be drawn."))
    if s.top_k == 1:
        return Sentence(N_("Only the most probable token may be drawn, so always the same answer."))
    return Sentence(N_("Only the {count} most probable tokens may be drawn."), {"count": s.top_k})


def _top_p(s: Sampling) -> Sentence:
    if s.top_p >= 1:
        return NO_EFFECT
    if s.top_p <= 0:
        return Sentence(N_("Only the most probable token may be drawn."))
    return Sentence(N_("The least likely {percent}% are cut."), {"percent": _percent(1 - s.top_p)})


def _min_p(s: Sampling) -> Sentence:
    if s.min_p <= 0:
        return NO_EFFECT
    if s.min_p >= 1:
        return Sentence(N_("Only the most probable token may be drawn."))
    return Sentence(
        N_("Tokens less than {percent}% as probable as the best one are cut."), {"percent": _percent(s.min_p)}
    )


def _typical_p(s: Sampling) -> Sentence:
    if s.typical_p >= 1:
        return NO_EFFECT
    return Sentence(
        N_("The tokens whose surprise is nearest to the expected one may be drawn: {percent}% of the probability."),
        {"percent": _percent(s.typical_p)},
    )


def _repeat_penalty(s: Sampling) -> Sentence:
    if s.repeat_penalty == 1:
        return NO_EFFECT
    if s.repeat_penalty > 1:
        text = N_("Tokens already used come less often: their logit is divided by {value}, or multiplied below 0.")
    else:
        text = N_("Tokens already used come more often: their logit is divided by {value}, or multiplied below 0.")
    return Sentence(text, {"value": s.repeat_penalty})


def _presence_penalty(s: Sampling) -> Sentence:
    return _penalty(
        s,
        s.presence_penalty,
        less=N_("Against the others, a token already used is {factor} times less likely."),
        more=N_("Against the others, a token already used is {factor} times more likely."),
        plain=N_("The logit of a token already used changes by {change}."),
    )


def _frequency_penalty(s: Sampling) -> Sentence:
    return _penalty(
        s,
        s.frequency_penalty,
        less=N_("Against the others, each use makes a token {factor} times less likely."),
        more=N_("Against the others, each use makes a token {factor} times more likely."),
        plain=N_("Each use of a token changes its logit by {change}."),
    )


def _dry_multiplier(s: Sampling) -> Sentence:
    text = N_("Against the others, the first token beyond the allowed length is {factor} times less likely.")
    plain = N_("The logit of the first token beyond the allowed length changes by {change}.")
    return _penalty(s, s.dry_multiplier, less=text, more=text, plain=plain)


def _penalty(s: Sampling, penalty: float, *, less: str, more: str, plain: str) -> Sentence:
    """What taking `penalty` from a logit does to the odds, whose logarithm it is once divided by the temperature."""
    if penalty == 0:
        return NO_EFFECT
    change = abs(penalty) / s.temperature if s.temperature > 0 else math.inf
    if change > _TELLING:
        return Sentence(plain, {"change": -penalty})
    return Sentence(less if penalty > 0 else more, {"factor": float(f"{math.exp(change):.3g}")})


def _repeat_last_n(s: Sampling) -> Sentence:
    if s.repeat_last_n < 0:
        return Sentence(N_("All of the conversation counts as used."))
    if s.repeat_last_n == 0:
        return Sentence(N_("No effect: the penalties look back over no token."))
    return _counted(
        s.repeat_last_n,
        one=N_("Only the last token counts as used."),
        many=N_("The last {count} tokens count as used, those of the question too."),
    )


def _dry_base(s: Sampling) -> Sentence:
    if s.dry_base <= 1:
        return Sentence(N_("The penalty stays the same however long the repetition is."))
    return Sentence(N_("With each further token the penalty is {value} times as high."), {"value": s.dry_base})


def _dry_allowed_length(s: Sampling) -> Sentence:
    if s.dry_allowed_length <= 0:
        return Sentence(N_("Any token already used counts as a repetition."))
    return _counted(
        s.dry_allowed_length,
        one=N_("One token may be repeated freely; the next one is penalised."),
        many=N_("{count} tokens in a row may be repeated freely; the next one is penalised."),
    )


def _dry_penalty_last_n(s: Sampling) -> Sentence:
    if s.dry_penalty_last_n < 0:
        return Sentence(N_("Repeated passages are sought in all of the conversation."))
    if s.dry_penalty_last_n == 0:
        return Sentence(N_("No effect: DRY looks back over no token."))
    return _counted(
        s.dry_penalty_last_n,
        one=N_("Repeated passages are sought in the last token alone: there are none."),
        many=N_("Repeated passages are sought in the last {count} tokens."),
    )


def _dry_sequence_breakers(s: Sampling) -> Sentence:
    if not s.dry_sequence_breakers:
        return Sentence(N_("Nothing ends a passage: names and formatting are penalised as well."))
    return _counted(
        len(s.dry_sequence_breakers),
        one=N_("One text ends a passage: a repetition is not followed across it."),
        many=N_("{count} texts end a passage: a repetition is not followed across them."),
    )


def _xtc_probability(s: Sampling) -> Sentence:
    if s.xtc_probability <= 0:
        return NO_EFFECT
    return Sentence(
        N_("For {percent}% of the tokens, all obvious ones but the least probable are cut."),
        {"percent": _percent(s.xtc_probability)},
    )


def _xtc_threshold(s: Sampling) -> Sentence:
    return Sentence(
        N_("Obvious is a token with a probability of {percent}% or more."), {"percent": _percent(s.xtc_threshold)}
    )


def _mirostat(s: Sampling) -> Sentence:
    if s.mirostat != 2:
        return NO_EFFECT
    return Sentence(N_("The two values below decide; top-k, top-p, min-p, typical-p and XTC are not used."))


def _mirostat_tau(s: Sampling) -> Sentence:
    if s.mirostat_tau > _MOST_CHOICES:
        return Sentence(N_("Aims at {value} bits of surprise a token: hardly any is cut."), {"value": s.mirostat_tau})
    return Sentence(
        N_("Aims at {value} bits of surprise a token, as when drawing from {count} equally probable ones."),
        {"value": s.mirostat_tau, "count": float(f"{2**s.mirostat_tau:.3g}")},
    )


def _mirostat_eta(s: Sampling) -> Sentence:
    if s.mirostat_eta <= 0:
        return Sentence(N_("The limit stays at twice the target."))
    return Sentence(
        N_("After each token the limit is corrected by {percent}% of the difference from the target."),
        {"percent": _percent(s.mirostat_eta)},
    )


def _seed(s: Sampling) -> Sentence:
    if s.seed is None:
        return Sentence(N_("A new seed for each answer, so each answer is another one."))
    return Sentence(N_("The same question gets the same answer, as long as nothing else changes."))


def _logit_bias(s: Sampling) -> Sentence:
    if not s.logit_bias:
        return NO_EFFECT
    return _counted(
        len(s.logit_bias),
        one=N_("One token is made more or less likely."),
        many=N_("{count} tokens are made more or less likely."),
    )


def _counted(count: int, *, one: str, many: str) -> Sentence:
    return Sentence(one) if count == 1 else Sentence(many, {"count": count})


def _percent(share: float) -> float:
    """Hundredths, free of what binary fractions leave behind the point."""
    return round(share * 100, 6)


_MEANINGS: Mapping[str, Callable[[Sampling], Sentence]] = {
    "temperature": _temperature,
    "top_k": _top_k,
    "top_p": _top_p,
    "min_p": _min_p,
    "typical_p": _typical_p,
    "repeat_penalty": _repeat_penalty,
    "presence_penalty": _presence_penalty,
    "frequency_penalty": _frequency_penalty,
    "repeat_last_n": _repeat_last_n,
    "dry_multiplier": _dry_multiplier,
    "dry_base": _dry_base,
    "dry_allowed_length": _dry_allowed_length,
    "dry_penalty_last_n": _dry_penalty_last_n,
    "dry_sequence_breakers": _dry_sequence_breakers,
    "xtc_probability": _xtc_probability,
    "xtc_threshold": _xtc_threshold,
    "mirostat": _mirostat,
    "mirostat_tau": _mirostat_tau,
    "mirostat_eta": _mirostat_eta,
    "seed": _seed,
    "logit_bias": _logit_bias,
}
