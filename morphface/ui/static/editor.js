/**
 * The editor of a face: sliders, a picture to drag on, and words that say what goes on.
 *
 * One module without dependencies for every front end: its default export is for notebooks
 * (anywidget), `mount` for a page of the package's own server. What a message means is decided
 * in Python; here is only what a hand does and what an eye sees.
 *
 * A transport is `{send(message), close()}`: `send` returns a promise of `{fields, buffers}` and
 * rejects when nobody can answer. It calls `onlost(words)` when the other side is gone, and
 * `onnews(reply)` for answers to somebody else, as a second view of the same widget.
 */

const QUIET = 150; // milliseconds until a wait is worth a word
const SLOW = 6000; // and until it is worth an explanation
const REST = 120; // of a hand, before the picture is drawn again at full size
const PAUSE = 400; // the same, of a hand that still holds
const MOVES = ["set", "drag"];
const STEP_DEGREES = 2; // of an arrow key on a pad
const MAIN_VIEWS = ["photo", "rendered", "mesh"];
const ZOOMS = { face: "Face", photo: "Whole" }; // what the switch says; not "Photo", which is a view
const LARGEST = 1.6; // times its own pixels is a picture shown, more is but a blur

// ---------------------------------------------------------------- messages

/** Whether `next` says all that `last`, which was not sent yet, would have said. */
function replaces(next, last) {
  const same = ["do", "control", "what"].every((key) => next[key] === last[key]);
  return same && MOVES.includes(next.do) && last.dragging === true && !next.start;
}

/** One unanswered message at a time; of moves that wait, only the newest. */
export class Post {
  constructor(send) {
    this.send = send;
    this.waiting = [];
    this.since = null;
  }

  /** The reply to `message`; null if a newer one took its place. */
  ask(message) {
    const last = this.waiting.at(-1);
    if (last && replaces(message, last.message)) {
      this.waiting.pop();
      message = { ...message, ...(last.message.start ? { start: true } : {}) };
      last.resolve(null);
    }
    return new Promise((resolve, reject) => {
      this.waiting.push({ message, resolve, reject });
      this.next();
    });
  }

  async next() {
    if (this.since !== null || !this.waiting.length) return;
    const { message, resolve, reject } = this.waiting.shift();
    this.since = performance.now();
    try {
      resolve(await this.send(message));
    } catch (error) {
      reject(error);
    } finally {
      this.since = null;
      this.next();
    }
  }

  /** Whether a message waits, or its answer. */
  get busy() {
    return this.since !== null || this.waiting.length > 0;
  }

  /** Whether a message about `control` has not been sent yet. */
  holds(control) {
    return this.waiting.some(({ message }) => message.control === control);
  }
}

/** Messages of a widget, over the kernel's own channel. */
function kernelTransport(model) {
  const open = new Map();
  const view = Math.random().toString(36).slice(2); // two views of one widget hear each other
  let count = 0;
  const kernel = model.widget_manager?.kernel ?? model.widget_manager?.context?.sessionContext?.session?.kernel;
  const lost = () => {
    const words = "The kernel is gone: run the cell again.";
    for (const { reject } of open.values()) reject(new Error(words));
    open.clear();
    transport.onlost?.(words);
  };
  const status = (_, now) => ["dead", "restarting", "autorestarting", "terminating"].includes(now) && lost();
  const watched = [[kernel?.statusChanged, status], [kernel?.disposed, lost]]; // a shut one says no status
  const hear = (fields, buffers) => {
    const asked = open.get(fields.id);
    open.delete(fields.id);
    if (asked) asked.resolve({ fields, buffers });
    else transport.onnews?.({ fields, buffers });
  };
  const transport = {
    send: (message) =>
      new Promise((resolve, reject) => {
        const id = `${view}-${++count}`;
        open.set(id, { resolve, reject });
        try {
          model.send({ ...message, id });
        } catch {
          lost();
        }
      }),
    close: () => {
      model.off("msg:custom", hear);
      model.off("comm_live_update", lost);
      model.off("comm:close", lost);
      watched.forEach(([signal, heard]) => signal?.disconnect(heard));
    },
  };
  model.on("msg:custom", hear);
  model.on("comm_live_update", lost);
  model.on("comm:close", lost);
  watched.forEach(([signal, heard]) => signal?.connect(heard));
  return transport;
}

/** Messages over HTTP: JSON there; back the length of a header, the header, then the bytes. */
function pageTransport(address) {
  let count = 0;
  let missed = 0;
  const words = "The program behind this page has ended: run morphface edit --ui again.";
  const gone = () => transport.onlost?.(words);
  const watch = setInterval(async () => {
    const alive = await fetch(`${address}alive`, { cache: "no-store" }).then((r) => r.ok, () => false);
    missed = alive ? 0 : missed + 1;
    if (missed > 1) {
      clearInterval(watch);
      gone();
    }
  }, 2500);
  const transport = {
    send: async (message) => {
      const body = JSON.stringify({ ...message, id: ++count });
      const options = { method: "POST", body, headers: { "Content-Type": "application/json" } };
      let reply;
      try {
        reply = await fetch(`${address}message`, options);
      } catch {
        gone();
        throw new Error(words);
      }
      if (!reply.ok) throw new Error((await reply.text()) || `the answer was ${reply.status}`);
      return unpacked(await reply.arrayBuffer());
    },
    close: () => clearInterval(watch),
  };
  return transport;
}

function unpacked(data) {
  const length = new DataView(data).getUint32(0, true);
  const header = JSON.parse(new TextDecoder().decode(new Uint8Array(data, 4, length)));
  let offset = 4 + length;
  const buffers = header.sizes.map((size) => {
    const part = new DataView(data, offset, size);
    offset += size;
    return part;
  });
  return { fields: header.fields, buffers };
}

// ---------------------------------------------------------------- small helpers

/** An element with attributes, listeners (`onclick: f`) and children. */
function make(name, attributes = {}, ...children) {
  const space = ["svg", "circle", "ellipse", "path", "defs", "radialGradient", "stop"].includes(name);
  const node = space ? document.createElementNS("http://www.w3.org/2000/svg", name) : document.createElement(name);
  for (const [key, value] of Object.entries(attributes)) {
    if (key.startsWith("on")) node.addEventListener(key.slice(2), value);
    else if (value === true) node.setAttribute(key, "");
    else if (value !== false && value != null) node.setAttribute(key, value);
  }
  node.append(...children.filter((child) => child != null));
  return node;
}

const button = (text, label, onclick, more = {}) =>
  make("button", { type: "button", class: "mf-button", title: label, "aria-label": label, onclick, ...more }, text);

/** A name that breaks where a new word begins: eyeLook|Down|Left. */
const breakable = (name) => name.split(/(?<=[a-z])(?=[A-Z])/).flatMap((part, k) => (k ? [make("wbr"), part] : [part]));

const words = (name) => name.replace(/[_-]/g, " ").replace(/^./, (c) => c.toUpperCase());
const radians = (degrees) => (degrees * Math.PI) / 180;
const nearly = (a, b, step) => Math.abs(a - b) < step / 2;
let made = 0; // editors on this page, so that identifiers differ

/** Put text where it can be pasted; false if the browser does not let us. */
async function copied(text) {
  try {
    await navigator.clipboard.writeText(text);
    return true;
  } catch {
    return false;
  }
}

/** Buttons of which one is chosen, by a click or the arrow keys. */
class Choice {
  constructor(label, choose) {
    this.choose = choose;
    this.bar = make("div", { class: "mf-segments", role: "radiogroup", "aria-label": label, onkeydown: (event) => this.key(event) });
    this.buttons = new Map();
  }

  fill(names, text) {
    this.buttons = new Map(names.map((name) => [name, make("button", { type: "button", role: "radio", class: "mf-button",
      onclick: () => this.choose(name) }, text(name))]));
    this.bar.replaceChildren(...this.buttons.values());
    this.mark(null);
  }

  /** Show `name` as chosen; false if it is none of these. */
  mark(name) {
    const found = this.buttons.has(name);
    [...this.buttons].forEach(([own, node], k) => {
      node.setAttribute("aria-checked", String(own === name));
      node.tabIndex = own === name || (!found && k === 0) ? 0 : -1;
    });
    return found;
  }

  key(event) {
    const step = { ArrowLeft: -1, ArrowUp: -1, ArrowRight: 1, ArrowDown: 1 }[event.key];
    const nodes = [...this.buttons.values()];
    const from = nodes.indexOf(event.target);
    if (!step || from < 0 || event.ctrlKey || event.metaKey || event.altKey) return;
    event.preventDefault();
    const next = nodes.at((from + step) % nodes.length);
    next.focus();
    next.click();
  }
}

function download(name, bytes) {
  const url = URL.createObjectURL(new Blob([bytes], { type: "application/octet-stream" }));
  make("a", { href: url, download: name }).click();
  setTimeout(() => URL.revokeObjectURL(url), 10000);
}

// ---------------------------------------------------------------- the picture

/** The picture, always as large as its finest version, so that nothing jumps. */
class Picture {
  constructor() {
    this.canvas = make("canvas", {
      class: "mf-picture", tabindex: 0, role: "application", "aria-roledescription": "picture",
      "aria-label": "The face. Drag, or use the arrow keys, to turn the head.",
    });
    this.latest = 0;
  }

  async draw({ type, width, height, coarse }, buffer) {
    const turn = ++this.latest;
    const image = await createImageBitmap(new Blob([buffer], { type }));
    if (turn !== this.latest) return; // a newer one came while this was unpacked
    const { canvas } = this;
    if (!coarse || canvas.width * height !== canvas.height * width || canvas.width < width) {
      canvas.width = width;
      canvas.height = height;
      canvas.style.maxWidth = `${LARGEST * width}px`;
      canvas.style.maxHeight = `${LARGEST * height}px`;
    }
    const brush = canvas.getContext("2d");
    brush.imageSmoothingQuality = "high";
    brush.drawImage(image, 0, 0, canvas.width, canvas.height);
    image.close();
    canvas.dataset.drawn = Number(canvas.dataset.drawn ?? 0) + 1;
    canvas.dataset.coarse = coarse;
  }

  /** Where the picture lies around its element, in CSS pixels. */
  get box() {
    const { canvas } = this;
    const { width, height } = canvas.getBoundingClientRect();
    const scale = Math.min(width / canvas.width, height / canvas.height);
    const [w, h] = [canvas.width * scale, canvas.height * scale];
    return { left: canvas.offsetLeft + (width - w) / 2, top: canvas.offsetTop + (height - h) / 2, width: w, height: h };
  }
}

/** Let `element` be dragged: `move(dx, dy, start, dragging)` in fractions of `width()`. */
function draggable(element, width, move) {
  let from = null;
  let begun = false;
  const offset = (event) => [(event.clientX - from.x) / from.width, (event.clientY - from.y) / from.width];
  element.addEventListener("pointerdown", (event) => {
    if (event.button !== 0 || from) return;
    from = { x: event.clientX, y: event.clientY, width: Math.max(width(), 1), id: event.pointerId };
    begun = false;
    element.setPointerCapture(event.pointerId);
    element.classList.add("mf-held");
  });
  element.addEventListener("pointermove", (event) => {
    if (event.pointerId !== from?.id) return;
    move(...offset(event), !begun, true);
    begun = true;
  });
  const end = (event) => {
    if (event.pointerId !== from?.id) return;
    if (begun) move(...offset(event), false, false);
    from = null;
    element.classList.remove("mf-held");
  };
  element.addEventListener("pointerup", end);
  element.addEventListener("pointercancel", end);
}

// ---------------------------------------------------------------- the editor

class Editor {
  constructor(root, transport) {
    this.root = root;
    this.name = `mf${++made}`;
    this.controls = new Map();
    this.held = null;
    this.rest = null;
    this.transport = transport;
    this.post = new Post((message) => transport.send(message));
    transport.onlost = (why) => this.lose(why);
    transport.onnews = (reply) => this.show(reply);
    this.build();
    this.listen();
    this.clock = setInterval(() => this.wait(), 100);
    this.open();
  }

  close() {
    clearInterval(this.clock);
    this.stay();
    this.ending.abort();
    this.transport.close();
  }

  /** Send, and show what comes back; the reply, or null where there was none. */
  async ask(message) {
    if (this.lost) return null;
    this.stay();
    this.calm = null;
    this.stage.setAttribute("aria-busy", "true");
    if (this.foot.dataset.kind === "") this.say("Ready");
    try {
      const reply = await this.post.ask(message);
      if (reply) await this.show(reply);
      return reply;
    } catch (error) {
      this.say(error.message, "error");
      return null;
    } finally {
      this.stage.setAttribute("aria-busy", String(this.post.busy || this.rest !== null));
    }
  }

  /** No finer picture for now: the hand goes on. */
  stay() {
    clearTimeout(this.rest);
    this.rest = null;
  }

  async open() {
    this.say("Opening…", "busy");
    const reply = await this.ask({ do: "open" });
    if (reply?.fields.ok) this.say("Ready");
  }

  lose(why) {
    this.lost = true;
    this.stay();
    this.say(why, "error");
    this.hint.textContent = why; // where the eye is; the words below may be out of sight
    this.root.classList.add("mf-lost");
    for (const node of this.root.querySelectorAll("button, input, select")) node.disabled = true;
  }

  /** Words for people, and for screen readers. */
  say(text, kind = "") {
    if (this.lost && kind !== "error") return;
    if (this.state.textContent !== text) this.state.textContent = text;
    this.foot.dataset.kind = kind;
  }

  wait() {
    const { since } = this.post;
    if (since === null) {
      if (this.foot.dataset.kind === "busy") this.say(this.calm ?? "Ready");
      return;
    }
    const time = performance.now() - since;
    if (time > SLOW)
      this.say("No answer yet. It may be busy with something else, as another cell; this waits.", "busy");
    else if (time > QUIET && this.foot.dataset.kind !== "busy") this.say("Drawing…", "busy");
  }

  // ------------------------------------------------------------ what is shown

  show({ fields, buffers }) {
    if (fields.controls) this.fill(fields);
    if (fields.ok === false || fields.error) {
      this.calm = null;
      this.say(fields.error || "That did not work.", "error");
    } else if (this.foot.dataset.kind === "error") this.say("Ready");
    this.values(fields.values ?? {});
    if ("view" in fields) this.chosen(fields.view);
    if ("zoom" in fields) this.zooms.mark(fields.zoom);
    if ("before" in fields) this.before.setAttribute("aria-pressed", String(Boolean(fields.before)));
    if ("undo" in fields) this.undo.disabled = this.lost || !fields.undo;
    if ("redo" in fields) this.redo.disabled = this.lost || !fields.redo;
    if (fields.eyes !== undefined) this.eyes = fields.eyes;
    return fields.picture ? this.paint(fields.picture, buffers[0]) : undefined;
  }

  async paint(picture, buffer) {
    const size = `${picture.width} × ${picture.height}`;
    this.time.textContent = `${Math.round(picture.milliseconds)} ms · ${size}`;
    if (picture.coarse && !this.post.busy)
      this.rest = setTimeout(() => this.ask({ do: "fine" }), this.held ? PAUSE : REST);
    await this.picture.draw(picture, buffer);
    this.place();
  }

  values(values) {
    for (const [id, value] of Object.entries(values)) {
      const control = this.controls.get(id);
      if (control && this.held !== id && !this.post.holds(id)) this.put(control, value);
    }
    this.turnBall();
    this.turnEye();
    this.root.querySelectorAll(".mf-group").forEach((group) => {
      group.classList.toggle("mf-changed", group.querySelector(".mf-row.mf-changed") !== null);
    });
  }

  put(control, value) {
    control.value = value;
    const { min, max, start, step, range, number, row } = control;
    const place = (x) => (100 * (x - min)) / (max - min || 1);
    const ends = [place(start), place(value)].sort((a, b) => a - b);
    range.value = value;
    if (document.activeElement !== number || number.dataset.typing !== "1") number.value = value.toFixed(control.digits);
    range.style.setProperty("--from", `${ends[0]}%`);
    range.style.setProperty("--to", `${ends[1]}%`);
    row.classList.toggle("mf-changed", !nearly(value, start, step));
  }

  chosen(view) {
    const map = !this.views.mark(view);
    this.maps.value = map ? view : "";
    this.maps.classList.toggle("mf-on", map);
  }

  // ------------------------------------------------------------ how it is built

  build() {
    this.picture = new Picture();
    this.state = make("span", { class: "mf-state", role: "status", "aria-live": "polite" });
    this.time = make("span", { class: "mf-time", "aria-hidden": "true" });
    this.panel = make("div", { class: "mf-panel" });
    this.side = make("section", { class: "mf-side", "aria-label": "Sliders" }, this.finder(), this.panel);
    this.hint = make("p", { class: "mf-hint", "aria-hidden": "true" }, "Drag to turn the head");
    this.easel = make("div", { class: "mf-easel" }, this.picture.canvas, this.hint);
    this.zooms = new Choice("How much to show", (name) => this.ask({ do: "zoom", name }));
    this.stage = make("section", { class: "mf-stage mf-beside", "aria-label": "Picture" }, this.easel,
      make("div", { class: "mf-tools" }, this.zooms.bar, this.ball(), this.eye()));
    this.foot = make("footer", { class: "mf-foot" },
      make("div", { class: "mf-words" }, make("i", { class: "mf-dot", "aria-hidden": "true" }), this.state, this.time),
      button("Copy JSON", "Copy the values as JSON", () => this.copy("json")),
      button("Copy Python", "Copy the values as Python code", () => this.copy("python")),
      button("Save glTF", "Save the head with its expressions as a glTF file", () => this.save(), { class: "mf-button mf-main" }));
    this.root.classList.add("mf-editor");
    this.root.dataset.lmSuppressShortcuts = "true"; // JupyterLab's keys are not for us
    this.frame = make("div", { class: "mf-frame" }, this.bar(), make("div", { class: "mf-body" }, this.stage, this.side), this.foot);
    this.root.replaceChildren(this.frame);
  }

  bar() {
    this.views = new Choice("What to show", (name) => this.look(name));
    this.maps = make("select", { class: "mf-select", "aria-label": "Maps", title: "Maps", onchange: () => this.look(this.maps.value) });
    this.before = button("Before", "Before and after: hold, or click to toggle", null, { "aria-pressed": "false" });
    this.undo = button("↶", "Undo (Ctrl+Z)", () => this.ask({ do: "undo" }), { class: "mf-button mf-icon", disabled: true });
    this.redo = button("↷", "Redo (Ctrl+Shift+Z)", () => this.ask({ do: "redo" }), { class: "mf-button mf-icon", disabled: true });
    return make("header", { class: "mf-bar", role: "toolbar", "aria-label": "Editor" }, this.views.bar, this.maps,
      make("span", { class: "mf-space" }), make("span", { class: "mf-together" }, this.before, this.undo, this.redo,
        button("Reset", "Reset everything to the fit", () => this.ask({ do: "reset" }))));
  }

  /** The sphere that shows where the light comes from. */
  ball() {
    const id = `${this.name}-light`;
    this.shine = make("radialGradient", { id, cx: "50%", cy: "50%", r: "72%" },
      make("stop", { offset: "0", "stop-color": "#fffbe8" }), make("stop", { offset: ".45", "stop-color": "#cdbf9d" }),
      make("stop", { offset: "1", "stop-color": "#2b2722" }));
    this.spot = make("circle", { r: 4, class: "mf-spot" });
    const picture = make("svg", { viewBox: "-50 -50 100 100", "aria-hidden": "true" },
      make("defs", {}, this.shine), make("circle", { r: 44, fill: `url(#${id})` }), this.spot);
    this.lightPad = this.pad("light", "Light", picture);
    return this.lightPad;
  }

  turnBall() {
    const [yaw, pitch] = [this.value("light/yaw"), this.value("light/pitch")];
    this.lightPad.hidden = yaw === null;
    if (yaw === null) return;
    const x = Math.sin(radians(yaw)) * Math.cos(radians(pitch));
    const y = -Math.sin(radians(pitch));
    const behind = Math.cos(radians(yaw)) * Math.cos(radians(pitch)) < 0;
    for (const [key, at] of [["cx", x], ["cy", y], ["fx", x], ["fy", y]])
      this.shine.setAttribute(key, `${50 + 40 * at}%`);
    this.spot.setAttribute("cx", 44 * x);
    this.spot.setAttribute("cy", 44 * y);
    this.spot.classList.toggle("mf-behind", behind);
  }

  /** The eye that shows where the eyes look. */
  eye() {
    this.iris = make("circle", { r: 17, class: "mf-iris" });
    this.pupil = make("circle", { r: 8, class: "mf-pupil" });
    const picture = make("svg", { viewBox: "-50 -50 100 100", "aria-hidden": "true" },
      make("path", { class: "mf-white", d: "M-46 0 Q0 -46 46 0 Q0 46 -46 0Z" }), this.iris, this.pupil);
    this.gazePad = this.pad("gaze", "Gaze", picture);
    return this.gazePad;
  }

  turnEye() {
    const [yaw, pitch] = [this.value("gaze/yaw"), this.value("gaze/pitch")];
    this.gazePad.hidden = yaw === null;
    if (yaw === null) return;
    for (const node of [this.iris, this.pupil]) {
      node.setAttribute("cx", 40 * Math.sin(radians(yaw)));
      node.setAttribute("cy", -34 * Math.sin(radians(pitch)));
    }
  }

  pad(what, label, picture) {
    const node = make("div", { class: `mf-pad mf-${what}`, tabindex: 0, role: "application",
      "aria-roledescription": "drag pad", title: `${label}: drag, or use the arrow keys`,
      "aria-label": `${label}. Drag, or use the arrow keys.` }, picture, make("span", { "aria-hidden": "true" }, label));
    draggable(node, () => this.reach(what, node), (dx, dy, start, dragging) => this.drag(what, dx, dy, start, dragging));
    this.steer(node, what);
    return node;
  }

  /** How many pixels of a hand count as the picture's width. */
  reach(what, node) {
    return what === "gaze" ? 2 * node.clientWidth : node.clientWidth;
  }

  /** Eye handles on the picture itself, where Python says where the eyes are. */
  place() {
    this.handles ??= [];
    const { eyes = [], picture: { box } } = this;
    while (this.handles.length < eyes.length) this.handles.push(this.handle());
    this.handles.forEach((node, index) => {
      const eye = eyes[index];
      node.hidden = !eye;
      if (!eye) return;
      const [x, y, radius] = eye.map((fraction) => fraction * box.width);
      const size = Math.max(2.4 * radius, 22);
      const where = { left: box.left + x - size / 2, top: box.top + y - size / 2, width: size, height: size };
      for (const [side, pixels] of Object.entries(where)) node.style[side] = `${pixels}px`;
    });
  }

  handle() {
    const node = make("div", { class: "mf-eye", title: "Drag the eye", "aria-hidden": "true" });
    draggable(node, () => this.picture.box.width, (...move) => this.drag("gaze", ...move));
    this.easel.append(node);
    return node;
  }

  // ------------------------------------------------------------ sliders

  fill({ controls, groups, presets, views, zooms = [] }) {
    this.controls.clear();
    const nodes = groups.map((group) => this.group(group, controls.filter((c) => c.group === group.id)));
    this.panel.replaceChildren(...this.presets(presets), ...nodes);
    this.zooms.fill(zooms, (name) => ZOOMS[name] ?? words(name));
    this.zooms.bar.hidden = zooms.length < 2;
    const plain = views.filter((name) => MAIN_VIEWS.includes(name));
    const maps = views.filter((name) => !plain.includes(name));
    this.views.fill(plain, words);
    this.maps.replaceChildren(make("option", { value: "", disabled: true, hidden: true }, "Maps"),
      ...maps.map((name) => make("option", { value: name }, words(name))));
    this.maps.hidden = !maps.length;
  }

  /** The field to search in, above the sliders, which scroll. */
  finder() {
    this.search = make("input", { type: "search", class: "mf-search",
      placeholder: "Search, as jawOpen or smile", "aria-label": "Search sliders and presets",
      oninput: () => this.find(), onkeydown: (event) => event.key === "Escape" && this.find((this.search.value = "")) });
    this.found = make("span", { class: "mf-unseen", role: "status", "aria-live": "polite" });
    return make("div", { class: "mf-find" }, this.search, this.found);
  }

  presets(names) {
    this.strength = make("input", { type: "range", min: 0, max: 1.5, step: 0.05, value: 1, class: "mf-range",
      "aria-label": "Strength of presets" });
    const shown = make("output", {}, "100 %");
    this.strength.addEventListener("input", () => (shown.textContent = `${Math.round(this.strength.value * 100)} %`));
    const strength = make("label", { class: "mf-strength" }, "Strength", this.strength, shown);
    const speech = names.filter((name) => name.startsWith("viseme_"));
    const faces = names.filter((name) => !speech.includes(name));
    const sounds = this.chips("Speech", speech, (name) => name.replace("viseme_", ""));
    return [this.section("presets", "Presets", true, null, this.chips("Expressions", faces, words), strength),
      ...(speech.length ? [this.section("speech", "Speech presets", false, null, sounds)] : [])];
  }

  chips(label, names, text) {
    const ask = (name) => this.ask({ do: "preset", name, strength: Number(this.strength.value) });
    const chip = (name) => button(text(name), words(name), () => ask(name), { class: "mf-chip" });
    return make("div", { class: "mf-chips", role: "group", "aria-label": label }, ...names.map(chip));
  }

  group({ id, label }, controls) {
    for (const control of controls)
      control.spoken = /^(expression|identity)/.test(control.id) ? control.label : `${label}: ${control.label}`;
    const rows = controls.map((control) => this.row(control));
    return this.section(id, label, id !== "identity", () => this.ask({ do: "reset", group: id }), ...rows);
  }

  /** A part of the panel that folds. */
  section(id, label, open, reset, ...content) {
    const inside = make("div", { class: "mf-inside", id: `${this.name}-${id}`, hidden: !open }, ...content);
    const fold = make("button", { type: "button", class: "mf-fold", "aria-expanded": String(open), "aria-controls": inside.id,
      onclick: () => this.unfold(node, inside.hidden) }, label);
    const again = reset && button("Reset", `Reset ${label}`, reset, { class: "mf-reset" });
    const node = make("section", { class: "mf-group", "data-group": id, "aria-label": label }, make("h3", {}, fold, again), inside);
    return node;
  }

  unfold(group, open) {
    group.querySelector(".mf-inside").hidden = !open;
    group.querySelector(".mf-fold").setAttribute("aria-expanded", String(open));
  }

  row(control) {
    const { id, label, spoken, min, max, step, start } = control;
    const digits = Math.max(0, Math.ceil(-Math.log10(step) - 1e-9));
    const reset = () => this.set(id, start, false);
    const keys = (event) => {
      if (event.key !== "Delete" && event.key !== "Backspace") return;
      event.preventDefault();
      reset();
    };
    const range = make("input", { type: "range", class: "mf-range", id: `${this.name}-${id}`,
      "data-control": id, "aria-label": spoken, min, max, step,
      title: "Double-click, or press Delete, to reset",
      oninput: () => { this.held = id; this.move(control, Number(range.value)); },
      onchange: () => this.release(), onblur: () => this.release(), ondblclick: reset, onkeydown: keys });
    const number = make("input", { type: "number", class: "mf-number", min, max, step: "any", "aria-label": `${spoken}, value`,
      oninput: () => (number.dataset.typing = "1"),
      onchange: () => { number.dataset.typing = "0"; this.set(id, number.value === "" ? start : Number(number.value), false); },
      onblur: () => (number.dataset.typing = "0") });
    const again = button("↺", `Reset ${spoken}`, reset, { class: "mf-again" });
    const row = make("div", { class: "mf-row", ondblclick: (event) => event.target.tagName === "LABEL" && reset() },
      make("label", { for: range.id, title: label }, ...breakable(label)), range, number, again);
    Object.assign(control, { range, number, row, digits });
    this.controls.set(id, control);
    this.put(control, control.value ?? start);
    return row;
  }

  /** Show the sliders and presets whose name holds what is typed; no letter is large, no space counts. */
  find() {
    const plain = (text) => text.toLowerCase().replace(/\s+/g, "");
    const wanted = plain(this.search.value);
    const rows = [...this.controls.values()].map(({ id, label, row }) => [row, `${id} ${label}`]);
    const chips = [...this.panel.querySelectorAll(".mf-chip")].map((chip) => [chip, chip.title]);
    let hits = 0;
    for (const [node, name] of [...rows, ...chips]) {
      const hit = plain(name).includes(wanted);
      node.classList.toggle("mf-miss", !hit);
      hits += hit;
    }
    for (const box of this.panel.querySelectorAll(".mf-group"))
      box.classList.toggle("mf-miss", box.querySelector(":is(.mf-row, .mf-chip):not(.mf-miss)") === null);
    this.panel.classList.toggle("mf-searching", wanted !== "");
    this.panel.scrollTop = 0;
    this.found.textContent = wanted === "" ? "" : hits ? `${hits} found` : `Nothing is called ${this.search.value.trim()}`;
    this.found.classList.toggle("mf-unseen", wanted === "" || hits > 0);
  }

  // ------------------------------------------------------------ what hands do

  value(id) {
    return this.controls.get(id)?.value ?? null;
  }

  move(control, value) {
    this.put(control, value);
    this.set(control.id, value, true);
  }

  set(id, value, dragging) {
    return this.ask({ do: "set", control: id, value, dragging });
  }

  /** The hand left the slider. */
  release() {
    const id = this.held;
    this.held = null;
    if (id !== null) this.set(id, this.value(id), false);
  }

  drag(what, dx, dy, start, dragging) {
    if (start) this.stage.classList.add("mf-known");
    this.held = dragging ? what : null;
    this.ask({ do: "drag", what, dx, dy, start, dragging });
  }

  /** Arrow keys on a pad turn by a little. */
  steer(node, what) {
    const turns = { ArrowLeft: ["yaw", -1], ArrowRight: ["yaw", 1], ArrowUp: ["pitch", 1], ArrowDown: ["pitch", -1] };
    node.addEventListener("keydown", (event) => {
      const [axis, sign] = turns[event.key] ?? [];
      const control = this.controls.get(`${what}/${axis}`);
      if (!control || event.ctrlKey || event.metaKey || event.altKey) return;
      event.preventDefault();
      const value = control.value + sign * STEP_DEGREES;
      this.put(control, Math.min(Math.max(value, control.min), control.max));
      this.set(control.id, control.value, false);
    });
  }

  look(name) {
    return this.ask({ do: "view", name });
  }

  listen() {
    this.ending = new AbortController();
    const { signal } = this.ending;
    draggable(this.picture.canvas, () => this.picture.box.width, (...move) => this.drag("pose", ...move));
    this.steer(this.picture.canvas, "pose");
    this.holdToCompare();
    this.root.addEventListener("keydown", (event) => this.key(event));
    document.addEventListener("pointerup", () => this.controls.has(this.held) && this.release(), { signal });
    const size = new ResizeObserver(() => this.place());
    size.observe(this.stage);
    signal.addEventListener("abort", () => size.disconnect());
  }

  /** A long press shows the photo as it was while it lasts; a short one toggles. */
  holdToCompare() {
    let since = null;
    const turn = (on) => this.ask({ do: "before", on });
    const on = () => this.before.getAttribute("aria-pressed") === "true";
    this.before.addEventListener("pointerdown", (event) => {
      if (event.button !== 0 || this.before.disabled) return;
      since = { time: performance.now(), was: on() };
      this.before.setPointerCapture(event.pointerId);
      turn(!since.was);
    });
    const end = () => {
      if (since && performance.now() - since.time > 350) turn(since.was);
      since = null;
    };
    this.before.addEventListener("pointerup", end);
    this.before.addEventListener("pointercancel", end);
    this.before.addEventListener("click", (event) => event.detail === 0 && turn(!on())); // a key
  }

  key(event) {
    event.stopPropagation();
    const written = event.target.matches?.("[type=search], [type=number], textarea");
    if (!(event.ctrlKey || event.metaKey) || event.altKey || written || this.lost) return;
    const letter = event.key.toLowerCase();
    if (letter !== "z" && letter !== "y") return;
    event.preventDefault();
    this.ask({ do: letter === "y" || event.shiftKey ? "redo" : "undo" });
  }

  async copy(what) {
    const reply = await this.ask({ do: "copy" });
    if (!reply?.fields.ok) return;
    const text = reply.fields[what];
    const name = what === "json" ? "JSON" : "Python";
    if (await copied(text)) this.say((this.calm = `${name} is on the clipboard`));
    else this.offer(text);
  }

  /** Text to copy by hand, where the browser keeps us from its clipboard. */
  offer(text) {
    const area = make("textarea", { class: "mf-text", readonly: true, "aria-label": "Text to copy" });
    area.value = text;
    const box = make("dialog", { class: "mf-dialog", "aria-label": "Copy", onclose: () => box.remove() },
      make("p", {}, "The browser does not let the editor copy. Press Ctrl+C:"), area,
      button("Close", "Close", () => box.close()));
    this.root.append(box);
    box.showModal();
    area.select();
  }

  async save() {
    this.say("Making the head…", "busy");
    const reply = await this.ask({ do: "save", format: "gltf" });
    if (!reply?.fields.ok) return;
    download(reply.fields.file, reply.buffers[0]);
    this.say((this.calm = `Saved ${reply.fields.file}`));
  }
}

/** An editor in `element` of a page that the package's server sent; ends with the page. */
export function mount(element, address = "./") {
  const editor = new Editor(element, pageTransport(address));
  document.addEventListener("keydown", (event) => element.contains(event.target) || editor.key(event));
  window.addEventListener("focus", () => editor.ask({ do: "fine" })); // another tab may have moved something
  return editor;
}

export default {
  render({ model, el }) {
    const editor = new Editor(el, kernelTransport(model));
    return () => editor.close();
  },
};
