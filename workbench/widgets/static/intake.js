// Files dropped or pasted anywhere: an image to start from, or a workbench video to continue.

import { h, show } from "./dom.js";
import { Notice } from "./notice.js";
import { bytesOf, upload } from "./upload.js";

export class Intake {
  constructor(store, settings, { taken }) {
    this.store = store;
    this.settings = settings;
    this.taken = taken;
    this.notice = new Notice();
    this.veil = h("div", { class: "wb-drop", hidden: true, "aria-hidden": "true" }, h("p", { text: "Drop an image to start from, or a video made here to continue its session." }));
    this.el = h("div", {}, this.veil, this.notice.el);
  }

  listen(root) {
    root.addEventListener("dragover", (event) => this._over(event));
    root.addEventListener("dragleave", (event) => root.contains(event.relatedTarget) || show(this.veil, false));
    root.addEventListener("drop", (event) => this._drop(event));
    root.addEventListener("paste", (event) => this._take([...(event.clipboardData?.files ?? [])], event));
  }

  /** Use an image as the start image of renders. */
  async begin(file) {
    await this.settings.change({ image: await upload(this.store, file) });
  }

  _over(event) {
    if (![...event.dataTransfer.types].includes("Files")) return;
    event.preventDefault();
    show(this.veil, true);
  }

  _drop(event) {
    show(this.veil, false);
    this._take([...event.dataTransfer.files], event);
  }

  _take([file], event) {
    if (!file) return;
    event.preventDefault();
    if (file.type.startsWith("image/")) this.notice.guard(() => this.begin(file));
    else if (file.type === "video/mp4") this._restore(file);
    else this.notice.say("Only images and MP4 videos are accepted.");
  }

  _restore(file) {
    return this.notice.guard(async () => {
      const found = await this.store.send("restore", { known: this.store.known() }, await bytesOf(file));
      this.taken(found.index);
    });
  }
}
