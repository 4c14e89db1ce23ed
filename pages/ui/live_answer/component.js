// Draws one answer as it comes: what it is waiting for, its text, how fast it is, a stop button.
//
// One Streamlit component, mounted with `data = {id, language, words}`. `words` are templates, already in the reader's
// language. When the answer has ended, `ended` is triggered until Python has replaced the component.

const RESEND_MS = 1000; // a trigger sent while the component mounts can be lost (streamlit#16732)
const LONGEST_RESEND_MS = 8000; // a slow page must have time to answer before it is asked again
const NEAR_BOTTOM_PX = 48;
const TEXT_INPUT = "textarea, select, [contenteditable], "
  + "input:not([type=checkbox], [type=radio], [type=range], [type=button])";

class LiveAnswer {
  constructor(component) {
    this.id = component.data.id;
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
  use({ data, setStateValue, setTriggerValue }) {
    Object.assign(this, { words: data.words, language: data.language, setStateValue, setTriggerValue });
    this.stopButton.textContent = this.words.stop;
    this.stopButton.title = this.words.stop_help;
    this.reasoning.firstChild.textContent = this.words.reasoning;
  }

  build(parent) {
    this.root = parent.appendChild(element("div", "live-answer"));
    this.status = this.root.appendChild(element("div", "status"));
    this.statusText = this.status.appendChild(element("span"));
    this.bar = this.status.appendChild(element("progress", "", { max: 1 }));
    this.bar.hidden = true;
    this.reasoning = this.root.appendChild(element("details", "reasoning"));
    this.reasoning.append(element("summary"), element("p", "plain"));
    this.reasoningText = this.reasoning.lastChild.appendChild(new Text());
    this.reasoning.hidden = true;
    this.text = new GrowingText(this.root.appendChild(element("div", "text")));
    const foot = this.root.appendChild(element("div", "foot"));
    this.stopButton = foot.appendChild(element("button", "stop", { type: "button" }));
    this.stopButton.onclick = () => this.stop();
    this.figures = foot.appendChild(element("span", "figures"));
    this.notice = foot.appendChild(element("span", "notice"));
    this.announcement = this.root.appendChild(element("div", "announcement", { role: "status", "aria-live": "polite" }));
  }

  draw(frame) {
    keepingBottomInView(this.root, () => {
      this.tell("");
      this.drawStatus(frame);
      if (frame.text) this.text.append(frame.text);
      if (frame.reasoning) this.reasoningText.appendData(frame.reasoning);
      this.reasoning.hidden = !this.reasoningText.data;
      this.drawFigures(frame);
    });
    if (frame.ended) this.end();
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
        return { text: fill(this.words.prefill, { done: number(progress.done), total: number(progress.total) }),
          share: progress.total ? progress.done / progress.total : null };
      default:
        return { text: this.words.waiting, share: null };
    }
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

/** "Place {position}" and {position: 2} make "Place 2". */
function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

/** The element with the keyboard, inside whatever shadow roots. */
function focused() {
  let at = document.activeElement;
  while (at?.shadowRoot?.activeElement) at = at.shadowRoot.activeElement;
  return at;
}

/** Makes a change, and shows the newest line if, and only if, the reader was at the bottom of the page. */
function keepingBottomInView(node, change) {
  const page = scrolling(node);
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

const drawn = new WeakMap(); // by parent element: Streamlit calls again, without cleaning up, when theme or data change

export default function (component) {
  const { data, parentElement } = component;
  const before = drawn.get(parentElement);
  if (before?.id === data.id) before.use(component);
  else {
    before?.dispose();
    drawn.set(parentElement, new LiveAnswer(component));
  }
  return () => {
    drawn.get(parentElement)?.dispose();
    drawn.delete(parentElement);
  };
}
