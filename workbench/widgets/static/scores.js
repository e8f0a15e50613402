// The scores of a video: their labels, sort orders and bars.

import { Sparkline } from "./curves.js";
import { attribute, h, put, show } from "./dom.js";
import { byAge } from "./job.js";

/** Name → label, meaning, whether less is better, label of its sort order. */
export const SCORES = {
  motion: { label: "motion", says: "amount of motion, in frame widths per second", sort: "Most motion" },
  smoothness: { label: "smooth", says: "evenness of motion, 0 to 1", sort: "Smoothest" },
  sharpness: { label: "sharp", says: "variance of the Laplacian, 0 upward", sort: "Sharpest" },
  consistency: { label: "steady", says: "how well each frame explains the next, 0 to 1", sort: "Steadiest" },
  flicker: { label: "flicker", says: "changes in brightness from frame to frame, 0 to 1", less: true, sort: "Least flicker" },
  exposure: { label: "bright", says: "mean luminance, 0 to 1", sort: "Brightest" },
  clipping: { label: "clipped", says: "share of pixels without detail, 0 to 1", less: true, sort: "Least clipped" },
  colourfulness: { label: "colour", says: "0 (grey) to about 150", sort: "Most colourful" },
  agreement: { label: "prompt", says: "agreement with the prompt, -1 to 1", sort: "Closest to the prompt" },
  loudness: { label: "loud", says: "loudness of the sound in LUFS, -70 to 0", sort: "Loudest" },
  silence: { label: "silent", says: "share of the time without sound, 0 to 1", less: true, sort: "Least silence" },
  sound_clipping: { label: "overdriven", says: "share of the sound at full scale, 0 to 1", less: true, sort: "Least overdriven" },
  sound_length: { label: "sound length", says: "seconds by which the sound is longer or shorter than the picture", less: true, sort: "Sound as long as the picture" },
  seams: { label: "seams", says: "number of frames at which light, colour or detail jumps", less: true, sort: "Fewest seams" },
  repeated_frames: { label: "repeats", says: "number of frames that repeat the one before them", less: true, sort: "Fewest repeats" },
  standstill: { label: "stands", says: "share of the time in which nothing changes, 0 to 1", less: true, sort: "Least standstill" },
  cuts: { label: "cuts", says: "number of cuts", less: true, sort: "Fewest cuts" },
  loops: { label: "loops", says: "number of loops, 0 if it does not loop", less: true, sort: "Fewest loops" },
  exposure_drift: { label: "light drift", says: "change of light from the first frame to the last, log2", less: true, sort: "Least drift of light" },
  colour_drift: { label: "colour drift", says: "change of colour from the first frame to the last, CIELAB", less: true, sort: "Least drift of colour" },
  sharpness_drift: { label: "detail drift", says: "change of detail from the first frame to the last, log2", less: true, sort: "Least drift of detail" },
  path_rotation: { label: "off course", says: "camera's rotation off the commanded path, degrees", less: true, sort: "Closest to the camera path" },
  path_direction: { label: "off heading", says: "direction of travel off the commanded path, degrees", less: true, sort: "Closest to the heading" },
  return_rotation: { label: "return, turn", says: "degrees between two views that should agree", less: true, sort: "Best return, by turn" },
  return_shift: { label: "return, shift", says: "frame widths between two views that should agree", less: true, sort: "Best return, by shift" },
};

/** The label, meaning and order of any score; `lower` names the installed ones of which less is better. */
export function scoreOf(name, lower = []) {
  const label = name.replaceAll("_", " ");
  return SCORES[name] ?? { label, says: "by an installed scorer", less: lower.includes(name), sort: `Best by ${label}` };
}

/** The names of the scores of these videos that installed scorers gave. */
export function installedScores(jobs) {
  const found = new Set();
  for (const { scores } of jobs) for (const name in scores ?? {}) if (!(name in SCORES) && isMeasured(scores[name])) found.add(name);
  return [...found].sort();
}

const ON_CARDS = ["motion", "smoothness", "sharpness", "consistency"];

/** Sort orders by score, in the format of the wall's others; videos without a score come last. */
export const SCORE_SORTS = Object.fromEntries(Object.entries(SCORES).map(([name, score]) => [name, sortBy(name, score)]));

/** The sort order by a score, as in SCORE_SORTS. */
export function sortBy(name, { sort, less }) {
  return [sort, (a, b) => compared(a.scores?.[name], b.scores?.[name], less) || byAge(a, b)];
}

/** null for a score that was not measured, undefined if there are no scores. */
function isMeasured(value) {
  return typeof value === "number";
}

function compared(a, b, less) {
  const known = Number(isMeasured(b)) - Number(isMeasured(a));
  if (known || !isMeasured(a)) return known;
  return less ? a - b : b - a;
}

/** Lowest and highest value of every score among these videos, for comparable bars. */
export function rangesOf(jobs) {
  const ranges = {};
  for (const { scores } of jobs) {
    for (const [name, value] of Object.entries(scores ?? {})) {
      if (!isMeasured(value)) continue;
      const range = (ranges[name] ??= [value, value]);
      ranges[name] = [Math.min(range[0], value), Math.max(range[1], value)];
    }
  }
  return ranges;
}

/** The scores of one video, each with a bar between the lowest and the highest on the wall. */
export class ScoreList {
  /** `all` shows every score, otherwise a few and the one that the wall is sorted by; `curves` adds lines. */
  constructor({ all = false, curves = null } = {}) {
    this.all = all;
    this.curves = curves;
    this.rows = new Map();
    this.el = h("dl", { class: "wb-scores" });
  }

  update(job, ranges, sort) {
    const { scores } = job;
    show(this.el, Boolean(scores));
    if (!scores) return this._clear();
    const lines = this.curves?.of(job);
    for (const name of new Set([...Object.keys(SCORES), ...Object.keys(scores)])) {
      const wanted = isMeasured(scores[name]) && (this.all || ON_CARDS.includes(name) || name === sort || name === "agreement");
      const row = this.rows.get(name) ?? (wanted ? this._row(name) : null);
      if (!row) continue;
      show(row.el, wanted);
      if (!wanted) continue;
      put(row.value, figure(scores[name]));
      attribute(row.el, "data-sorted", name === sort);
      row.bar.style.setProperty("--wb-share", share(scores[name], ranges[name]));
      row.line?.update(lines?.[name], this.curves.ranges[name]);
    }
  }

  _clear() {
    this.rows.clear();
    this.el.replaceChildren();
  }

  _row(name) {
    const { label, says } = scoreOf(name);
    const value = h("span");
    const bar = h("i", { "aria-hidden": "true" });
    const line = this.curves ? new Sparkline() : null;
    const row = { value, bar, line, el: h("div", { class: "wb-score", title: `${name}: ${says}` }, h("dt", { text: label }), h("dd", {}, value, bar, line?.el)) };
    this.rows.set(name, row);
    this.el.append(row.el);
    return row;
  }
}

function share(value, [low, high] = [value, value]) {
  return high > low ? (value - low) / (high - low) : 0.5;
}

/** Three significant digits, without an exponent. */
export function figure(value) {
  return Math.abs(value) >= 100 ? String(Math.round(value)) : String(Number(value.toPrecision(3)));
}
