/**
 * A textured head with morph targets, to turn and to move, in a notebook or in a page of its own.
 *
 * The default export is for notebooks (anywidget); `page` fills a page without Python. Both have
 * the same model: `_glb` (bytes of a .glb file), `_targets` ({name, min, max, start}), `weights`,
 * `light` (degrees), `textured`, `wireframe`.
 */

import { readHead, Stage } from "./head.js";
import { element, Panel } from "./panel.js";

const NO_WEBGL =
  "This browser draws no 3D here: WebGL 2 is missing or switched off. Switch on hardware " +
  "acceleration in its settings, or open the saved head.glb in another viewer.";
const LOST = "The browser took this view's memory for another one.";
const FURTHEST = 90; // degrees of the lamp

/** One view of a model, inside `host`; the function that takes it away again. */
function mount(model, host) {
  const view = new View(model, host);
  view.open();
  return () => view.close();
}

class View {
  constructor(model, host) {
    this.model = model;
    this.host = host;
    this.heard = [];
  }

  open() {
    const canvas = element("canvas", {
      tabindex: "0", "aria-label": "The head in 3D: drag or use the arrow keys to turn it",
    });
    this.place = element("div", { class: "mf-stage" }, canvas, this.#hint());
    this.panel = new Panel(this.model.get("_targets"), (weights) => this.#send("weights", weights));
    this.frame = element("div", { class: "mf-frame" }, this.#bar(), element("div", { class: "mf-body" }, this.place, this.panel.node));
    this.root = element("div", { class: "mf-editor mf-viewer" }, this.frame);
    this.host.append(this.root);
    this.panel.show(this.model.get("weights"));
    const context = canvas.getContext("webgl2", { antialias: true, alpha: true, powerPreference: "default" });
    if (!context) return this.#say(NO_WEBGL);
    this.stage = new Stage(canvas, context, (event) => this.#lost(event));
    this.watcher = new ResizeObserver(() => this.#fit());
    this.watcher.observe(this.place);
    return this.#load();
  }

  async #load() {
    const { stage } = this;
    this.root.dataset.state = "loading";
    try {
      const mesh = await readHead(bytes(this.model.get("_glb")));
      if (this.stage !== stage) return; // closed meanwhile
      this.#fit();
      stage.show(mesh);
    } catch (error) {
      this.#say(`The head cannot be shown: ${error.message}.`);
      return;
    }
    this.#listen("weights", () => this.#deform());
    this.#listen("textured", (on) => stage.texture(this.#press(this.texture, on)));
    this.#listen("wireframe", (on) => stage.wireframe(this.#press(this.wires, on)));
    this.#listen("light", (degrees) => stage.light((this.lamp.value = degrees)));
    this.root.dataset.state = "ready";
  }

  #fit() {
    const { clientWidth, clientHeight } = this.place;
    this.stage?.resize(clientWidth, clientHeight);
  }

  #hint() {
    return element("p", { class: "mf-hint" }, "Drag to turn, click and scroll to zoom");
  }

  #bar() {
    const button = (label, title, onclick) =>
      element("button", { type: "button", class: "mf-button", title, onclick }, label);
    const flip = (name) => () => this.#send(name, !this.model.get(name));
    this.texture = button("Texture", "Show the colours of the photo, or clay", flip("textured"));
    this.wires = button("Wireframe", "Show the triangles", flip("wireframe"));
    this.lamp = element("input", {
      type: "range", class: "mf-range", min: -FURTHEST, max: FURTHEST, step: 1, "aria-label": "Light",
      oninput: () => this.#send("light", this.lamp.valueAsNumber),
    });
    const light = element("label", { class: "mf-lamp", title: "Where the light comes from" }, "Light", this.lamp);
    const reset = button("Reset view", "Look from the front (double click)", () => this.stage?.reset());
    return element("div", { class: "mf-bar" }, reset, this.texture, this.wires, element("span", { class: "mf-space" }), light);
  }

  #press(button, on) {
    button.setAttribute("aria-pressed", `${on}`);
    return on;
  }

  /** Hear of changes of `name`, and of its value now. */
  #listen(name, hear) {
    const listener = () => hear(this.model.get(name));
    this.model.on(`change:${name}`, listener);
    this.heard.push([`change:${name}`, listener]);
    listener();
  }

  #deform() {
    const weights = this.model.get("weights");
    this.panel.show(weights);
    this.stage?.deform(weights);
  }

  /** Change the model; Python hears of it at most once a frame. */
  #send(name, value) {
    this.model.set(name, value);
    this.saving ??= requestAnimationFrame(() => {
      this.saving = null;
      this.model.save_changes();
    });
  }

  #lost(event) {
    event.preventDefault();
    this.#say(LOST);
    const again = element("button", { type: "button", class: "mf-button mf-main" }, "Show it again");
    again.addEventListener("click", () => {
      this.close();
      this.open();
    });
    this.place.querySelector(".mf-message").append(again);
  }

  #say(words) {
    this.root.dataset.state = "failed";
    this.place.querySelector(".mf-message")?.remove();
    this.place.append(element("div", { class: "mf-message", role: "alert" }, element("p", {}, words)));
  }

  close() {
    if (this.saving) this.model.save_changes();
    cancelAnimationFrame(this.saving);
    this.saving = null;
    this.heard.splice(0).forEach(([event, listener]) => this.model.off(event, listener));
    this.watcher?.disconnect();
    this.stage?.dispose();
    this.stage = null;
    this.root?.remove();
  }
}

/** The model of a page without Python. */
class Store {
  constructor(values) {
    this.values = values;
    this.target = new EventTarget();
  }

  get(name) {
    return this.values[name];
  }

  set(name, value) {
    this.values = { ...this.values, [name]: value };
    this.target.dispatchEvent(new Event(`change:${name}`));
  }

  on(event, listener) {
    this.target.addEventListener(event, listener);
  }

  off(event, listener) {
    this.target.removeEventListener(event, listener);
  }

  save_changes() {}
}

/** What bytes a model holds: a DataView from Python, or base64 text in a page. */
function bytes(value) {
  if (typeof value !== "string") return new Uint8Array(value.buffer, value.byteOffset, value.byteLength);
  return Uint8Array.from(atob(value), (letter) => letter.charCodeAt(0));
}

/** Fill a page with the viewer of `values`; its model, for scripts. */
export function page(host, values) {
  const model = new Store(values);
  mount(model, host);
  return model;
}

export { readHead };

export default {
  render({ model, el }) {
    return mount(model, el);
  },
};
