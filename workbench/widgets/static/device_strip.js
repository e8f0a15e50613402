// Every device and what it is doing.

import { attribute, h, Keyed, put, show } from "./dom.js";
import { deviceName, join } from "./words.js";

export class DeviceStrip {
  constructor(store) {
    this.store = store;
    this.row = h("ul", { class: "wb-devices-row" });
    this.list = new Keyed(this.row, (device) => device.name, () => new DeviceItem(store));
    this.el = h("footer", { class: "wb-devices", "aria-label": "Devices", role: "group" }, h("h3", { text: "Devices" }), this.row);
  }

  update() {
    const { devices } = this.store;
    show(this.el, devices.length > 0);
    this.list.update(devices);
  }
}

class DeviceItem {
  constructor(store) {
    this.store = store;
    this.name = h("strong");
    this.state = h("span", { class: "wb-device-state" });
    this.meter = h("meter", { min: 0, max: 100, "aria-label": "Load" });
    this.readings = h("span", { class: "wb-quiet" });
    this.el = h("li", { class: "wb-device" }, h("span", { class: "wb-device-dot" }), this.name, this.state, this.meter, this.readings);
  }

  update(device) {
    const job = device.job ? this.store.jobs[device.job] : null;
    const load = device.load ?? null;
    attribute(this.el, "data-state", device.state);
    attribute(this.el, "title", join(device.label, device.detail));
    put(this.name, deviceName(device.name, device.gpu));
    put(this.state, stateWords(device, job));
    show(this.meter, load !== null);
    if (load !== null) this.meter.value = load;
    const memory = device.memory_total ? `${device.memory_used ?? "–"} of ${device.memory_total} GB` : "";
    const heat = device.temperature === null ? "" : `${Math.round(device.temperature)} °C`;
    put(this.readings, join(load === null ? "" : `${Math.round(load)} %`, memory, heat));
  }
}

function stateWords(device, job) {
  if (device.state !== "busy") return device.state;
  if (!job) return "rendering";
  return `rendering, ${Math.round(job.progress)} %`;
}
