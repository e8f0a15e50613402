// The inputs of renders that the model accepts: start and end image, video, references, control.

import { button, h, put, show } from "./dom.js";
import { address } from "./media.js";
import { upload } from "./upload.js";

const PICTURE = "image/*";
const VIDEO = "video/mp4,video/webm";
/** Input → label and accepted files. */
const SINGLE = {
  image: ["Start image", PICTURE],
  last_image: ["End image", PICTURE],
  video: ["Video to change or continue", VIDEO],
  mask: ["Mask, white where it may change", `${PICTURE},${VIDEO}`],
};
const KINDS = { depth: "depth", edges: "edges", pose: "pose", segments: "segments", blur: "blurred", layout: "layout", gray: "gray", boxes: "boxes", flow: "flow" };
const NONE = "This model uses only the prompt.";
const HINT = "You can also drop or paste images anywhere.";

export class Inputs {
  /** `change(values)` sets inputs by their ids; `guard(work)` shows errors. */
  constructor(store, { guard, change }) {
    const keep = (file) => guard(() => upload(store, file));
    const tools = { store, keep, change };
    this.rows = [
      ...Object.entries(SINGLE).map(([name, [label, accept]]) => new SingleInput(tools, name, label, accept)),
      new References(tools),
      new Keyframes(tools),
      new Control(tools),
    ];
    this.hint = h("p", { class: "wb-quiet" });
    this.el = h("section", { class: "wb-panel-group", "aria-label": "Start from" }, h("h3", { text: "Start from" }), this.rows.map((row) => row.el), this.hint);
  }

  /** `inputs` lists what the model accepts; null if unknown, then everything is offered. */
  update(set, inputs) {
    let offered = 0;
    for (const row of this.rows) {
      const taken = inputs === null || inputs.takes.includes(row.name);
      const value = set[row.name];
      const wanted = taken || value !== undefined; // an input that is set can be removed
      show(row.el, wanted);
      offered += Number(wanted);
      if (wanted) row.update(value, inputs);
    }
    put(this.hint, offered ? HINT : NONE);
  }
}

/** An input of one file. */
class SingleInput {
  constructor({ store, keep, change }, name, label, accept) {
    this.name = name;
    this.file = chooser(label, accept, async (file) => {
      const id = await keep(file);
      if (id) await change({ [name]: id });
    });
    this.shown = new Thumbnail(store);
    this.drop = button(`Remove the ${label.toLowerCase()}`, { icon: "close", bare: true, onclick: () => change({ [name]: null }) });
    this.el = h("div", { class: "wb-setting" }, h("label", {}, h("span", { text: label }), this.file), this.shown.el, this.drop);
  }

  update(id) {
    show(this.drop, Boolean(id));
    this.el.toggleAttribute("data-changed", Boolean(id));
    this.shown.update(id);
  }
}

/** Ids of reference images. */
class References {
  constructor({ store, keep, change }) {
    this.name = "references";
    this.tools = { store, change };
    this.ids = [];
    const file = chooser("References", PICTURE, async (...files) => {
      const ids = [];
      for (const one of files) ids.push(await keep(one));
      const kept = ids.filter(Boolean);
      if (kept.length) await change({ references: [...this.ids, ...kept] });
    }, true);
    this.list = h("ul", { class: "wb-inputs" });
    this.el = h("div", { class: "wb-setting wb-setting-list" }, h("label", {}, h("span", { text: "References" }), file), this.list);
  }

  update(ids = []) {
    this.el.toggleAttribute("data-changed", ids.length > 0);
    if (ids.join() === this.ids.join() && this.list.childElementCount === ids.length) return;
    this.ids = ids;
    this.list.replaceChildren(...ids.map((id, place) => item(this.tools.store, id, "", `Remove reference ${place + 1}`, () => this._without(place))));
  }

  _without(place) {
    const left = this.ids.filter((_, other) => other !== place);
    this.tools.change({ references: left.length ? left : null });
  }
}

/** Images, each at its time. */
class Keyframes {
  constructor({ store, keep, change }) {
    this.name = "keyframes";
    this.tools = { store, change };
    this.frames = [];
    this.at = h("input", { type: "number", min: 0, max: 3600, step: "any", value: 0, "aria-label": "Second of the keyframe" });
    const file = chooser("Keyframes", PICTURE, async (picture) => {
      const image = await keep(picture);
      if (!image) return;
      const frames = [...this.frames, { at_s: Math.max(0, Number(this.at.value) || 0), image }];
      await change({ keyframes: frames.sort((a, b) => a.at_s - b.at_s) });
    });
    this.list = h("ul", { class: "wb-inputs" });
    this.el = h("div", { class: "wb-setting wb-setting-list" }, h("label", {}, h("span", { text: "Keyframes" }), file), h("label", { class: "wb-count" }, "at second", this.at), this.list);
  }

  update(frames = []) {
    const key = JSON.stringify(frames);
    this.el.toggleAttribute("data-changed", frames.length > 0);
    if (key === this.key) return;
    this.key = key;
    this.frames = frames;
    this.list.replaceChildren(...frames.map((one, place) => item(this.tools.store, one.image, `${one.at_s} s`, `Remove the keyframe at ${one.at_s} s`, () => this._without(place))));
  }

  _without(place) {
    const left = this.frames.filter((_, other) => other !== place);
    this.tools.change({ keyframes: left.length ? left : null });
  }
}

/** A control video and its kind. */
class Control {
  constructor({ store, keep, change }) {
    this.name = "control";
    this.kind = h("select", { "aria-label": "Kind of control", onchange: () => this.value && change({ control: { ...this.value, kind: this.kind.value } }) });
    const file = chooser("Control video", VIDEO, async (one) => {
      const video = await keep(one);
      if (video) await change({ control: { kind: this.kind.value, video } });
    });
    this.shown = new Thumbnail(store);
    this.drop = button("Remove the control video", { icon: "close", bare: true, onclick: () => change({ control: null }) });
    this.el = h("div", { class: "wb-setting wb-setting-list" }, h("label", {}, h("span", { text: "Control video" }), file), h("span", { class: "wb-row wb-tight" }, this.kind, this.shown.el, this.drop));
  }

  update(value, inputs) {
    const kinds = inputs?.control_kinds.length ? inputs.control_kinds : Object.keys(KINDS);
    if (kinds.join() !== this.kinds) {
      this.kinds = kinds.join();
      this.kind.replaceChildren(...kinds.map((kind) => h("option", { value: kind, text: KINDS[kind] ?? kind })));
    }
    this.value = value;
    if (value) this.kind.value = value.kind;
    show(this.drop, Boolean(value));
    this.el.toggleAttribute("data-changed", Boolean(value));
    this.shown.update(value?.video);
  }
}

/** A thumbnail of the chosen image or video. */
class Thumbnail {
  constructor(store) {
    this.store = store;
    this.picture = h("img", { alt: "", class: "wb-input-picture", hidden: true, onerror: () => this._video() });
    this.video = h("video", { class: "wb-input-picture", muted: true, playsinline: true, preload: "metadata", hidden: true });
    this.el = h("span", {}, this.picture, this.video);
  }

  async update(id) {
    if (id === this.id) return;
    this.id = id;
    show(this.picture, false);
    show(this.video, false);
    if (!id) return;
    const job = this.store.jobs[id];
    if (job?.poster_url) return this._picture(address(job.poster_url, job.attempt));
    const bytes = await this.store.call("input", { name: id }).catch(() => null);
    if (!bytes || id !== this.id) return;
    URL.revokeObjectURL(this.source);
    this.source = URL.createObjectURL(new Blob([bytes]));
    this._picture(this.source);
  }

  _picture(source) {
    this.picture.src = source;
    show(this.picture, true);
  }

  /** Anything that is not an image is a video. */
  _video() {
    if (!this.source || this.picture.hidden) return;
    show(this.picture, false);
    this.video.src = this.source;
    show(this.video, true);
  }
}

function item(store, id, words, drop, onclick) {
  const shown = new Thumbnail(store);
  shown.update(id);
  return h("li", {}, shown.el, words ? h("span", { class: "wb-quiet", text: words }) : null, button(drop, { icon: "close", bare: true, onclick }));
}

/** A file field that accepts the same file again. */
function chooser(label, accept, take, several = false) {
  const file = h("input", {
    type: "file",
    accept,
    multiple: several,
    "aria-label": label,
    onchange: async () => {
      const files = [...file.files];
      file.value = "";
      if (files.length) await take(...files);
    },
  });
  return file;
}
