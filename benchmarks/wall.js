// What the benchmark of the results looks for in the page; installed as `window.wall`.
(() => {
  const all = (what) => [...document.querySelectorAll(`.wb-step-results ${what}`)];
  const one = (what) => all(what)[0];
  const inView = (node, room = { top: 0, bottom: innerHeight }) => {
    const box = node.getBoundingClientRect();
    return box.width > 0 && box.bottom > room.top && box.top < room.bottom;
  };
  const select = (label) => all("label").find((each) => each.firstChild.textContent === label).querySelector("select");

  window.wall = {
    all,
    step: (name) => [...document.querySelectorAll(".wb-stepper button")].find((each) => each.textContent.includes(name)),
    button: (name) => all("button").find((each) => each.textContent === name && each.checkVisibility()),
    told: (words) => words.test(one(".wb-head .wb-quiet").textContent),
    count: () => Number(/^\d+/.exec(one(".wb-head .wb-quiet").textContent)[0]),

    /** Whether every card in view is there, down to the lower edge of the view or the end of the wall. */
    filled: () => {
      const seen = all("article").filter((each) => inView(each));
      if (!seen.length || !seen.every((each) => each.querySelector(".wb-result-caption")?.textContent)) return false;
      const end = Math.min(innerHeight, one(".wb-results").getBoundingClientRect().bottom) - 40;
      return seen.some((each) => each.getBoundingClientRect().bottom >= end);
    },
    cards: () => all("article").filter((each) => inView(each) && each.getBoundingClientRect().top > 0),
    first: () => all("article")[0]?.dataset.key,
    unstarred: () => wall.cards().find((each) => each.querySelector(".wb-star")?.ariaPressed === "false"),
    /** What scrolls the wall: the page, or an element of the dashboard. */
    scroller: () => {
      let node = one(".wb-results").parentElement;
      while (node && !(node.scrollHeight > node.clientHeight && /auto|scroll/.test(getComputedStyle(node).overflowY))) node = node.parentElement;
      return node ?? document.scrollingElement;
    },
    top: () => one(".wb-results").getBoundingClientRect().top,
    width: () => one('article').offsetWidth,
    size: () => one("[aria-label='Size of the pictures']"),
    search: () => {
      one(".wb-filters").open = true;
      return one("[aria-label='Search videos']");
    },
    /** What tells the first video from others. */
    word: () => one(".wb-result-caption > span:last-child").textContent.split(" · ").pop(),
    rows: () => {
      const room = one(".wb-table-scroll").getBoundingClientRect();
      return all("tbody tr:not([aria-hidden])").filter((each) => inView(each, room)).map((each) => each.textContent).join();
    },
    row: () => {
      const { top, bottom } = one(".wb-table-scroll").getBoundingClientRect();
      return all("tbody tr:not([aria-hidden])").find((each) => each.getBoundingClientRect().top > top + 60 && each.getBoundingClientRect().bottom < bottom);
    },
    named: (name) => [...document.querySelectorAll(".wb-bar-actions button")].find((each) => each.textContent === name),
    viewer: () => one(".wb-viewer[open]"),

    /** Put a choice beside the wanted one, unseen by the page, so that an arrow key makes it. */
    beside: (label, value) => {
      const node = select(label);
      const wanted = value === "axis" ? 4 : [...node.options].findIndex((each) => each.value === value);
      node.selectedIndex = wanted ? wanted - 1 : 1;
      node.focus({ preventScroll: true });
    },
  };
})
