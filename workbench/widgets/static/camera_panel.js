// The camera path: keys, named moves, a path drawn from above, and the storyboard that follows it.

import { cameraText } from "./camera_state.js";
import { attribute, button, h, put, show, submitOnEnter } from "./dom.js";
import { FlipBook } from "./flip_book.js";
import { KeyPad } from "./key_pad.js";
import { Announcer } from "./notice.js";
import { baseIndex, currentIndex } from "./places.js";
import { markChanged } from "./settings.js";
import { TopView } from "./top_view.js";

const GAZES = { subject: "at the subject", ahead: "straight ahead", along: "along the path", own: "as each keyframe says" };
const NUMBERS = [
  ["time_s", "Second", 0.1],
  ["right", "Right", 0.05],
  ["forward", "Forward", 0.05],
  ["up", "Up", 0.05],
  ["turn_deg", "Turn °", 5],
  ["tilt_deg", "Tilt °", 5],
];
const HOW = "Drag from the camera to draw its path; then drag the points. With a point in focus: arrows move it, Shift and arrows turn it, Enter adds one, Delete removes it. The unit of length is the distance to the subject.";

export class CameraPanel {
  constructor(store, camera) {
    this.store = store;
    this.camera = camera;
    this.map = new TopView({ edit: { try: (edit) => camera.try(edit), commit: (edit) => this._commit(edit), choose: (at) => camera.choose(at), cancel: () => camera.cancel() } });
    this.book = new FlipBook({ moved: (share) => this.map.play(share) });
    this.pad = new KeyPad({ hold: (said) => camera.try({ do: "append", said }), done: (said) => this._commit({ do: "append", said }) });
    this.aloud = new Announcer();
    this.value = h("span", { class: "wb-camera-value" });
    this.problem = h("p", { class: "wb-problem", role: "alert", id: `wb-camera-problem-${(counter += 1)}` });
    this.notes = h("ul", { class: "wb-quiet wb-camera-notes" });
    this.body = h("div", { class: "wb-camera-body" }, this._see(), this._say());
    this.el = h(
      "details",
      { class: "wb-camera", ontoggle: () => this._toggled() },
      h("summary", { onclick: (event) => this._clicked(event) }, h("span", { text: "Camera" }), this.value),
      this.body,
      this.aloud.el,
    );
    this.pad.listen(this.body);
    camera.onChange(() => this._draw());
  }

  /** The path from above and what the camera sees. */
  _see() {
    this.length = h("span", { class: "wb-quiet" });
    this.fit = button("Fit to the video", { kind: "small", onclick: () => this._commit({ do: "fit" }) });
    this.gaze = h("select", { "aria-label": "Where the camera looks", onchange: () => this._commit({ do: "look", gaze: this.gaze.value }) }, Object.entries(GAZES).map(([value, text]) => h("option", { value, text: `Looks ${text}` })));
    this.undo = button("Undo", { icon: "undo", bare: true, title: "Undo the last change of the camera", onclick: () => this._after(this.camera.undo()) });
    this.redo = button("Redo", { icon: "redo", bare: true, onclick: () => this._after(this.camera.redo()) });
    this.add = button("Add keyframe", { icon: "plus", kind: "small", onclick: () => this._commit({ do: "add" }) });
    this.reset = button("As the prompt says", { icon: "close", kind: "small", onclick: () => this._commit({ do: "say", said: "" }) });
    this.live = button("Walk through it live", { icon: "play", kind: "small", "aria-haspopup": "dialog", onclick: () => this.camera.walk() });
    const tools = h("div", { class: "wb-row wb-camera-tools" }, this.undo, this.redo, this.add, this.reset);
    return h(
      "div",
      { class: "wb-camera-see" },
      h("div", { class: "wb-camera-map" }, this.map.el, tools),
      h("figure", { class: "wb-camera-book" }, this.book.el, h("figcaption", { class: "wb-row" }, this.length, this.fit), h("div", { class: "wb-row wb-camera-tools" }, this.gaze, this.live)),
    );
  }

  /** Keys, moves, words, and the numbers of a keyframe. */
  _say() {
    this.move = h("select", { "aria-label": "Named move" });
    this.append = button("Add move", { kind: "small", onclick: () => this._commit({ do: "append", said: this.move.value }) });
    this.replace = button("Only this", { kind: "small", title: "Replace the path by this move", onclick: () => this._commit({ do: "say", said: this.move.value }) });
    this.text = h("input", {
      type: "text",
      maxlength: 4000,
      "aria-label": "Path in words or keys",
      "aria-describedby": this.problem.id,
      placeholder: "orbit left, then push in · w-40,jw-20",
      oninput: () => (this.typing = true),
      onblur: () => this._typed(),
      onkeydown: (event) => submitOnEnter(event, () => this._typed()),
    });
    this.holds = h("p", { class: "wb-quiet wb-camera-holds" });
    this.numbers = this._numbers();
    return h(
      "div",
      { class: "wb-camera-say" },
      h("label", { class: "wb-camera-text" }, h("span", { text: "In words or keys" }), this.text),
      this.problem,
      h("div", { class: "wb-row wb-camera-moves" }, this.move, this.append, this.replace),
      this.pad.el,
      this.numbers.el,
      this.holds,
      this.notes,
      h("p", { class: "wb-quiet wb-camera-how", text: HOW }),
    );
  }

  _numbers() {
    const fields = NUMBERS.map(([name, label, step]) => {
      const input = h("input", { type: "number", step, "aria-label": label, onchange: () => input.value !== "" && this._commit({ do: "place", at: this.camera.chosen, [name]: Number(input.value) }) });
      return { name, input, el: h("label", {}, h("span", { class: "wb-quiet", text: label }), input) };
    });
    const title = h("span", { class: "wb-camera-key-name" });
    const remove = button("Remove keyframe", { icon: "trash", bare: true, onclick: () => this._commit({ do: "remove", at: this.camera.chosen }) });
    return { fields, title, remove, el: h("fieldset", { class: "wb-camera-numbers" }, h("legend", {}, title), fields.map((one) => one.el), remove) };
  }

  update() {
    const { camera, store } = this;
    if (this.el.open !== Boolean(store.view.cameraOpen)) this.el.open = Boolean(store.view.cameraOpen);
    put(this.value, cameraText(camera.camera) || "as the prompt says");
    markChanged(this.el, camera.camera !== null);
    if (this.el.open && !this.move.options.length) this._listMoves();
    camera.update();
    this._draw();
  }

  _draw() {
    if (!this.el.open || !this.el.isConnected) return;
    const { camera } = this;
    const { view, chosen } = camera;
    const has = view.camera !== null && view.camera !== undefined;
    this.map.update(view, chosen);
    this.book.update(camera.strip, has ? Math.max(view.duration_s, view.video_s) : 3, this.el.open);
    if (!this.typing) this.text.value = view.said ?? "";
    attribute(this.text, "placeholder", has && !view.said ? "a drawn path; type to replace it" : "orbit left, then push in · w-40,jw-20");
    put(this.problem, camera.error);
    show(this.problem, camera.error !== "");
    attribute(this.text, "aria-invalid", camera.error ? "true" : null);
    put(this.length, has ? lengthWords(view) : "No path: the camera moves as the prompt says.");
    show(this.fit, has && Math.abs(view.duration_s - view.video_s) > 0.05 && view.duration_s > 0);
    show(this.gaze, has);
    if (has) this.gaze.value = view.gaze;
    attribute(this.undo, "disabled", !camera.canUndo);
    attribute(this.redo, "disabled", !camera.canRedo);
    show(this.reset, has);
    this._drawNumbers(view.keyframes?.[chosen], chosen);
    put(this.holds, has ? this._holding(view) : "");
    const notes = has ? [...new Set([...view.notes, ...(view.held ?? [])])] : [];
    if (notes.join("\n") !== this.noted) {
      this.noted = notes.join("\n");
      this.notes.replaceChildren(...notes.map((note) => h("li", { text: note })));
    }
    show(this.notes, notes.length > 0);
    attribute(this.el, "data-live", Boolean(camera.live));
  }

  _drawNumbers(one, index) {
    const { fields, title, el } = this.numbers;
    show(el, Boolean(one) && index > 0);
    if (!one) return;
    put(title, `Keyframe ${index + 1}`);
    for (const { name, input } of fields) {
      if (document.activeElement !== input || this.camera.live) input.value = String(Math.round(one[name] * 100) / 100);
    }
  }

  /** Whether the path replaces the prompt's movement, and how the model receives it. */
  _holding(view) {
    const { store } = this;
    const entry = store.entry(store.view.step === 3 ? currentIndex(store) : baseIndex(store));
    const own = entry?.scene.camera_movement?.value;
    const first = own ? `This path is used instead of the prompt's own “${own}”.` : "This path is used for every render of the session.";
    return view.way === "words" ? `${first} The model reads it as words: “${view.words}”.` : first;
  }

  async _listMoves() {
    if (this.asked) return;
    this.asked = true;
    const moves = await this.store.call("camera_moves").catch(() => []);
    this.move.replaceChildren(...moves.map((name) => h("option", { value: name, text: name })));
    this.asked = false;
  }

  _typed() {
    if (!this.typing) return;
    this.typing = false;
    const said = this.text.value.trim();
    if (said === (this.camera.view.said ?? "") || (!said && !this.camera.view.said)) return;
    this.typing = true; // until it is parsed as a path, the text stays as typed
    this._commit({ do: "say", said }).then((done) => {
      this.typing = !done;
      this._draw();
    });
  }

  async _commit(edit) {
    const start = { do: "draw", points: [[0.4, 0.1]] };
    const first = edit.do === "add" && !this.camera.view.keyframes;
    const done = await this.camera.commit(first ? start : edit);
    this._tell();
    return done;
  }

  async _after(work) {
    await work;
    this._tell();
  }

  _tell() {
    this.aloud.say(this.camera.error || this.camera.told);
  }

  /** Open or close at once: the browser's toggle event comes later, and an update before it would undo the click. */
  _clicked(event) {
    event.preventDefault();
    this.store.set({ cameraOpen: !this.el.open });
    this.el.open = !this.el.open;
  }

  _toggled() {
    const { open } = this.el;
    if (open === this.open) return;
    this.open = open;
    this.camera.show(open);
    if (open !== Boolean(this.store.view.cameraOpen)) this.store.set({ cameraOpen: open });
    if (open) this.update();
  }
}

let counter = 0;

function lengthWords({ duration_s, video_s }) {
  const own = `${duration_s.toFixed(1)} s`;
  return Math.abs(duration_s - video_s) > 0.05 ? `Path ${own}, video ${video_s.toFixed(1)} s` : `${own}, as long as the video`;
}
