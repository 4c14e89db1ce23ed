// Model text as it grows: finished blocks formatted, the rest as plain text.
//
// Model text reaches the page as text nodes, or through markdown-it with raw HTML off and then DOMPurify; never
// otherwise. Nothing here is ever fetched: an image is a link to it. `markdownit` and `DOMPurify` stand before this text.

const SAFE = {
  ALLOWED_TAGS: ["a", "blockquote", "br", "code", "em", "h1", "h2", "h3", "h4", "h5", "h6", "hr", "li", "ol", "p", "pre",
    "s", "strong", "table", "tbody", "td", "th", "thead", "tr", "ul"],
  ALLOWED_ATTR: ["href", "start"],
  ALLOWED_URI_REGEXP: /^(?:https?|mailto):/i,
  ALLOW_ARIA_ATTR: false,
  ALLOW_DATA_ATTR: false,
  RETURN_DOM_FRAGMENT: true,
};

const UNDECIDED = 5; // characters of a line that may still turn out to be a list item, a fence, a heading …

const md = markdownit({ html: false, linkify: false });

md.renderer.rules.image = (tokens, index) => {
  const { escapeHtml } = md.utils;
  const address = tokens[index].attrGet("src");
  return `<a href="${escapeHtml(address)}">${escapeHtml(tokens[index].content || address)}</a>`;
};

DOMPurify.addHook("afterSanitizeAttributes", (node) => {
  if (node.nodeName !== "A") return;
  node.setAttribute("target", "_blank");
  node.setAttribute("rel", "noopener noreferrer");
});

/** Markdown as a fragment of safe nodes. */
function formatted(source) {
  return DOMPurify.sanitize(md.render(source), SAFE);
}

/**
 * The last top-level block of `source`: where it begins, where its last item or row does (offsets in characters); for a
 * code block its code, and whether it is closed.
 */
function lastBlock(source) {
  const tokens = [];
  md.block.parse(source, md, { references: {} }, tokens);
  const index = tokens.findLastIndex((token) => token.level === 0 && token.map && token.nesting >= 0);
  if (index < 0) return { start: 0, item: 0, code: null, closed: false };
  const block = tokens[index];
  const item = tokens.findLast((token, at) => at > index && isItem(token)) ?? block;
  const lastLine = source.slice(offset(source, block.map[1] - 1)).split("\n", 1)[0];
  return {
    start: offset(source, block.map[0]),
    item: offset(source, item.map[0]),
    code: block.type === "fence" ? block.content : null,
    closed: block.map[1] - block.map[0] > 1 && /^ {0,3}(`{3,}|~{3,})\s*$/.test(lastLine),
  };
}

function isItem(token) {
  return (token.type === "list_item_open" && token.level === 1) || (token.type === "tr_open" && token.level === 2);
}

/** The offset of a line's first character. */
function offset(source, line) {
  let at = 0;
  for (; line > 0; line -= 1) at = source.indexOf("\n", at) + 1;
  return at;
}

/** Makes `node` say `text`, appending where it only grew. */
function say(node, text) {
  if (text.startsWith(node.data)) node.appendData(text.slice(node.data.length));
  else node.data = text;
}

/** Text that grows inside `parent`. */
class GrowingText {
  constructor(parent) {
    this.rest = "";
    this.head = "";
    this.done = parent.appendChild(element("div"));
    this.open = parent.appendChild(element("div"));
    this.code = parent.appendChild(element("pre"));
    this.codeText = this.code.appendChild(element("code")).appendChild(new Text());
    this.plain = parent.appendChild(element("p", "plain"));
    this.plainText = this.plain.appendChild(new Text());
    this.drawTail("", "");
  }

  append(text) {
    this.rest += text.replaceAll("\r", "").replaceAll("\0", "\uFFFD");
    const lineStart = this.rest.lastIndexOf("\n") + 1;
    const undecided = this.rest.length - lineStart < UNDECIDED ? this.rest.slice(lineStart) : "";
    const last = lastBlock(this.rest.slice(0, this.rest.length - undecided.length));
    if (last.start > 0) {
      this.done.append(formatted(this.rest.slice(0, last.start)));
      this.rest = this.rest.slice(last.start);
    }
    this.drawOpen(this.rest.slice(0, last.item - last.start));
    if (last.code === null) this.drawTail("", this.rest.slice(last.item - last.start));
    else if (last.closed) this.drawTail(last.code, undecided);
    else this.drawTail(last.code + (/^\s*[`~]/.test(undecided) ? "" : undecided), "");
  }

  drawTail(code, plain) {
    say(this.codeText, code);
    say(this.plainText, plain.trimEnd());
    this.code.hidden = !code;
    this.plain.hidden = !this.plainText.data;
  }

  /** The finished items of a list, or rows of a table, that is still growing. */
  drawOpen(head) {
    if (head === this.head) return;
    this.head = head;
    this.open.replaceChildren(...(head ? [formatted(head)] : []));
  }
}
