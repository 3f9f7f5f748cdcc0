// What goes between the editor and the server's check: the whole text once, then only the lines
// that changed. One question at a time; whatever goes wrong, the next question is the whole text.
import { ChangeSet } from "@codemirror/state";

export class CheckLine {
  constructor(url, token) {
    this.url = url;
    this.token = token;
    // Not randomUUID: that is missing on pages that came over plain HTTP.
    this.session = Array.from(crypto.getRandomValues(new Uint32Array(4)), (part) => part.toString(16).padStart(8, "0")).join("");
    this.known = null; // the text that the server has, its number there, and what changed since
    this.turn = Promise.resolve();
  }

  note(changes) {
    if (this.known) this.known.changes = this.known.changes.compose(changes);
  }

  // The server's answer about the text at the time of asking, or null.
  ask(view) {
    const answer = this.turn.then(() => this.send(view)).catch(() => null);
    this.turn = answer;
    return answer;
  }

  async send(view) {
    const { doc } = view.state;
    const known = this.known;
    const began = { doc, number: null, changes: ChangeSet.empty(doc.length) };
    this.known = began; // what is typed while the server thinks counts from here
    const small = known?.number ? { number: known.number, edit: edit(known, doc) } : null;
    let answer = await this.post(small ?? { text: doc.toString() });
    if (small && answer.status === 409) answer = await this.post({ text: doc.toString() });
    if (!answer.ok) {
      this.known = null; // the server is away or busy; the page's live word says so, saving asks again
      return null;
    }
    const said = await answer.json();
    began.number = said.number;
    return { ...said, doc };
  }

  post(body) {
    const headers = { "Content-Type": "application/json", "X-CSRFToken": this.token };
    return fetch(this.url, { method: "POST", headers, body: JSON.stringify({ session: this.session, ...body }) });
  }
}

// From the first line that changed to the last one, as lines: the server counts characters otherwise.
function edit({ doc: old, changes }, doc) {
  let from = doc.length;
  let [oldTo, to] = [0, 0];
  changes.iterChangedRanges((fromA, toA, fromB, toB) => {
    from = Math.min(from, fromB);
    [oldTo, to] = [Math.max(oldTo, toA), Math.max(to, toB)];
  });
  if (changes.empty) return { first: 0, gone: 0, lines: [], total: doc.lines };
  const first = doc.lineAt(from).number;
  const last = doc.lineAt(to).number;
  const lines = [];
  for (let number = first; number <= last; number += 1) lines.push(doc.line(number).text);
  return { first: first - 1, gone: old.lineAt(oldTo).number - first + 1, lines, total: doc.lines };
}
