// <local-time><time datetime>: the moment in the reader's own zone; `ms` adds milliseconds.
import { clock } from "./clock.js";

class LocalTime extends HTMLElement {
  connectedCallback() {
    this.show(this.querySelector("time")?.dateTime);
  }

  show(iso) {
    const moment = new Date(iso ?? "");
    const time = this.querySelector("time");
    if (!time || Number.isNaN(moment.getTime())) return;
    time.dateTime = iso;
    time.title = moment.toISOString();
    time.textContent = clock(moment, { ms: this.hasAttribute("ms") });
  }
}

customElements.define("local-time", LocalTime);
