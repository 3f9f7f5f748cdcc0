// <node-card wire-id heard-ago stale-after>: takes this node's deltas and ages them. After `stale-after` seconds of
// silence the node is unknown, whatever it last said. What has no place here is asked of the server as a fragment.
import { age, clock } from "./clock.js";
import { put } from "./put.js";

const VIP = new Map([[true, ["present", "in the kernel"]], [false, ["absent", "not here"]], [null, ["unknown", "unknown"]]]);

class NodeCard extends HTMLElement {
  connectedCallback() {
    this.limit = Number(this.getAttribute("stale-after"));
    this.hear(Number.parseFloat(this.getAttribute("heard-ago")));
    for (const kind of ["node", "snapshot"]) document.body.addEventListener(`live:${kind}`, this);
    this.timer = setInterval(() => this.grow(), 250);
    this.grow();
  }

  disconnectedCallback() {
    for (const kind of ["node", "snapshot"]) document.body.removeEventListener(`live:${kind}`, this);
    clearInterval(this.timer);
  }

  handleEvent({ detail }) {
    const id = this.getAttribute("wire-id");
    const node = detail.view ? detail.view.nodes.find((one) => one.wire_id === id) : detail.delta;
    if (node && (detail.view || detail.node === id)) this.take(node);
  }

  hear(ago) {
    this.heard = performance.now() - 1000 * (Number.isFinite(ago) ? ago : Infinity);
  }

  take(node) {
    if ("heard_ago_s" in node) this.hear(node.heard_ago_s);
    for (const name of ["revision", "confirmed_revision", "engine"]) put(this, name, node[name]);
    const fits = (node.instances ?? []).every((one) => this.takeInstance(one));
    const shown = (one) => this.querySelectorAll(`[data-${one}]`).length;
    const changed = ["problem", "condition"].some((one) => shown(one) !== (node[`${one}s`]?.length ?? shown(one)));
    if (!fits || changed) this.ask("nodes");
    this.grow();
  }

  takeInstance(one) {
    const box = this.querySelector(`[data-instance="${CSS.escape(one.name)}"]`);
    if (!box || box.querySelectorAll("[data-vip]").length !== one.vips.length) return false;
    if (put(box, "state", one.state)) this.ask("groups");
    box.querySelector("[data-f=state]").dataset.state = one.state;
    for (const name of ["cause", "priority", "effective_priority"]) put(box, name, one[name]);
    box.querySelector("[data-since]").hidden = !one.since;
    if (one.since) {
      box.querySelector("[data-since] local-time")?.show(one.since);
      box.querySelector("[data-since] ago-time")?.setAttribute("datetime", one.since);
    }
    return one.vips.every((vip) => this.takeVip(box, vip)) && (!one.since || box.querySelector("[data-since] ago-time"));
  }

  takeVip(box, vip) {
    const chip = box.querySelector(`[data-vip="${CSS.escape(vip.address)}"]`);
    if (chip) [chip.dataset.state, chip.textContent] = VIP.get(vip.present ?? null);
    return chip !== null;
  }

  ask(topic) {
    document.body.dispatchEvent(new CustomEvent(`changed-${topic}`));
  }

  grow() {
    const silent = (performance.now() - this.heard) / 1000;
    const state = silent > this.limit ? "unknown" : "up";
    const card = this.firstElementChild;
    put(this, "heard", Number.isFinite(silent) ? `${age(silent)} ago` : "never");
    if (card.dataset.node === state) return;
    card.dataset.node = state;
    const since = `unknown since ${clock(new Date(Date.now() - 1000 * silent))}`;
    if (state === "unknown") put(this, "unknown", Number.isFinite(silent) ? since : "never heard");
    this.ask("groups");
  }
}

customElements.define("node-card", NodeCard);
