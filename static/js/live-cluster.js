// <live-cluster slug stale-after>: the page's one WebSocket. Tells the others by events, and says
// loudly when it is not live. Silence of `stale-after` seconds makes the page stale, socket or not.
import { clock } from "./clock.js";

const TOPICS = ["events", "rollout", "config", "outages", "groups"];
const GONE = { 4401: "signed out, reload to sign in", 4404: "this cluster is not yours to see" };

class LiveCluster extends HTMLElement {
  connectedCallback() {
    this.limit = 1000 * Number(this.getAttribute("stale-after"));
    this.heard = performance.now();
    this.tries = 0;
    this.timer = setInterval(() => this.show(), 500);
    this.open();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
    clearTimeout(this.retry);
    this.socket?.close();
    this.socket = null;
  }

  open() {
    const scheme = location.protocol === "https:" ? "wss" : "ws";
    const socket = new WebSocket(`${scheme}://${location.host}/ws/c/${this.getAttribute("slug")}/`);
    this.socket = socket;
    socket.onmessage = (message) => this.hear(JSON.parse(message.data));
    socket.onclose = (event) => {
      if (this.socket !== socket) return;
      this.downSince ??= new Date();
      this.gone = GONE[event.code];
      this.show();
      this.tries += 1;
      if (!this.gone) this.retry = setTimeout(() => this.open(), Math.min(5000, 250 * 2 ** this.tries));
    };
  }

  hear(message) {
    this.heard = performance.now();
    this.tries = 0;
    this.downSince = null;
    this.show();
    if (message.kind === "changed") return this.tell(`changed-${message.topic}`);
    this.tell(`live:${message.kind}`, message);
    // What happened before the socket was open is caught up by asking for every fragment again.
    if (message.kind === "broker") this.tell("changed-groups");
    if (message.kind === "snapshot") for (const topic of TOPICS) this.tell(`changed-${topic}`);
  }

  tell(name, detail) {
    document.body.dispatchEvent(new CustomEvent(name, { detail }));
  }

  show() {
    const silent = performance.now() - this.heard;
    const quiet = silent > this.limit;
    let words = "live";
    if (this.gone) words = `not live: ${this.gone}`;
    else if (this.downSince) words = `not live since ${clock(this.downSince)}, trying again`;
    else if (quiet) words = `nothing heard since ${clock(new Date(Date.now() - silent))}`;
    document.documentElement.dataset.live = quiet || this.gone ? "stale" : "fresh";
    const state = words === "live" ? "up" : "down";
    if (this.dataset.live !== state) this.dataset.live = state;
    const word = this.querySelector(".live__word");
    if (word.textContent !== words) word.textContent = words;
  }
}

customElements.define("live-cluster", LiveCluster);
