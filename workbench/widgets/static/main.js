// The workbench in the browser: the four steps under one header, over one store.

import { BestOf } from "./best_of.js";
import { CameraState } from "./camera_state.js";
import { Compare } from "./compare.js";
import { Deleting } from "./deleting.js";
import { DeviceStrip } from "./device_strip.js";
import { attribute, button, h, icon, show } from "./dom.js";
import { History } from "./history.js";
import { Intake } from "./intake.js";
import { isComplete } from "./job.js";
import { KeyHelp } from "./key_help.js";
import { LiveView } from "./live_view.js";
import { Announcer } from "./notice.js";
import { PromptStep } from "./prompt_step.js";
import { QueuePanel } from "./queue_panel.js";
import { ResultsStep } from "./results_step.js";
import { SessionList } from "./sessions.js";
import { SetupLine } from "./setup_line.js";
import { Stepper } from "./stepper.js";
import { Store } from "./store.js";
import { TuneStep } from "./tune_step.js";
import { VariationsStep } from "./variations_step.js";
import { listenForWaking } from "./waking.js";
import { plural } from "./words.js";

const SHARED =
  "This dashboard is shared: this page shows your own sessions, but everyone with its link can reach all videos on this server.";
const HERE_MS = 10_000; // without it the kernel stops sending, and can be culled

class App {
  constructor(model, signal) {
    const store = new Store(model, signal);
    const go = (step) => this.go(step);
    const compare = (ids) => this.compare.open(ids);
    const bestOf = () => this.bestOf.open();
    this.store = store;
    const camera = new CameraState(store, () => this.setup.settings);
    this.stepper = new Stepper(store, { go });
    this.deleting = new Deleting(store);
    this.steps = [
      new PromptStep(store, { go, camera }),
      new VariationsStep(store, { go }),
      new TuneStep(store, { compare, bestOf, camera }),
      new ResultsStep(store, { go, compare, bestOf, deleting: this.deleting, begin: (file) => this.intake.begin(file), settings: () => this.setup.settings, signal }),
    ];
    this.setup = new SetupLine(store);
    this.live = new LiveView(store, camera, { results: () => this.go(4), signal });
    camera.walk = () => this.live.open();
    this.intake = new Intake(store, this.setup.settings, { taken: (index) => this._takeUp(index) });
    this.queue = new QueuePanel(store);
    this.devices = new DeviceStrip(store, { openQueue: () => this.queue.open() });
    this.compare = new Compare(store);
    this.bestOf = new BestOf(store);
    this.history = new History(store, { take: (index) => this._takeUp(index), show: (id) => this._view(id) });
    this.sessions = new SessionList(store, this.deleting);
    this.keys = new KeyHelp();
    this.aloud = new Announcer();
    this.el = h(
      "div",
      // JupyterLab's own keys (a, b, d d, Enter…) stay outside
      { class: "wb", "data-lm-suppress-shortcuts": "true", role: "region", "aria-label": "World Model Workbench" },
      this._header(),
      this._banner(),
      this.setup.el,
      this.steps.map((step) => step.el),
      this.devices.el,
      store.config.private ? h("p", { class: "wb-quiet", text: SHARED }) : null,
      this.setup.dialogs,
      this.compare.el,
      this.live.el,
      this.bestOf.el,
      this.history.el,
      this.sessions.el,
      this.queue.el,
      this.deleting.el,
      this.intake.el,
      this.keys.el,
      this.aloud.el,
    );
    this.intake.listen(this.el);
    this.keys.listen(this.el, signal);
    store.onChange(() => this.update());
    this.update();
    this._begin();
    this._focusIdea();
    const here = () => store.call("here").catch(() => {});
    listenForWaking(this.el, () => store.call("wake").catch(() => {}), signal);
    const presence = setInterval(here, HERE_MS); // a browser throttles it in the background
    document.addEventListener("visibilitychange", () => document.hidden || here(), { signal });
    signal?.addEventListener("abort", () => clearInterval(presence));
  }

  _header() {
    this.historyButton = button("History", { icon: "history", kind: "plain", "aria-label": "History", onclick: () => this.history.open() });
    this.sessionsButton = button("Sessions", { icon: "folder", kind: "plain", "aria-label": "Sessions", onclick: () => this.sessions.open() });
    return h(
      "div",
      { class: "wb-bar" },
      h("div", { class: "wb-brand" }, h("span", { class: "wb-mark", "aria-hidden": "true" }), h("h1", {}, h("span", { class: "wb-brand-long", text: "World Model " }), "Workbench")),
      this.stepper.el,
      h("div", { class: "wb-row wb-bar-actions" }, this.historyButton, this.sessionsButton, this._window()),
    );
  }

  /** The page's own theme and size. */
  _window() {
    const theme = window.workbenchTheme; // only in a dashboard; JupyterLab has its own
    const parts = [];
    if (theme) parts.push(button("Light or dark", { icon: "moon", bare: true, onclick: () => theme.set(theme.now() === "dark" ? "light" : "dark") }));
    const inLab = isLab();
    this.tab = inLab ? button("Open in a tab of its own", { icon: "tab", bare: true, onclick: () => this.el.dispatchEvent(new CustomEvent("workbench-tab", { bubbles: true })) }) : null;
    const full = document.fullscreenEnabled ? button("Full window", { icon: "full", bare: true, onclick: () => this._toggleFull() }) : null;
    return h("span", { class: "wb-row wb-tight" }, ...parts, this.tab, full);
  }

  _toggleFull() {
    if (document.fullscreenElement) document.exitFullscreen();
    else this.el.requestFullscreen().catch(() => {});
  }

  _banner() {
    this.banner = h(
      "p",
      { class: "wb-banner", role: "status", hidden: true },
      icon("warn"),
      h("span", { text: "The kernel has not answered yet. It may be busy. If it was stopped or restarted, run the cell again (in a dashboard, reload the page). Nothing is lost." }),
    );
    return this.banner;
  }

  go(step) {
    const before = this.store.view.step;
    this.store.set({ step });
    this.store.flush();
    if (before === 4 && step !== 4) this.steps[3].leave();
    const { title } = this.steps[step - 1];
    title.focus({ preventScroll: true });
    if (before !== step) this.el.scrollIntoView({ block: "start" }); // show the step, not the cell above it
  }

  update() {
    const { store } = this;
    const { step } = store.view;
    attribute(this.el, "data-step", step);
    show(this.banner, store.silent);
    if (this.tab) show(this.tab, !this.el.closest(".jp-LinkedOutputView"));
    show(this.historyButton, store.entries.length > 0);
    this.stepper.update();
    this.setup.update();
    this.steps.forEach((part, place) => {
      show(part.el, place + 1 === step);
      if (place + 1 === step) part.update();
    });
    this.devices.update();
    this.history.update();
    this._tell();
  }

  dispose() {
    this.live.dispose();
    this.steps[3].leave();
  }

  /** Reopen this notebook's session, unless the kernel already has one open. */
  async _begin() {
    const { store } = this;
    try {
      await store.call("hello");
      const wanted = store.remembered();
      if (!store.session && !store.config.session && wanted) {
        await store.call("open", { session: wanted, board: store.recall(wanted).board ?? null });
      }
    } catch {
      // the session is gone: start with an empty page
    }
  }

  /** In a page of its own the idea gets the focus; in a notebook the cell keeps it. */
  _focusIdea() {
    if (isLab() || matchMedia("(pointer: coarse)").matches) return;
    requestAnimationFrame(() => {
      if (document.activeElement === document.body && !this.store.session) this.steps[0].input.focus({ preventScroll: true });
    });
  }

  _view(id) {
    this.go(4);
    this.steps[3].open(id);
  }

  _takeUp(index) {
    const entry = this.store.entry(index);
    if (["enhanced", "given"].includes(entry.kind)) this.store.set({ base: index });
    this.store.set({ current: index });
    this.go(entry.kind === "rough" ? 1 : 3);
  }

  _tell() {
    const renders = this.store.renders;
    if (!renders.length) return;
    const done = renders.filter((job) => isComplete(job)).length;
    const failed = renders.filter((job) => job.state === "failed").length;
    this.aloud.say(`${done} of ${plural(renders.length, "video")} finished${failed ? `, ${failed} failed` : ""}.`);
  }
}

function isLab() {
  return !document.body.dataset.voila && Boolean(document.querySelector(".jp-LabShell"));
}

export default {
  render({ model, el, signal }) {
    const app = new App(model, signal);
    el.append(app.el);
    return () => app.dispose();
  },
};
