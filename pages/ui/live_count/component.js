// Counts the question in a chat input while it is typed, and says what of the conversation would not fit.
//
// Mounted with `data = [{id, run, input, language, limit_mb, words, parts}]`: `input` selects the chat input in the
// page, `parts` are the origins of tokens in the bar's order, each with its name and colours. Listens only: what is
// typed, sent and attached stays Streamlit's. Where the draft's id is not known any more, `expired` asks for a rerun.

const AFTER_MS = 150; // the pause in typing after which it is counted
const LOOK_MS = 60; // after Streamlit has drawn what an event changed

class LiveCount {
  constructor(component) {
    this.build(component.parentElement);
    this.known = new Map(); // files seen being attached, by name: the chips in the page bear names
    this.read = new Map(); // file → promise of {key} or {problem}
    this.seen = null;
    this.use(component);
    this.watch = new AbortController();
    const options = { capture: true, passive: true, signal: this.watch.signal };
    for (const type of ["input", "keyup", "click", "focusin"]) document.addEventListener(type, () => this.soon(), options);
    for (const type of ["change", "drop", "paste"]) document.addEventListener(type, (e) => this.attached(e), options);
  }

  /** Takes what a run of the script says; it may have changed what the question is added to. */
  use({ data: [data], setTriggerValue }) {
    const again = this.data?.run !== data.run;
    if (this.data && this.data.id !== data.id) this.read.clear();
    this.data = data;
    this.expire = () => setTriggerValue("expired", data.id);
    if (again) this.seen = null;
    this.soon();
  }

  build(parent) {
    this.root = parent.appendChild(element("div", "count"));
    this.details = this.root.appendChild(element("details"));
    const line = this.details.appendChild(element("summary"));
    this.bar = line.appendChild(element("div", "bar", { "aria-hidden": "true" }));
    this.figure = line.appendChild(element("span", "figure"));
    this.legend = this.details.appendChild(element("ul", "legend"));
    this.notice = this.root.appendChild(element("div", "notice", { role: "status", "aria-live": "polite" }));
    this.details.hidden = true;
  }

  attached(event) {
    const files = event.target?.files ?? event.dataTransfer?.files ?? event.clipboardData?.files ?? [];
    for (const file of files) this.known.set(file.name, file);
    this.soon();
  }

  soon() {
    clearTimeout(this.looking);
    this.looking = setTimeout(() => this.look(), LOOK_MS);
  }

  /** Has it counted when what stands in the input is new. */
  look() {
    const input = document.querySelector(this.data.input);
    const text = input?.querySelector("textarea")?.value ?? "";
    const names = [...(input?.querySelectorAll('[data-testid="stFileChipName"]') ?? [])].map((chip) => chip.title);
    const now = JSON.stringify([text, names]);
    if (now === this.seen) return;
    this.seen = now;
    this.next = { text, files: names.map((name) => this.known.get(name)).filter(Boolean) };
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.count(), AFTER_MS - LOOK_MS);
  }

  /** One at a time; what was typed meanwhile is counted after it. */
  async count() {
    if (this.counting) return;
    this.counting = true;
    try {
      while (this.next) {
        const { text, files } = this.next;
        this.next = null;
        await this.ask(text, files);
      }
    } catch {
      this.root.style.opacity = 0.5; // the server cannot be reached: the figures are old
      this.seen = null;
    } finally {
      this.counting = false;
    }
  }

  async ask(text, files) {
    const read = await Promise.all(files.map((file) => this.readOnce(file)));
    const keys = read.map(({ key }) => key).filter(Boolean);
    const response = await this.post("count", JSON.stringify({ text, files: keys }));
    if (response.status === 404) return this.expire();
    const counted = response.status === 200 ? await response.json() : null;
    if (!counted && response.status !== 204) throw new Error(response.statusText);
    this.root.style.opacity = 1;
    this.draw(counted, read.map(({ problem }) => problem).filter(Boolean));
  }

  readOnce(file) {
    if (!this.read.has(file)) {
      const reading = this.readOne(file);
      reading.catch(() => this.read.delete(file)); // the server could not be reached: another time
      this.read.set(file, reading);
    }
    return this.read.get(file);
  }

  async readOne(file) {
    const { limit_mb, words } = this.data;
    if (file.size > limit_mb * 2 ** 20) {
      return { problem: `${fill(words.file_too_large, { file: file.name, limit_mb })} ${words.rag}` };
    }
    const response = await this.post("files", file, { name: file.name });
    const said = response.status === 200 ? await response.json() : {};
    if (said.key) return said;
    return { problem: said.message ? `${said.message} ${said.hint}` : fill(words.file_failed, { file: file.name }) };
  }

  post(what, body, values = {}) {
    const address = new URL(`workbench/drafts/${this.data.id}/${what}`, served());
    for (const [name, value] of Object.entries(values)) address.searchParams.set(name, value);
    return fetch(address, { method: "POST", body });
  }

  draw(counted, problems) {
    this.details.hidden = !counted;
    if (counted) this.drawCount(counted);
    const lines = [...problems, ...(counted ? this.leftOut(counted) : [])];
    this.notice.replaceChildren(...lines.map((line) => {
      const made = element("div");
      made.textContent = line;
      return made;
    }));
  }

  drawCount(counted) {
    const { words } = this.data;
    const { prompt_tokens: tokens, context_length: length } = counted;
    this.figure.textContent = fill(length ? words.of_known : words.of_unknown, {
      tokens: this.number(tokens, counted.exact),
      length: this.number(length ?? 0),
    });
    const how = element("li", "how");
    how.textContent = counted.exact ? words.exact : words.estimate;
    const sizes = { ...counted.by_origin, free: Math.max((length ?? 0) - tokens, 0) };
    const parts = this.data.parts.filter(({ origin }) => sizes[origin]);
    this.bar.replaceChildren(...parts.map((part) => this.shape("", part, sizes[part.origin])));
    this.legend.replaceChildren(...parts.map((part) => {
      const item = element("li");
      const values = { name: part.name, tokens: this.number(sizes[part.origin], counted.exact) };
      item.append(this.shape("swatch", part), fill(words.part, values));
      return item;
    }), how);
  }

  shape(className, part, size = null) {
    const made = element("div", className);
    made.style.background = this.dark() ? part.dark : part.light;
    if (size !== null) made.style.flex = `${size} 1 0`;
    return made;
  }

  /** What the policy would do, in words. */
  leftOut(counted) {
    const { words, language } = this.data;
    const { dropped_messages: messages, dropped_tokens: dropped, exact } = counted;
    const many = { count: this.number(messages), tokens: this.number(dropped, exact) };
    const lines = [];
    if (!counted.fits) lines.push(fill(words.too_long, { length: this.number(counted.context_length) }));
    else if (messages) lines.push(fill(words[`drops_${this.form(messages, language)}`], many));
    else if (dropped) lines.push(fill(words.cut, many));
    if (lines.length && counted.by_origin.documents) lines.push(words.rag);
    return lines;
  }

  form(number, language) {
    return new Intl.PluralRules(language).select(number) === "one" ? "one" : "other";
  }

  number(value, exact = true) {
    const locale = this.data.language === "en" ? "en-GB" : this.data.language;
    const written = new Intl.NumberFormat(locale).format(value);
    return exact ? written : `≈\u00a0${written}`;
  }

  dark() {
    const colour = getComputedStyle(this.root).getPropertyValue("--st-background-color").trim();
    const [red, green, blue] = colour.match(/[0-9a-f]{2}/gi)?.map((pair) => parseInt(pair, 16)) ?? [255, 255, 255];
    return red + green + blue < 384;
  }

  dispose() {
    clearTimeout(this.looking);
    clearTimeout(this.timer);
    this.watch.abort();
    this.root.remove();
  }
}

export default mounting((component) => new LiveCount(component));
