// <ago-time datetime>: how long ago, counting on by itself.
import { age, serverNow } from "./clock.js";

class AgoTime extends HTMLElement {
  static observedAttributes = ["datetime"];

  connectedCallback() {
    this.timer = setInterval(() => this.show(), 1000);
    this.show();
  }

  disconnectedCallback() {
    clearInterval(this.timer);
  }

  attributeChangedCallback() {
    this.show();
  }

  show() {
    const moment = Date.parse(this.getAttribute("datetime") ?? "");
    if (!Number.isNaN(moment)) this.textContent = age((serverNow() - moment) / 1000);
  }
}

customElements.define("ago-time", AgoTime);
