// A camera path from above: the subject, the path, the field of view, and draggable keyframes.

import { attribute, show, svg } from "./dom.js";

const WIDE = 360;
const HIGH = 280;
const LEAST = 0.85; // distance from the centre that is always in view, in units
const MARGIN = 0.35;
const REACH = 24; // hit radius of a keyframe, in units of the drawing
const LOOK = 26;
const STEP = 0.05;
const TURN = 5;

/** Draws a path; with `edit`, its keyframes can be dragged, moved by keys, added and removed. */
export class TopView {
  /** `edit`: try(edit), commit(edit), choose(index), cancel(). */
  constructor({ edit = null, label = "The camera's path from above" } = {}) {
    this.edit = edit;
    this.handles = [];
    this.rings = [0.5, 1, 1.5, 2].map((radius) => ({ radius, el: svg("circle", { class: "wb-map-ring" }) }));
    this.subject = svg("g", { class: "wb-map-subject" }, svg("circle", { r: 7 }), svg("text", { y: -13, "text-anchor": "middle", text: "subject" }));
    this.wedge = svg("path", { class: "wb-map-wedge" });
    this.asked = svg("path", { class: "wb-map-asked" }); // the commanded path, where it was held back
    this.line = svg("path", { class: "wb-map-path" });
    this.pen = svg("path", { class: "wb-map-pen" });
    this.points = svg("g");
    this.camera = svg("g", { class: "wb-map-camera" }, svg("path", { d: "M0 -11 L8 7 L0 3 L-8 7 Z" }));
    this.el = svg(
      "svg",
      { viewBox: `0 0 ${WIDE} ${HIGH}`, class: "wb-map", role: "group", "aria-label": label, "data-edits": Boolean(edit) },
      this.rings.map((ring) => ring.el),
      this.wedge,
      this.asked,
      this.line,
      this.pen,
      this.subject,
      this.camera,
      this.points,
    );
    this._fit([]);
    if (edit) this._listen();
  }

  /** Show the kernel's view of a path; without one, the start of the camera. */
  update(view, chosen = null) {
    this.view = view;
    this.chosen = chosen;
    const { curve = [], asked = [], keyframes = [] } = view;
    if (!this.drag) this._fit([...asked.map(([, right, forward]) => [right, forward]), ...curve.map(([, right, forward]) => [right, forward]), ...keyframes.map((one) => [one.right, one.forward])]);
    attribute(this.asked, "d", asked.length ? polyline(asked.map(([, right, forward]) => this._at(right, forward))) : null);
    attribute(this.line, "d", curve.length ? polyline(curve.map(([, right, forward]) => this._at(right, forward))) : null);
    show(this.subject, true);
    attribute(this.subject, "transform", translate(this._at(0, 1)));
    for (const { radius, el } of this.rings) {
      const [x, y] = this._at(0, 1);
      for (const [name, value] of [["cx", x], ["cy", y], ["r", radius * this.scale]]) attribute(el, name, value.toFixed(1));
    }
    if (this.edit) this._drawHandles(keyframes);
    this.play(this.share ?? 0);
  }

  /** Place the camera at a share (0 to 1) of the path's time. */
  play(share) {
    this.share = share;
    const [right, forward, turn] = this._pose(share);
    const [x, y] = this._at(right, forward);
    attribute(this.camera, "transform", `translate(${x.toFixed(1)} ${y.toFixed(1)}) rotate(${turn.toFixed(1)})`);
    attribute(this.wedge, "d", wedge(x, y, turn, this.view?.view_deg ?? 60, 1.15 * this.scale));
  }

  _pose(share) {
    const curve = this.view?.curve;
    if (!curve?.length) return [0, 0, 0];
    const place = Math.min(Math.max(share, 0), 1) * (curve.length - 1);
    const before = curve[Math.floor(place)];
    const after = curve[Math.ceil(place)];
    const part = place - Math.floor(place);
    const between = (one, two) => one + (two - one) * part;
    const turned = before[3] + ((((after[3] - before[3]) % 360) + 540) % 360) * part - 180 * part;
    return [between(before[1], after[1]), between(before[2], after[2]), turned];
  }

  /** Choose a scale at which the subject and all `points` are in view. */
  _fit(points) {
    const rights = [0, ...points.map(([right]) => right)];
    const forwards = [0, 1, ...points.map(([, forward]) => forward)];
    const [left, most] = [Math.min(...rights), Math.max(...rights)];
    const [back, far] = [Math.min(...forwards), Math.max(...forwards)];
    this.middle = [(left + most) / 2, (back + far) / 2];
    const across = Math.max(LEAST, (most - left) / 2 + MARGIN);
    const deep = Math.max(LEAST, (far - back) / 2 + MARGIN);
    this.scale = Math.min(WIDE / 2 / across, HIGH / 2 / deep);
  }

  _at(right, forward) {
    return [WIDE / 2 + (right - this.middle[0]) * this.scale, HIGH / 2 - (forward - this.middle[1]) * this.scale];
  }

  /** The position of a pointer: in the drawing, and in units right and forward. */
  _under(event) {
    const box = this.el.getBoundingClientRect();
    const ratio = Math.max(WIDE / box.width, HIGH / box.height);
    const x = WIDE / 2 + (event.clientX - box.left - box.width / 2) * ratio;
    const y = HIGH / 2 + (event.clientY - box.top - box.height / 2) * ratio;
    return { x, y, right: this.middle[0] + (x - WIDE / 2) / this.scale, forward: this.middle[1] - (y - HIGH / 2) / this.scale };
  }

  // editing

  _drawHandles(keyframes) {
    const all = keyframes.length ? keyframes : [{ time_s: 0, right: 0, forward: 0, turn_deg: 0 }];
    while (this.handles.length < all.length) this.handles.push(this._handle(this.handles.length));
    for (const gone of this.handles.splice(all.length)) gone.el.remove();
    all.forEach((one, index) => {
      const { el, look } = this.handles[index];
      const [x, y] = this._at(one.right, one.forward);
      const turn = ((one.turn_deg ?? 0) * Math.PI) / 180;
      attribute(el, "transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
      attribute(look, "x2", (Math.sin(turn) * LOOK).toFixed(1));
      attribute(look, "y2", (-Math.cos(turn) * LOOK).toFixed(1));
      attribute(el, "data-chosen", index === this.chosen);
      attribute(el, "aria-label", labelOf(one, index, all.length));
    });
  }

  _handle(index) {
    const look = svg("line", { x1: 0, y1: 0 });
    const el = svg(
      "g",
      {
        class: index ? "wb-map-key" : "wb-map-key wb-map-start",
        tabindex: 0,
        role: "button",
        "aria-roledescription": "keyframe",
        onfocus: () => this.edit.choose(index),
        onkeydown: (event) => this._key(event, index),
      },
      svg("circle", { class: "wb-map-touch", r: REACH }),
      look,
      svg("circle", { class: "wb-map-dot", r: index ? 9 : 11 }),
      svg("text", { y: 4, "text-anchor": "middle", "aria-hidden": "true", text: String(index + 1) }),
    );
    this.points.append(el);
    return { el, look };
  }

  _listen() {
    this.el.addEventListener("pointerdown", (event) => this._down(event));
    this.el.addEventListener("pointermove", (event) => this._move(event));
    this.el.addEventListener("pointerup", () => this._up(true));
    this.el.addEventListener("pointercancel", () => this._up(false));
  }

  _down(event) {
    if (event.button || this.drag) return;
    const index = this._nearest(this._under(event));
    if (index === null) return;
    event.preventDefault();
    this.el.setPointerCapture(event.pointerId);
    this.handles[index].el.focus({ preventScroll: true });
    this.edit.choose(index);
    this.drag = { index, from: this._under(event), points: [], edit: null };
    attribute(this.el, "data-drags", true);
  }

  _move(event) {
    const { drag } = this;
    if (!drag) return;
    const { x, y, right, forward } = this._under(event);
    if (!drag.moved && Math.hypot(x - drag.from.x, y - drag.from.y) < 3) return;
    drag.moved = true;
    if (drag.index === 0) {
      drag.points.push([round(right), round(forward)]);
      attribute(this.pen, "d", polyline([[0, 0], ...drag.points].map(([one, other]) => this._at(one, other))));
      drag.edit = { do: "draw", points: drag.points.slice(-4000) };
      return;
    }
    attribute(this.handles[drag.index]?.el, "transform", `translate(${x.toFixed(1)} ${y.toFixed(1)})`);
    drag.edit = { do: "place", at: drag.index, right: round(right), forward: round(forward) };
    this.edit.try(drag.edit);
  }

  _up(done) {
    const { drag } = this;
    if (!drag) return;
    this.drag = null;
    attribute(this.el, "data-drags", null);
    attribute(this.pen, "d", null);
    if (drag.edit && done) this.edit.commit(drag.edit);
    else if (drag.edit) this.edit.cancel();
  }

  /** The keyframe under a pointer; of two, the later one, which is drawn on top. */
  _nearest({ x, y }) {
    const all = this.view?.keyframes?.length ? this.view.keyframes : [{ right: 0, forward: 0 }];
    let best = null;
    let least = REACH;
    all.forEach((one, index) => {
      const [left, top] = this._at(one.right, one.forward);
      const away = Math.hypot(x - left, y - top);
      if (away <= least) [best, least] = [index, away];
    });
    return best;
  }

  _key(event, index) {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const one = this.view?.keyframes?.[index];
    const edit = keyEdit(event, index, one);
    if (!edit) return;
    event.preventDefault();
    event.stopPropagation();
    this.edit.commit(edit);
  }
}

/** The edit of a keyframe by a key; null if it has none. */
function keyEdit({ key, shiftKey }, at, one) {
  if (key === "Enter") return { do: "add" };
  if (!one || at === 0) return null;
  if (key === "Delete" || key === "Backspace") return { do: "remove", at };
  const by = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, 1], ArrowDown: [0, -1] }[key];
  if (by && shiftKey) return { do: "place", at, turn_deg: one.turn_deg + by[0] * TURN, tilt_deg: one.tilt_deg + by[1] * TURN };
  if (by) return { do: "place", at, right: round(one.right + by[0] * STEP), forward: round(one.forward + by[1] * STEP) };
  if (key === "PageUp") return { do: "place", at, up: round(one.up + STEP) };
  if (key === "PageDown") return { do: "place", at, up: round(one.up - STEP) };
  return null;
}

function labelOf(one, index, count) {
  if (count === 1) return "Start of the camera. Enter adds a keyframe.";
  const side = (value, more, less) => (Math.abs(value ?? 0) < 0.005 ? "" : `${Math.abs(value).toFixed(2)} ${value > 0 ? more : less}`);
  const where = [side(one.right, "right", "left"), side(one.forward, "forward", "back"), side(one.up, "up", "down")].filter(Boolean).join(", ");
  const turned = Math.abs(one.turn_deg) < 0.5 ? "" : `, turned ${Math.abs(one.turn_deg).toFixed(0)} degrees ${one.turn_deg > 0 ? "right" : "left"}`;
  return `Keyframe ${index + 1} of ${count} at ${one.time_s.toFixed(1)} s: ${where || "at the start"}${turned}`;
}

function polyline(points) {
  return points.map(([x, y], place) => `${place ? "L" : "M"}${x.toFixed(1)} ${y.toFixed(1)}`).join("");
}

function translate([x, y]) {
  return `translate(${x.toFixed(1)} ${y.toFixed(1)})`;
}

/** The field of view of a camera at (x, y). */
function wedge(x, y, turn, degrees, far) {
  const side = (sign) => {
    const angle = ((turn + (sign * degrees) / 2) * Math.PI) / 180;
    return [x + Math.sin(angle) * far, y - Math.cos(angle) * far];
  };
  const [left, right] = [side(-1), side(1)];
  return `M${x.toFixed(1)} ${y.toFixed(1)}L${left.map((v) => v.toFixed(1)).join(" ")}A${far.toFixed(1)} ${far.toFixed(1)} 0 0 1 ${right.map((v) => v.toFixed(1)).join(" ")}Z`;
}

function round(value) {
  return Math.round(value * 1000) / 1000;
}
