// Highlights the words of a prompt that state a parameter, while the pointer is on its chip.

import { valueText } from "./words.js";

const NAME = "wb-pointed";
const WORD = /[\p{L}\p{N}]+/gu;
const EMPTY_WORDS = new Set("a an the and or of in on at to by with from over its it is are".split(" "));

/** Highlight the words of `value` in the text of `place`; null removes the highlight. Changes no element. */
export function pointAt(place, value) {
  if (!("highlights" in CSS)) return; // an older browser: the chip shows the value anyway
  CSS.highlights.delete(NAME);
  const wanted = stemsOf(valueText(value));
  if (!wanted.size) return;
  const ranges = [];
  const walker = document.createTreeWalker(place, NodeFilter.SHOW_TEXT);
  for (let node = walker.nextNode(); node; node = walker.nextNode()) {
    for (const match of node.data.matchAll(WORD)) {
      if (!wanted.has(stem(match[0]))) continue;
      const range = new Range();
      range.setStart(node, match.index);
      range.setEnd(node, match.index + match[0].length);
      ranges.push(range);
    }
  }
  if (ranges.length) CSS.highlights.set(NAME, new Highlight(...ranges));
}

function stemsOf(text) {
  const words = text.match(WORD) ?? [];
  return new Set(words.filter((word) => !EMPTY_WORDS.has(word.toLowerCase())).map(stem));
}

function stem(word) {
  const small = word.toLowerCase();
  const cut = small.replace(/(?:ning|ing|es|s|ed|y|ily|ly)$/u, "");
  return cut.length > 2 ? cut : small;
}
