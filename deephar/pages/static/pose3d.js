/* Figures in space that turn with the mouse, a finger or the arrow keys.

   drawPose3d(canvas, {poses, links, colors, tints}) draws on a canvas:
     poses   figures of one space, a figure being a list of joints [x, y, z] in mm or
             null; camera axes: x to the right, y down, z away from the viewer
     links   pairs of joints between which a limb is drawn; a joint without a limb is
             drawn as a larger dot
     colors  a CSS colour for every joint; a limb has that of its second joint
     tints   if given, for every figure one CSS colour for all of it, or null
   It returns {update(poses), reset()}. */
"use strict";

function drawPose3d(canvas, {poses, links, colors = [], tints = []}) {
  const START = {azimuth: -0.5, elevation: 0.2, zoom: 1};
  const DISTANCE = 4;  // of the eye from the middle, in radii
  const CELL = 500;    // side of a square of the floor, mm
  const STEP = 0.15;   // of a key, radians
  const context = canvas.getContext("2d");
  let view = {...START};
  let space = null;

  function measure() {
    const joints = poses.flat().filter(Boolean);
    if (!joints.length) return null;
    const low = [0, 1, 2].map(i => Math.min(...joints.map(joint => joint[i])));
    const high = [0, 1, 2].map(i => Math.max(...joints.map(joint => joint[i])));
    const middle = low.map((value, i) => (value + high[i]) / 2);
    const far = joints.map(joint => Math.hypot(...joint.map((v, i) => v - middle[i])));
    return {middle, floor: high[1], radius: Math.max(...far, 1)};
  }

  function project(point, width, height) {
    const [x, y, z] = point.map((value, i) => (value - space.middle[i]) / space.radius);
    const [ca, sa] = [Math.cos(view.azimuth), Math.sin(view.azimuth)];
    const [ce, se] = [Math.cos(view.elevation), Math.sin(view.elevation)];
    const away = z * ca - x * sa;
    const depth = y * se + away * ce;
    const scale = 0.46 * Math.min(width, height) * view.zoom
      * DISTANCE / (DISTANCE + depth);
    const across = x * ca + z * sa;
    const down = y * ce - away * se;
    return {x: width / 2 + across * scale, y: height / 2 + down * scale, depth};
  }

  function line(a, b) {
    context.beginPath();
    context.moveTo(a.x, a.y);
    context.lineTo(b.x, b.y);
    context.stroke();
  }

  function paintFloor(ink, width, height) {
    const cells = Math.max(2, Math.ceil(space.radius / CELL));
    context.strokeStyle = ink;
    context.lineWidth = 1;
    context.globalAlpha = 0.14;
    for (let i = -cells; i <= cells; i++) {
      for (const [from, to] of [[[i, -cells], [i, cells]], [[-cells, i], [cells, i]]]) {
        const ends = [from, to].map(([x, z]) => project([
          space.middle[0] + x * CELL, space.floor, space.middle[2] + z * CELL,
        ], width, height));
        line(...ends);
      }
    }
  }

  function paintFigures(ink, width, height) {
    const parts = [];
    poses.forEach((pose, figure) => {
      const limbs = links.filter(([a, b]) => pose[a] && pose[b]);
      const held = new Set(limbs.flat());
      const alone = [...pose.keys()].filter(joint => pose[joint] && !held.has(joint));
      for (const joints of [...limbs, ...alone.map(joint => [joint])]) {
        const ends = joints.map(joint => project(pose[joint], width, height));
        const color = tints[figure] || colors[joints.at(-1)] || ink;
        parts.push({ends, color, depth: (ends[0].depth + ends.at(-1).depth) / 2});
      }
    });
    parts.sort((a, b) => b.depth - a.depth);
    const thick = Math.max(2, Math.min(width, height) / 70);
    context.lineCap = "round";
    for (const {ends, color, depth} of parts) {
      const near = Math.max(0, Math.min(1, (1 - depth) / 2));
      context.globalAlpha = 0.55 + 0.45 * near;
      context.strokeStyle = context.fillStyle = color;
      context.lineWidth = thick * (0.7 + 0.6 * near);
      if (ends.length > 1) line(...ends);
      const radius = context.lineWidth * (ends.length > 1 ? 0.75 : 1.25);
      for (const end of ends) {
        context.beginPath();
        context.arc(end.x, end.y, radius, 0, 2 * Math.PI);
        context.fill();
      }
    }
  }

  function paint() {
    const [width, height] = [canvas.clientWidth, canvas.clientHeight];
    const dots = window.devicePixelRatio || 1;
    canvas.width = Math.round(width * dots);
    canvas.height = Math.round(height * dots);
    context.setTransform(dots, 0, 0, dots, 0, 0);
    context.clearRect(0, 0, width, height);
    if (!space || !width) return;
    const ink = getComputedStyle(canvas).color;
    paintFloor(ink, width, height);
    paintFigures(ink, width, height);
    context.globalAlpha = 1;
  }

  function turn(azimuth, elevation, zoom = 1) {
    const quarter = Math.PI / 2;
    view.azimuth += azimuth;
    view.elevation = Math.max(-quarter, Math.min(quarter, view.elevation + elevation));
    view.zoom = Math.max(0.4, Math.min(5, view.zoom * zoom));
    paint();
  }

  function reset() {
    view = {...START};
    paint();
  }

  function update(others) {
    const before = space;
    poses = others;
    space = measure();
    if (space && before) space.radius = Math.max(space.radius, before.radius);
    paint();
  }

  const KEYS = {
    ArrowLeft: () => turn(STEP, 0), ArrowRight: () => turn(-STEP, 0),
    ArrowUp: () => turn(0, -STEP), ArrowDown: () => turn(0, STEP),
    "+": () => turn(0, 0, 1.1), "-": () => turn(0, 0, 1 / 1.1), 0: reset,
  };
  canvas.tabIndex = 0;
  canvas.style.touchAction = "pan-y";
  canvas.addEventListener("pointerdown", event => canvas.setPointerCapture(event.pointerId));
  canvas.addEventListener("pointermove", event => {
    if (!canvas.hasPointerCapture(event.pointerId)) return;
    turn(-event.movementX / 120, event.movementY / 120);
  });
  canvas.addEventListener("dblclick", reset);
  canvas.addEventListener("keydown", event => {
    if (event.ctrlKey || event.metaKey || event.altKey || !(event.key in KEYS)) return;
    event.preventDefault();
    KEYS[event.key]();
  });
  new ResizeObserver(paint).observe(canvas);
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", paint);
  space = measure();
  paint();
  return {update, reset};
}
