// Where a segment stands in its world, how often it was made, and how far each take drifts.

import { h, put, show } from "./dom.js";
import { isComplete } from "./job.js";

export class SegmentTakes {
  constructor(store) {
    this.store = store;
    this.place = h("p");
    this.list = h("ul");
    this.el = h("div", { class: "wb-segment", role: "group", "aria-label": "Its place in the world", hidden: true }, this.place, this.list);
  }

  update(job) {
    show(this.el, Boolean(job.segment));
    put(this.place, placeWords(job));
    if (this.key === `${job.job_id} ${job.state}`) return;
    this.key = `${job.job_id} ${job.state}`;
    this.list.replaceChildren();
    if (job.segment && isComplete(job)) this._ask(this.key, job.job_id);
  }

  async _ask(key, job) {
    const told = await this.store.call("takes", { job }).catch(() => []);
    if (key === this.key) this.list.replaceChildren(...told.map((text) => h("li", { text })));
  }
}

/** Where a segment stands in its world, in words. */
export function placeWords(job) {
  const place = job.segment;
  if (!place) return "";
  const span = `${place.start_s.toFixed(2)} to ${place.end_s.toFixed(2)} s of its world`;
  if (place.of) return `${span}: the video made again, with lossless frames to go on from.`;
  const overlap = place.overlap_s ? ` Its first ${place.overlap_s.toFixed(2)} s repeat what comes before.` : "";
  const left = place.left_at_s === null ? "from the end of the video before" : `from ${place.left_at_s.toFixed(2)} s of the video before`;
  return job.follows ? `${span}, ${left}.${overlap}` : `${span}.`;
}
