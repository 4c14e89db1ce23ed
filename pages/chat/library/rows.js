// Draws the list of conversations: headings, rows, a menu to each row, and the line that undoes a deletion.
//
// One Streamlit component; rows.py says what `data` holds. What a person does is triggered as `act`, {do, id, text}.
// Titles and found text reach the page as text nodes only.

const GAP_PX = 4;

class Rows {
  constructor(parent) {
    this.root = parent.appendChild(element("div", { className: "rows" }));
    this.menu = parent.appendChild(element("div", { className: "menu", role: "menu", popover: "auto" }));
    this.menu.onkeydown = (event) => this.moveInMenu(event);
    this.menu.ontoggle = (event) => this.toggled(event.newState === "open");
    this.root.onkeydown = (event) => this.keyInRow(event);
  }

  /** Takes what a later run of the script gave. It is drawn where it is new, and nobody is renaming or in a menu. */
  use({ data: [data], setTriggerValue }) {
    this.act = (act) => setTriggerValue("act", act);
    const json = JSON.stringify(data);
    if (json === this.json) return;
    [this.json, this.data, this.words] = [json, data, data.words];
    this.late = this.renaming || this.menu.matches(":popover-open");
    if (!this.late) this.draw();
  }

  toggled(open) {
    this.opener.setAttribute("aria-expanded", open);
    if (!open && this.late && !this.renaming) this.draw();
  }

  draw() {
    const { sections, more, empty, opened } = this.data;
    const focused = this.root.getRootNode().activeElement?.dataset?.id;
    this.late = false;
    this.root.replaceChildren(this.head(), ...this.undo(), ...sections.map((section) => this.section(section)));
    if (!sections.length) this.root.append(element("p", { className: "empty", textContent: empty }));
    if (more) this.root.append(this.button("more", this.words.more, () => this.act({ do: "more" })));
    const rows = this.openers();
    this.enter(rows.find((row) => row.dataset.id === opened) ?? rows[0]);
    rows.find((row) => row.dataset.id === focused)?.focus();
  }

  head() {
    const head = element("div", { className: "head" });
    const dots = this.dots(this.words.tools, () => this.data.tools.map((tool) => this.tool(tool)));
    dots.title = this.words.tools;
    head.append(element("span", { textContent: this.words.list }), dots);
    return head;
  }

  tool(tool) {
    const pick = () => {
      if (tool.checked !== null) tool.checked = !tool.checked; // seen at once, whenever the page answers
      this.act({ do: tool.do });
    };
    return { ...tool, pick };
  }

  undo() {
    const { deleted } = this.data;
    if (!deleted) return [];
    const line = element("div", { className: "undo", role: "status" });
    const text = fill(this.words.deleted, deleted);
    line.append(element("span", { textContent: text, title: text }));
    line.append(this.button("link", this.words.undo, () => this.act({ do: "undo", id: deleted.id })));
    return [line];
  }

  section({ name, rows }) {
    const section = element("section");
    const list = element("ul", { ariaLabel: name });
    list.append(...rows.map((row) => this.row(row)));
    section.append(element("h2", { textContent: name }), list);
    return section;
  }

  row(row) {
    const item = element("li", { className: "row" });
    const open = this.button("open", "", () => this.open(row));
    open.append(element("span", { className: "title", textContent: row.title }));
    open.title = [row.title, row.note].filter(Boolean).join("\n");
    open.dataset.id = row.id;
    open.onfocus = () => this.enter(open);
    if (row.id === this.data.opened) open.setAttribute("aria-current", "page");
    item.append(open);
    if (row.parts.length) open.append(found(row.parts));
    else item.append(this.dots(fill(this.words.actions, row), () => this.items(row)));
    open.row = row;
    return item;
  }

  /** Marks the row at once: the page that opens it may take a moment. */
  open(row) {
    this.root.querySelector("[aria-current]")?.removeAttribute("aria-current");
    this.openers().find((one) => one.row === row)?.setAttribute("aria-current", "page");
    this.act({ do: "open", id: row.id });
  }

  items(row) {
    const pin = row.pinned ? "unpin" : "pin";
    const item = (act) => ({ name: this.words[act], pick: () => this.act({ do: act, id: row.id, text: row.title }) });
    return [{ name: this.words.rename, pick: () => this.rename(row) }, ...[pin, "tags", "export", "delete"].map(item)];
  }

  rename(row) {
    const item = this.openers().find((one) => one.row === row).parentElement;
    const field = element("input", { className: "name", value: row.title, ariaLabel: this.words.title, maxLength: 60 });
    const end = (title) => {
      if (!this.renaming) return;
      this.renaming = false;
      if (title && title !== row.title) this.act({ do: "rename", id: row.id, text: (row.title = title) });
      this.draw();
      this.openers().find((one) => one.dataset.id === row.id)?.focus();
    };
    field.onblur = () => end(field.value.trim());
    field.onkeydown = (event) => {
      event.stopPropagation();
      if (event.key === "Enter" && !event.isComposing) {
        event.preventDefault(); // else the row, which has the keyboard then, would be opened with it
        end(field.value.trim());
      }
      if (event.key === "Escape") end("");
    };
    this.renaming = true;
    item.replaceChildren(field);
    field.focus();
    field.select();
  }

  dots(name, items) {
    const dots = this.button("dots", "⋯", () => this.toggleMenu(dots, items()));
    dots.ariaLabel = name;
    dots.setAttribute("aria-haspopup", "menu");
    dots.setAttribute("aria-expanded", "false");
    // A press outside closes the menu before the click is there: a click on its own button is then not to open it again.
    dots.onpointerdown = () => { this.closing = this.opener === dots && this.menu.matches(":popover-open"); };
    return dots;
  }

  toggleMenu(dots, items) {
    const closing = this.closing;
    this.closing = false;
    if (closing) return this.menu.matches(":popover-open") && this.menu.hidePopover();
    this.opener = dots;
    this.menu.replaceChildren(...items.map((item) => this.menuItem(item)));
    this.menu.showPopover();
    const place = dots.getBoundingClientRect();
    const below = place.bottom + GAP_PX;
    const above = Math.max(GAP_PX, place.top - this.menu.offsetHeight - GAP_PX);
    this.menu.style.top = `${below + this.menu.offsetHeight > innerHeight ? above : below}px`;
    this.menu.style.left = `${Math.min(place.left, innerWidth - this.menu.offsetWidth - GAP_PX)}px`;
    this.menu.firstChild.focus();
  }

  menuItem({ name, checked, pick }) {
    const item = this.button("item", name, () => {
      this.menu.hidePopover();
      this.opener.focus();
      pick();
    });
    const isSwitch = typeof checked === "boolean";
    item.setAttribute("role", isSwitch ? "menuitemcheckbox" : "menuitem");
    if (isSwitch) item.ariaChecked = String(checked);
    item.tabIndex = -1;
    return item;
  }

  moveInMenu(event) {
    if (event.key === "Tab") this.menu.hidePopover();
    if (event.key === "Escape") event.preventDefault(); // it closes the menu, and is not meant for an answer
    const items = [...this.menu.children];
    if (event.key === "Escape") return this.menu.hidePopover(), this.opener.focus();
    next(items, items.indexOf(event.target), event)?.focus();
  }

  keyInRow(event) {
    const rows = this.openers();
    const here = rows.findIndex((row) => row.parentElement.contains(event.target));
    if (here < 0) return;
    const { row } = rows[here];
    next(rows, here, event)?.focus();
    if (row.parts.length || event.target !== rows[here]) return;
    if (event.key === "F2") this.rename(row);
    if (event.key === "Delete") this.act({ do: "delete", id: row.id, text: row.title });
  }

  /** Makes a row the one that the Tab key leads to. */
  enter(entered) {
    for (const row of this.openers()) {
      for (const button of row.parentElement.children) button.tabIndex = row === entered ? 0 : -1;
    }
  }

  openers() {
    return [...this.root.querySelectorAll(".open")];
  }

  button(className, textContent, onclick) {
    return element("button", { type: "button", className, textContent, onclick });
  }
}

function element(name, properties = {}) {
  return Object.assign(document.createElement(name), properties);
}

/** "Deleted: {title}" and {title: "Rome"} make "Deleted: Rome". */
function fill(template, values) {
  return template.replace(/\{(\w+)\}/g, (whole, name) => values[name] ?? whole);
}

function found(parts) {
  const text = element("span", { className: "found" });
  text.append(...parts.map(([piece, matched]) => (matched ? element("b", { textContent: piece }) : piece)));
  return text;
}

/** The element that an arrow key leads to from one of several; undefined for other keys and at the ends. */
function next(elements, here, event) {
  const places = { ArrowDown: here + 1, ArrowUp: here - 1, Home: 0, End: elements.length - 1 };
  const there = elements[places[event.key]];
  if (there) event.preventDefault();
  return there;
}

const drawn = new WeakMap(); // by parent element: Streamlit calls again, without cleaning up, when theme or data change

export default function (component) {
  const { parentElement } = component;
  if (!drawn.has(parentElement)) drawn.set(parentElement, new Rows(parentElement));
  drawn.get(parentElement).use(component);
  return () => {
    parentElement.replaceChildren();
    drawn.delete(parentElement);
  };
}
