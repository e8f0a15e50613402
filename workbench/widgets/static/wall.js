// The wall of results: every video has its place, only those in and near the view have their cards.

import { attribute, h, Keyed, put } from "./dom.js";
import { ResultCard } from "./result_card.js";
import { plural } from "./words.js";

const NEAR = "700px 0px";

export class Wall {
  /** `actions` are those of the cards. */
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.el = h("div", { class: "wb-grid wb-results", role: "list", "aria-label": "Videos" });
    this.watcher = new IntersectionObserver((seen) => seen.forEach(({ target, isIntersecting, boundingClientRect }) => this.places.parts.get(target.dataset.key)?.see(isIntersecting, boundingClientRect.height)), {
      rootMargin: NEAR,
      scrollMargin: NEAR, // where the page itself does not scroll, as in a notebook
    });
    this.places = new Keyed(this.el, keyOf, (item) => (item.job ? new Place(this) : new Heading()));
  }

  /** Show groups of videos; `facts` are what every card is told besides its job. */
  update(groups, facts) {
    const items = groups.flatMap(({ name, jobs }) => [
      ...(name === null ? [] : [{ name, count: jobs.length }]),
      ...jobs.map((job) => ({ job, ...facts(job) })),
    ]);
    this.places.update(items);
  }

  /** The card of a video, made if it is out of sight; undefined where the wall does not show it. */
  card(id) {
    return this.places.parts.get(id)?.card;
  }

  /** The place that holds an element. */
  holding(node) {
    return this.places.parts.get(node.closest("article")?.dataset.key);
  }

  /** The players of the cards that are there. */
  get players() {
    return [...this.places.parts.values()].filter((one) => one.filled).map((one) => one.filled.player);
  }
}

function keyOf(item) {
  return item.job ? item.job.job_id : `group ${item.name}`;
}

/** The place of one video: its card while it is near the view, else only the room that it takes. */
class Place {
  constructor(wall) {
    this.wall = wall;
    this.filled = null;
    this.el = h("article", { class: "wb-card wb-result", role: "listitem" });
    wall.watcher.observe(this.el);
  }

  get card() {
    this._fill();
    return this.filled;
  }

  update(item) {
    this.item = item;
    attribute(this.el, "data-chosen", item.chosen >= 0);
    this.filled?.update(item);
  }

  see(near, height) {
    if (near) this._fill();
    else if (!this.el.contains(document.activeElement)) this._empty(height);
  }

  dispose() {
    this.wall.watcher.unobserve(this.el);
    this.filled?.dispose();
  }

  _fill() {
    if (this.filled) return;
    this.el.style.minHeight = "";
    this.filled = new ResultCard(this.wall.store, this.wall.actions, this.el);
    this.filled.update(this.item);
  }

  _empty(height) {
    if (!this.filled) return;
    this.filled.dispose();
    this.filled = null;
    this.el.replaceChildren();
    if (height) this.el.style.minHeight = `${Math.round(height)}px`;
  }
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
