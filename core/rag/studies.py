"""The work of jobs that ask models about documents: questions drafted from passages, answers judged.

A job's `result` grows as the work goes on, so that a page shows what there is. What one passage or one question comes
to grief of does not end the others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import msgspec

from core.answers import Answers
from core.errors import WorkbenchError
from core.jobs import Job
from core.messages import ChatRequest, Message, Sampling
from core.models.base import ChatModel
from core.rag import drafting, judging
from core.rag.drafting import Draft
from core.rag.grounding import Grounding
from core.rag.judging import Grades
from core.rag.question_sets import Question
from core.rag.values import Chunk

LOOK_S = 0.1
LENGTH = 300
"""Tokens of an answer that is judged."""

Told = Callable[[Grounding], None]


class JudgedAnswer(msgspec.Struct, frozen=True, kw_only=True):
    """An answer to a question of a set, and what the judge says; `error` where one of the two failed."""

    question: Question
    answer: str = ""
    grounding: Grounding | None = None
    grades: Grades | None = None
    error: WorkbenchError | None = None


def draft(job: Job, answers: Answers, model: ChatModel, passages: Sequence[Chunk]) -> list[Draft]:
    """A question of each passage, where the model writes one. `job.result` is the drafts so far."""
    found: list[Draft] = []
    job.result = found
    for number, passage in enumerate(passages):
        job.step(number, len(passages))
        try:
            text = _asked(job, answers, model, drafting.request(passage, local=model.info.local))
        except WorkbenchError:
            if number == 0:  # the model itself cannot be had: the next passage would not change that
                raise
            continue
        made = drafting.read(text, passage)
        if made is not None:
            found.append(made)
    job.step(len(passages), len(passages))
    return found


def judge(
    job: Job,
    answers: Answers,
    questions: Sequence[Question],
    answering: Callable[[Question, Told], ChatModel],
    judging_model: ChatModel,
) -> list[JudgedAnswer]:
    """Each question answered from documents, and the answer judged. `job.result` is what there is so far."""
    found: list[JudgedAnswer] = []
    job.result = found
    for number, question in enumerate(questions):
        job.step(number, len(questions), question.text)
        told: list[Grounding] = []
        asked = ChatRequest(
            messages=(Message("user", question.text),), sampling=Sampling(temperature=0.0), max_tokens=LENGTH
        )
        text = ""
        try:
            text = _asked(job, answers, answering(question, told.append), asked)
            request = judging.request(question.text, text, told[0], local=judging_model.info.local)
            grades = judging.read(_asked(job, answers, judging_model, request))
        except WorkbenchError as error:
            grounding = told[0] if told else None
            found.append(JudgedAnswer(question=question, answer=text, grounding=grounding, error=error))
        else:
            found.append(JudgedAnswer(question=question, answer=text, grounding=told[0], grades=grades))
    job.step(len(questions), len(questions), "")
    return found


def _asked(job: Job, answers: Answers, model: ChatModel, request: ChatRequest) -> str:
    """What a model answers. Raises the answer's error, or `Halted` where the job is to end."""
    answer = answers.start(model, request)
    try:
        while not answer.wait(LOOK_S):
            job.check()
    except BaseException:
        answer.stop()
        raise
    if answer.error is not None:
        raise answer.error
    return answer.text
