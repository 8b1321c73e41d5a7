// Talks to the server: loads frames, and sends every change until it has arrived.

const token = new URLSearchParams(location.search).get("token") || "";

export const pictureAddress = (index) => `api/frames/${index}.jpg?token=${encodeURIComponent(token)}`;

async function ask(address, options = {}) {
  const answer = await fetch(address, { ...options, headers: { "X-Token": token } });
  const said = await answer.json();
  if (!answer.ok) throw Object.assign(new Error(said.error), { status: answer.status });
  return said;
}

export const loadAll = () => ask("api/frames");
export const loadOne = (index) => ask(`api/frames/${index}`);

// One request at a time, the newest state of each frame. `report(state, text)`: "saved", "wait" or "bad".
export class Saver {
  constructor(report) {
    this.report = report;
    this.waiting = new Map();
    this.busy = false;
  }

  get idle() { return !this.busy && this.waiting.size === 0; }

  // `filename`: lets the server notice where it counts other frames than this page does.
  put(index, filename, regions, done) {
    this.waiting.set(index, JSON.stringify({ filename, regions, done }));
    this.report("wait", "saving …");
    this.pump();
  }

  async pump() {
    if (this.busy) return;
    this.busy = true;
    let refused = "";
    while (this.waiting.size) {
      const [index, body] = this.waiting.entries().next().value;
      try {
        await ask(`api/frames/${index}`, { method: "PUT", body });
        if (this.waiting.get(index) === body) this.waiting.delete(index);
      } catch (error) {
        if ([400, 404, 409].includes(error.status)) { // trying again is no use
          if (this.waiting.get(index) === body) this.waiting.delete(index);
          refused = error.message;
          continue;
        }
        const why = error.status ? error.message : "the server does not answer.";
        this.report("bad", `NOT SAVED, trying again: ${why}`);
        await new Promise((resume) => setTimeout(resume, 1500));
      }
    }
    this.busy = false;
    if (refused) this.report("bad", `Not saved: ${refused}`);
    else this.report("saved", "saved");
  }
}

// Undo and redo of one frame's regions, as copies.
export class History {
  constructor(regions) {
    this.states = [JSON.stringify(regions)];
    this.at = 0;
  }

  push(regions) {
    const state = JSON.stringify(regions);
    if (state === this.states[this.at]) return false;
    this.states.splice(this.at + 1, Infinity, state);
    this.at++;
    return true;
  }

  step(by) {
    if (this.states[this.at + by] === undefined) return null;
    this.at += by;
    return JSON.parse(this.states[this.at]);
  }

  can(by) { return this.states[this.at + by] !== undefined; }
}
