// <config-editor check-url words-url>: lifts its <textarea> into CodeMirror, asks the server about the
// text at every pause, shows problems in the gutter and in the <problem-list> that names it. The
// textarea stays the form's field: without JavaScript it is simply a textarea.
import { defaultKeymap, history, historyKeymap, indentWithTab } from "@codemirror/commands";
import { bracketMatching, indentUnit } from "@codemirror/language";
import { forceLinting, lintGutter, lintKeymap, linter } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { ChangeSet, EditorState } from "@codemirror/state";
import { EditorView, drawSelection, highlightActiveLine, highlightActiveLineGutter, keymap, lineNumbers } from "@codemirror/view";
import { CheckLine } from "./check-line.js";
import { houseTheme } from "./editor-theme.js";
import { keepalived } from "./keepalived.js";
import { words } from "./words.js";
import "./problem-list.js";

const PAUSE_MS = 400;

class ConfigEditor extends HTMLElement {
  connectedCallback() {
    this.area = this.querySelector("textarea");
    if (!this.area || this.view) return;
    const form = this.closest("form");
    this.line = new CheckLine(this.getAttribute("check-url"), form.querySelector("[name=csrfmiddlewaretoken]").value);
    // A shadow root takes the editor's styles as adopted sheets, which the content policy allows.
    const root = this.attachShadow({ mode: "open" });
    this.view = new EditorView({ root, parent: root, state: this.state() });
    this.area.hidden = true;
    // Not at every key: a large document is long to write out.
    form.addEventListener("formdata", ({ formData }) => formData.set(this.area.name, this.text()));
    window.addEventListener("pagehide", () => { this.area.value = this.text(); });
    if (this.area.hasAttribute("aria-invalid")) this.view.focus();
  }

  text() {
    return this.view.state.doc.toString();
  }

  state() {
    const readOnly = this.area.readOnly;
    return EditorState.create({
      doc: this.area.value,
      extensions: [
        lineNumbers(), highlightActiveLineGutter(), highlightActiveLine(), drawSelection(), history(),
        bracketMatching(), highlightSelectionMatches(), indentUnit.of("    "), keepalived, houseTheme, lintGutter(),
        linter((view) => this.check(view), { delay: PAUSE_MS }), words(this.getAttribute("words-url"), readOnly),
        // Escape then Tab leaves the editor: the keyboard is never trapped.
        keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...lintKeymap, indentWithTab]),
        EditorState.readOnly.of(readOnly),
        EditorView.contentAttributes.of({ tabindex: "0", "aria-label": this.area.getAttribute("aria-label") ?? "Configuration text" }),
        EditorView.updateListener.of((update) => {
          if (!update.docChanged) return;
          this.line.note(update.changes);
          this.since = this.since?.compose(update.changes);
        }),
      ],
    });
  }

  async check(view) {
    // What is only read has its secrets masked: checking the masks would find what is not there.
    const answer = this.area.readOnly ? null : await this.line.ask(view);
    if (!answer || answer.doc !== view.state.doc) return []; // more was typed: the next pause asks again
    const { problems, more } = answer;
    this.checked = answer.doc;
    this.since = ChangeSet.empty(answer.doc.length);
    this.dispatchEvent(new CustomEvent("problems", { bubbles: true, detail: { problems, more, editor: this } }));
    return problems.map((problem) => this.diagnostic(problem, view.state.doc));
  }

  diagnostic(problem, doc) {
    const at = (line, column) => {
      const place = doc.line(Math.min(Math.max(line, 1), doc.lines));
      return Math.min(place.from + units(place.text, column - 1), place.to);
    };
    const from = at(problem.line, problem.column);
    const to = Math.max(from, at(problem.end_line ?? problem.line, problem.end_column ?? problem.column));
    const hint = problem.hint && problem.hint !== problem.fix?.label ? `\n${problem.hint}` : "";
    const nodes = problem.nodes?.length ? ` (${problem.nodes.join(", ")})` : "";
    const actions = problem.fix ? [{ name: problem.fix.label, apply: () => this.apply(problem.fix) }] : [];
    return { from, to, severity: problem.severity, message: `${problem.message}${nodes}${hint}`, actions };
  }

  // The fix was made for the text that was checked; where more was typed since, it moves along, and
  // is not made where its own place was changed.
  apply(fix) {
    const { doc } = this.view.state;
    const text = this.checked.toString();
    const [start, end] = [units(text, fix.start), units(text, fix.end)];
    const [from, to] = [this.since.mapPos(start, 1), this.since.mapPos(end, -1)];
    if (from <= to && doc.sliceString(from, to) === this.checked.sliceString(start, end)) {
      this.view.dispatch({ changes: { from, to, insert: fix.text }, scrollIntoView: true, userEvent: "input.fix" });
    }
    forceLinting(this.view);
  }

  go(line) {
    const place = this.view.state.doc.line(Math.min(line, this.view.state.doc.lines));
    this.view.dispatch({ selection: { anchor: place.from }, effects: EditorView.scrollIntoView(place.from, { y: "center" }) });
    this.view.focus();
  }
}

// The server counts characters, the editor UTF-16 units: an emoji in a comment is 1 and 2.
function units(text, count) {
  if (count <= 0) return 0;
  if (!/[\ud800-\udbff]/.test(text)) return count;
  return Array.from(text).slice(0, count).join("").length;
}

customElements.define("config-editor", ConfigEditor);
