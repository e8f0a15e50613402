// Tells the kernel that the user is at work, so that workers that have left are back before the click that needs them.

const WAKE_MS = 20_000; // less than a supervisor waits before it leaves (idle_exit_s)
const SIGNS = ["keydown", "pointerdown", "pointermove"];

/** Call `wake` at the user's first move over `el`, and again while they go on. */
export function listenForWaking(el, wake, signal) {
  let last = -Infinity;
  const stir = () => {
    const now = performance.now();
    if (now - last < WAKE_MS) return;
    last = now;
    wake();
  };
  for (const sign of SIGNS) el.addEventListener(sign, stir, { signal, passive: true, capture: true });
}
