// What our components share in a browser. Put before a component's own script.

const TEXT_INPUT = "textarea, select, [contenteditable], "
  + "input:not([type=checkbox], [type=radio], [type=range], [type=button])";

/** An element that is not in the page yet. */
function element(name, className = "", attributes = {}) {
  const made = document.createElement(name);
  if (className) made.className = className;
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  return made;
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

/** Where this workbench is served from, with its base path and whatever a proxy put before it. */
function served() {
  const script = document.querySelector('script[type="module"][src*="static/js/"]');
  return script ? new URL("../../", script.src) : new URL("/", document.baseURI);
}

/**
 * What a component's script exports. `make(component)` makes what stands in one place of the page; what a later run of
 * the script says goes to its `use`, or, where `same(it, data)` is false, to a new one in its place.
 */
function mounting(make, same = () => true) {
  const mounted = new WeakMap(); // by parent element: Streamlit calls again, without cleaning up, when theme or data change
  return (component) => {
    const { data: [data], parentElement } = component;
    const before = mounted.get(parentElement);
    if (before && same(before, data)) before.use(component);
    else {
      before?.dispose();
      mounted.set(parentElement, make(component));
    }
    return () => {
      mounted.get(parentElement)?.dispose();
      mounted.delete(parentElement);
    };
  };
}
