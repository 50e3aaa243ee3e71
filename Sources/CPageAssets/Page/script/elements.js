// Elements. Nothing here, or anywhere on the page, parses text as markup: the page's policy would refuse it.

const SVG = "http://www.w3.org/2000/svg";

/** Puts attributes, listeners (`onclick`) and children on an element. */
function equip(element, properties, children) {
  for (const [name, value] of Object.entries(properties ?? {})) {
    if (value === undefined || value === null || value === false) continue;
    if (name.startsWith("on")) element.addEventListener(name.slice(2), value);
    else element.setAttribute(name, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

/** An HTML element; children are nodes, or text that is shown as it is. */
function h(name, properties, ...children) {
  return equip(document.createElement(name), properties, children);
}

/** An SVG element. */
function s(name, properties, ...children) {
  return equip(document.createElementNS(SVG, name), properties, children);
}

/** Foreign text as a node: what is invisible in it is shown, and stands out. */
function wire(text, properties) {
  const element = h("span", { class: "wire", dir: "ltr", ...properties });
  let end = 0;
  for (const match of String(text).matchAll(INVISIBLE)) {
    element.append(...breakable(String(text).slice(end, match.index)), h("span", { class: "control" }, pictured(match[0])));
    end = match.index + match[0].length;
  }
  element.append(...breakable(String(text).slice(end)));
  return element;
}

/** Host and path as one word; the target `*` of OPTIONS is no path, and stands apart. */
function hostAndPath(host, path) {
  return path.startsWith("/") ? host + path : `${host} ${path}`.trim();
}

/** A text with places where a line may end: between the parts of hosts, paths and queries. */
function breakable(text) {
  return text.split(/(?<=[.=,;:_])(?=\w)|(?<=[\w*])(?=[/?&])/).flatMap((part, index) => (index ? [document.createElement("wbr"), part] : part));
}

/** Replaces what an element holds. */
function fill(element, ...children) {
  element.replaceChildren(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
}

/** Sets an element's text, if it is another. */
function put(element, text) {
  if (element.textContent !== text) element.textContent = text;
}

/** A link to another site, which the configuration names. */
function outerLink(address, text) {
  return h("a", { href: address, target: "_blank", rel: "noopener noreferrer" }, text);
}

/** A framed part of a view. */
function panel(title, note, ...content) {
  return h("section", { class: "panel" },
    h("header", null, h("h2", null, title), note ? h("p", null, note) : null),
    ...content);
}

/** What stands where there is nothing to show, and why. */
function empty(title, ...explanation) {
  return h("div", { class: "empty" }, h("strong", null, title), ...explanation);
}

/** Makes those frames that have more than they show reachable by the keyboard, which can then scroll them. */
const scrollers = new ResizeObserver((entries) => {
  for (const frame of new Set(entries.map((entry) => entry.target.closest(".scroll")))) {
    if (frame && frame.scrollWidth > frame.clientWidth) frame.setAttribute("tabindex", "0");
    else frame?.removeAttribute("tabindex");
  }
});

/** A frame that scrolls sideways when it must. */
function scroller(label, content) {
  const frame = h("div", { class: "scroll", role: "group", "aria-label": label }, content);
  scrollers.observe(frame);
  scrollers.observe(content);
  return frame;
}

/** A table in a frame that scrolls sideways when it must. */
function table(columns, rows, properties) {
  return scroller(columns.map((column) => column.title).filter(Boolean).join(", "),
    h("table", properties,
      h("thead", null, h("tr", null, columns.map((column) => h("th", { scope: "col", class: column.class, title: column.help }, column.title)))),
      h("tbody", null, rows)));
}

/** The views' title, which takes the focus when the view is opened. */
function title(text) {
  return h("h1", { tabindex: "-1" }, text);
}

/** A JSON value, for people: mappings as lists of terms. */
function described(value) {
  if (value === null || value === undefined || value === "") return h("span", { class: "muted" }, value === "" ? "empty" : "none");
  if (Array.isArray(value)) {
    if (value.length === 0) return h("span", { class: "muted" }, "none");
    if (value.every((entry) => typeof entry !== "object" || entry === null)) return wire(value.join(", "));
    return h("ol", null, value.map((entry) => h("li", null, described(entry))));
  }
  if (typeof value === "object") {
    const members = Object.entries(value);
    if (members.length === 0) return h("span", { class: "muted" }, "none");
    return h("dl", { class: "fields" }, members.map(([name, member]) => {
      const content = described(member);
      return [h("dt", null, wire(name)), h("dd", content.tagName === "DL" ? { class: "nested" } : null, content)];
    }));
  }
  return wire(String(value));
}

/** A line to be copied into a terminal. */
function command(text) {
  const copy = h("button", { type: "button", class: "quiet", onclick: async () => {
    await navigator.clipboard?.writeText(text);
    put(copy, "Copied");
    setTimeout(() => put(copy, "Copy"), 1500);
  } }, "Copy");
  return h("div", null, h("pre", { class: "command" }, wire(text)), navigator.clipboard ? copy : null);
}
