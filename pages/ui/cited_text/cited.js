// A finished answer: its citations are buttons, and what nothing supports has a flag.
//
// Mounted with `data = [{text, names, words}]`. A click triggers `cited` with {number}.

const MARK = /\ue010(\d+)\ue011|\ue012(weak|uncited|found)\ue013/g;

function citation(number, data, setTriggerValue) {
  const button = element("button", "cite", { type: "button" });
  button.textContent = number;
  const name = data.names[number] ?? "";
  button.title = name;
  button.setAttribute("aria-label", fill(data.words.open, { number, name }));
  button.onclick = () => setTriggerValue("cited", { number: Number(number) });
  return button;
}

function flag(verdict, data) {
  const made = element("span", "flag");
  made.textContent = "⚑ " + data.words[verdict];
  return made;
}

/** The text node in pieces: what is marked in it becomes an element, within code the characters that it stood for. */
function pieces(node, data, setTriggerValue) {
  const code = node.parentElement?.closest("code, pre");
  const found = [];
  let at = 0;
  for (const match of node.data.matchAll(MARK)) {
    found.push(node.data.slice(at, match.index));
    if (code) found.push(match[1] ? `[${match[1]}]` : "");
    else found.push(match[1] ? citation(match[1], data, setTriggerValue) : flag(match[2], data));
    at = match.index + match[0].length;
  }
  return [...found, node.data.slice(at)];
}

export default function ({ data: [data], parentElement, setTriggerValue }) {
  const root = parentElement.querySelector(".cited-text") ?? parentElement.appendChild(element("div", "cited-text"));
  const whole = element("div", "text");
  whole.append(formatted(data.text));
  const walker = document.createTreeWalker(whole, NodeFilter.SHOW_TEXT);
  const nodes = [];
  while (walker.nextNode()) nodes.push(walker.currentNode);
  for (const node of nodes) node.replaceWith(...pieces(node, data, setTriggerValue));
  root.replaceChildren(whole);
}
