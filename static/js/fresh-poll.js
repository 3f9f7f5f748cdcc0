// <fresh-poll limit>: around what htmx polls. Unanswered for longer than `limit` seconds, the page
// says since when it is not live, and stops looking healthy.
import { clock } from "./clock.js";

class FreshPoll extends HTMLElement {
  connectedCallback() {
    this.heard = Date.now();
    this.addEventListener("htmx:afterOnLoad", this);
    this.timer = setInterval(() => this.show(), 1000);
  }

  disconnectedCallback() {
    this.removeEventListener("htmx:afterOnLoad", this);
    clearInterval(this.timer);
  }

  handleEvent() {
    this.heard = Date.now();
    this.show();
  }

  show() {
    const stale = Date.now() - this.heard > 1000 * Number(this.getAttribute("limit"));
    document.documentElement.dataset.live = stale ? "stale" : "fresh";
    const word = this.querySelector("[data-f=fresh]");
    word.hidden = !stale;
    if (stale) word.textContent = `Not live since ${clock(new Date(this.heard))}: this server does not answer. Trying again.`;
  }
}

customElements.define("fresh-poll", FreshPoll);
