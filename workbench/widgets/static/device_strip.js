// Every device and its activity. The queue and each device can be paused and resumed.

import { attribute, button, h, Keyed, put, show, swapIcon } from "./dom.js";
import { hasEnded } from "./job.js";
import { Notice } from "./notice.js";
import { queueWords } from "./queue_panel.js";
import { deviceName, join } from "./words.js";

export class DeviceStrip {
  constructor(store, { openQueue }) {
    this.store = store;
    this.notice = new Notice();
    this.open = button("Queue", { icon: "list", kind: "small", "aria-haspopup": "dialog", onclick: openQueue });
    this.queue = new PauseButton("the queue", (on) => this._pause(null, on));
    this.told = h("strong", { class: "wb-queue-paused", role: "status" });
    this.row = h("ul", { class: "wb-devices-row" });
    this.list = new Keyed(this.row, (one) => one.key, (one) => (one.device ? this._device() : new MachineItem()));
    this.el = h(
      "footer",
      { class: "wb-devices", "aria-label": "Devices", role: "group" },
      h("h3", { text: "Devices" }),
      this.row,
      h("div", { class: "wb-queue" }, this.told, this.open, this.queue.el),
      this.notice.el,
    );
  }

  update() {
    const { devices, paused, config } = this.store;
    show(this.el, devices.length > 0);
    attribute(this.el, "data-paused", paused);
    put(this.open.lastChild, queueWords(this.store));
    put(this.told, paused ? "The queue is paused" : "");
    this.queue.update(paused, paused ? "Resume" : "Pause all");
    show(this.queue.el, !config.private); // other users render here too
    const running = runningOn(this.store.jobs);
    const rows = devices.map((device) => ({ key: device.name, device, job: running.get(device.name) }));
    this.list.update([...rows, ...machinesOf(devices)]);
  }

  _device() {
    return new DeviceItem(this.store, (device, on) => this._pause(device, on));
  }

  _pause(device, on) {
    this.notice.guard(() => this.store.call("pause", { device, on }, `pause ${device}`));
  }
}

class PauseButton {
  constructor(name, steer, { bare = false } = {}) {
    this.name = name;
    this.el = button("Pause", { icon: "pause", kind: "small", bare, onclick: () => steer(!this.paused) });
  }

  update(paused, label = "") {
    this.paused = paused;
    const words = `${paused ? "Resume" : "Pause"} ${this.name}`;
    swapIcon(this.el, paused ? "play" : "pause");
    attribute(this.el, "aria-label", words);
    attribute(this.el, "title", words);
    if (label) put(this.el.lastChild, label);
  }
}

class DeviceItem {
  constructor(store, pause) {
    this.store = store;
    this.name = h("strong");
    this.state = h("span", { class: "wb-device-state" });
    this.load = new Load();
    this.pause = new PauseButton("", (on) => pause(this.device.name, on), { bare: true });
    this.el = h("li", { class: "wb-device" }, h("span", { class: "wb-device-dot" }), this.name, this.state, this.load.meter, this.load.readings, this.pause.el);
  }

  update({ device, job }) {
    const { store } = this;
    const name = deviceName(device.name, device.gpu);
    const state = stateOf(device, job, store.jobs);
    this.device = device;
    attribute(this.el, "data-state", state);
    attribute(this.el, "title", join(device.label, device.detail));
    put(this.name, name);
    put(this.state, stateWords(state, device, job));
    this.load.update(device.kind === "cpu" ? null : device); // a CPU shows the readings of the machine
    this.pause.name = name;
    this.pause.update(device.paused);
    show(this.pause.el, !store.config.private && !store.paused && device.kind !== "cluster");
  }
}

/** A machine whose CPUs render: its load is that of the whole machine. */
class MachineItem {
  constructor() {
    this.name = h("strong");
    this.load = new Load();
    this.el = h("li", { class: "wb-device wb-machine" }, this.name, this.load.meter, this.load.readings);
  }

  update({ machine, name }) {
    put(this.name, name);
    this.load.update(machine);
  }
}

/** A load meter; hidden if the load is unknown. */
class Load {
  constructor() {
    this.meter = h("meter", { min: 0, max: 100, "aria-label": "Load" });
    this.readings = h("span", { class: "wb-quiet" });
  }

  update(device) {
    const load = device?.load ?? null;
    show(this.meter, load !== null);
    if (load !== null && this.meter.value !== load) this.meter.value = load;
    const memory = device?.memory_total ? `${device.memory_used ?? "–"} of ${device.memory_total} GB` : "";
    const heat = device?.temperature ?? null;
    put(this.readings, join(load === null ? "" : `${Math.round(load)} % load`, memory, heat === null ? "" : `${Math.round(heat)} °C`));
    show(this.readings, this.readings.textContent !== "");
  }
}

/** The distinct machines of these devices. */
function machinesOf(devices) {
  const found = new Map();
  for (const device of devices) {
    if (device.kind === "cpu" && device.load !== null && !found.has(device.host)) found.set(device.host, device);
  }
  return [...found].map(([host, machine]) => ({ key: `machine ${host}`, machine, name: host || "This computer" }));
}

const STATES = {
  idle: "free",
  resting: "asleep until needed",
  starting: "starting",
  held: "in use by another folder",
  lost: "lost",
};

/** The running jobs of this session by device: updated sooner than the devices. */
function runningOn(jobs) {
  return new Map(Object.values(jobs).filter((job) => job.state === "running").map((job) => [job.device, job]));
}

function stateOf(device, job, jobs) {
  const ended = hasEnded(jobs[device.job]);
  if (job || (device.state === "busy" && !ended)) return "busy";
  if (device.paused) return "paused";
  return ["busy", "paused"].includes(device.state) ? "idle" : device.state;
}

function stateWords(state, device, job) {
  if (state !== "busy") return STATES[state] ?? state;
  const share = job ? `rendering, ${Math.round(job.progress)} %` : "rendering";
  return device.paused ? `${share}, then paused` : share;
}
