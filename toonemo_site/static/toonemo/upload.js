// Comfort only: the form works without this file. Sends files in pieces (tus 1.0), so that one that breaks off goes on
// where it was: after a lost connection by itself, after the page was left when the same file is chosen again.
(() => {
  "use strict";
  const form = document.querySelector("form[data-upload]");
  if (!form || !window.fetch || !window.Blob) return;
  const list = document.querySelector("[data-upload-list]");
  const said = document.querySelector("[data-upload-said]");
  const input = form.querySelector("input[type=file]");
  const token = form.querySelector("[name=csrfmiddlewaretoken]").value;
  const { endpoint, known, worker, episodes } = form.dataset;
  const most = Number(form.dataset.most);
  const AT_ONCE = 2, LEAST = 1 << 18, MOST = 16 << 20, PIECE_S = 3;
  const STORE = "toonemo-upload ";
  const jobs = [];

  form.querySelector("[data-upload-plain]").hidden = true;
  form.querySelector("[data-upload-words]").hidden = false;

  // ---- what people read; the words of other languages come from another script, where one is needed
  const gettext = window.gettext || ((words) => words);
  const filled = (words, values) => words.replace(/%\((\w+)\)s/g, (_, name) => values[name]);
  const size = (n) => {
    for (const [unit, name] of [[1e9, "GB"], [1e6, "MB"], [1e3, "kB"]]) if (n >= unit) return `${(n / unit).toFixed(1)} ${name}`;
    return filled(gettext("%(n)s bytes"), { n });
  };
  const rest = (s) => (s < 60 ? filled(gettext("about %(n)s s"), { n: Math.max(1, Math.round(s)) })
    : s < 5400 ? filled(gettext("about %(n)s min"), { n: Math.round(s / 60) }) : filled(gettext("about %(n)s h"), { n: (s / 3600).toFixed(1) }));
  const make = (tag, values, ...inside) => {
    const element = Object.assign(document.createElement(tag), values);
    element.append(...inside);
    return element;
  };

  class Stopped extends Error {}
  class Refused extends Error {}
  class Gone extends Error {}

  // ---- one request; a broken connection and a fault of the server are a plain Error, to be tried again
  const ask = (job, method, address, headers, body, onProgress) => new Promise((resolve, reject) => {
    const request = new XMLHttpRequest();
    request.open(method, address);
    request.setRequestHeader("X-CSRFToken", token);
    for (const [name, value] of Object.entries(headers)) request.setRequestHeader(name, value);
    if (onProgress) request.upload.onprogress = (event) => onProgress(event.loaded);
    request.onload = () => resolve(request);
    request.onerror = () => reject(new Error("connection"));
    request.onabort = () => reject(new Stopped());
    job.request = request;
    request.send(body || null);
  });
  const problem = (request) => {
    try {
      return JSON.parse(request.responseText).detail;
    } catch {
      return filled(gettext("The server answered %(status)s."), { status: request.status });
    }
  };
  const checked = (request, ...fine) => {
    if (fine.includes(request.status)) return request;
    if (request.status === 404 || request.status === 410) throw new Gone();
    if (request.status === 401 || request.status === 403) throw new Refused(gettext("Sign in again, then choose the file again; it goes on where it was."));
    if (request.status >= 500 && request.status !== 507) throw new Error(problem(request));
    if ([409, 423, 460].includes(request.status)) throw new Error(problem(request));
    throw new Refused(problem(request));
  };
  const TUS = { "Tus-Resumable": "1.0.0" };
  const encoded = (text) => btoa(String.fromCharCode(...new TextEncoder().encode(text)));

  // ---- one file
  class Job {
    constructor(file) {
      this.file = file;
      this.key = `${STORE}${file.name} ${file.size} ${file.lastModified}`;
      this.offset = 0;
      this.paused = false;
      this.ended = false;
      this.samples = [];
      this.build();
    }

    build() {
      this.bar = make("progress", { max: Math.max(1, this.file.size), value: 0 });
      this.bar.setAttribute("aria-label", this.file.name);
      this.state = make("span", { className: "state num", textContent: gettext("Waiting") });
      this.hold = make("button", { type: "button", className: "button plain", textContent: gettext("Pause") });
      this.drop = make("button", { type: "button", className: "button danger", textContent: gettext("Cancel") });
      for (const button of [this.hold, this.drop]) button.append(make("span", { className: "hidden-visually", textContent: ` ${this.file.name}` }));
      this.hold.addEventListener("click", () => (this.paused ? this.resume() : this.pause()));
      this.drop.addEventListener("click", () => this.cancel());
      this.row = make("li", {}, make("b", { className: "file", textContent: this.file.name }), this.bar, this.state, this.hold, this.drop);
      list.append(this.row);
      list.hidden = false;
    }

    say(text, aloud = false) {
      this.state.textContent = text;
      if (aloud) said.textContent = `${this.file.name}: ${text}`;
    }

    pause() {
      this.paused = true;
      this.hold.firstChild.data = gettext("Go on");
      if (this.request) this.request.abort();
      if (this.wake) this.wake();
      this.say(gettext("Paused"), true);
    }

    resume() {
      this.paused = false;
      this.hold.firstChild.data = gettext("Pause");
      this.samples = [];
      if (this.wake) this.wake();
    }

    async cancel() {
      this.cancelled = true;
      if (this.request) this.request.abort();
      if (this.hasher) this.hasher.terminate();
      if (this.stopHash) this.stopHash(new Stopped());
      if (this.wake) this.wake();
      const address = localStorage.getItem(this.key);
      localStorage.removeItem(this.key);
      this.end(gettext("Cancelled"));
      this.row.remove();
      if (address) await ask({}, "DELETE", address, TUS).catch(() => {});
      document.body.dispatchEvent(new Event("uploads-changed"));
    }

    end(text, link) {
      this.ended = true;
      this.hold.remove();
      this.drop.remove();
      this.say(text, true);
      if (link) this.state.append(" ", make("a", link));
    }

    wait(seconds) {
      return new Promise((resolve) => {
        const timer = seconds === null ? 0 : setTimeout(resolve, seconds * 1000);
        this.wake = () => {
          clearTimeout(timer);
          resolve();
        };
      });
    }

    hash() {
      if (!window.Worker) return Promise.resolve("");
      return new Promise((resolve, reject) => {
        this.stopHash = reject;
        this.hasher = new Worker(worker);
        this.hasher.onerror = () => resolve("");
        this.hasher.onmessage = ({ data }) => {
          if (data.done !== undefined) {
            this.bar.value = data.done;
            if (!this.paused) this.say(filled(gettext("Looking whether it is here already: %(percent)s %"), { percent: Math.floor((100 * data.done) / this.file.size) }));
            return;
          }
          this.hasher.terminate();
          if (data.hex) resolve(data.hex);
          else reject(new Refused(gettext("The file cannot be read; it may have been changed or moved.")));
        };
        this.hasher.postMessage(this.file);
      });
    }

    /** Whether the server has the very same file, so that nothing need be sent. */
    async isKnown(hex) {
      if (!hex) return false;
      const request = await ask(this, "GET", `${known}?sha256=${hex}&size=${this.file.size}`, {});
      const found = JSON.parse(checked(request, 200).responseText);
      if (found.known) {
        const { id, series, identity } = found.episode;
        this.bar.value = this.file.size;
        this.end(gettext("Here already:"), { href: `${episodes}episodes/${id}/`, textContent: `${series} ${identity}` });
      } else if (found.upload) {
        this.bar.value = this.file.size;
        this.end(gettext("Sent already; it is in the list below."));
      }
      return found.known || Boolean(found.upload);
    }

    async begin(hex) {
      const before = localStorage.getItem(this.key);
      if (before) {
        try {
          const request = checked(await ask(this, "HEAD", before, TUS), 200);
          this.address = before;
          this.offset = Number(request.getResponseHeader("Upload-Offset"));
          return;
        } catch (error) {
          if (!(error instanceof Gone)) throw error;
          localStorage.removeItem(this.key);
        }
      }
      const metadata = `filename ${encoded(this.file.name)}${hex ? `,sha256 ${encoded(hex)}` : ""}`;
      const headers = { ...TUS, "Upload-Length": String(this.file.size), "Upload-Metadata": metadata };
      const request = checked(await ask(this, "POST", endpoint, headers), 201);
      this.address = new URL(request.getResponseHeader("Location"), window.location.href).pathname;
      this.offset = 0;
      localStorage.setItem(this.key, this.address);
    }

    /** What was sent in the last ten seconds says how long the rest takes; before three seconds nothing does. */
    progress(at) {
      this.bar.value = at;
      const now = performance.now();
      this.samples.push([now, at]);
      while (this.samples.length > 2 && now - this.samples[0][0] > 10000) this.samples.shift();
      const [[since, from]] = this.samples;
      const rate = now - since > 3000 ? (1000 * (at - from)) / (now - since) : 0;
      const speed = rate > 0 ? ` · ${filled(gettext("%(size)s a second · %(rest)s left"), { size: size(rate), rest: rest((this.file.size - at) / rate) })}` : "";
      this.say(`${filled(gettext("%(at)s of %(size)s"), { at: size(at), size: size(this.file.size) })}${speed}`);
    }

    async piece(length) {
      const blob = this.file.slice(this.offset, this.offset + length);
      const headers = { ...TUS, "Upload-Offset": String(this.offset), "Content-Type": "application/offset+octet-stream" };
      if (window.crypto && crypto.subtle) {
        const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", await blob.arrayBuffer()));
        headers["Upload-Checksum"] = `sha256 ${btoa(String.fromCharCode(...digest))}`;
      }
      if (this.paused || this.cancelled) throw new Stopped();
      const request = await ask(this, "PATCH", this.address, headers, blob, (sent) => this.progress(this.offset + sent));
      checked(request, 204);
      this.offset = Number(request.getResponseHeader("Upload-Offset"));
      this.progress(this.offset);
    }

    async send(hex) {
      await this.begin(hex);
      let length = LEAST;
      while (this.offset < this.file.size) {
        const began = performance.now();
        await this.piece(length);
        this.failures = 0;
        const seconds = (performance.now() - began) / 1000;
        length = Math.round(Math.min(MOST, Math.max(LEAST, length * Math.min(2, PIECE_S / Math.max(0.05, seconds)))));
      }
      localStorage.removeItem(this.key);
      this.end(gettext("Sent; a worker looks at it."));
    }

    async run() {
      this.failures = 0;
      let hex = null;
      while (!this.ended && !this.cancelled) {
        try {
          if (this.paused) {
            await this.wait(null);
            continue;
          }
          if (hex === null) hex = await this.hash();
          if (this.cancelled) return;
          if (this.paused) continue;
          if (!localStorage.getItem(this.key) && (await this.isKnown(hex))) break;
          await this.send(hex);
        } catch (error) {
          if (error instanceof Stopped) continue;
          if (error instanceof Refused) {
            this.row.classList.add("bad");
            this.end(error.message);
          } else if (error instanceof Gone) {
            localStorage.removeItem(this.key);
          } else {
            this.failures += 1;
            const seconds = Math.min(30, 2 ** (this.failures - 1));
            const why = error.message === "connection" || !navigator.onLine ? gettext("No connection.") : error.message;
            this.say(`${why} ${filled(gettext("Trying again in %(seconds)s s"), { seconds })}`, this.failures === 1);
            await this.wait(seconds);
          }
        }
      }
      document.body.dispatchEvent(new Event("uploads-changed"));
    }
  }

  // ---- all of them, a few at a time
  let running = 0;
  const next = async () => {
    const job = jobs.find((j) => !j.begun && !j.cancelled);
    if (!job || running >= AT_ONCE) return;
    job.begun = true;
    running += 1;
    await job.run();
    running -= 1;
    next();
  };
  const take = (files) => {
    for (const file of files) {
      if (jobs.some((j) => !j.ended && j.file.name === file.name && j.file.size === file.size)) continue;
      const job = new Job(file);
      jobs.push(job);
      if (file.size === 0 || file.size > most) {
        job.row.classList.add("bad");
        job.begun = true;
        job.end(file.size ? filled(gettext("It has %(size)s; %(most)s is the most."), { size: size(file.size), most: size(most) }) : gettext("It is empty, or a folder."));
      }
      next();
    }
  };

  form.addEventListener("submit", (event) => event.preventDefault());
  input.addEventListener("change", () => {
    take([...input.files]);
    input.value = "";
  });
  for (const name of ["dragenter", "dragover"]) {
    form.addEventListener(name, (event) => {
      event.preventDefault();
      form.classList.add("over");
    });
  }
  form.addEventListener("dragleave", (event) => {
    if (!form.contains(event.relatedTarget)) form.classList.remove("over");
  });
  form.addEventListener("drop", (event) => {
    event.preventDefault();
    form.classList.remove("over");
    take([...event.dataTransfer.files]);
  });
  window.addEventListener("online", () => jobs.forEach((j) => !j.ended && !j.paused && j.wake && j.wake()));
  window.addEventListener("beforeunload", (event) => {
    if (jobs.some((j) => j.begun && !j.ended && !j.paused)) event.preventDefault();
  });
  // What was unticked stays so when the list renews itself.
  const unticked = new Set();
  document.body.addEventListener("change", (event) => {
    if (event.target.name !== "upload") return;
    if (event.target.checked) unticked.delete(event.target.value);
    else unticked.add(event.target.value);
  });
  document.body.addEventListener("htmx:afterSwap", () => {
    for (const box of document.querySelectorAll("input[name=upload]")) if (unticked.has(box.value)) box.checked = false;
  });
})();
