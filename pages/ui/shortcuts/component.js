// Listens for keys and does what they stand for; lists them in a dialog.
//
// Mounted with `data = [{rows, words}]`: rows are {keys, what, act, target}, see component.py.

const MAC = /mac|iphone|ipad/i.test(navigator.userAgentData?.platform ?? navigator.platform);
const OPEN = '[role="dialog"], [role="listbox"], [role="menu"], [popover]:popover-open, dialog[open]';
const SIDEBAR_MS = 300; // until an opened sidebar stands where it will

class Shortcuts {
  constructor(component) {
    this.root = component.parentElement.appendChild(element("div", "shortcuts"));
    this.use(component);
    this.listening = new AbortController();
    const options = { capture: true, signal: this.listening.signal };
    document.addEventListener("keydown", (event) => this.key(event), options);
  }

  use({ data: [{ rows, words }] }) {
    Object.assign(this, { rows, words });
    if (!this.dialog?.open) this.build();
  }

  build() {
    const open = element("button", "open", { type: "button", title: this.words.open, "aria-label": this.words.open });
    open.append(this.cap("?"));
    open.onclick = () => this.dialog.showModal();
    this.dialog = element("dialog", "", { "aria-label": this.words.title });
    this.dialog.onclick = (event) => event.target === this.dialog && this.dialog.close();
    // The key that closes the list is not meant for what lies under it.
    this.dialog.onkeydown = (event) => event.stopPropagation();
    this.dialog.append(this.head(), this.list(), text("p", this.words.note));
    this.root.replaceChildren(open, this.dialog);
  }

  head() {
    const head = element("header");
    const close = element("button", "close", { type: "button", title: this.words.close, "aria-label": this.words.close });
    close.textContent = "×";
    close.onclick = () => this.dialog.close();
    head.append(text("h2", this.words.title), close);
    return head;
  }

  list() {
    const list = element("dl");
    for (const { keys, what } of this.rows) {
      const names = element("dt");
      names.append(...keys.flatMap((key, number) => [number ? ` ${this.words.or} ` : "", this.cap(this.name(key))]));
      list.append(names, text("dd", what));
    }
    return list;
  }

  cap(name) {
    return text("kbd", name);
  }

  /** A key as the keyboard before the person has it. */
  name(key) {
    if (key.startsWith("mod+")) return (MAC ? "⌘\u2009" : `${this.words.ctrl}\u00a0+\u00a0`) + this.name(key.slice(4));
    return this.words[key] ?? key.toUpperCase();
  }

  key(event) {
    const at = focused(), typing = Boolean(at?.matches(TEXT_INPUT));
    const elsewhere = document.querySelector(OPEN) || at?.closest(OPEN) || this.dialog.open;
    if (event.isComposing || event.repeat || event.defaultPrevented || elsewhere) return;
    if (event.key === "Escape" && typing && at.closest('[data-testid="stChatInput"]')) {
      at.blur();
      event.preventDefault(); // it left the text, and does not stop an answer too
      return;
    }
    const row = this.rows.find(({ keys, act }) => act !== "listed" && keys.some((key) => pressed(event, key, typing)));
    if (row && this.act(row)) {
      event.preventDefault();
      event.stopPropagation();
    }
  }

  /** Does what a row says; whether there was anything to do. */
  act({ act, target }) {
    if (act === "list") return this.dialog.showModal(), true;
    const found = everywhere(target).filter((one) => !one.disabled);
    const current = found.findIndex((one) => one.hasAttribute("aria-current"));
    const places = { press: 0, focus: 0, next: current + 1, previous: current - 1 };
    const there = found[places[act]];
    if (!there) return false;
    if (act === "focus") focusOn(there);
    else there.click();
    return true;
  }

  dispose() {
    this.listening.abort();
    this.root.remove();
  }
}

/** Whether an event is this key, and may be while text is typed. A shifted character is what it writes: "?". */
function pressed(event, key, typing) {
  const withModifier = key.startsWith("mod+");
  const modifier = MAC ? event.metaKey : event.ctrlKey;
  const others = event.altKey || (MAC ? event.ctrlKey : event.metaKey);
  if (others || modifier !== withModifier || (typing && !withModifier)) return false;
  const shifted = event.shiftKey && /^\p{L}$/u.test(event.key);
  return !shifted && event.key.toLowerCase() === (withModifier ? key.slice(4) : key).toLowerCase();
}

/** Puts the keyboard into a field, which may lie in a sidebar that is folded away. */
function focusOn(field) {
  const away = field.getBoundingClientRect().right <= 0;
  if (away) document.querySelector('[data-testid="stExpandSidebarButton"] button, button[data-testid="stExpandSidebarButton"]')?.click();
  setTimeout(() => field.focus(), away ? SIDEBAR_MS : 0);
}

/** What a selector finds, inside whatever shadow roots, in the page's order. */
function everywhere(selector, root = document) {
  return [...root.querySelectorAll("*")].flatMap((node) => [
    ...(node.matches(selector) ? [node] : []),
    ...(node.shadowRoot ? everywhere(selector, node.shadowRoot) : []),
  ]);
}

function text(name, content) {
  const made = element(name);
  made.textContent = content;
  return made;
}

export default mounting((component) => new Shortcuts(component));
