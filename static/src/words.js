// Help and completion from the schema's tables, which the server gives as JSON: hover a word to read
// what it does; the words that fit a place are offered while typing and with Ctrl-Space.
import { autocompletion, completionKeymap } from "@codemirror/autocomplete";
import { Prec } from "@codemirror/state";
import { hoverTooltip, keymap } from "@codemirror/view";
import { blockAt, statement, tokens } from "./where.js";

export function words(url, readOnly) {
  let asked = null;
  const tables = () => (asked ??= load(url).catch(() => (asked = null)));
  const hover = hoverTooltip(async (view, position) => tip(view.state.doc, position, await tables()));
  if (readOnly) return hover;
  const offer = async (context) => offered(context, await tables());
  return [hover, autocompletion({ override: [offer], icons: false }), Prec.high(keymap.of(completionKeymap))];
}

async function load(url) {
  const answer = await fetch(url);
  if (!answer.ok) throw new Error(`${answer.status}`);
  return answer.json();
}

// What the word under the pointer means where it stands.
export function tip(doc, position, tables) {
  if (!tables) return null;
  const line = doc.lineAt(position);
  const list = tokens(line.text);
  const at = list.findIndex(({ from, to }) => line.from + from <= position && position <= line.from + to);
  if (at < 0) return null;
  const token = list[at];
  if (statement(list.slice(0, at + 1))[0] !== token) return null; // a value, or a brace
  const block = blockAt(doc, line.from + token.from, tables.blocks);
  const keyword = tables.blocks[block]?.words[token.word];
  const retired = tables.retired[token.word];
  if (!keyword && !retired) return null;
  const dom = keyword ? card(token.word, keyword, tables.blocks[block].place) : element("div", "tip", retired);
  return { pos: line.from + token.from, end: line.from + token.to, above: true, create: () => ({ dom }) };
}

// Every sentence of the tables about one word.
function card(word, keyword, place) {
  const dom = element("div", "tip");
  const head = element("p", "tip-head");
  head.append(element("strong", "", word), ` in ${place}`);
  dom.append(head);
  const say = (text) => text && dom.append(element("p", "", text));
  say(keyword.same && `Another word for ${keyword.same}.`);
  say(keyword.help);
  say(keyword.old && `Old: ${keyword.old}.`);
  say(keyword.value && `Value: ${keyword.value}.`);
  say(keyword.before && `Before keepalived ${keyword.before[0]}: ${keyword.before[1]}.`);
  say(keyword.default && `Not written: ${keyword.default}.`);
  say(keyword.since && `Since keepalived ${keyword.since}.`);
  dom.append(element("p", "tip-engine", keyword.engine));
  return dom;
}

function element(tag, name, text) {
  const made = document.createElement(tag);
  if (name) made.className = name;
  if (text) made.textContent = text;
  return made;
}

// What can be written at the cursor.
export function offered(context, tables) {
  if (!tables) return null;
  const { doc } = context.state;
  const line = doc.lineAt(context.pos);
  const before = line.text.slice(0, context.pos - line.from);
  if (/(^|\s)[#!]/.test(before)) return null;
  const part = /[^\s{}"]*$/.exec(before)[0];
  const written = statement(tokens(before.slice(0, before.length - part.length)));
  if (!part && !context.explicit && !written.length) return null; // an empty line: only when asked
  const from = context.pos - part.length;
  const block = blockAt(doc, from, tables.blocks);
  const list = choices(doc, tables.blocks, block, written);
  // A word that is whole needs no offer: Enter behind it begins the next line.
  if (!list.length || (!context.explicit && list.some(({ label }) => label === part))) return null;
  return { from, options: list };
}

function choices(doc, blocks, block, written) {
  const table = blocks[block];
  if (!table) return [];
  if (!written.length) {
    const own = Object.entries(table.words).map(([word, keyword]) => keywordChoice(word, keyword, table.place));
    return table.named ? [...own, ...named(doc, table.named)] : own;
  }
  const keyword = table.words[written[0].word];
  const groups = block === "root" && written[0].word === "virtual_server" && written[1]?.word === "group";
  if (groups) return written.length === 2 ? named(doc, "virtual_server_group") : [];
  return (keyword?.options ?? []).map((label) => ({ label, type: "constant", detail: label === keyword.default ? "default" : "" }));
}

function keywordChoice(word, keyword, place) {
  const label = word;
  const detail = keyword.opens ? "block" : (keyword.value ?? "");
  const boost = (keyword.old ? -50 : 0) - (keyword.same ? 20 : 0);
  const apply = keyword.opens ? undefined : keyword.value ? `${word} ` : word;
  return { label, detail, boost, apply, info: () => card(word, keyword, place) };
}

// The names that the document gives with such a word: `vrrp_script NAME {`.
function named(doc, word) {
  const found = new Set();
  for (const text of doc.iterLines()) {
    if (!text.includes(word)) continue;
    const [first, second] = tokens(text);
    if (first?.word === word && second && second.word !== "{") found.add(second.word.replaceAll('"', ""));
  }
  return [...found].map((label) => ({ label, type: "variable", detail: `a ${word}` }));
}
