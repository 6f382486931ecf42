// The webcam: its newest frame is posted, and the next when that has been looked at.

import * as server from "./server.js";

const QUALITY = 0.85;
const SIDE = 640;

/** Looks through the webcam until `stop` is called.
    shown(picture, size, answer) is called with every frame that was looked at. */
export class Camera {
  constructor(shown, failed) {
    this.shown = shown;
    this.failed = failed;
    this.running = null;
  }

  /** Begins at a block; "last" is the whole network. Returns what the server says. */
  async start(block) {
    this.stop();
    const run = this.running = {
      video: document.createElement("video"),
      asking: new AbortController(),
    };
    if (!navigator.mediaDevices) {
      throw new server.Told(
        "Browsers give pages their webcam only at localhost, or by https.");
    }
    const wanted = {video: {width: {ideal: SIDE}}, audio: false};
    try {
      run.media = await navigator.mediaDevices.getUserMedia(wanted);
    } catch (error) {
      throw new server.Told(`There is no webcam: ${error.message}`);
    }
    for (const track of run.media.getTracks()) {
      track.addEventListener("ended", () => {
        this.fail(run, new server.Told("The webcam is gone."));
      });
    }
    const begun = await server.beginStream(block);
    run.id = begun.id;
    run.video.muted = true;
    run.video.srcObject = run.media;
    if (this.running !== run) {
      end(run);
      return begun;
    }
    await run.video.play();
    this.loop(run);
    return begun;
  }

  stop() {
    const run = this.running;
    this.running = null;
    if (run) end(run);
  }

  async loop(run) {
    try {
      while (this.running === run) {
        const canvas = shot(run.video);
        const jpeg = await new Promise(done => canvas.toBlob(done, "image/jpeg", QUALITY));
        if (this.running !== run) return;
        const answer = await server.step(run.id, jpeg, run.asking.signal);
        if (this.running !== run) return;
        this.shown(canvas, [canvas.width, canvas.height], answer);
      }
    } catch (error) {
      this.fail(run, error);
    }
  }

  /** Ends a run by what is wrong, unless it has ended already. */
  fail(run, error) {
    if (this.running !== run) return;
    this.stop();
    this.failed(error);
  }
}

function end(run) {
  for (const track of run.media?.getTracks() ?? []) track.stop();
  run.asking.abort();
  if (run.id) server.endStream(run.id).catch(() => {});
}

function shot(video) {
  const share = Math.min(1, SIDE / Math.max(video.videoWidth, video.videoHeight));
  const canvas = document.createElement("canvas");
  canvas.width = Math.round(video.videoWidth * share);
  canvas.height = Math.round(video.videoHeight * share);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return canvas;
}
