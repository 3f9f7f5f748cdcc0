// A button that goes light -> dark -> as the system says, and remembers.
const NEXT = { system: "light", light: "dark", dark: "system" };

class ThemeSwitch extends HTMLElement {
  connectedCallback() {
    this.hidden = false;
    this.addEventListener("click", this);
    this.show();
  }

  disconnectedCallback() {
    this.removeEventListener("click", this);
  }

  get theme() {
    return document.documentElement.dataset.theme ?? "system";
  }

  handleEvent() {
    const next = NEXT[this.theme];
    if (next === "system") delete document.documentElement.dataset.theme;
    else document.documentElement.dataset.theme = next;
    try {
      localStorage.setItem("theme", next);
    } catch {
      // Not remembered; it still holds for this page.
    }
    this.show();
  }

  show() {
    const button = this.querySelector("button");
    this.querySelector("[data-word]").textContent = this.theme;
    button.setAttribute("aria-label", `Theme: ${this.theme}; switch to ${NEXT[this.theme]}`);
  }
}

customElements.define("theme-switch", ThemeSwitch);
