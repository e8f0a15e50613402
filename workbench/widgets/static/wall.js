// The wall of results: every video has its place, only those in and near the view have their cards.

import { attribute, h, Keyed, put } from "./dom.js";
import { ResultCard } from "./result_card.js";
import { plural } from "./words.js";

const NEAR = "500px 0px";
const LEAST_MS = 4; // what is left of a frame for one more card
const LATEST_MS = 60;

export class Wall {
  /** `actions` are those of the cards. */
  constructor(store, actions) {
    this.store = store;
    this.actions = actions;
    this.el = h("div", { class: "wb-grid wb-results", role: "list", "aria-label": "Videos" });
    this.waiting = new Set();
    this.watcher = new IntersectionObserver((seen) => this._see(seen), {
      rootMargin: NEAR,
      scrollMargin: NEAR, // where the page itself does not scroll, as in a notebook
    });
    this.places = new Keyed(this.el, keyOf, (item) => (item.job ? new Place(this) : new Heading()));
  }

  /** Fill what is in view at once; what is only near, and what has gone, when there is time. */
  _see(seen) {
    for (const { target, isIntersecting, boundingClientRect: box } of seen) {
      const place = this.places.parts.get(target.dataset.key);
      if (!place) continue;
      place.near = isIntersecting;
      place.height = box.height || place.height;
      if (isIntersecting && box.top < innerHeight && box.bottom > 0) place.settle();
      else if (isIntersecting !== Boolean(place.filled)) this.waiting.add(place);
    }
    this._goOn();
  }

  _goOn() {
    if (this.timer || !this.waiting.size) return;
    this.timer = whenIdle((deadline) => {
      this.timer = null;
      for (const next of this.waiting) {
        this.waiting.delete(next);
        next.settle();
        if (!deadline || deadline.timeRemaining() < LEAST_MS) break;
      }
      this._goOn();
    });
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

  /** Be filled while near, and empty otherwise. */
  settle() {
    if (this.near) this._fill();
    else if (!this.el.contains(document.activeElement)) this._empty();
  }

  dispose() {
    this.wall.watcher.unobserve(this.el);
    this.wall.waiting.delete(this);
    this.filled?.dispose();
  }

  _fill() {
    if (this.filled) return;
    this.el.style.minHeight = "";
    this.filled = new ResultCard(this.wall.store, this.wall.actions, this.el);
    this.filled.update(this.item);
  }

  _empty() {
    if (!this.filled) return;
    this.filled.dispose();
    this.filled = null;
    this.el.replaceChildren();
    if (this.height) this.el.style.minHeight = `${Math.round(this.height)}px`;
  }
}

function whenIdle(work) {
  return "requestIdleCallback" in window ? requestIdleCallback(work, { timeout: LATEST_MS }) : setTimeout(work);
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
