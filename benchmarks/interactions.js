// Times an interaction in the page by the browser's own means; installed as `window.probe`.
(() => {
  const INPUTS = ["click", "keydown"];
  const TOLD_MS = 60; // until the browser has told of its events
  const timings = [];
  new PerformanceObserver((list) => timings.push(...list.getEntries())).observe({ type: "event", durationThreshold: 16 });

  /** Resolves in the task after the next frame has been drawn. */
  const drawn = () =>
    new Promise((next) => {
      requestAnimationFrame(() => {
        const { port1, port2 } = new MessageChannel();
        port1.onmessage = next;
        port2.postMessage(0);
      });
    });

  let began = null;
  let waiting = null;
  const hear = (event) => {
    began ??= event.timeStamp;
  };

  async function wait(done, limitMs) {
    const limit = performance.now() + limitMs;
    while (began === null || !done()) {
      if (performance.now() > limit) throw new Error(`${began === null ? "no input" : "never came"}: ${done}`);
      await drawn();
    }
    await drawn(); // what was changed after a frame is drawn in the next one
    return performance.now() - began;
  }

  window.probe = {
    /** Wait for the next input, then until `done()` holds and has been drawn. */
    arm(done, limitMs) {
      began = null;
      for (const type of INPUTS) addEventListener(type, hear, { capture: true, passive: true });
      waiting = wait(done, limitMs);
      waiting.catch(() => {});
    },

    begin() {
      began = performance.now();
    },

    get begun() {
      return began;
    },

    /** Milliseconds from the input until it was done, and to the frame after it. */
    async result() {
      const clock = await waiting;
      for (const type of INPUTS) removeEventListener(type, hear, { capture: true });
      await new Promise((next) => setTimeout(next, TOLD_MS));
      const own = timings.splice(0).filter((one) => one.interactionId && one.startTime + one.duration >= began);
      return { clock, paint: Math.max(0, ...own.map((one) => one.duration)) };
    },

    /** Bring an element into view, and return its centre. */
    async aim(node) {
      if (!node) throw new Error("nothing to click");
      const hit = () => {
        const box = node.getBoundingClientRect();
        const at = [box.left + box.width / 2, box.top + box.height / 2];
        return node.contains(document.elementFromPoint(...at)) ? at : null;
      };
      if (!hit()) node.scrollIntoView({ block: "center" });
      await drawn();
      await drawn();
      if (!hit()) throw new Error(`covered: ${node.outerHTML.slice(0, 200)}`);
      return hit();
    },

    /** A fixed piece of work for script, style and layout; returns its milliseconds. */
    work() {
      const start = performance.now();
      const numbers = Array.from({ length: 60_000 }, (_, place) => (place * 7919) % 60_013).sort((a, b) => a - b);
      const holder = document.createElement("div");
      holder.style.cssText = "position: fixed; inset: 0 auto auto 0; height: 100px; opacity: 0; pointer-events: none; contain: strict";
      for (let place = 0; place < 800; place += 1) {
        const node = document.createElement("p");
        node.textContent = `A line of ordinary length, number ${numbers[place]}, to be styled and laid out.`;
        holder.append(node);
      }
      document.body.append(holder);
      for (const width of [600, 500, 400]) {
        holder.style.width = `${width}px`;
        holder.lastChild.getBoundingClientRect();
      }
      holder.remove();
      return performance.now() - start;
    },
  };
})
