// The wall of results: a grid in which only the rows near the view have cards.

import { attribute, h, Keyed, put } from "./dom.js";
import { ResultCard } from "./result_card.js";
import { isCovered, NEAR, Spacer, windowed } from "./windowing.js";
import { plural } from "./words.js";

const NARROW = 620; // px of the wall, as in the style sheets
const SMALL = 220; // px of a card, as are these
const LARGE = 400;
const WORDS = 220; // px below a picture, before a card was measured

export class Wall {
  /** `actions` are those of the cards; `signal` ends the listening. */
  constructor(store, actions, signal) {
    this.store = store;
    this.actions = actions;
    this.el = h("div", { class: "wb-grid wb-results", role: "list", "aria-label": "Videos" });
    this.list = new Keyed(this.el, (item) => item.key, (item) => this._part(item), (part, item) => part instanceof ResultCard && Boolean(item.job));
    this.groups = [];
    this.order = [];
    this.heights = new Map();
    const look = () => this._look();
    document.addEventListener("scroll", look, { capture: true, passive: true, signal }); // of any scrolling ancestor
    this.watcher = new IntersectionObserver(look, { rootMargin: `${NEAR / 2}px`, scrollMargin: `${NEAR / 2}px` }); // other changes of position
    this.watcher.observe(this.el);
    new ResizeObserver(() => requestAnimationFrame(look)).observe(this.el);
  }

  /** Show groups of videos; `facts(job)` are passed to a card besides its job; `columns` fixes their number. */
  update(groups, facts, { size, columns = null }) {
    const order = groups.flatMap(({ jobs }) => jobs.map((job) => job.job_id));
    const isSame = order.length === this.order.length && order.every((id, place) => id === this.order[place]);
    Object.assign(this, { groups, facts, order });
    if (!this.width || size !== this.size || columns !== this.meant) this._measure(size, columns);
    if (isSame) this._draw();
    else this._drawInPlace();
    if (!order.length) this.rest();
  }

  /** Measure again when it is next shown. */
  rest() {
    this.width = 0;
  }

  /** The card of a video, created if out of view; undefined if the wall does not show it. */
  card(id) {
    if (!this.list.parts.has(id) && this.order.includes(id)) this._draw(id);
    return this.list.parts.get(id);
  }

  /** The card of an element. */
  holding(node) {
    return this.list.parts.get(keyOf(node));
  }

  /** The players of the existing cards. */
  get players() {
    return [...this.list.parts.values()].filter((part) => part.player).map((card) => card.player);
  }

  /** Follow scrolling and resizing. */
  _look() {
    const box = this.el.getBoundingClientRect();
    if (!box.width || !this.order.length) return;
    if (box.width === this.width) {
      this.view = viewOf(box);
      const spacers = [...this.el.getElementsByClassName("wb-spacer")].map((node) => node.getBoundingClientRect());
      if (isCovered(this.view, spacers.map(({ top, bottom }) => [top - box.top, bottom - box.top]))) return;
      for (const [key, { el }] of this.list.parts) this.heights.set(key, el.offsetHeight);
    } else this._measure(this.size, this.meant);
    this._drawInPlace();
  }

  /** Divide the width into columns. */
  _measure(size, columns) {
    const box = this.el.getBoundingClientRect();
    const { width } = box;
    const isNarrow = width <= NARROW;
    const abreast = size < SMALL ? 3 : size > LARGE ? 1 : 2;
    this.gap = size < SMALL || isNarrow ? 10 : 20;
    this.columns = columns ?? (isNarrow ? abreast : Math.max(1, Math.floor((width + this.gap) / (size + this.gap))));
    this.view = viewOf(box);
    const shape = [width, size, columns].join();
    if (shape !== this.shape) this.heights.clear();
    this.guess = ((width / this.columns) * 9) / 16 + (size < SMALL ? WORDS / 4 : WORDS);
    Object.assign(this, { width, size, meant: columns, shape });
    attribute(this.el, "data-small", size < SMALL);
    attribute(this.el, "data-columns", columns);
    this.el.style.setProperty("--wb-columns", this.columns);
    this.el.style.setProperty("--wb-gap", `${this.gap}px`);
  }

  /** Draw, and keep the visible cards in place: rows above them are added and removed, and their heights were guessed. */
  _drawInPlace() {
    const isBelow = this.view[0] > 0; // otherwise nothing is above the view
    const [key, part] = (isBelow && [...this.list.parts].find(([, { player, el }]) => player && el.getBoundingClientRect().bottom > 0)) || [];
    const before = part?.el.getBoundingClientRect().top;
    this._draw();
    if (!part || this.list.parts.get(key) !== part) return;
    const by = part.el.getBoundingClientRect().top - before;
    if (Math.abs(by) >= 1) scrollerOf(this.el).scrollTop += by;
  }

  /** Show the rows near the view, and that of video `id`. */
  _draw(id = null) {
    const focused = this.el.contains(document.activeElement) ? document.activeElement : null;
    const held = focused && keyOf(focused);
    const place = this.list.parts.get(held)?.place;
    const near = this.list.parts.size ? NEAR : 0; // the visible cards first; the observer adds the others
    const shown = windowed(this._rows(), this.view, { gap: this.gap, near, isHeld: ({ key }) => key === held || key === id });
    this.list.update(shown.map((item) => (item.job ? { ...item, ...this.facts(item.job) } : item)));
    if (!focused || this.list.parts.has(held)) return;
    this.card(this.order[Math.min(place, this.order.length) - 1])?.open.focus({ preventScroll: true }); // the one in its place
  }

  _rows() {
    const { length: of } = this.order;
    const rows = [];
    let place = 0;
    for (const { name, jobs } of this.groups) {
      if (name !== null) rows.push(this._row([{ key: `group ${name}`, name, count: jobs.length }], 0));
      const items = jobs.map((job) => ({ key: job.job_id, job, place: (place += 1), of }));
      for (let at = 0; at < items.length; at += this.columns) rows.push(this._row(items.slice(at, at + this.columns), this.guess));
    }
    return rows;
  }

  _row(items, guess) {
    const known = items.map(({ key }) => this.heights.get(key) ?? 0);
    return { items, height: Math.max(...known) || guess };
  }

  _part(item) {
    if (item.job) return new ResultCard(this.store, this.actions);
    if (!item.spacer) return new Heading();
    const part = new Spacer();
    this.watcher.observe(part.el);
    part.dispose = () => this.watcher.unobserve(part.el);
    return part;
  }
}

/** The upper and the lower edge of the window, in px from the wall's upper edge. */
function viewOf({ top }) {
  return [-top, window.innerHeight - top];
}

/** The scrolling ancestor: the page, or a panel of JupyterLab. */
function scrollerOf(node) {
  for (let one = node.parentElement; one; one = one.parentElement) {
    if (one.scrollHeight > one.clientHeight && /auto|scroll/.test(getComputedStyle(one).overflowY)) return one;
  }
  return document.scrollingElement;
}

function keyOf(node) {
  return node.closest("[data-key]")?.dataset.key;
}

class Heading {
  constructor() {
    this.text = h("h3");
    this.count = h("span", { class: "wb-quiet" });
    this.el = h("div", { class: "wb-group-head", role: "listitem" }, this.text, this.count);
  }

  update({ name, count }) {
    put(this.text, name);
    put(this.count, plural(count, "video"));
  }
}
