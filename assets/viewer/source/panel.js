/** Sliders by name, in groups, with a search. The looks are those of the editor. */

const PARTS = [
  ["Brows", /^brow/], ["Eyes", /^eye/], ["Cheeks and nose", /^(cheek|nose)/],
  ["Jaw", /^jaw/], ["Mouth", /^(mouth|tongue)/], ["Expressions", /^/],
];
const STEP = 0.01;

/** An element with attributes, listeners (`on...`) and children. */
export function element(tag, attributes = {}, ...children) {
  const node = document.createElement(tag);
  for (const [key, value] of Object.entries(attributes)) {
    if (typeof value === "function") node.addEventListener(key.slice(2), value);
    else if (value !== false) node.setAttribute(key, value === true ? "" : value);
  }
  node.append(...children);
  return node;
}

/**
 * The sliders of `targets` ({name, min, max, start}). `onchange(weights)` hears all weights each
 * time a hand moved one.
 */
export class Panel {
  constructor(targets, onchange) {
    this.targets = targets;
    this.onchange = onchange;
    this.weights = {};
    this.rows = new Map(targets.map((target) => [target.name, this.#row(target)]));
    this.search = element("input", {
      type: "search", class: "mf-search", placeholder: `Search ${targets.length} expressions`,
      "aria-label": "Search the expressions", oninput: () => this.#find(),
    });
    this.none = element("p", { class: "mf-none", hidden: true }, "No expression has this name.");
    this.node = element("div", { class: "mf-panel" }, this.search, this.#presets(), ...this.#groups(), this.none);
  }

  #presets() {
    const set = (value) => () => {
      this.show(Object.fromEntries(this.targets.map((target) => [target.name, value(target)])));
      this.onchange(this.weights);
    };
    const button = (label, title, value) =>
      element("button", { type: "button", class: "mf-chip", title, onclick: set(value) }, label);
    return element(
      "div", { class: "mf-chips" },
      button("As fitted", "The expression of the photo", (target) => target.start),
      button("Neutral", "All weights zero", (target) => Math.min(Math.max(0, target.min), target.max)),
    );
  }

  #groups() {
    const left = [...this.targets];
    const take = (pattern) => left.filter(({ name }) => pattern.test(name)).map((target) => {
      left.splice(left.indexOf(target), 1);
      return this.rows.get(target.name).node;
    });
    return PARTS.map(([label, pattern]) => [label, take(pattern)])
      .filter(([, rows]) => rows.length)
      .map(([label, rows]) => this.#group(label, rows));
  }

  #group(label, rows) {
    const inside = element("div", { class: "mf-inside" }, ...rows);
    const fold = element("button", {
      type: "button", class: "mf-fold", "aria-expanded": "true",
      onclick: () => {
        inside.hidden = !inside.hidden;
        fold.setAttribute("aria-expanded", `${!inside.hidden}`);
      },
    }, label);
    return element("section", { class: "mf-group", "aria-label": label }, element("h3", {}, fold), inside);
  }

  #row({ name, min, max, start }) {
    const input = (type) => element("input", {
      type, min, max, step: type === "range" ? STEP : "any", class: type === "range" ? "mf-range" : "mf-number",
      "aria-label": name, "data-target": name, title: type === "range" ? `as fitted: ${round(start)}` : "",
      [type === "range" ? "oninput" : "onchange"]: (event) => this.#moved(name, event.target),
    });
    const range = input("range");
    const number = input("number");
    const label = element("label", { title: name }, name);
    const node = element("div", { class: "mf-row", ondblclick: () => this.#set(name, start) }, label, range, number);
    return { node, range, number, min, max, start };
  }

  #moved(name, input) {
    const { min, max } = this.rows.get(name);
    const value = input.valueAsNumber;
    const clear = Number.isFinite(value) ? Math.min(Math.max(value, min), max) : this.weights[name];
    this.#set(name, clear);
  }

  #set(name, value) {
    this.show({ ...this.weights, [name]: value });
    this.onchange(this.weights);
  }

  /** Move the sliders to `weights`; missing ones are 0. */
  show(weights) {
    for (const [name, row] of this.rows) {
      const value = weights[name] ?? 0;
      this.weights = { ...this.weights, [name]: value };
      if (row.range.valueAsNumber !== value) row.range.value = value;
      if (document.activeElement !== row.number || row.number.valueAsNumber !== value) row.number.value = round(value);
      const part = (at) => `${(100 * (at - row.min)) / (row.max - row.min || 1)}%`;
      row.range.style.setProperty("--from", part(Math.min(0, value)));
      row.range.style.setProperty("--to", part(Math.max(0, value)));
      row.node.classList.toggle("mf-changed", Math.abs(value - row.start) > STEP / 2);
    }
  }

  #find() {
    const words = this.search.value.toLowerCase().split(/\s+/).filter(Boolean);
    this.node.classList.toggle("mf-searching", words.length > 0);
    let found = 0;
    for (const [name, { node }] of this.rows) {
      const hit = words.every((word) => name.toLowerCase().includes(word));
      node.classList.toggle("mf-miss", !hit);
      found += hit;
    }
    for (const group of this.node.querySelectorAll(".mf-group"))
      group.classList.toggle("mf-miss", !group.querySelector(".mf-row:not(.mf-miss)"));
    this.none.hidden = found > 0;
  }
}

const round = (value) => `${Math.round(value * 100) / 100}`;
