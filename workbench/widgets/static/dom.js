// Creates and updates DOM elements. Text is always set as text, never as markup.

/** Make an element: `on…` functions listen, `class` and `text` set, true is a bare attribute. */
export function h(tag, props = {}, ...children) {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (name === "class") node.className = value;
    else if (name === "value") node.value = value;
    else if (name === "muted") node.muted = value; // the attribute alone does not mute a video made by script
    else if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : value);
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

/** Set an element's text only if it differs, to avoid announcing or drawing it twice. */
export function put(node, text) {
  const wanted = text ?? "";
  if (node.textContent !== wanted) node.textContent = wanted;
  return node;
}

/** Handle Enter in a field: not every host lets a form submit. */
export function submitOnEnter(event, submit) {
  if (event.key !== "Enter" || event.isComposing) return;
  event.preventDefault();
  submit();
}

/** Set or remove an attribute only if that changes it. */
export function attribute(node, name, value) {
  if (value === null || value === undefined || value === false) {
    if (node.hasAttribute(name)) node.removeAttribute(name);
  } else {
    const wanted = value === true ? "" : String(value);
    if (node.getAttribute(name) !== wanted) node.setAttribute(name, wanted);
  }
}

/** Show or hide. */
export function show(node, visible) {
  if (node.hidden === visible) node.hidden = !visible;
}

/** A list that follows `items`: parts are created once and updated in place. */
export class Keyed {
  /** `fits(part, item)` tells whether a part whose item has gone can show another one in its place. */
  constructor(parent, keyOf, make, fits = () => false) {
    this.parent = parent;
    this.keyOf = keyOf;
    this.make = make;
    this.fits = fits;
    this.parts = new Map(); // in the order of the items
  }

  update(items) {
    const before = this.parts;
    const wanted = new Set(items.map((item) => this.keyOf(item)));
    const free = [...before].filter(([key]) => !wanted.has(key)).map(([, part]) => part);
    this.parts = new Map();
    for (const item of items) this.parts.set(this.keyOf(item), before.get(this.keyOf(item)) ?? this._part(item, free));
    for (const part of free) {
      part.dispose?.();
      part.el.remove();
    }
    let next = this.parent.firstElementChild;
    for (const item of items) {
      const part = this.parts.get(this.keyOf(item));
      if (part.el !== next && part.el.contains(document.activeElement)) next = this._clear(next, part.el);
      if (part.el === next) next = next.nextElementSibling;
      else place(this.parent, part.el, next);
      part.update(item);
    }
  }

  /** Move the nodes before `el` to the end: moving the focused node itself would scroll to it. */
  _clear(from, el) {
    if (el.parentNode !== this.parent) return from;
    for (let one = from; one !== el; ) {
      const after = one.nextElementSibling;
      place(this.parent, one, null);
      one = after;
    }
    return el;
  }

  _part(item, free) {
    const place = free.findIndex((part) => this.fits(part, item));
    const part = place < 0 ? this.make(item) : free.splice(place, 1)[0];
    part.el.dataset.key = this.keyOf(item);
    return part;
  }
}

/** Insert a node before another; a playing video keeps playing if the browser can move it. */
function place(parent, node, before) {
  if (parent.moveBefore && node.parentNode === parent) parent.moveBefore(node, before);
  else parent.insertBefore(node, before);
}

/** A button with an icon, a label or both; the label is always available to screen readers. */
export function button(label, { icon: name, kind = "", bare = false, title, ...props } = {}) {
  const inner = [];
  if (name) inner.push(icon(name));
  if (!bare) inner.push(h("span", { text: label }));
  const names = ["wb-button", kind && `wb-${kind}`, bare && "wb-bare"].filter(Boolean).join(" ");
  const hint = title ?? (bare ? label : null);
  return h(
    "button",
    { type: "button", class: names, "aria-label": bare ? label : null, title: hint, ...props },
    inner,
  );
}

const SVG = "http://www.w3.org/2000/svg";

/** Make an element of a drawing, as `h` makes one of a page. */
export function svg(tag, props = {}, ...children) {
  const node = document.createElementNS(SVG, tag);
  for (const [name, value] of Object.entries(props)) {
    if (value === null || value === undefined || value === false) continue;
    if (name === "text") node.textContent = value;
    else if (typeof value === "function") node.addEventListener(name.slice(2), value);
    else node.setAttribute(name, value === true ? "" : String(value));
  }
  node.append(...children.flat().filter((child) => child !== null && child !== undefined));
  return node;
}

// 24 × 24, drawn for this workbench, one stroke weight
const PATHS = {
  arrow: "M5 12h14M13 6l6 6-6 6",
  camera: "M4 8h11v9H4zM15 11l5-3v9l-5-3z",
  back: "M19 12H5M11 6l-6 6 6 6",
  check: "M5 12.5l4.5 4.5L19 7.5",
  close: "M6 6l12 12M18 6L6 18",
  down: "M12 5v14M6 13l6 6 6-6",
  up: "M12 19V5M6 11l6-6 6 6",
  full: "M4 9V4h5M15 4h5v5M20 15v5h-5M9 20H4v-5",
  list: "M5 7h14M5 12h14M5 17h9",
  moon: "M19 14.500A7.500 7.500 0 0 1 9.500 5 7.500 7.500 0 1 0 19 14.500z",
  tab: "M4 6h16v13H4zM4 10h16M10 6v4",
  columns: "M4 5h7v14H4zM13 5h7v14h-7z",
  download: "M12 4v11M7 11l5 5 5-5M5 20h14",
  edit: "M5 19l1-4L16 5l3 3L9 18zM14 7l3 3",
  first: "M5 5h14M12 20V9M7 14l5-5 5 5",
  folder: "M4 7h6l2 2h8v10H4z",
  history: "M12 7v5l3.5 2M4.6 9A8 8 0 1 1 4 12M4 5v4h4",
  lock: "M7 11h10v8H7zM9 11V8a3 3 0 0 1 6 0v3",
  mute: "M5 10v4h3l4 4V6l-4 4zM16 10l4 4M20 10l-4 4",
  open: "M7 11h10v8H7zM9 11V8a3 3 0 0 1 5.8-1",
  pause: "M8 5v14M16 5v14",
  pin: "M9 4h6l-1 6 3 3H7l3-3zM12 13v7",
  play: "M7 5l12 7-12 7z",
  plus: "M12 5v14M5 12h14",
  redo: "M19 12a7 7 0 1 1-2-5M19 4v4h-4",
  send: "M4 12l16-7-5 15-3.5-6z",
  shuffle: "M4 7h3.5l8.500 10H20M4 17h3.500l2.500-3M13.500 10L16 7h4M17.500 4.500L20 7l-2.500 2.500M17.500 14.500L20 17l-2.500 2.500",
  sound: "M5 10v4h3l4 4V6l-4 4zM15.5 9a4 4 0 0 1 0 6M18 6.5a7.500 7.500 0 0 1 0 11",
  spark: "M12 4l1.8 5.2L19 11l-5.2 1.8L12 18l-1.8-5.2L5 11l5.2-1.8z",
  star: "M12 4.5l2.3 4.8 5.2.7-3.8 3.6.9 5.2-4.6-2.5-4.6 2.5.9-5.2L4.500 10l5.200-.7z",
  stop: "M7 7h10v10H7z",
  trash: "M5 7h14M10 7V5h4v2M7 7l1 12h8l1-12",
  undo: "M5 12a7 7 0 1 0 2-5M5 4v4h4",
  warn: "M12 5l8 14H4zM12 10v4M12 16.500h.01",
};

/** A line icon in the colour of the text around it. */
export function icon(name) {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("viewBox", "0 0 24 24");
  svg.setAttribute("class", `wb-icon wb-icon-${name}`);
  svg.setAttribute("aria-hidden", "true");
  const path = document.createElementNS(SVG, "path");
  path.setAttribute("d", PATHS[name]);
  svg.append(path);
  return svg;
}

/** Change the picture of an existing icon. */
export function swapIcon(holder, name) {
  const path = holder.querySelector(".wb-icon path");
  if (path && path.getAttribute("d") !== PATHS[name]) path.setAttribute("d", PATHS[name]);
}
