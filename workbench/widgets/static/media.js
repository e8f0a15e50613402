// Videos and images of jobs: their URLs, and the player that shows the best one available.

import { attribute, h, put, show } from "./dom.js";
import { isComplete } from "./job.js";
import { alone, SoundSwitch } from "./sound.js";

let base = null;

/** The server's base URL, as JupyterLab and Voilà write it into the page; read once. */
export function baseUrl() {
  base ??= writtenBase();
  return base;
}

function writtenBase() {
  const config = document.getElementById("jupyter-config-data");
  try {
    return new URL(JSON.parse(config.textContent).baseUrl, location.href).pathname;
  } catch {
    return document.body?.dataset.baseUrl?.replace(/voila\/$/, "") ?? "/";
  }
}

export function address(path, version) {
  return `${baseUrl()}${path}${version > 1 ? `?attempt=${version}` : ""}`;
}

export function download(job, name) {
  const folder = job.batch_id ? `${job.batch_id}/${job.job_id}` : job.job_id;
  return `${baseUrl()}static/videos/${folder}/${name}?download`;
}

export const stillness = window.matchMedia("(prefers-reduced-motion: reduce)");

const PREVIEW_MS = 600;
const WIDE = 16 / 9;
const CUT_AT_MOST = 0.12; // as a share of the picture, roughly

const watcher =
  "IntersectionObserver" in window
    ? new IntersectionObserver(
        (seen) => {
          for (const one of seen) one.target.dispatchEvent(new CustomEvent("wb-seen", { detail: one.isIntersecting }));
        },
        { rootMargin: "120px" },
      )
    : null;

/** The moving picture of one job: its storyboard, then its preview, then its video. */
export class Player {
  /**
   * `controls` shows the browser's own; `auto` plays by itself; otherwise the caller plays it.
   * `sound` adds a sound switch if there are no controls.
   */
  constructor(store, { controls = false, auto = true, sound = !controls } = {}) {
    this.store = store;
    this.auto = auto;
    this.seen = !watcher;
    this.key = null;
    this.video = h("video", {
      muted: true,
      loop: true,
      playsinline: true,
      preload: "metadata",
      controls,
      hidden: true,
      onerror: () => this._nextSource(),
      onloadedmetadata: () => this._known(),
      onloadeddata: () => this._ready(),
      onplaying: () => this._ready(),
    });
    alone(this.video);
    this.sound = sound ? new SoundSwitch(this.video) : null;
    this.image = h("img", { alt: "", hidden: true });
    this.asked = 0; // pictures requested, and the newest that has loaded
    this.came = 0;
    this.note = h("span", { class: "wb-player-note" });
    this.el = h(
      "div",
      { class: "wb-player", "onwb-seen": (event) => this._see(event.detail) },
      this.image,
      this.video,
      this.note,
      this.sound?.el,
    );
    watcher?.observe(this.el);
  }

  /** Show the current state of `job`, or that there is no job. */
  update(job, note = "") {
    put(this.note, note);
    const storyboard = job?.preview_job_id ? this.store.jobs[job.preview_job_id] : null;
    if (job === this.job && storyboard === this.storyboard && !this.held) return;
    this.job = job;
    this.storyboard = storyboard;
    const source = sourceOf(job, this.store);
    this.held = source.key !== this.key && this._tooSoon(source);
    if (source.key !== this.key && !this.held) {
      this.video.muted = true;
      this.key = source.key;
      this.sources = source.videos;
      this.picture = source.picture;
      this._load();
    }
    this.sound?.update(hasSound(job, source));
    attribute(this.el, "data-state", job ? job.state : "none");
    attribute(this.el, "data-shows", source.shows);
    attribute(this.el, "data-drawn", job?.engine === "animatic" && isComplete(job));
    attribute(this.el, "data-whole", needsWhole(job));
    attribute(this.video, "aria-label", job ? `Video: ${job.prompt.slice(0, 140)}` : null);
  }

  dispose() {
    this.video.muted = true;
    watcher?.unobserve(this.el);
    this.video.removeAttribute("src");
    this.video.load();
    if (this.blob) URL.revokeObjectURL(this.blob);
  }

  _see(seen) {
    this.seen = seen;
    if (seen && this.waiting) this._load();
    else if (seen && this.loaded) this._known();
    else this.video.pause();
  }

  /** Limit how often previews load: a quick render makes more than are worth loading. */
  _tooSoon(source) {
    if (source.shows !== "preview") return false;
    const now = Date.now();
    if (now - (this.previewed ?? 0) < PREVIEW_MS) return true;
    this.previewed = now;
    return false;
  }

  _load() {
    this.waiting = !this.seen;
    if (this.waiting) return;
    this.tried = 0;
    this.loaded = false;
    this._loadPicture();
    if (this.sources.length) {
      if (this.picture) this.video.poster = this.picture;
      this.video.src = this.sources[0];
    } else {
      show(this.video, false);
      this.video.removeAttribute("src");
      this.video.load(); // otherwise the previous video keeps playing
    }
  }

  /** Replace the picture once the new one has loaded; keep the old one if loading fails. */
  _loadPicture() {
    const { job, picture } = this;
    this.asked += 1;
    const number = this.asked;
    if (this.pictured !== job?.job_id || !picture) show(this.image, false);
    this.pictured = job?.job_id;
    if (!picture) return;
    const coming = h("img", {
      alt: "",
      src: picture,
      onload: () => {
        if (number < this.came || this.pictured !== job.job_id) return;
        this.came = number;
        show(coming, this.video.hidden);
        this.image.replaceWith(coming);
        this.image = coming;
      },
    });
  }

  async _nextSource() {
    if (!this.video.getAttribute("src") || !this.job) return;
    this.tried += 1;
    const source = this.sources[this.tried];
    if (source) this.video.src = source;
    else if (this.tried === this.sources.length) await this._throughKernel();
  }

  /** Without a server extension (an editor, a hosted notebook), get it from the kernel. */
  async _throughKernel() {
    const { key } = this;
    const id = sourceOf(this.job, this.store).shows === "storyboard" ? this.job.preview_job_id : this.job.job_id;
    try {
      const bytes = await this.store.call("file", { job: id, name: "video" });
      if (key !== this.key) return;
      if (this.blob) URL.revokeObjectURL(this.blob);
      this.blob = URL.createObjectURL(new Blob([bytes], { type: "video/mp4" }));
      this.video.src = this.blob;
    } catch {
      show(this.video, false);
      put(this.note, "This video cannot be loaded here.");
    }
  }

  _ready() {
    show(this.video, true); // not by readyState, which a seek lowers again
    show(this.image, false);
  }

  _play() {
    if (this.auto && this.seen && this.video.paused && !stillness.matches) this.video.play().catch(() => {});
  }

  /** It can be played: its metadata has loaded, or it is seen again. Some phones load no frame until it plays. */
  _known() {
    this.loaded = true;
    this._play();
    this.el.dispatchEvent(new CustomEvent("wb-ready", { bubbles: true }));
  }
}

/** Whether what is shown of a job has sound. */
function hasSound(job, source) {
  return Boolean(job?.has_audio) && source.shows === "video";
}

/** Whether a 16:9 frame would crop too much: portrait, square, very wide. */
function needsWhole(job) {
  const { width, height } = job ?? {};
  return Boolean(width && height) && Math.abs(Math.log(width / height / WIDE)) > CUT_AT_MOST;
}

/** Whether there is anything to see of a job yet. */
export function isShown(job, store) {
  return sourceOf(job, store).shows !== "nothing";
}

/** The best available image of a job. */
function sourceOf(job, store) {
  if (!job) return { key: "none", videos: [], picture: null, shows: "nothing" };
  const picture = job.poster_url ? address(job.poster_url, job.attempt) : null;
  if (isComplete(job) && job.video_url) {
    const videos = [
      address(job.video_url, job.attempt),
      `${baseUrl()}static/videos/${job.job_id}/video.mp4`,
      `${baseUrl()}static/videos/${job.job_id}.mp4`,
    ];
    return { key: `video ${job.job_id} ${job.attempt}`, videos, picture, shows: job.sketch ? "sketch" : "video" };
  }
  if (job.preview_url?.endsWith(".jpg")) {
    const shown = `${baseUrl()}${job.preview_url}?step=${job.step}`;
    return { key: `preview ${job.job_id} ${job.step}`, videos: [], picture: shown, shows: "preview" };
  }
  if (job.preview_job_id && isComplete(store.jobs[job.preview_job_id])) {
    const video = `${baseUrl()}static/videos/${job.preview_job_id}/video.mp4`;
    return { key: `storyboard ${job.job_id}`, videos: [video], picture, shows: "storyboard" };
  }
  return { key: `nothing ${job.job_id}`, videos: [], picture: null, shows: "nothing" };
}
