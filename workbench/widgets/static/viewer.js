// The large view of a video, with all its facts; arrow keys move to its neighbours.

import { ChangeList, changesOf } from "./changes.js";
import { asCurl, asPython, copy } from "./copying.js";
import { DirectForm } from "./direct_form.js";
import { attribute, button, h, put, show } from "./dom.js";
import { factsRows } from "./facts.js";
import { ForkForm } from "./fork_form.js";
import { hasEnded, isComplete } from "./job.js";
import { download, isShown, Player } from "./media.js";
import { Note } from "./note.js";
import { Notice } from "./notice.js";
import { PathOverlay } from "./path_overlay.js";
import { JobLine } from "./progress.js";
import { ScoreList } from "./scores.js";
import { SegmentTakes } from "./segment_takes.js";

const TOLD_MS = 1600;

export class Viewer {
  /** `actions`: star(job), use(index), again(job), begin(picture), settings(). */
  constructor(store, actions, curves) {
    this.store = store;
    this.curves = curves;
    this.actions = actions;
    this.player = new Player(store, { controls: true });
    this.line = new JobLine(store);
    this.changes = new ChangeList();
    this.title = h("h2");
    this.caption = h("p", { class: "wb-viewer-caption" });
    this.text = h("p", { class: "wb-viewer-text" });
    this.scores = new ScoreList({ all: true, curves });
    this.note = new Note(store);
    this.facts = h("dl", { class: "wb-facts" });
    this.star = button("Star", { icon: "star", bare: true, onclick: () => actions.star(this.job) });
    this.before = button("Previous", { icon: "back", bare: true, onclick: () => this._step(-1) });
    this.after = button("Next", { icon: "arrow", bare: true, onclick: () => this._step(1) });
    this.use = button("Use this prompt", { kind: "primary", onclick: () => this._leave(() => actions.use(this.job.entry_index)) });
    this.again = button("Another seed", { icon: "shuffle", title: "Render again with another seed", onclick: () => this._leave(() => actions.again(this.job)) });
    this.begin = button("Start from here", { icon: "first", title: "Use this frame as the start image of renders, if the model accepts one", onclick: () => this._begin() });
    this.extend = button("Extend", { icon: "arrow", title: "Render a video that continues from the last frame of this one", onclick: () => this._extend() });
    this.change = button("Change this video", { icon: "edit", title: "Use this video as the input of renders, if the model accepts one", onclick: () => this._change() });
    this.notice = new Notice();
    this.path = new PathOverlay(store, this.player);
    this.fork = new ForkForm(store, this.player, this.notice, { forked: (id) => this._follow(id) });
    this.direct = new DirectForm(store, this.notice, { settings: () => actions.settings(), made: (id) => this._directed(id) });
    this.takes = new SegmentTakes(store);
    this.camera = h("div", { class: "wb-viewer-camera" }, h("div", { class: "wb-row" }, this.path.toggle, this.fork.open, this.fork.goOn, this.fork.why), this.fork.form, this.direct.el, this.takes.el);
    this.video = h("a", { class: "wb-button", text: "Download", download: "" });
    this.recipe = h("a", { class: "wb-button", text: "Recipe", download: "" });
    this.said = h("span", { class: "wb-quiet", role: "status" });
    this.el = h(
      "dialog",
      { class: "wb-dialog wb-viewer", "aria-label": "Video", onclose: () => this._closed(), onkeydown: (event) => this._key(event) },
      h(
        "div",
        { class: "wb-dialog-head" },
        this.title,
        h("span", { class: "wb-row wb-tight" }, this.before, this.after, this.star, button("Close", { icon: "close", bare: true, onclick: () => this.el.close() })),
      ),
      h("div", { class: "wb-viewer-body" }, h("div", { class: "wb-viewer-picture" }, this.player.el, this.line.el, this.camera, this.scores.el, this.note.el), this._words()),
    );
  }

  _words() {
    const copies = { Prompt: (job) => job.prompt, Python: asPython, curl: asCurl };
    return h(
      "div",
      { class: "wb-viewer-words" },
      this.caption,
      this.changes.el,
      this.text,
      h("div", { class: "wb-row" }, this.use, this.again, this.begin, this.extend, this.change, this.video, this.recipe),
      this.notice.el,
      this.facts,
      h(
        "div",
        { class: "wb-row wb-copies", role: "group", "aria-label": "Copy" },
        h("span", { class: "wb-quiet", text: "Copy as" }),
        Object.entries(copies).map(([name, make]) => h("button", { type: "button", class: "wb-example", text: name, onclick: () => this._copy(name, make(this.job)) })),
        this.said,
      ),
    );
  }

  /** Show the video of job `id`; `ids` are the videos of the wall in order. */
  open(id, ids, ranges) {
    this.ids = ids;
    this.id = id;
    if (!this.el.open) this.el.showModal();
    this.update(ranges);
  }

  /** `ranges`: lowest and highest value of every score on the wall. */
  update(ranges = this.ranges) {
    this.ranges = ranges;
    if (!this.el.open) return;
    const job = this.store.jobs[this.id];
    if (!job) return this.el.close();
    this.player.update(job, hasEnded(job) || isShown(job, this.store) ? "" : "It appears here as soon as rendering starts.");
    this.line.update(job);
    show(this.line.el, !isComplete(job));
    this.scores.update(job, ranges);
    this.note.update(job);
    this.path.update(job);
    this.fork.update(job);
    this.direct.update(job);
    this.takes.update(job);
    show(this.camera, isComplete(job));
    if (job === this.job) return;
    if (job.job_id !== this.job?.job_id) this._forget();
    this.job = job;
    this.player.el.style.aspectRatio = job.width ? `${job.width} / ${job.height}` : "";
    const entry = this.store.entry(job.entry_index);
    const place = this.ids.indexOf(job.job_id);
    put(this.title, `Video ${place + 1} of ${this.ids.length}`);
    put(this.caption, job.caption);
    put(this.text, job.prompt);
    this.changes.update(changesOf(entry));
    this.facts.replaceChildren(...factsRows(job));
    attribute(this.star, "aria-pressed", String(job.starred));
    attribute(this.star, "aria-label", job.starred ? "Unstar" : "Star");
    attribute(this.before, "disabled", place <= 0);
    attribute(this.after, "disabled", place >= this.ids.length - 1);
    for (const node of [this.begin, this.extend, this.change]) show(node, isComplete(job));
    for (const node of [this.use, this.again]) show(node, job.entry_index !== null);
    for (const node of [this.video, this.recipe]) show(node, isComplete(job));
    attribute(this.video, "href", isComplete(job) ? download(job, "video.mp4") : null);
    attribute(this.recipe, "href", isComplete(job) ? download(job, "recipe.json") : null);
  }

  _key(event) {
    const control = event.target.closest("input, textarea, select, video");
    if (control || event.ctrlKey || event.metaKey || event.altKey) return;
    const frame = (by) => () => this._frame(by);
    const keys = { ",": frame(-1), ".": frame(1), ArrowLeft: () => this._step(-1), ArrowRight: () => this._step(1), s: () => this.actions.star(this.job) };
    const act = keys[event.key];
    if (!act) return;
    event.preventDefault();
    act();
  }

  /** One frame back or forward. */
  _frame(by) {
    const { video } = this.player;
    video.pause();
    const wanted = video.currentTime + by / (this.job.fps || 24);
    video.currentTime = Math.min(Math.max(0, wanted), video.duration || 0);
  }

  _step(by) {
    const next = this.ids[this.ids.indexOf(this.id) + by];
    if (!next) return;
    this.id = next;
    this.update();
  }

  /** Use the current frame as the start image of renders. */
  async _begin() {
    const { video } = this.player;
    video.pause();
    const canvas = h("canvas", { width: video.videoWidth, height: video.videoHeight });
    canvas.getContext("2d").drawImage(video, 0, 0);
    const picture = await new Promise((resolve) => canvas.toBlob(resolve, "image/png"));
    await this._set(() => this.actions.begin(picture), "Renders now start from this frame.");
  }

  _extend() {
    return this._set(() => this.store.call("extend", { job: this.id }, `extend ${this.id}`), "A video that continues this one is in the queue.");
  }

  _change() {
    const values = { video: this.id };
    return this._set(() => this.actions.settings().change(values), "Renders now change or continue this video.");
  }

  /** Show a fork as soon as the page knows it, beside its parent. */
  _follow(id) {
    const place = this.ids.indexOf(this.id);
    if (!this.ids.includes(id)) this.ids = [...this.ids.slice(0, place + 1), id, ...this.ids.slice(place + 1)];
    if (!this.store.jobs[id]) return;
    this.id = id;
    this.update();
  }

  /** Show the model's render beside its storyboard. */
  _directed(id) {
    this._follow(id);
    put(this.said, "The model is directed by this storyboard; its video is in the queue.");
  }

  /** Take away what was said of another video; what is said of this one stays while its facts change. */
  _forget() {
    clearTimeout(this.timer);
    this.notice.clear();
    put(this.said, "");
  }

  /** Run an action, and report success or the error. */
  _set(work, words) {
    this._forget();
    return this.notice.guard(async () => {
      await work();
      put(this.said, words);
    });
  }

  async _copy(name, text) {
    const done = await copy(text, this.el);
    put(this.said, done ? `${name} copied.` : "This browser does not allow copying; select the text instead.");
    clearTimeout(this.timer);
    this.timer = setTimeout(() => put(this.said, ""), TOLD_MS);
  }

  _leave(act) {
    this.el.close();
    act();
  }

  _closed() {
    this.player.video.pause();
    this.job = null;
    this.closed?.(this.id);
  }
}
