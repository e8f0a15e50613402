// The page's state: the kernel's traits and jobs, the view's own state, pending commands.

import { byAge } from "./job.js";

const HEARD_WITHIN_MS = 6000;
const SAVED = ["step", "base", "current", "sort", "reverse", "filter", "batch", "group", "layout", "size", "misses", "oneThing", "cameraOpen"];
const UNFILTERED = { filter: "all", batch: "", byField: "", byTag: "", byText: "", byScore: "", atLeast: "", atMost: "" };
const AT_FIRST = { step: 1, base: null, current: null, misses: [], group: "", reverse: false, draft: {}, newSeeds: false, ...UNFILTERED };

export class Store {
  constructor(model, signal) {
    this.model = model;
    this.jobs = {};
    this.view = { ...AT_FIRST, sort: "newest", layout: "wall", size: 270 };
    this.silent = false;
    this.growing = ""; // the text so far of the prompt being written
    this.steps = []; // the language model's steps so far for the current request
    this.answering = ""; // its message so far
    this.writer = null; // the session's prompt writer: { label, provider }
    this.chooseWriter = null; // opens the panel; null if the page may not choose
    this._listeners = new Set();
    this._waiting = new Map();
    this._busy = new Map();
    this._counter = 0;
    this._prefix = Math.random().toString(36).slice(2);
    this._readTraits();
    if (this.session) this._recallView(); // the kernel kept running while the page was reloaded
    this._listen(signal);
  }

  get entries() {
    return this.session?.entries ?? [];
  }

  /** The answers to requests, each with the last resulting prompt. */
  get answers() {
    return this.session?.turns ?? [];
  }

  /** Whether a language model could be connected from this page, and none is. */
  get offersModel() {
    return Boolean(this.chooseWriter) && this.writer?.provider === "builtin";
  }

  entry(index) {
    return index === null || index === undefined ? null : (this.entries[index] ?? null);
  }

  /** The jobs of this session except placeholders, oldest first; the same list until one changes. */
  get renders() {
    this._renders ??= Object.values(this.jobs)
      .filter((job) => !job.preview_of && !job.sketch)
      .sort(byAge);
    return this._renders;
  }

  /** The newest render of a prompt. */
  jobOf(index) {
    this._newest ??= new Map(this.renders.map((job) => [job.entry_index, job]));
    return this._newest.get(index) ?? null;
  }

  /** The storyboard of an idea whose prompt is being written. */
  get sketch() {
    return Object.values(this.jobs).find((job) => job.sketch) ?? null;
  }

  onChange(listener) {
    this._listeners.add(listener);
  }

  /** Change the view's own state and remember it. */
  set(values) {
    Object.assign(this.view, values);
    this._remember();
    this.emit();
  }

  /** Send the kernel a command; with a `key`, a repeat while the first is pending does nothing. */
  call(name, args = {}, key = null, data = null) {
    if (key && this._busy.has(key)) return this._busy.get(key);
    this._counter += 1;
    const id = `${this._prefix}-${this._counter}`;
    const promise = new Promise((resolve, reject) => {
      const late = setTimeout(() => this._setSilent(true), HEARD_WITHIN_MS);
      this._waiting.set(id, { resolve, reject, late });
      this.model.send({ id, do: name, with: args }, undefined, data ? [data] : undefined);
    });
    if (key) {
      this._busy.set(key, promise);
      const done = () => {
        this._busy.delete(key);
        this.emit();
      };
      promise.then(done, done);
      this.emit();
    }
    return promise;
  }

  /** Show a change of a job before the kernel has confirmed it; undone if the command fails. */
  async callAhead(name, args, id, values) {
    const before = this.jobs[id];
    const show = (job) => this._setJobs({ ...this.jobs, [id]: job });
    show({ ...before, ...values });
    try {
      return await this.call(name, args, `${name} ${id}`);
    } catch (error) {
      if (this.jobs[id]?.revision === before.revision) show(before);
      throw error;
    }
  }

  /** Ask with a file. */
  send(name, args, data) {
    return this.call(name, args, null, data);
  }

  busy(key) {
    return this._busy.has(key);
  }

  /** Notify all subscribers once before the next frame is drawn. */
  emit() {
    if (this._scheduled) return;
    this._scheduled = true;
    const run = () => this.flush();
    requestAnimationFrame(run);
    setTimeout(run, 120); // a page in the background draws no frames
  }

  /** Notify them now, if there is anything to tell. */
  flush() {
    if (!this._scheduled) return;
    this._scheduled = false;
    for (const listener of this._listeners) listener(this);
  }

  // what the browser stores, so that a new kernel can continue where the old one stopped

  get _place() {
    return `workbench:${location.pathname.replace(/\/lab\/.*$/, "/lab")}:${this.config.place}`;
  }

  remembered() {
    return read(this._place)?.session ?? null;
  }

  known() {
    return read("workbench:known") ?? [];
  }

  recall(session) {
    return read(`workbench:view:${session}`) ?? {};
  }

  /** Named render settings. */
  presets() {
    return read("workbench:presets") ?? {};
  }

  keepPresets(presets) {
    write("workbench:presets", presets);
  }

  _remember() {
    const id = this.session?.id ?? null;
    write(this._place, { session: id });
    if (!id) return;
    const saved = Object.fromEntries(SAVED.map((name) => [name, this.view[name]]));
    write(`workbench:view:${id}`, { ...saved, board: this.board.indices ?? [] });
    const known = this.known();
    if (!known.includes(id)) write("workbench:known", [id, ...known].slice(0, 100));
  }

  // from the kernel

  _listen(signal) {
    const traits = ["session_state", "devices_state", "queue_state", "board_state", "config"];
    const changed = () => {
      const before = this.session?.id;
      this._readTraits();
      if (this.session?.id !== before) this._sessionChanged();
      else this._remember();
      this.emit();
    };
    for (const name of traits) this.model.on(`change:${name}`, changed);
    const heard = (message, buffers) => this._heard(message, buffers);
    this.model.on("msg:custom", heard);
    signal?.addEventListener("abort", () => {
      for (const name of traits) this.model.off(`change:${name}`, changed);
      this.model.off("msg:custom", heard);
      this._listeners.clear();
    });
    this.jobs = { ...this.model.get("jobs_state") };
  }

  _readTraits() {
    const session = this.model.get("session_state");
    this.session = session?.id ? session : null;
    this.devices = this.model.get("devices_state") ?? [];
    this.paused = Boolean(this.model.get("queue_state")?.paused);
    this.board = this.model.get("board_state") ?? {};
    this.config = this.model.get("config") ?? {};
  }

  _sessionChanged() {
    Object.assign(this.view, AT_FIRST);
    if (this.session) this._recallView();
    this._remember();
  }

  _recallView() {
    const saved = this.recall(this.session.id);
    const kept = Object.fromEntries(SAVED.filter((n) => n in saved).map((n) => [n, saved[n]]));
    Object.assign(this.view, kept);
  }

  _heard(message, buffers) {
    if (message.kind === "jobs") this._patchJobs(message);
    if (message.kind === "places") this._moveJobs(message.places);
    if (message.kind === "gone") this._forgetJob(message.job);
    if (message.kind === "growing" || message.kind === "answering") {
      this[message.kind] = message.text;
      this.emit();
    }
    if (message.kind === "step") {
      this.answering = "";
      this.steps = [...this.steps, message];
      if (message.index !== null && this.busy("tune")) this.set({ current: message.index });
      this.emit();
    }
    const waiting = this._waiting.get(message.id);
    if (!waiting) return;
    clearTimeout(waiting.late);
    this._setSilent(false);
    if (message.kind !== "answer") return;
    this._waiting.delete(message.id);
    if (message.error) waiting.reject(new CommandError(message.error));
    else waiting.resolve(buffers?.length ? buffers[0] : message.value);
  }

  _patchJobs({ jobs, all = false }) {
    const known = all ? {} : this.jobs;
    for (const job of jobs) {
      if (!known[job.job_id] || known[job.job_id].revision <= job.revision) known[job.job_id] = job;
    }
    this._setJobs(known);
  }

  _moveJobs(places) {
    for (const [id, place] of Object.entries(places)) {
      if (this.jobs[id]?.state === "queued") this.jobs[id] = { ...this.jobs[id], ...place };
    }
    this._setJobs(this.jobs);
  }

  _forgetJob(id) {
    delete this.jobs[id];
    this._setJobs(this.jobs);
  }

  _setJobs(jobs) {
    this.jobs = jobs;
    this._renders = null;
    this._newest = null;
    this.emit();
  }

  _setSilent(silent) {
    if (this.silent === silent) return;
    this.silent = silent;
    this.emit();
  }
}

/** An error from the kernel; `fields` are the affected arguments. */
export class CommandError extends Error {
  constructor({ message, fields }) {
    super(message);
    this.fields = fields;
  }
}

function read(key) {
  try {
    return JSON.parse(localStorage.getItem(key));
  } catch {
    return null;
  }
}

function write(key, value) {
  try {
    localStorage.setItem(key, JSON.stringify(value));
  } catch {
    // without storage everything works, but nothing is remembered
  }
}
