"""What the demo app's server and its page share: the answers, and the recordings they play."""

from __future__ import annotations

from core.answers import Answer, Answers
from core.errors import ModelDied
from core.events import Event, Finished, Loading, Prefill, Queued, Reasoning, Routed, Text, Token, Usage
from core.messages import ChatRequest, Message
from core.models.base import ModelInfo
from core.models.replay import Replay

ANSWERS = Answers()

INFO = ModelInfo(id="replay", name="Replay", provider="replay", local=True)
END = Finished("stop", Usage(prompt_tokens=4, generated_tokens=0))

FORMATTED = """# A heading

Some **bold** text with `code` and a [link](https://example.org/).

1. one
2. two

```python
print("<b>not bold</b>")
```

| a | b |
| --- | --- |
| 1 | 2 |

The last line."""

HOSTILE = """<script>window.ran = "script"</script>

<img src="http://OUTSIDE/html.png" onerror="window.ran = 'onerror'">

![an image](http://OUTSIDE/markdown.png) and ![by reference][r] and a [![badge](http://OUTSIDE/badge.png)](http://OUTSIDE/)

[r]: http://OUTSIDE/reference.png

[run me](javascript:window.ran='link') and <a href="javascript:window.ran='a'">me</a> and [data](data:text/html,x)

\\![escaped](http://OUTSIDE/escaped.png)

:red[![in a directive](http://OUTSIDE/directive.png)] $\\includegraphics{http://OUTSIDE/formula.png}$

| ![cell](http://OUTSIDE/cell.png) | b |
| --- | --- |
| <svg onload="window.ran = 'svg'"> | ![x](http://OUTSIDE/row.png "title") |

$$
```
$$
![after a false fence](http://OUTSIDE/fence.png)

- ```
![after a fence in a list](http://OUTSIDE/list.png)

```mermaid
flowchart TD
  A@{ img: "http://OUTSIDE/mermaid.png", label: "x", w: 60, h: 60 }
```

> ~~~ &#109;ermaid
> flowchart TD
>   A@{ img: "http://OUTSIDE/quoted.png", label: "x", w: 60, h: 60 }
> ~~~

```rust
let v = vec![1, 2];
```

<iframe src="http://OUTSIDE/frame.html"></iframe><style>@import url(http://OUTSIDE/style.css);</style>

The last line."""


def start(scenario: str, *, outside: str = "", every: float = 0.025) -> Answer:
    """Starts one of the recordings. `outside`: host:port that stands for the outside world."""
    question = ChatRequest(messages=(Message("user", scenario),))
    if scenario == "states":
        return ANSWERS.start(Replay(INFO, STATES, pace=1.5), question)
    if scenario == "failing":
        return ANSWERS.start(Replay(INFO, words(40, every), error=ModelDied(model="Replay", detail="killed")), question)
    if scenario == "routed":
        return ANSWERS.start(Replay(INFO, ROUTED, pace=1.5), question)
    if scenario == "words":
        return ANSWERS.start(Replay(INFO, (*words(300, every), END)), question)
    if scenario == "formatted":  # goes on without words until it is stopped
        return ANSWERS.start(Replay(INFO, (*pieces(FORMATTED, every), _text("", 100_000, every), END)), question)
    return ANSWERS.start(Replay(INFO, (*pieces(HOSTILE.replace("OUTSIDE", outside), every), END)), question)


def words(count: int, every: float) -> tuple[Event, ...]:
    """`count` words, ten a paragraph."""
    return tuple(_text(f"w{n}" + ("\n\n" if n % 10 == 9 else " "), n, every) for n in range(count))


def pieces(text: str, every: float) -> tuple[Event, ...]:
    """A text in pieces of four characters."""
    return tuple(_text(text[at : at + 4], at // 4, every) for at in range(0, len(text), 4))


def _text(text: str, number: int, every: float) -> Text:
    return Text(text, (Token(id=number, text=text, at=number * every),))


STATES: tuple[Event, ...] = (
    Loading(0.4),
    Queued(2),
    Prefill(120, 800, 0),
    Prefill(140, 800, 0),
    Reasoning("Let me think."),
    _text("The answer ", 0, 1.0),
    _text("is 42.", 1, 1.0),
    END,
)
ROUTED: tuple[Event, ...] = (
    Routed("a", "<b>First</b>", "it comes first"),
    Prefill(120, 800, 0),
    Routed("b", "Second", "{before} did not answer", {"before": "First"}),
    _text("The answer ", 0, 1.0),
    _text("is 42.", 1, 1.0),
    END,
)
