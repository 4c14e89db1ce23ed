// Lines of points in an SVG that follows its own width. Knows no answers, no connection and no language.

const SVG = "http://www.w3.org/2000/svg";
const HEIGHT = 200;
const MARGIN = { top: 10, right: 14, bottom: 34, left: 46 };
const LABEL_WIDTH = 150; // beside the lines, where there is room for it
const ROOM = 560; // pixels of width from which the labels stand beside the lines
const LINE = 15; // pixels from one label to the next
const PATTERNS = ["", "7 4", "2 3", "10 4 2 4", "14 5", "4 2"];

function shape(name, attributes = {}) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
}

/** A step of 1, 2 or 5 times a power of ten that makes at most `most` of them up to `end`. */
function step(end, most) {
  const rough = end / most;
  const power = 10 ** Math.floor(Math.log10(rough));
  return [1, 2, 5, 10].map((times) => times * power).find((one) => one >= rough);
}

class Chart {
  /** `lines`: [{letter, label, colour}]; `words`: {seconds, tokens}; `number(value)` writes one. */
  constructor(parent, lines, words, number) {
    Object.assign(this, { lines, words, number });
    this.points = lines.map(() => []);
    this.svg = parent.appendChild(shape("svg", { role: "img", height: HEIGHT }));
    this.watcher = new ResizeObserver(() => this.draw());
    this.watcher.observe(parent);
    this.parent = parent;
  }

  draw() {
    const width = this.parent.clientWidth;
    if (!width) return;
    const beside = width >= ROOM ? LABEL_WIDTH : 0;
    const right = width - MARGIN.right - beside;
    const bottom = HEIGHT - MARGIN.bottom;
    const all = this.points.flat();
    const end = Math.max(1, ...all.map(([seconds]) => seconds));
    const top = Math.max(10, ...all.map(([, tokens]) => tokens));
    this.x = (seconds) => MARGIN.left + (seconds / end) * (right - MARGIN.left);
    this.y = (tokens) => bottom - (tokens / top) * (bottom - MARGIN.top);
    this.svg.setAttribute("width", width);
    this.svg.setAttribute("viewBox", `0 0 ${width} ${HEIGHT}`);
    this.svg.replaceChildren(...this.axes(end, top, right, bottom), ...this.drawn(), ...this.ends(beside > 0));
  }

  axes(end, top, right, bottom) {
    const parts = [];
    const note = (text, x, y, anchor, kind = "tick") => {
      const made = shape("text", { x, y, "text-anchor": anchor, class: kind });
      made.textContent = text;
      parts.push(made);
    };
    for (let tokens = 0, by = step(top, 4); tokens <= top; tokens += by) {
      const y = this.y(tokens);
      parts.push(shape("line", { x1: MARGIN.left, x2: right, y1: y, y2: y, class: "grid" }));
      note(this.number(tokens), MARGIN.left - 6, y + 4, "end");
    }
    for (let seconds = 0, by = step(end, 6); seconds <= end; seconds += by) {
      note(this.number(seconds), this.x(seconds), bottom + 15, "middle");
    }
    note(this.words.seconds, right, bottom + 30, "end", "axis");
    note(this.words.tokens, MARGIN.left, bottom + 30, "start", "axis");
    return parts;
  }

  drawn() {
    return this.lines.flatMap(({ colour }, number) => {
      const points = this.points[number];
      if (!points.length) return [];
      const path = points.map(([seconds, tokens]) => `${this.x(seconds).toFixed(1)},${this.y(tokens).toFixed(1)}`);
      return [shape("polyline", {
        points: path.join(" "), stroke: colour, fill: "none", "stroke-width": 2.5, "stroke-linejoin": "round",
        "stroke-dasharray": PATTERNS[number % PATTERNS.length],
      })];
    });
  }

  /** The letter at the end of each line, and beside it the label where there is room; none over another. */
  ends(withLabels) {
    const last = this.lines.map((line, number) => ({ ...line, point: this.points[number].at(-1) }))
      .filter(({ point }) => point)
      .sort((one, other) => this.y(one.point[1]) - this.y(other.point[1]));
    let above = -Infinity;
    return last.flatMap(({ letter, label, colour, point }) => {
      const [x, y] = [this.x(point[0]), this.y(point[1])];
      const at = Math.max(y, above + LINE);
      above = at;
      const text = shape("text", { x: x + 7, y: at + 4, class: "end" });
      text.textContent = withLabels ? clipped(`${letter} · ${label}`, 18) : letter;
      return [shape("circle", { cx: x, cy: y, r: 3.5, fill: colour }), text];
    });
  }

  dispose() {
    this.watcher.disconnect();
  }
}

function clipped(text, most) {
  const characters = [...text];
  return characters.length > most ? characters.slice(0, most - 1).join("") + "…" : text;
}

/** A short piece of the line, for a list that names it. */
function sample(colour, number) {
  const made = shape("svg", { width: 26, height: 8, "aria-hidden": "true" });
  made.append(shape("line", {
    x1: 0, x2: 26, y1: 4, y2: 4, stroke: colour, "stroke-width": 2.5,
    "stroke-dasharray": PATTERNS[number % PATTERNS.length],
  }));
  return made;
}
