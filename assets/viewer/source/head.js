/** The head itself: a glTF surface with morph targets, and the light, camera and canvas it has. */

import {
  AmbientLight, Box3, BufferAttribute, Color, DirectionalLight, MathUtils, Mesh, MeshBasicMaterial,
  PerspectiveCamera, Scene, Spherical, Vector3, WebGLRenderer,
} from "three";
import { OrbitControls } from "three/examples/jsm/controls/OrbitControls.js";
import { GLTFLoader } from "three/examples/jsm/loaders/GLTFLoader.js";

const ANGLE = 24; // of view, in degrees: near that of a portrait lens
const MARGIN = 1.04; // around the head
const CLAY = 0xb9b2aa;
const KEY = 2.6; // light from a lamp, of the pi that show a surface in its own colour
const FILL = 1.15; // light from everywhere
const RAISED = 22; // degrees that the lamp stands above the eyes
const FARTHEST = 89; // degrees up or down

/** The mesh with morph targets in the bytes of a `.glb` file. */
export async function readHead(bytes) {
  const content = bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.byteLength);
  const { scene } = await new GLTFLoader().parseAsync(content, "");
  const meshes = [];
  scene.traverse((node) => node.isMesh && meshes.push(node));
  if (!meshes.length) throw new Error("the file holds no mesh");
  return meshes[0];
}

/**
 * Normals of the deformed surface. A morph target only moves vertices; without this, an open
 * mouth would be lit as a closed one.
 */
export class Normals {
  constructor(geometry) {
    this.geometry = geometry;
    this.rest = geometry.attributes.position.array;
    this.moves = (geometry.morphAttributes.position ?? []).map((attribute) => attribute.array);
    this.index = geometry.index.array;
    this.home = welded(this.rest);
    geometry.setAttribute("normal", new BufferAttribute(new Float32Array(this.rest.length), 3));
  }

  update(weights) {
    const at = Float32Array.from(this.rest);
    this.moves.forEach((move, k) => {
      const weight = weights[k];
      if (weight) for (let i = 0; i < at.length; i++) at[i] += weight * move[i];
    });
    const { array } = this.geometry.attributes.normal;
    array.fill(0);
    for (let i = 0; i < this.index.length; i += 3) this.#add(array, at, this.index.subarray(i, i + 3));
    for (let v = 0; v < this.home.length; v++) {
      const from = 3 * this.home[v];
      for (let c = 0; c < 3; c++) array[3 * v + c] = array[from + c];
    }
    this.geometry.attributes.normal.needsUpdate = true; // the shader brings them to unit length
  }

  /** A face adds its normal, as long as its area, to its corners. */
  #add(normals, at, [a, b, c]) {
    const [p, q, r] = [3 * a, 3 * b, 3 * c];
    const [ux, uy, uz] = [at[q] - at[p], at[q + 1] - at[p + 1], at[q + 2] - at[p + 2]];
    const [vx, vy, vz] = [at[r] - at[p], at[r + 1] - at[p + 1], at[r + 2] - at[p + 2]];
    const scale = 1e6; // square metres are small for single floats
    const x = scale * (uy * vz - uz * vy);
    const y = scale * (uz * vx - ux * vz);
    const z = scale * (ux * vy - uy * vx);
    for (const corner of [a, b, c]) {
      const to = 3 * this.home[corner];
      normals[to] += x;
      normals[to + 1] += y;
      normals[to + 2] += z;
    }
  }
}

/** For each vertex the first one at its place: texture seams double vertices. */
function welded(positions) {
  const first = new Map();
  return Int32Array.from({ length: positions.length / 3 }, (_, v) => {
    const key = `${positions[3 * v]},${positions[3 * v + 1]},${positions[3 * v + 2]}`;
    if (!first.has(key)) first.set(key, v);
    return first.get(key);
  });
}

/** A canvas with a head that can be turned. Draws only when something changed. */
export class Stage {
  constructor(canvas, context, onlost) {
    this.canvas = canvas;
    this.renderer = new WebGLRenderer({ canvas, context, antialias: true, alpha: true });
    this.scene = new Scene();
    this.camera = new PerspectiveCamera(ANGLE, 1, 0.01, 20);
    this.lamp = new DirectionalLight(0xffffff, KEY);
    this.lamp.target = this.camera; // lamp and camera move together
    this.camera.add(this.lamp);
    this.scene.add(this.camera, new AmbientLight(0xffffff, FILL));
    this.controls = new OrbitControls(this.camera, canvas);
    this.controls.enableZoom = false; // a wheel scrolls the notebook until the canvas was clicked
    this.controls.addEventListener("change", () => this.draw());
    this.listeners = new AbortController();
    const { signal } = this.listeners;
    canvas.addEventListener("focus", () => (this.controls.enableZoom = true), { signal });
    canvas.addEventListener("blur", () => (this.controls.enableZoom = false), { signal });
    canvas.addEventListener("pointerdown", () => canvas.focus({ preventScroll: true }), { signal });
    canvas.addEventListener("dblclick", () => this.reset(), { signal });
    canvas.addEventListener("keydown", (event) => this.#key(event), { signal });
    canvas.addEventListener("webglcontextlost", onlost, { signal });
    this.light(0);
  }

  show(mesh) {
    this.mesh = mesh;
    this.names = Object.keys(mesh.morphTargetDictionary ?? {});
    this.weights = mesh.morphTargetInfluences ?? [];
    this.normals = new Normals(mesh.geometry);
    this.picture = mesh.material.map;
    this.coloured = mesh.material.vertexColors;
    Object.assign(mesh.material, { polygonOffset: true, polygonOffsetFactor: 1, polygonOffsetUnits: 1 });
    const ink = new MeshBasicMaterial({ color: 0x10161d, wireframe: true, transparent: true, opacity: 0.34 });
    this.lines = new Mesh(mesh.geometry, ink);
    this.lines.morphTargetInfluences = mesh.morphTargetInfluences;
    this.lines.morphTargetDictionary = mesh.morphTargetDictionary;
    this.lines.visible = false;
    mesh.frustumCulled = this.lines.frustumCulled = false; // there is nothing else to draw
    this.scene.add(mesh, this.lines);
    const box = new Box3().setFromBufferAttribute(mesh.geometry.attributes.position); // at rest
    this.middle = box.getCenter(new Vector3());
    this.size = box.getSize(new Vector3());
    this.controls.minDistance = 0.4 * this.size.length();
    this.controls.maxDistance = 7 * this.size.length();
    this.deform({});
    this.reset();
  }

  /** Give each target its weight; those without one rest. */
  deform(weights) {
    this.names.forEach((name, k) => (this.weights[k] = weights[name] ?? 0));
    this.normals.update(this.weights);
    this.draw();
  }

  /** Look from the front, so that the whole head fits. */
  reset() {
    this.controls.target.copy(this.middle);
    const half = Math.tan(MathUtils.degToRad(ANGLE / 2));
    const room = Math.max(this.size.y, this.size.x / this.camera.aspect);
    this.#stand(0, 0, (MARGIN * room) / 2 / half + this.size.z / 2);
  }

  /** Look from a place `distance` away, `yaw` and `pitch` degrees from the front. */
  #stand(yaw, pitch, distance) {
    const place = new Spherical(distance, MathUtils.degToRad(90 - pitch), MathUtils.degToRad(yaw));
    this.camera.position.setFromSpherical(place).add(this.controls.target);
    this.controls.update();
    this.draw();
  }

  #key(event) {
    const [yaw, pitch] =
      { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, 10], ArrowDown: [0, -10] }[event.key] ?? [];
    if (yaw === undefined) return;
    event.preventDefault();
    event.stopPropagation();
    const now = new Spherical().setFromVector3(this.camera.position.clone().sub(this.controls.target));
    const high = MathUtils.clamp(90 - MathUtils.radToDeg(now.phi) + pitch, -FARTHEST, FARTHEST);
    this.#stand(MathUtils.radToDeg(now.theta) + yaw, high, now.radius);
  }

  /** Put the lamp `degrees` to the right of the one who looks. */
  light(degrees) {
    const place = new Spherical(1, MathUtils.degToRad(90 - RAISED), MathUtils.degToRad(degrees));
    this.lamp.position.setFromSpherical(place);
    this.draw();
  }

  texture(on) {
    const { material } = this.mesh;
    material.map = on ? this.picture : null;
    material.vertexColors = on && this.coloured;
    const bare = !on || !(this.picture || this.coloured);
    material.color = new Color(bare ? CLAY : 0xffffff);
    material.needsUpdate = true;
    this.draw();
  }

  wireframe(on) {
    this.lines.visible = on;
    this.draw();
  }

  resize(width, height) {
    if (!width || !height) return;
    this.renderer.setPixelRatio(Math.min(window.devicePixelRatio || 1, 2));
    this.renderer.setSize(width, height, false);
    this.camera.aspect = width / height;
    this.camera.updateProjectionMatrix();
    this.draw();
  }

  draw() {
    this.frame ??= requestAnimationFrame(() => {
      this.frame = null;
      if (this.mesh) this.renderer.render(this.scene, this.camera);
    });
  }

  /** Give the browser everything back, the WebGL context too: it has only a few. */
  dispose() {
    cancelAnimationFrame(this.frame);
    this.frame = -1; // no more drawing
    this.listeners.abort();
    this.controls.dispose();
    this.picture?.dispose();
    this.mesh?.geometry.dispose();
    this.mesh?.material.dispose();
    this.lines?.material.dispose();
    this.renderer.dispose();
    this.renderer.forceContextLoss();
  }
}
