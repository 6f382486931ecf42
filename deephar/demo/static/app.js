// The page: one thing at a time is looked at, an upload or the webcam.

import {Camera} from "./camera.js";
import {css, drawActions, drawScene, figures, scoresOf} from "./draw.js";
import * as server from "./server.js";

const WAIT = 250;        // ms from one question how far it is to the next
const KEPT = 10;         // s of the webcam's actions that are seen
const element = id => document.getElementById(id);
const show = (id, shown) => { element(id).hidden = !shown; };

let about = null;
let upload = null;       // id, kind, size, blocks, block (asked: to come), documents,
                         // abouts, pictures, index, sending
let live = null;         // of the webcam: frames, picture, size, people, block
let person = null;       // number of the one whose actions are seen
let space = null;        // the drawing of poses in space
let timeline = null;     // of the actions: from x to time
let playing = null;
const camera = new Camera(showLive, error => { reset(); tell(error); });

function tell(error) {
  if (!(error instanceof server.Told)) throw error;
  element("message").textContent = error.message;
  show("message", true);
}

/** Does something of the user's; what is wrong is told, and no longer what was before. */
const doing = action => (...given) => {
  show("message", false);
  return action(...given).catch(tell);
};

// ---- uploads

async function choose(file) {
  if (!file) return;
  reset();
  await started;
  if (file.size > about.limits.mb * 2 ** 20) {
    throw new server.Told(`A file may have ${about.limits.mb} MiB at most; `
      + `${file.name} has ${(file.size / 2 ** 20).toFixed(1)}.`);
  }
  const mine = upload = fresh(null);
  mine.sending = new AbortController();
  working("sending", null);
  try {
    mine.id = (await server.upload(file, mine.sending.signal)).id;
  } catch (error) {
    if (upload === mine) throw error;
  } finally {
    if (upload === mine) working(null);
  }
  if (upload !== mine) {
    if (mine.id) drop(mine.id);
    return;
  }
  history.replaceState(null, "", `#${mine.id}`);
  await follow(mine, "last");
}

/** Has the server forget an upload, which it may have done already. */
const drop = id => server.drop(id).catch(() => {});

const fresh = id => ({id, documents: new Map(), abouts: new Map(), pictures: [], index: 0});

/** Waits for a look, which the server is asked for in `begun`, then shows it; unless
    the user wants another one by then, or something else. */
async function follow(mine, block, begun = null) {
  mine.asked = block;
  const wanted = () => upload === mine && mine.asked === block;
  try {
    await begun;
    const state = await ended(mine.id, block, wanted);
    const found = wanted() && await server.predictions(mine.id, block);
    if (!wanted()) return;
    const {kind, size, blocks, notes} = state;
    Object.assign(mine, {kind, size, blocks, notes, block: state.about.block});
    mine.documents.set(mine.block, found);
    mine.abouts.set(mine.block, state.about);
  } catch (error) {
    if (wanted()) throw error;
    return;
  } finally {
    if (wanted()) working(null);
  }
  showUpload();
}

/** How a look has ended, or is when nobody wants it any more. */
async function ended(id, block, wanted) {
  for (;;) {
    const state = await server.state(id, block);
    if (!wanted()) return state;
    working(WORDS[state.state](state), state.frames ? state.done / state.frames : null);
    if (state.state === "failed") throw new server.Told(capital(state.message));
    if (state.state === "done") return state;
    await new Promise(done => setTimeout(done, WAIT));
    if (!wanted()) return state;
  }
}

const WORDS = {
  waiting: state => state.ahead ? `waiting for ${state.ahead} before` : "waiting",
  reading: state => `reading: ${state.done} frames`,
  looking: state => `looking: ${state.done} of ${state.frames} frames`,
  done: () => "",
  failed: () => "",
};

const capital = text => text.charAt(0).toUpperCase() + text.slice(1);

function working(words, share = null) {
  show("working", words !== null);
  if (words === null) return;
  element("state").textContent = words;
  const bar = element("progress");
  if (share === null) bar.removeAttribute("value");
  else bar.value = share;
}

/** Gives up what is under way; what was seen before it stays. */
function cancel() {
  if (upload?.block === undefined) {
    reset();
    return;
  }
  upload.asked = upload.block;
  working(null);
  setBlocks(upload.blocks, upload.block);
}

/** Forgets what was seen. */
function reset() {
  camera.stop();
  pause();
  if (upload?.id) drop(upload.id);
  else upload?.sending?.abort();
  upload = live = person = null;
  history.replaceState(null, "", location.pathname);
  for (const id of ["message", "player", "working"]) show(id, false);
  element("camera").textContent = "Webcam";
  element("block").disabled = true;
  element("blockNumber").textContent = "";
  element("notes").replaceChildren();
  show("empty", true);
  for (const id of ["scene", "space", "actions"]) show(id, false);
  for (const id of ["spaceNote", "actionsNote", "cutNote"]) element(id).textContent = "";
  element("who").replaceChildren();
}

// ---- what is seen

const seen = () => upload?.documents.get(upload.block);
const network = () => about[upload ? upload.kind : "clip"];

function showUpload() {
  const found = seen();
  const clip = upload.kind === "clip";
  show("empty", false);
  show("scene", true);
  show("player", clip);
  element("time").max = found.frames.length - 1;
  upload.index = Math.min(upload.index, found.frames.length - 1);
  setBlocks(upload.blocks, upload.block);
  const {frames_per_s: rate} = upload.abouts.get(upload.block);
  const list = clip ? [...upload.notes, `${rate} frames a second were looked at`]
    : [...upload.notes];
  element("notes").replaceChildren(...list.map(note => {
    const item = document.createElement("li");
    item.textContent = capital(note);
    return item;
  }));
  beginSpace();
  const ids = new Set(found.frames.flatMap(frame => frame.people.map(one => one.id)));
  setPeople([...ids].filter(id => id !== null));
  load(upload);
  draw();
}

/** The picture of a frame, which is drawn when it has come. */
function pictureOf(mine, index) {
  if (!mine.pictures[index]) {
    const picture = mine.pictures[index] = new Image();
    picture.addEventListener("load", () => {
      if (upload === mine && upload.index === index) draw();
    });
    picture.src = server.frame(mine.id, index + 1);
  }
  return mine.pictures[index];
}

/** Fetches all frames, one after the other, so that they can be played. */
async function load(mine) {
  const count = mine.documents.get(mine.block).frames.length;
  for (let index = 0; index < count; index++) {
    await pictureOf(mine, index).decode().catch(() => {});
    if (upload !== mine) return;
  }
}

function beginSpace() {
  const known = network().space;
  const canvas = element("space");
  canvas.hidden = !known;
  if (known && space?.of !== known) {
    const colors = known.colors.map(css);
    const copy = canvas.cloneNode();
    canvas.replaceWith(copy);
    space = {of: known, ...drawPose3d(copy, {poses: [], links: known.links, colors})};
  }
  element("spaceNote").textContent = spaceNote(known);
}

function spaceNote(known) {
  if (!known) {
    return upload?.kind === "picture"
      ? "One picture shows no depth: this network finds poses in 2D. "
        + "In clips they are lifted from the movement."
      : "This network finds poses in 2D, and nothing lifts them.";
  }
  const lifted = "Lifted from the track of 2D poses: size and place are not known.";
  return (known.lifted ? lifted : "As the network sees it.") + " Drag to turn.";
}

function setPeople(ids) {
  const labels = network().labels;
  show("doing", true);
  const one = upload?.kind === "picture";
  const told = labels.length && !one;
  element("actionsNote").textContent = told ? ""
    : one ? "Actions need a clip." : "This network tells no actions.";
  show("actions", told);
  if (!told) ids = [];
  if (!ids.includes(person)) person = ids[0] ?? null;
  const who = element("who");
  const chosen = ids.length > 1 ? ids : [];
  const names = chosen.map(id => `#${id}`);
  // The webcam comes here with every frame: a button that is pressed then must stay.
  if ([...who.children].map(one => one.textContent).join() !== names.join()) {
    who.replaceChildren(...chosen.map(id => personButton(id, ids)));
  }
  chosen.forEach((id, at) => who.children[at].setAttribute("aria-pressed", id === person));
}

function personButton(id, ids) {
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = `#${id}`;
  button.addEventListener("click", () => { person = id; setPeople(ids); draw(); });
  return button;
}

function setBlocks(blocks, block) {
  const slider = element("block");
  slider.max = blocks.length - 1;
  slider.value = blocks.indexOf(block);
  slider.disabled = blocks.length < 2;
  tellBlock(blocks, block);
}

function tellBlock(blocks, block) {
  const words = `${block} of ${blocks.at(-1)}`;
  element("blockNumber").textContent = words;
  element("block").setAttribute("aria-valuetext", words);
}

function cutNote(ms) {
  const whole = network().ms;
  element("cutNote").textContent =
    `${ms} ms for a person in a frame; ${whole} ms by the whole network. `
    + "What comes after the block is not computed.";
}

function draw() {
  if (!upload && !live) return;
  const found = seen();
  const {size} = upload ?? live;
  const frame = upload ? found?.frames[upload.index] : live.frame;
  if (!frame) return;
  const picture = upload ? pictureOf(upload, upload.index) : live.picture;
  const ready = picture && (picture.complete ?? true) ? picture : null;
  drawScene(element("scene"), ready, size, frame.people, network(), about.people);
  if (network().space) space.update(figures(frame.people, network().space));
  cutNote(upload ? upload.abouts.get(upload.block).ms : live.ms);
  if (upload) {
    element("time").value = upload.index;
    const text = frame.time === null ? "" : `${frame.time.toFixed(2)} s`;
    element("clock").textContent = text;
  }
  if (network().labels.length && upload?.kind !== "picture") drawDoing(frame, found);
}

function drawDoing(frame, found) {
  const frames = upload ? found.frames : live.frames;
  const last = frames.at(-1).time;
  const range = upload ? [0, last] : [Math.max(0, last - KEPT), Math.max(last, 1)];
  const color = about.people[((person ?? 1) - 1) % about.people.length];
  const rows = scoresOf(frames, person);
  timeline = drawActions(
    element("actions"), rows, network().labels, range, frame.time, css(color));
  if (!rows.length) element("actionsNote").textContent = "Nobody was followed.";
}

// ---- playing

function pause() {
  if (playing) cancelAnimationFrame(playing.request);
  playing = null;
  element("play").textContent = "Play";
}

function play() {
  const {frames: shown} = seen();
  if (upload.index >= shown.length - 1) upload.index = 0;
  const start = performance.now() - 1000 * shown[upload.index].time;
  element("play").textContent = "Pause";
  const tick = now => {
    const {frames} = seen();  // of another block since, maybe
    const time = (now - start) / 1000;
    let index = upload.index;
    while (index + 1 < frames.length && frames[index + 1].time <= time) index++;
    if (index !== upload.index) {
      upload.index = index;
      draw();
    }
    if (index === frames.length - 1) pause();
    else playing = {request: requestAnimationFrame(tick)};
  };
  playing = {request: requestAnimationFrame(tick)};
}

/** Shows a frame, which the address then names: #ID@SECONDS. */
function seek(index) {
  pause();
  upload.index = index;
  const {time} = seen().frames[index];
  history.replaceState(null, "", `#${upload.id}${time ? `@${time.toFixed(2)}` : ""}`);
  draw();
}

const frameAt = time => Math.max(0, seen().frames.findLastIndex(one => one.time <= time));

// ---- the webcam

async function toggleCamera() {
  if (live) {
    reset();
    return;
  }
  reset();
  await started;
  await startLive("last");
}

async function startLive(block) {
  live = {frames: [], size: [640, 480], frame: null, picture: null, ms: 0, times: []};
  element("camera").textContent = "Stop the webcam";
  working("waiting for the webcam");
  const mine = live;
  try {
    const begun = await camera.start(block);
    if (live !== mine) return;
    Object.assign(live, {ms: begun.ms});
    setBlocks(about.clip.blocks, begun.block);
    beginSpace();
  } catch (error) {
    if (live !== mine) return;
    reset();
    throw error;
  } finally {
    if (live === mine) working(null);
  }
}

function showLive(picture, size, answer) {
  const {frame, space: poses, late} = answer;
  for (const one of frame.people) one.pose_3d = poses[one.id] ?? one.pose_3d;
  const frames = [...live.frames, frame].filter(one => one.time > frame.time - KEPT);
  Object.assign(live, {picture, size, frame, frames});
  show("empty", false);
  show("scene", true);
  const ids = new Set(frames.flatMap(one => one.people.map(other => other.id)));
  setPeople([...ids].sort((one, other) => one - other));
  const span = frame.time - frames[0].time;
  const rate = span > 0 ? (frames.length - 1) / span : 0;
  const item = document.createElement("li");
  item.textContent = `${rate.toFixed(1)} frames a second are looked at`
    + (late ? `; in space one sees ${late} frames ago` : "");
  element("notes").replaceChildren(item);
  draw();
}

// ---- what the user does

async function cut() {
  const blocks = upload ? upload.blocks : about.clip.blocks;
  const block = blocks[Number(element("block").value)];
  tellBlock(blocks, block);
  if (live) {
    await startLive(block);
    return;
  }
  const mine = upload;
  if (mine.documents.has(block)) {
    mine.block = mine.asked = block;
    working(null);
    showUpload();
    return;
  }
  pause();
  try {
    await follow(mine, block, server.look(mine.id, block));
  } catch (error) {
    if (upload === mine) setBlocks(mine.blocks, mine.block);
    throw error;
  }
}

function listen() {
  const file = element("file");
  file.addEventListener("change", doing(async () => {
    const [chosen] = file.files;
    file.value = "";
    await choose(chosen);
  }));
  element("camera").addEventListener("click", doing(toggleCamera));
  element("cancel").addEventListener("click", cancel);
  element("block").addEventListener("change", doing(cut));
  element("time").addEventListener("input", event => seek(Number(event.target.value)));
  element("play").addEventListener("click", () => playing ? pause() : play());
  element("actions").addEventListener("click", event => {
    if (!upload) return;
    seek(frameAt(timeline.time(event.offsetX)));
  });
  const stage = element("stage");
  for (const [name, over] of [["dragover", true], ["dragleave", false], ["drop", false]]) {
    window.addEventListener(name, event => {
      event.preventDefault();
      stage.classList.toggle("over", over);
    });
  }
  window.addEventListener("drop", doing(event => choose(event.dataTransfer.files[0])));
  window.addEventListener("resize", draw);
  window.addEventListener("pagehide", () => camera.stop());
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", draw);
}

async function begin() {
  about = await server.about();
  const {picture, clip} = about;
  const told = one => one.weights + (one.about ? ` (${one.about})` : "");
  element("facts").textContent = `Pictures: ${told(picture)}. Clips and webcam: `
    + `${told(clip)}. Computed on ${clip.device}. Of clips ${about.limits.seconds} s `
    + `are looked at, files may have ${about.limits.mb} MiB.`;
}

/** Shows the upload, and the moment, that the address names, if it names one. */
async function resume() {
  await started;
  if (location.hash.length < 2 || upload || live) return;
  const [id, time] = location.hash.slice(1).split("@");
  const mine = upload = fresh(id);
  await follow(mine, "last");
  if (upload === mine && mine.kind === "clip" && time) seek(frameAt(Number(time) + 0.005));
}

const started = begin();
listen();
doing(resume)();
