// The tree of a session's prompts with their pictures; continue from any of them.

import { briefChanges } from "./changes.js";
import { attribute, button, h, Keyed, put, show } from "./dom.js";
import { isComplete } from "./job.js";
import { address } from "./media.js";
import { capital } from "./words.js";

const KINDS = { rough: "Idea", enhanced: "Enhanced", given: "By hand", variation: "Variation", tuned: "Tuned" };

export class History {
  constructor(store, { take, show: showVideo }) {
    this.store = store;
    this.take = take;
    this.showVideo = showVideo;
    this.tree = h("ul", { class: "wb-tree" });
    this.branches = new Keyed(this.tree, (node) => node.entry.index, () => new Branch(this));
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-drawer", "aria-label": "History" },
      h("div", { class: "wb-dialog-head" }, h("h2", { text: "History" }), button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      h("p", { class: "wb-quiet", text: "Every prompt of this session, with forked and continued videos. Continue from any of them." }),
      this.tree,
    );
  }

  open() {
    this.el.showModal();
    this.update();
  }

  update() {
    if (this.el.open) this.branches.update(forest(this.store));
  }

  /** Show a video of the tree in the large view. */
  view(id) {
    this.el.close();
    this.showVideo(id);
  }

  choose(index) {
    this.el.close();
    this.take(index);
  }
}

class Branch {
  constructor(history) {
    this.history = history;
    this.picture = h("img", { alt: "", class: "wb-tree-picture", loading: "lazy", onerror: () => show(this.picture, false) });
    this.blank = h("span", { class: "wb-tree-picture" });
    this.kind = h("span", { class: "wb-tree-kind" });
    this.words = h("span", { class: "wb-tree-words" });
    this.main = h("button", { type: "button", class: "wb-tree-node", onclick: () => history.choose(this.index) }, this.picture, this.blank, h("span", {}, this.kind, this.words));
    this.forks = h("ul", { class: "wb-tree-forks" });
    this.videos = new Keyed(this.forks, ({ job }) => job.job_id, () => new VideoBranch(history));
    this.below = h("ul");
    this.children = new Keyed(this.below, (node) => node.entry.index, () => new Branch(history));
    this.el = h("li", {}, this.main, this.forks, this.below);
  }

  update({ entry, children, videos, current }) {
    const { store } = this.history;
    this.index = entry.index;
    const job = store.jobOf(entry.index);
    const poster = isComplete(job) && job.poster_url ? address(job.poster_url, job.attempt) : null;
    show(this.picture, Boolean(poster));
    show(this.blank, !poster);
    if (poster) attribute(this.picture, "src", poster);
    put(this.kind, KINDS[entry.kind] ?? capital(entry.kind));
    put(this.words, wordsOf(entry));
    attribute(this.main, "aria-current", current === entry.index ? "true" : null);
    attribute(this.main, "title", entry.prompt);
    this.videos.update(videos);
    show(this.forks, videos.length > 0);
    this.children.update(children.map((child) => ({ ...child, current })));
    show(this.below, children.length > 0);
  }
}

/** A forked video or a fork; its own forks are listed below it. */
class VideoBranch {
  constructor(history) {
    this.picture = h("img", { alt: "", class: "wb-tree-picture", loading: "lazy", onerror: () => show(this.picture, false) });
    this.kind = h("span", { class: "wb-tree-kind" });
    this.words = h("span", { class: "wb-tree-words" });
    this.main = h("button", { type: "button", class: "wb-tree-node", onclick: () => history.view(this.id) }, this.picture, h("span", {}, this.kind, this.words));
    this.below = h("ul");
    this.children = new Keyed(this.below, ({ job }) => job.job_id, () => new VideoBranch(history));
    this.el = h("li", {}, this.main, this.below);
  }

  update({ job, children }) {
    this.id = job.job_id;
    const poster = isComplete(job) && job.poster_url ? address(job.poster_url, job.attempt) : null;
    show(this.picture, Boolean(poster));
    if (poster) attribute(this.picture, "src", poster);
    put(this.kind, branchKind(job));
    put(this.words, job.fork ? (job.camera?.words ?? "").split(": ").pop() : job.camera?.said || job.camera?.words || job.caption);
    this.children.update(children);
    show(this.below, children.length > 0);
  }
}

/** The video that a fork or a segment comes from; none for any other. */
function originOf(job) {
  return job.fork?.of ?? job.segment?.of ?? job.follows ?? null;
}

function branchKind(job) {
  const at = job.fork?.at_s ?? job.segment?.left_at_s;
  if (at !== null && at !== undefined) return `Fork at ${at.toFixed(1)} s`;
  if (job.segment?.of) return "Made again";
  return job.follows ? "Goes on" : "Video";
}

/** The trees of forked videos, by the prompt whose videos they are. */
function forks(store) {
  const nodes = new Map(store.renders.map((job) => [job.job_id, { job, children: [] }]));
  for (const node of nodes.values()) nodes.get(originOf(node.job))?.children.push(node);
  const trees = new Map();
  for (const node of nodes.values()) {
    const { job } = node;
    const isRoot = !nodes.has(originOf(job));
    if (!isRoot || (!node.children.length && !originOf(job))) continue;
    trees.set(job.entry_index, [...(trees.get(job.entry_index) ?? []), node]);
  }
  return trees;
}

function wordsOf(entry) {
  if (entry.request && entry.kind === "tuned") return `“${entry.request}”`;
  return briefChanges(entry) || entry.prompt;
}

function forest(store) {
  const videos = forks(store);
  const nodes = new Map(store.entries.map((entry) => [entry.index, { entry, children: [], videos: videos.get(entry.index) ?? [], current: store.view.current }]));
  const roots = [];
  for (const node of nodes.values()) (nodes.get(node.entry.parent)?.children ?? roots).push(node);
  return roots;
}
