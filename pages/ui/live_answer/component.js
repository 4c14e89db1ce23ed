// Draws one answer as it comes: what it is waiting for, its text, how fast it is, a stop button.
//
// One Streamlit component, mounted with `data = [{id, language, words}]`. `words` are templates, already in the
// reader's language. When the answer has ended, `ended` is triggered until Python has replaced the component.

const RESEND_MS = 1000; // a trigger sent while the component mounts can be lost (streamlit#16732)
const LONGEST_RESEND_MS = 8000; // a slow page must have time to answer before it is asked again
const NEAR_BOTTOM_PX = 48;

class LiveAnswer {
  constructor(component) {
    this.id = component.data[0].id;
    this.build(component.parentElement);
    this.use(component);
    this.announced = false;
    this.onKey = (event) => this.key(event);
    document.addEventListener("keydown", this.onKey);
    this.connection = new Connection(this.id, {
      frame: (frame) => this.draw(frame),
      lost: () => this.tell(this.words.lost),
      unknown: () => this.askForRerun(RESEND_MS),
      impossible: () => this.setStateValue("fallback", true),
    });
  }

  /** Takes what a later run of the script gave the same answer: other words, new ways to speak to Python. */
  use({ data: [data], setStateValue, setTriggerValue }) {
    Object.assign(this, { words: data.words, language: data.language, setStateValue, setTriggerValue });
    this.stopButton.textContent = this.words.stop;
    this.stopButton.title = this.words.stop_help;
  }

  build(parent) {
    this.root = parent.appendChild(element("div", "live-answer"));
    this.routed = this.root.appendChild(element("div", "routed"));
    this.routed.hidden = true;
    this.status = this.root.appendChild(element("div", "status"));
    this.statusText = this.status.appendChild(element("span"));
    this.bar = this.status.appendChild(element("progress", "", { max: 1 }));
    this.bar.hidden = true;
    this.reasoning = this.root.appendChild(element("details", "reasoning"));
    this.reasoning.append(element("summary"), element("p", "plain"));
    this.reasoningText = this.reasoning.lastChild.appendChild(new Text());
    this.reasoning.hidden = true;
    this.answering = false;
    this.text = new GrowingText(this.root.appendChild(element("div", "text")));
    const foot = this.root.appendChild(element("div", "foot"));
    this.stopButton = foot.appendChild(element("button", "stop", { type: "button" }));
    this.stopButton.onclick = () => this.stop();
    this.figures = foot.appendChild(element("span", "figures"));
    this.notice = foot.appendChild(element("span", "notice"));
    this.announcement = this.root.appendChild(element("div", "announcement", { role: "status", "aria-live": "polite" }));
  }

  draw(frame) {
    if (!this.page) this.comeIntoView();
    keepingBottomInView(this.page, () => {
      this.tell("");
      this.drawRouted(frame);
      this.drawStatus(frame);
      if (frame.text) this.text.append(frame.text);
      this.answering ||= Boolean(frame.text.trim());
      this.drawReasoning(frame);
      this.drawFigures(frame);
    });
    if (frame.ended) this.end();
  }

  /** A long question would leave its answer, and what that waits for, below the edge of the page. */
  comeIntoView() {
    this.page = scrolling(this.root);
    this.page.scrollTop = this.page.scrollHeight;
  }

  /** The model that a route chose. */
  drawRouted({ model }) {
    this.routed.hidden = !model;
    if (model) this.routed.textContent = fill(this.words.routed, { model });
  }

  drawStatus({ state, progress }) {
    const drawing = state === "answering" || state === "done" || state === "failed";
    this.status.hidden = drawing;
    if (drawing) return this.announceStart();
    const { text, share } = this.waiting(progress);
    this.statusText.textContent = text;
    this.bar.hidden = share === null;
    if (share !== null) this.bar.value = share;
    this.bar.setAttribute("aria-label", text);
  }

  drawReasoning({ reasoning, thinking_s: seconds }) {
    if (reasoning) this.reasoningText.appendData(reasoning);
    this.reasoning.hidden = !this.reasoningText.data;
    if (this.reasoning.hidden) return;
    const one = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    this.reasoning.firstChild.textContent = fill(this.answering ? this.words.thought : this.words.thinking, {
      seconds: new Intl.NumberFormat(this.language, one).format(seconds ?? 0),
    });
  }

  /** What it is waiting for, in words, and how far that is (0 … 1, null when it cannot be said). */
  waiting(progress) {
    const number = (value, options) => new Intl.NumberFormat(this.language, options).format(value);
    switch (progress?.type) {
      case "Loading":
        return { text: fill(this.words.loading, { percent: number(progress.fraction, { style: "percent" }) }),
          share: progress.fraction };
      case "Queued":
        return { text: fill(this.words.queued, { position: number(progress.position) }), share: null };
      case "Prefill":
        return { text: fill(this.words.prefill, { done: number(progress.done), total: number(progress.total) })
          + this.stillToGo(progress, number),
          share: progress.total ? progress.done / progress.total : null };
      default:
        return { text: this.words.waiting, share: null };
    }
  }

  /** How long the rest of the prompt will take at the rate so far; "" while that cannot be said, or is next to nothing. */
  stillToGo({ done, total }, number) {
    const now = performance.now();
    this.prefill ??= { done, at: now };
    const since = this.prefill;
    const seconds = ((total - done) * (now - since.at)) / (done - since.done) / 1000;
    if (!(done > since.done) || seconds < 1) return "";
    const whole = { maximumFractionDigits: 0 };
    return " · " + (seconds < 90
      ? fill(this.words.seconds_to_go, { seconds: number(seconds, whole) })
      : fill(this.words.minutes_to_go, { minutes: number(seconds / 60, whole) }));
  }

  drawFigures({ tokens, rate }) {
    if (rate === null) return;
    const precise = { minimumFractionDigits: 1, maximumFractionDigits: 1 };
    this.figures.textContent = fill(this.words.figures, {
      tokens: new Intl.NumberFormat(this.language).format(tokens),
      rate: new Intl.NumberFormat(this.language, precise).format(rate),
    });
  }

  tell(notice) {
    this.notice.textContent = notice;
  }

  announceStart() {
    if (!this.announced) this.announcement.textContent = this.words.started;
    this.announced = true;
  }

  end() {
    this.announcement.textContent = this.words.ended;
    this.stopButton.disabled = true;
    this.askForRerun(RESEND_MS);
  }

  askForRerun(again) {
    this.setTriggerValue("ended", this.id);
    this.timer = setTimeout(() => this.askForRerun(Math.min(again * 2, LONGEST_RESEND_MS)), again);
  }

  async stop() {
    this.stopButton.disabled = true;
    try {
      await this.connection.stop();
    } catch {
      this.stopButton.disabled = false;
      this.tell(this.words.lost);
    }
  }

  key(event) {
    const elsewhere = event.defaultPrevented || document.querySelector('[role="dialog"], [role="listbox"]');
    if (event.key === "Escape" && !elsewhere && !focused()?.matches(TEXT_INPUT)) this.stop();
  }

  dispose() {
    clearTimeout(this.timer);
    document.removeEventListener("keydown", this.onKey);
    this.connection.close();
    this.root.remove();
  }
}

/** Makes a change, and shows the newest line if, and only if, the reader was at the bottom of the page. */
function keepingBottomInView(page, change) {
  const atBottom = page.scrollHeight - page.scrollTop - page.clientHeight < NEAR_BOTTOM_PX;
  change();
  if (atBottom) page.scrollTop = page.scrollHeight;
}

/** The nearest element around `node` that scrolls. */
function scrolling(node) {
  for (let at = node; at; at = at.parentElement ?? at.getRootNode().host) {
    if (at instanceof Element && /auto|scroll|overlay/.test(getComputedStyle(at).overflowY)) return at;
  }
  return document.scrollingElement;
}

export default mounting((component) => new LiveAnswer(component), (before, data) => before.id === data.id);
