// <probe-line stale-after>: the client's view. A strip of the last answers; an open outage counts up by itself.
import { serverNow } from "./clock.js";

const CELLS = 120;

class ProbeLine extends HTMLElement {
  connectedCallback() {
    this.strip = this.querySelector(".strip");
    this.word = this.querySelector("[data-f=now]");
    this.limit = 1000 * Number(this.getAttribute("stale-after"));
    this.heard = performance.now();
    this.probe = { state: this.getAttribute("state"), outages: [{ since: this.getAttribute("down-since") }] };
    for (const kind of ["probe", "snapshot"]) document.body.addEventListener(`live:${kind}`, this);
    this.timer = setInterval(() => this.show(), 100);
  }

  disconnectedCallback() {
    for (const kind of ["probe", "snapshot"]) document.body.removeEventListener(`live:${kind}`, this);
    clearInterval(this.timer);
  }

  handleEvent({ detail }) {
    const probe = detail.probe ?? detail.view?.probe;
    if (!probe) return;
    if (this.probe.heard_at !== probe.heard_at) this.add(probe);
    if (probe.state !== "unknown") this.heard = performance.now();
    this.probe = probe;
    this.show();
  }

  add(probe) {
    const cell = document.createElement("i");
    cell.dataset.up = probe.state;
    cell.title = probe.state === "up" && probe.rtt_us ? `answered in ${this.ms(probe.rtt_us)}` : probe.state;
    this.strip.append(cell);
    while (this.strip.childElementCount > CELLS) this.strip.firstElementChild.remove();
  }

  ms(us) {
    return `${(us / 1000).toFixed(us < 10000 ? 2 : 0)} ms`;
  }

  now() {
    const { state, rtt_us: rtt, outages } = this.probe;
    if (state === "unknown" || performance.now() - this.heard > this.limit) {
      return ["unknown", "the client is not heard"];
    }
    if (state === "up") return ["up", rtt ? `answered in ${this.ms(rtt)}` : "answered"];
    const open = outages.find((outage) => outage.since && !outage.until);
    const since = open ? Date.parse(open.since) : NaN;
    return ["down", Number.isNaN(since) ? "no answer" : `no answer for ${((serverNow() - since) / 1000).toFixed(1)} s`];
  }

  show() {
    const [state, words] = this.now();
    if (this.word.textContent !== words) this.word.textContent = words;
    this.word.dataset.state = state;
    this.querySelector(".probe").dataset.up = state;
  }
}

customElements.define("probe-line", ProbeLine);
