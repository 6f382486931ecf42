// What the page asks the server for.

/** An answer of the server that says what is wrong, for the user to read. */
export class Told extends Error {
  constructor(message, status = 0) {
    super(message);
    this.status = status;
  }
}

async function ask(path, options = {}) {
  let answer;
  try {
    answer = await fetch(path, options);
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new Told("The server does not answer. Is it still there?");
  }
  if (answer.ok) return answer.status === 204 ? null : answer.json();
  let message = `The server answered ${answer.status}.`;
  try {
    message = (await answer.json()).message;
  } catch { /* an answer without a message: the number is all that is known */ }
  throw new Told(message, answer.status);
}

const post = (path, body, signal) => ask(path, {method: "POST", body, signal});

export const about = () => ask("/api/about");
export const upload = (file, signal) => post("/api/uploads", file, signal);
export const drop = id => ask(`/api/uploads/${id}`, {method: "DELETE"});
export const look = (id, block) => post(`/api/uploads/${id}/looks?block=${block}`);
export const state = (id, block) => ask(`/api/uploads/${id}/looks/${block}`);
export const predictions = (id, block) => ask(`/api/uploads/${id}/predictions/${block}`);
export const frame = (id, number) => `/api/uploads/${id}/frames/${number}`;
export const beginStream = block => post(`/api/streams?block=${block}`);
export const step = (id, jpeg, signal) =>
  post(`/api/streams/${id}/frames`, jpeg, signal);
export const endStream = id =>
  ask(`/api/streams/${id}`, {method: "DELETE", keepalive: true});
