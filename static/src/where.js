// Which block of keepalived's language a place in the text is in. Reads upwards from there, and only
// as far as a word that opens a block at the root and nowhere else.
const FAR = 5000;

// The tokens of a line: words, quoted text, braces; comments and a leading @NODE condition are left out.
export function tokens(text) {
  const found = [];
  const pattern = /"(?:[^"\\]|\\.)*"?|[{}]|[#!].*|[^\s{}"]+/g;
  for (const match of text.matchAll(pattern)) {
    const [word] = match;
    if (/^[#!]/.test(word)) break;
    if (!found.length && /^@\^?[\w.-]+$/.test(word)) continue;
    found.push({ word, from: match.index, to: match.index + word.length });
  }
  return found;
}

// The words from the last brace on: the statement that is being written.
export function statement(list) {
  const brace = list.findLastIndex(({ word }) => word === "{" || word === "}");
  return list.slice(brace + 1);
}

// The name of the block around a position, or null where an unknown word opened it.
export function blockAt(doc, position, blocks) {
  const here = doc.lineAt(position);
  const openers = [];
  let closed = 0;
  for (let number = here.number; number > Math.max(0, here.number - FAR); number -= 1) {
    const list = tokens(number === here.number ? here.text.slice(0, position - here.from) : doc.line(number).text);
    for (let index = list.length - 1; index >= 0; index -= 1) {
      const { word } = list[index];
      if (word === "}") closed += 1;
      if (word !== "{") continue;
      const opener = statement(list.slice(0, index))[0]?.word ?? above(doc, number);
      if (closed) closed -= 1;
      else openers.push(opener);
      if (!closed && rootOnly(opener, blocks)) return inside(openers, blocks);
    }
  }
  return inside(openers, blocks);
}

// A brace on a line of its own belongs to the line above.
function above(doc, number) {
  for (let at = number - 1; at > 0 && at > number - 10; at -= 1) {
    const list = tokens(doc.line(at).text);
    if (list.length) return statement(list)[0]?.word ?? "";
  }
  return "";
}

function inside(openers, blocks) {
  let block = "root";
  for (const word of openers.toReversed()) block = blocks[block]?.words[word]?.opens ?? null;
  return block;
}

function rootOnly(word, blocks) {
  if (!blocks.root.words[word]?.opens) return false;
  return !Object.entries(blocks).some(([name, block]) => name !== "root" && block.words[word]);
}
