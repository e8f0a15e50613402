// Virtualises long lists: only rows near the view, and held ones, exist; spacers take the space of the others.

export const NEAR = 800; // px beyond the view

/**
 * The items of the existing rows, with a spacer `{ key, height }` for each run of others.
 *
 * `rows` are [{ items, height }], `gap` px apart; `view` is [top, bottom] in px below the first row's upper edge.
 */
export function windowed(rows, view, { gap = 0, near = NEAR, isHeld = () => false } = {}) {
  const end = rows.reduce((sum, { height }) => sum + height + gap, -gap);
  const room = view[1] - view[0];
  const top = Math.max(0, Math.min(view[0], end - room)) - near; // a view beyond the end shows the end
  const bottom = Math.max(0, view[1]) + near;
  const shown = [];
  let at = 0;
  let spacer = null;
  let spacers = 0;
  for (const { items, height } of rows) {
    if ((at + height > top && at < bottom) || items.some(isHeld)) {
      shown.push(...items);
      spacer = null;
    } else if (spacer) {
      spacer.height += gap + height;
    } else {
      spacer = { key: `spacer ${(spacers += 1)}`, spacer: true, height };
      shown.push(spacer);
    }
    at += height + gap;
  }
  return shown;
}

/** Whether no spacer, given as [top, bottom], is near the view. */
export function isCovered(view, spacers, near = NEAR) {
  return spacers.every(([top, bottom]) => bottom < view[0] - near / 2 || top > view[1] + near / 2);
}

/** The space of rows that do not exist. */
export class Spacer {
  constructor(tag = "div") {
    this.el = document.createElement(tag);
    this.el.className = "wb-spacer";
    this.el.setAttribute("aria-hidden", "true");
  }

  update({ height }) {
    this.el.style.height = `${height}px`;
  }
}
