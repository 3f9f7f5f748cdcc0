// <config-editor check-url>: lifts its <textarea> into CodeMirror, asks the server about the text
// at every pause, shows problems in the gutter and in the <problem-list> that names it. The
// textarea stays the form's field: without JavaScript it is simply a textarea.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { forceLinting, lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { houseTheme } from "./editor-theme.js";
import { keepalived } from "./keepalived.js";
import "./problem-list.js";

const PAUSE_MS = 400;

class ConfigEditor extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector("textarea");
    if (!this.area || this.view) return;
    // A shadow root takes the editor's styles as adopted sheets, which the content policy allows.
    const root = this.attachShadow({ mode: "open" });
    this.view = new EditorView({ root, parent: root, state: this.state() });
    this.area.hidden = true;
    if (this.area.hasAttribute("aria-invalid")) this.view.focus();
  }

  state() {
    const readOnly = this.area.readOnly;
    return EditorState.create({
      doc: this.area.value,
      extensions: [
        lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), drawSelection(), history(),
        bracketMatching(), highlightSelectionMatches(), indentUnit.of("    "), keepalived, houseTheme, lintGutter(),
        linter((view) => this.check(view), { delay: PAUSE_MS }),
        // Escape then Tab leaves the editor: the keyboard is never trapped.
        keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap, indentWithTab]),
        EditorState.readOnly.of(readOnly),
        EditorView.contentAttributes.of({ "aria-label": this.area.getAttribute("aria-label") ?? "Configuration text" }),
        EditorView.updateListener.of((update) => {
          if (update.docChanged) this.area.value = update.state.doc.toString();
        }),
      ],
    });
  }

  async check(view) {
    // What is only read has its secrets masked: checking the masks would find what is not there.
    const problems = this.area.readOnly ? null : await this.ask(view.state.doc.toString());
    if (!problems) return [];
    this.dispatchEvent(new CustomEvent("problems", { bubbles: true, detail: { problems, editor: this } }));
    return problems.map((problem) => this.diagnostic(problem, view.state.doc));
  }

  async ask(text) {
    const token = this.closest("form").querySelector("[name=csrfmiddlewaretoken]").value;
    const headers = { "Content-Type": "application/json", "X-CSRFToken": token };
    try {
      const answer = await fetch(this.getAttribute("check-url"), { method: "POST", headers, body: JSON.stringify({ text }) });
      return answer.ok ? (await answer.json()).problems : null;
    } catch {
      return null; // The server is away; the page's live word says so, saving will ask again.
    }
  }

  diagnostic(problem, doc) {
    const at = (line, column) => {
      const place = doc.line(Math.min(Math.max(line, 1), doc.lines));
      return Math.min(place.from + Math.max(column - 1, 0), place.to);
    };
    const from = at(problem.line, problem.column);
    const to = Math.max(from, at(problem.end_line ?? problem.line, problem.end_column ?? problem.column));
    const hint = problem.hint && problem.hint !== problem.fix?.label ? `\n${problem.hint}` : "";
    const message = `${problem.message}${hint}`;
    const actions = problem.fix ? [{ name: problem.fix.label, apply: () => this.apply(problem.fix) }] : [];
    return { from, to, severity: problem.severity, message, actions };
  }

  apply(fix) {
    // The server counts characters, the editor UTF-16 units: an emoji in a comment is 1 and 2.
    const characters = Array.from(this.view.state.doc.toString());
    const unit = (count) => characters.slice(0, count).join("").length;
    this.view.dispatch({ changes: { from: unit(fix.start), to: unit(fix.end), insert: fix.text } });
    forceLinting(this.view);
  }

  go(line) {
    const place = this.view.state.doc.line(Math.min(line, this.view.state.doc.lines));
    this.view.dispatch({ selection: { anchor: place.from }, effects: EditorView.scrollIntoView(place.from, { y: "center" }) });
    this.view.focus();
  }
}

customElements.define("config-editor", ConfigEditor);
