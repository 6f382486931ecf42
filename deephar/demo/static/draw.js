// What is drawn on canvases: people in the picture, and their actions over time.

const FADED = 0.15;
const MOST_ROWS = 5;
const GAP = 1.0;  // s without scores after which a curve is broken

export const css = ([r, g, b]) => `rgb(${r} ${g} ${b})`;

/** The points of a person, [x, y, confidence] or null, in the order of the joints. */
function points(person, names) {
  return names.map(name => {
    const joint = person.pose && person.pose.joints[name];
    const known = joint && joint.x !== null && joint.y !== null;
    return known ? [joint.x, joint.y, joint.confidence ?? 0] : null;
  });
}

/** A canvas of so many dots a CSS pixel; returns its context and size in CSS px. */
function prepared(canvas) {
  const dots = window.devicePixelRatio || 1;
  const [width, height] = [canvas.clientWidth, canvas.clientHeight];
  canvas.width = Math.round(width * dots);
  canvas.height = Math.round(height * dots);
  const context = canvas.getContext("2d");
  context.setTransform(dots, 0, 0, dots, 0, 0);
  context.clearRect(0, 0, width, height);
  return [context, width, height];
}

/** Draws a picture and the people in it; the canvas has the picture's shape then.
    network: joint_names, links, colors; palette: of people, by number. */
export function drawScene(canvas, picture, size, people, network, palette) {
  canvas.style.aspectRatio = `${size[0]} / ${size[1]}`;
  canvas.style.maxWidth = `${70 * size[0] / size[1]}vh`;
  const [context, width] = prepared(canvas);
  const zoom = width / size[0];
  if (picture) context.drawImage(picture, 0, 0, width, size[1] * zoom);
  people.forEach((person, row) => {
    const found = points(person, network.joint_names);
    drawLimbs(context, found, network, zoom);
    const color = palette[((person.id ?? row + 1) - 1) % palette.length];
    drawTag(context, person, found, css(color), zoom, width);
  });
}

function drawLimbs(context, found, network, zoom) {
  const there = found.filter(Boolean);
  if (!there.length) return;
  const extent = Math.max(...[0, 1].map(axis => {
    const values = there.map(point => point[axis]);
    return Math.max(...values) - Math.min(...values);
  }));
  const thick = Math.max(2, Math.min(8, extent * zoom / 45));
  context.lineCap = "round";
  for (const [color, more] of [["rgb(0 0 0 / 0.55)", 2.5], [null, 0]]) {
    for (const [a, b] of network.links) {
      if (!found[a] || !found[b]) continue;
      const sure = Math.min(found[a][2], found[b][2]);
      context.globalAlpha = Math.max(FADED, Math.min(1, sure));
      context.strokeStyle = color ?? css(network.colors[b]);
      context.lineWidth = thick + more;
      context.beginPath();
      context.moveTo(found[a][0] * zoom, found[a][1] * zoom);
      context.lineTo(found[b][0] * zoom, found[b][1] * zoom);
      context.stroke();
    }
  }
  const linked = new Set(network.links.flat());
  found.forEach((point, joint) => {
    if (!point) return;
    const radius = linked.has(joint) ? thick * 0.85 : Math.max(thick * 1.25, 4);
    context.globalAlpha = Math.max(FADED, Math.min(1, point[2]));
    context.fillStyle = css(network.colors[joint]);
    context.beginPath();
    context.arc(point[0] * zoom, point[1] * zoom, radius, 0, 2 * Math.PI);
    context.fill();
  });
  context.globalAlpha = 1;
}

function drawTag(context, person, found, color, zoom, width) {
  const words = [person.id === null ? "" : `#${person.id}`];
  if (person.action) words.push(person.action.answer, person.action.score.toFixed(2));
  const text = words.join(" ").trim();
  const there = found.filter(Boolean);
  if (!text || !there.length) return;
  context.font = "600 13px system-ui, sans-serif";
  const wide = context.measureText(text).width + 12;
  const left = Math.min(...there.map(point => point[0])) * zoom;
  const top = Math.min(...there.map(point => point[1])) * zoom;
  const x = Math.max(0, Math.min(left, width - wide));
  const y = Math.max(0, top - 30);
  context.fillStyle = color;
  context.beginPath();
  context.roundRect(x, y, wide, 20, 4);
  context.fill();
  context.fillStyle = "#10131a";
  context.textBaseline = "middle";
  context.fillText(text, x + 6, y + 10.5);
}

/** Draws a person's best actions over time, a row each.
    rows: {time, scores} in order of time; range: [from, to] s; now: s. */
export function drawActions(canvas, rows, labels, range, now, color) {
  const [context, width, height] = prepared(canvas);
  const style = getComputedStyle(canvas);
  const shade = name => style.getPropertyValue(name).trim();
  context.font = "13px system-ui, sans-serif";
  context.textBaseline = "middle";
  const best = bestLabels(rows, labels.length);
  const names = best.map(label => labels[label]);
  const start = Math.max(...names.map(name => context.measureText(name).width), 0) + 10;
  const end = width - 42;
  const high = height / Math.max(1, best.length);
  const at = time => start + (time - range[0]) / (range[1] - range[0] || 1) * (end - start);
  const current = rows.findLast(row => row.time <= now) ?? rows[0];
  const answer = current ? current.scores.indexOf(Math.max(...current.scores)) : -1;
  best.forEach((label, row) => {
    const [top, middle] = [row * high + 1, row * high + high / 2];
    context.fillStyle = shade("--track");
    context.fillRect(start, top, end - start, high - 2);
    context.fillStyle = color;
    context.globalAlpha = label === answer ? 1 : 0.5;
    drawCurve(context, rows, label, at, [top, high - 2], [start, end]);
    context.globalAlpha = 1;
    context.fillStyle = shade(label === answer ? "--ink" : "--faint");
    context.fillText(labels[label], 0, middle);
    if (current) context.fillText(current.scores[label].toFixed(2), end + 8, middle);
  });
  if (best.length && now >= range[0] && now <= range[1]) {
    context.fillStyle = shade("--accent");
    context.fillRect(at(now) - 1, 0, 2, height);
  }
  return {time: x => range[0] + (x - start) / (end - start) * (range[1] - range[0])};
}

function drawCurve(context, rows, label, at, [top, high], [start, end]) {
  const inside = x => Math.max(start, Math.min(end, x));
  rows.forEach((row, index) => {
    const next = rows[index + 1];
    const until = next && next.time - row.time < GAP ? next.time : row.time + 0.04;
    const [x, to] = [inside(at(row.time)), inside(at(until))];
    const tall = Math.max(0, Math.min(1, row.scores[label])) * high;
    context.fillRect(x, top + high - tall, Math.max(to - x + 0.5, 1), tall);
  });
}

function bestLabels(rows, count) {
  const best = new Array(count).fill(0);
  for (const {scores} of rows) {
    scores.forEach((score, label) => { best[label] = Math.max(best[label], score); });
  }
  const order = best.map((_, label) => label).sort((a, b) => best[b] - best[a]);
  return rows.length ? order.slice(0, MOST_ROWS).sort((a, b) => a - b) : [];
}

/** The scores of a person in some frames: {time, scores} of those that have some. */
export function scoresOf(frames, id) {
  return frames.flatMap(frame => {
    const person = frame.people.find(one => one.id === id);
    if (!person || !person.action) return [];
    return [{time: frame.time, scores: person.action.scores[person.action.output]}];
  });
}

/** The poses in space of a frame, one beside the other where nobody told the place. */
export function figures(people, space) {
  const known = people.filter(person => person.pose_3d);
  return known.map((person, row) => {
    const shift = person.pose_3d.placed ? 0 : 1200 * (row - (known.length - 1) / 2);
    return space.joint_names.map(name => {
      const joint = person.pose_3d.joints[name];
      return joint && joint.every(v => v !== null)
        ? [joint[0] + shift, joint[1], joint[2]] : null;
    });
  });
}
