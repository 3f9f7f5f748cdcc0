// <keep-draft key> around a form: what is typed and not saved is kept in this tab and comes back after a reload, Back or
// a server that was away, with what the page showed then, so that the server can still tell both apart. `typed`: the
// server shows what was typed. Passwords are not kept. A page with [data-saved] says that what was sent is saved.
import { PREFIX, forget, read, write } from "./drafts.js";

const PAUSE_MS = 300;
const WATCHED = ["input", "change", "click", "keyup", "submit"];

class KeepDraft extends HTMLElement {
  connectedCallback() {
    this.form = this.querySelector("form");
    this.name = `${PREFIX}${this.getAttribute("key")}:${location.pathname}`;
    this.note = this.querySelector("[data-f=restored]");
    this.first = this.typed();
    this.restore(read(this.name));
    for (const kind of WATCHED) this.addEventListener(kind, this);
    for (const kind of ["beforeunload", "pagehide", "pageshow"]) window.addEventListener(kind, this);
  }

  disconnectedCallback() {
    for (const kind of ["beforeunload", "pagehide", "pageshow"]) window.removeEventListener(kind, this);
  }

  handleEvent(event) {
    if (event.target.closest?.("[data-f=discard]")) return this.discard();
    if (event.type === "submit") this.sent = !event.defaultPrevented;
    if (event.type === "pageshow") this.sent = false;
    else if (event.type === "beforeunload") return !this.sent && this.dirty() && event.preventDefault();
    clearTimeout(this.timer);
    if (["submit", "pagehide"].includes(event.type)) this.keep();
    else this.timer = setTimeout(() => this.keep(), PAUSE_MS);
  }

  // Every control with its value, but not what nobody may keep.
  pairs(wanted) {
    const sent = [...new FormData(this.form)].filter(([name, value]) => typeof value === "string" && wanted(this.form.elements[name]));
    return sent.map(([name, value]) => [name, value.replaceAll("\r\n", "\n")]);
  }

  typed() {
    return JSON.stringify(this.pairs((control) => !control.matches?.("[type=hidden], [type=password]")));
  }

  dirty() {
    return this.hasAttribute("typed") || this.typed() !== this.first;
  }

  keep() {
    if (this.gone) return;
    if (!this.dirty()) return sessionStorage.removeItem(this.name);
    const pairs = this.pairs((control) => !control.matches?.("[name=csrfmiddlewaretoken], [type=password]"));
    write(this.name, { pairs, typed: this.typed(), sent: this.sent });
  }

  restore(draft) {
    if (this.hasAttribute("typed") || !draft || draft.typed === this.first) return this.keep();
    const said = new Set(draft.pairs.map((pair) => JSON.stringify(pair)));
    const values = new Map(draft.pairs);
    for (const control of this.form.elements) {
      if (control.matches("[type=checkbox]")) control.checked = said.has(JSON.stringify([control.name, control.value]));
      else if (values.has(control.name) && !control.matches("button, [type=file]")) control.value = values.get(control.name);
    }
    this.note.hidden = false;
  }

  discard() {
    this.gone = this.sent = true;
    sessionStorage.removeItem(this.name);
    location.reload();
  }
}

if (document.querySelector("[data-saved]")) forget((draft) => draft?.sent);
document.addEventListener("submit", ({ target }) => {
  if (!target.matches("[data-sign-out]")) return;
  for (const form of document.querySelectorAll("keep-draft")) form.gone = form.sent = true;
  forget(() => true);
});
customElements.define("keep-draft", KeepDraft);
