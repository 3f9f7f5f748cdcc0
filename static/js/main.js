// Every small element of the house; each file defines one.
import "./theme-switch.js";
import "./live-cluster.js";
import "./node-card.js";
import "./probe-line.js";
import "./ago-time.js";
import "./local-time.js";
import "./keep-draft.js";
import "./once-form.js";
import "./fresh-poll.js";
