// <once-form> around a form: the second click of a double click sends nothing.
class OnceForm extends HTMLElement {
  connectedCallback() {
    this.addEventListener("submit", this);
    this.addEventListener("htmx:afterRequest", this);
    window.addEventListener("pageshow", this);
  }

  disconnectedCallback() {
    window.removeEventListener("pageshow", this);
  }

  handleEvent(event) {
    if (event.type !== "submit") this.removeAttribute("busy");
    else if (this.hasAttribute("busy")) {
      event.preventDefault();
      event.stopImmediatePropagation();
    } else this.setAttribute("busy", "");
  }
}

customElements.define("once-form", OnceForm);
