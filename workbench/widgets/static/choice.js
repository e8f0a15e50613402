// Filters, sorts and groups the videos of the results.

import { byAge, createdAt, hasEnded, isComplete, tookSeconds } from "./job.js";
import { installedScores, SCORE_SORTS, scoreOf, sortBy } from "./scores.js";
import { moment, valueText } from "./words.js";

const collator = new Intl.Collator();

export const SORTS = {
  newest: ["Newest first", (a, b) => createdAt(b) - createdAt(a) || a.position - b.position],
  order: ["Oldest first", byAge],
  grid: ["Prompts by seeds", (a, b) => (a.entry_index ?? -1) - (b.entry_index ?? -1) || a.position - b.position],
  done: ["Finished first", (a, b) => Number(isComplete(b)) - Number(isComplete(a)) || byAge(a, b)],
  caption: ["By caption", (a, b) => collator.compare(a.caption, b.caption) || byAge(a, b)],
  prompt: ["By prompt", (a, b) => collator.compare(a.prompt, b.prompt)],
  starred: ["Starred first", (a, b) => Number(b.starred) - Number(a.starred) || byAge(a, b)],
  seed: ["By seed", (a, b) => a.seed - b.seed || byAge(a, b)],
  took: ["Slowest first", (a, b) => (tookSeconds(b) ?? -1) - (tookSeconds(a) ?? -1) || byAge(a, b)],
  ...SCORE_SORTS,
};

export const STATES = {
  all: ["All", (job) => job.state !== "cancelled"],
  complete: ["Finished", (job) => isComplete(job)],
  working: ["Working", (job) => !hasEnded(job)],
  failed: ["Without video", (job) => hasEnded(job) && !isComplete(job)],
  starred: ["Starred", (job) => job.starred],
  noted: ["With a note", (job) => Boolean(job.note)],
  distinct: ["Without look-alikes", (job) => !job.near_duplicates?.length],
};

export const SINGLE = "single";
/** Keys of the view state; the store clears them with the session. */
export const FILTERS = ["filter", "batch", "byField", "byTag", "byText", "byScore", "atLeast", "atMost"];
const NONE = "not set";
const TAG = /#[\p{L}\p{N}_-]+/gu;

export function tagsOf(job) {
  return job.note?.match(TAG) ?? [];
}

/** The value of a scene field of the prompt that a video shows. */
export function fieldOf(store, job, field) {
  return valueText(store.entry(job.entry_index)?.scene[field]?.value) || NONE;
}

/** The available choices: batches, tags, and the values of every field that differs. */
export class Choices {
  constructor(store) {
    this.store = store;
  }

  /** Recount if the videos or the prompts have changed; returns whether they have. */
  update(all) {
    const { entries } = this.store;
    if (all === this.all && entries === this.entries) return false;
    const isSame = entries === this.entries && all.length === this.all.length && all.every((job, place) => tellsSame(job, this.all[place]));
    this.all = all;
    this.entries = entries;
    this.scores = installedScores(all);
    if (isSame) return true; // what changed has no part in the choices
    const names = this.store.config.groups.flatMap((group) => group.fields.map((field) => field.name));
    const tallies = names.map((name) => [name, tally(all, (job) => fieldOf(this.store, job, name))]);
    this.fields = new Map(tallies.filter(([, values]) => values.size > 1));
    this.tags = tally(all.flatMap(tagsOf), (tag) => tag);
    this.batches = tally(all.filter((job) => job.batch_id), (job) => job.batch_id);
    this.began = new Map(all.filter((job) => job.batch_id).map((job) => [job.batch_id, createdAt(job) / 1000]));
    return true;
  }

  batchWords(id) {
    return `batch of ${this.batches.get(id)}, ${moment(this.began.get(id))}`;
  }

  /** The videos that pass every filter, in order. */
  chosen() {
    const { view } = this.store;
    const tests = this._tests(view);
    const [, order] = SORTS[view.sort] ?? this._byInstalled(view.sort) ?? SORTS.newest;
    const found = this.all.filter((job) => tests.every((passes) => passes(job))).sort(order);
    return view.reverse ? found.reverse() : found;
  }

  /** The sort orders by the scores of installed scorers, as in SORTS. */
  get sorts() {
    return Object.fromEntries(this.scores.map((name) => [name, this._byInstalled(name)]));
  }

  _byInstalled(name) {
    return this.scores.includes(name) ? sortBy(name, scoreOf(name, this.store.config.lower_scores)) : null;
  }

  /** The same in groups: [{ name, jobs }], in order of first appearance. */
  grouped(jobs) {
    const { group } = this.store.view;
    if (!group) return [{ name: null, jobs }];
    const groups = new Map();
    for (const job of jobs) {
      const name = this._groupOf(job, group);
      if (!groups.has(name)) groups.set(name, []);
      groups.get(name).push(job);
    }
    return [...groups].map(([name, members]) => ({ name, jobs: members }));
  }

  _groupOf(job, group) {
    if (group === "batch") return job.batch_id ? this.batchWords(job.batch_id) : "single renders";
    if (group === "seed") return `seed ${job.seed_text}`;
    if (group === "prompt") return job.prompt;
    return fieldOf(this.store, job, group);
  }

  _tests(view) {
    const [, state] = STATES[view.filter] ?? STATES.all;
    const tests = [state];
    const { batch, byTag, byScore } = view;
    if (batch === SINGLE) tests.push((job) => !job.batch_id);
    else if (this.batches.has(batch)) tests.push((job) => job.batch_id === batch);
    if (byTag) tests.push((job) => tagsOf(job).includes(byTag));
    if (view.byText) tests.push(holds(view.byText));
    const [field, value] = split(view.byField);
    if (field) tests.push((job) => fieldOf(this.store, job, field) === value);
    const [least, most] = [limit(view.atLeast, -Infinity), limit(view.atMost, Infinity)];
    if (byScore) tests.push((job) => job.scores?.[byScore] >= least && job.scores[byScore] <= most);
    return tests;
  }
}

/** Whether anything is filtered out. */
export function isFiltered(view) {
  return view.filter !== "all" || FILTERS.slice(1).some((name) => view[name]);
}

/** Whether a video counts as before among batches, prompts and tags. */
function tellsSame(job, before) {
  return job === before || (job.job_id === before.job_id && job.note === before.note && job.entry_index === before.entry_index);
}

/** "field=value" apart; a value may hold an equals sign. */
function split(text = "") {
  const at = text.indexOf("=");
  return at < 0 ? [] : [text.slice(0, at), text.slice(at + 1)];
}

function limit(text, without) {
  return text === "" || text === undefined || Number.isNaN(Number(text)) ? without : Number(text);
}

function holds(text) {
  const words = text.toLowerCase().split(/\s+/).filter(Boolean);
  return (job) => {
    const where = `${job.prompt} ${job.note} ${job.caption}`.toLowerCase();
    return words.every((word) => where.includes(word));
  };
}

function tally(items, nameOf) {
  const counts = new Map();
  for (const item of items) {
    const name = nameOf(item);
    counts.set(name, (counts.get(name) ?? 0) + 1);
  }
  return counts;
}
