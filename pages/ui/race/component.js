// The race: follows some answers over one WebSocket and draws their tokens over time.
//
// One Streamlit component, mounted with `data = [{ids, lanes: [{letter, label, light, dark}], language, words}]`.

const UNKNOWN = 4404; // the server has none of these answers (any more)
const FIRST_WAIT_MS = 300;
const LONGEST_WAIT_MS = 4000;

class Race {
  constructor({ data: [data], parentElement }) {
    Object.assign(this, data);
    this.failures = 0;
    this.root = parentElement.appendChild(element("div", "race"));
    this.dark = onDark(this.root);
    this.lanes = data.lanes.map((lane) => ({ ...lane, colour: this.dark ? lane.dark : lane.light }));
    this.root.appendChild(element("div", "title")).textContent = this.words.title;
    const space = this.root.appendChild(element("div", "space"));
    this.chart = new Chart(space, this.lanes, this.words, (value) => this.number(value));
    this.list = this.root.appendChild(element("ul"));
    this.figures = this.lanes.map((lane, number) => this.listed(lane, number));
    this.notice = this.root.appendChild(element("div", "notice", { role: "status" }));
    this.open();
  }

  /** A later run of the script has nothing new to say of the same race. */
  use() {}

  listed({ letter, label, colour }, number) {
    const item = this.list.appendChild(element("li"));
    item.append(sample(colour, number), element("b"), element("span"), element("span", "figures"));
    const [, name, says, figures] = item.children;
    name.textContent = letter;
    says.textContent = label;
    return figures;
  }

  open() {
    const address = new URL(`workbench/races/${this.ids}`, served());
    address.protocol = address.protocol.replace("http", "ws");
    this.socket = new WebSocket(address);
    this.begins = true;
    this.socket.onmessage = (message) => this.receive(JSON.parse(message.data));
    this.socket.onclose = (event) => this.closed(event.code);
  }

  receive(frame) {
    // Each connection begins with all points, so that a lost one leaves no gap.
    if (this.begins) this.chart.points = this.lanes.map(() => []);
    this.begins = false;
    this.failures = 0;
    this.notice.textContent = "";
    frame.lanes.forEach((lane, number) => {
      this.chart.points[number].push(...lane.points);
      this.figures[number].textContent = this.says(lane);
    });
    this.chart.draw();
    const summary = [...this.list.children].map((item) => [...item.children].map((part) => part.textContent).join(" "));
    this.chart.svg.setAttribute("aria-label", [this.words.title, ...summary].join("; "));
    if (frame.ended) this.close();
  }

  says({ state, tokens, rate, estimated }) {
    if (state === "failed" || state === "gone") return this.words[state];
    if (!tokens) return state === "loading" ? this.words.loading : this.words.waiting;
    const about = estimated ? "≈ " : "";
    const values = { tokens: about + this.number(tokens), rate: about + this.number(rate ?? 0, 1) };
    return fill(rate ? this.words.figures : this.words.few, values);
  }

  number(value, digits) {
    const options = digits === undefined ? { maximumFractionDigits: 2 }
      : { minimumFractionDigits: digits, maximumFractionDigits: digits };
    return new Intl.NumberFormat(this.language, options).format(value);
  }

  closed(code) {
    if (code === UNKNOWN) return;
    this.notice.textContent = this.words.lost;
    const wait = Math.min(FIRST_WAIT_MS * 2 ** this.failures, LONGEST_WAIT_MS);
    this.failures += 1;
    this.timer = setTimeout(() => this.open(), wait);
  }

  close() {
    clearTimeout(this.timer);
    this.socket.onmessage = this.socket.onclose = null;
    this.socket.close();
  }

  dispose() {
    this.close();
    this.chart.dispose();
    this.root.remove();
  }
}

function onDark(node) {
  const [red, green, blue] = getComputedStyle(node).backgroundColor.match(/[0-9.]+/g);
  return Number(red) + Number(green) + Number(blue) < 384;
}

export default mounting((component) => new Race(component), (before, data) =>
  before.ids === data.ids && before.language === data.language && onDark(before.root) === before.dark);
