// <problem-list>: the problems under the editor, each a link to its line, fixes at a click.
// The server rendered the first list; from the first check on this one takes over.
const WORDS = { error: "error", warning: "warning", info: "info" };

class ProblemList extends HTMLElement {
  connectedCallback() {
    document.addEventListener("problems", this);
  }

  disconnectedCallback() {
    document.removeEventListener("problems", this);
  }

  handleEvent({ detail: { problems, more, editor } }) {
    const rows = problems.map((problem) => this.row(problem, editor));
    const count = problems.filter((problem) => problem.severity === "error").length;
    this.querySelector("[data-f=summary]").textContent = problems.length
      ? `${count} ${count === 1 ? "error" : "errors"}, ${problems.length - count} other${more ? `, and ${more} more` : ""}`
      : "no problems";
    this.querySelector("ul").replaceChildren(...rows);
    this.querySelector("[data-f=none]").hidden = problems.length > 0;
  }

  row(problem, editor) {
    const row = this.querySelector("template").content.cloneNode(true);
    const put = (name, text) => {
      row.querySelector(`[data-f=${name}]`).textContent = text ?? "";
    };
    const chip = row.querySelector(".state");
    chip.dataset.state = problem.severity;
    chip.textContent = WORDS[problem.severity] ?? problem.severity;
    put("message", problem.message);
    put("hint", problem.hint === problem.fix?.label ? "" : problem.hint);
    const where = row.querySelector("[data-f=where]");
    where.textContent = `line ${problem.line}${problem.nodes?.length ? `, ${problem.nodes.join(" and ")}` : ""}`;
    where.addEventListener("click", () => editor.go(problem.line));
    const fix = row.querySelector("[data-f=fix]");
    fix.hidden = !problem.fix;
    if (problem.fix) {
      fix.textContent = problem.fix.label;
      fix.addEventListener("click", () => editor.apply(problem.fix));
    }
    return row;
  }
}

customElements.define("problem-list", ProblemList);
