// Colours for keepalived's language: line-based keywords, conditions, macros, comments.
import { StreamLanguage } from "@codemirror/language";

const BLOCK = /^(global_defs|vrrp_(?:instance|script|sync_group|track_\w+)|virtual_(?:server\w*|ipaddress\w*|routes\w*|rules)|real_server|authentication|track_\w+|static_\w+|garp_group|bfd_instance|unicast_\w+|TCP_CHECK|HTTP_GET|SSL_GET|SMTP_CHECK|MISC_CHECK|DNS_CHECK|UDP_CHECK|PING_CHECK|FILE_CHECK|BFD_CHECK|notification_email|SSL|url|host)\b/;

export const keepalived = StreamLanguage.define({
  name: "keepalived",
  startState: () => ({ first: true }),
  token(stream, state) {
    if (stream.sol()) state.first = true;
    if (stream.eatSpace()) return null;
    if (stream.match(/^[#!].*/)) return "comment";
    if (stream.match(/^"(?:[^"\\]|\\.)*"?/)) return "string";
    if (stream.match(/^[{}]/)) {
      state.first = true;
      return "brace";
    }
    if (stream.match(/^@\^?[\w.-]+/) || stream.match(/^~(SEQ|LST)\b/)) return "meta";
    if (stream.match(/^\$\{?\w+\}?=?/)) return "variableName";
    if (stream.match(/^\d+(\.\d+){3}(\/\d+)?/) || stream.match(/^[\da-fA-F]*:[\da-fA-F:]+(\/\d+)?/)) return "literal";
    if (state.first) {
      state.first = false;
      if (stream.match(BLOCK)) return "keyword";
      stream.match(/^[^\s{}#!"]+/) || stream.next();
      return "propertyName";
    }
    if (stream.match(/^-?\d+(\.\d+)?(?=[\s}]|$)/)) return "number";
    stream.match(/^[^\s{}"]+/) || stream.next();
    return null;
  },
  languageData: { commentTokens: { line: "#" }, closeBrackets: { brackets: ["{", '"'] } },
});
