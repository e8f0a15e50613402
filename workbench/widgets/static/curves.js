// Scores of a video over time, as small lines.

const ASK_MS = 30;
const WIDE = 100;
const HIGH = 20;
const SVG = "http://www.w3.org/2000/svg";

/** Requests the curves of the visible videos from the kernel, several at a time. */
export class Curves {
  constructor(store) {
    this.store = store;
    this.known = new Map();
    this.wanted = new Map();
    this.ranges = {};
  }

  /** The curves of a video by score; undefined until they are loaded. */
  of(job) {
    if (!job.scores) return undefined;
    const key = `${job.job_id} ${job.attempt}`;
    if (!this.known.has(key)) {
      this.wanted.set(key, job.job_id);
      this.timer ??= setTimeout(() => this._ask(), ASK_MS);
    }
    return this.known.get(key);
  }

  async _ask() {
    const asked = [...this.wanted];
    this.wanted.clear();
    this.timer = undefined;
    for (const [key] of asked) this.known.set(key, undefined);
    const found = await this.store.call("curves", { jobs: asked.map(([, id]) => id) }).catch(() => null);
    for (const [key, id] of asked) {
      const curves = found?.[id] ?? {};
      this.known.set(key, curves);
      for (const [name, values] of Object.entries(curves)) {
        const [low, high] = this.ranges[name] ?? [Infinity, -Infinity];
        this.ranges[name] = [Math.min(low, ...values), Math.max(high, ...values)];
      }
    }
    this.store.emit();
  }
}

/** A line from the first frame to the last, between the lowest and the highest of all videos. */
export class Sparkline {
  constructor() {
    this.el = document.createElementNS(SVG, "svg");
    this.el.setAttribute("viewBox", `0 0 ${WIDE} ${HIGH}`);
    this.el.setAttribute("preserveAspectRatio", "none");
    this.el.setAttribute("class", "wb-spark");
    this.el.setAttribute("aria-hidden", "true");
    this.path = document.createElementNS(SVG, "path");
    this.el.append(this.path);
  }

  update(values, [low, high] = [0, 1]) {
    this.el.toggleAttribute("data-empty", !values?.length);
    if (values === this.values && low === this.low && high === this.high) return;
    Object.assign(this, { values, low, high });
    if (!values?.length) return;
    const across = WIDE / Math.max(1, values.length - 1);
    const up = (value) => (high > low ? (HIGH - 2) * (1 - (value - low) / (high - low)) + 1 : HIGH / 2);
    this.path.setAttribute("d", values.map((value, place) => `${place ? "L" : "M"}${(place * across).toFixed(1)} ${up(value).toFixed(1)}`).join(""));
  }
}
