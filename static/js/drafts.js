// Where what is typed is kept: this tab of this browser, until it is closed.
export const PREFIX = "draft:";

export function read(name) {
  try {
    return JSON.parse(sessionStorage.getItem(name));
  } catch {
    return null;
  }
}

export function write(name, draft) {
  try {
    sessionStorage.setItem(name, JSON.stringify(draft));
  } catch {
    // No room, or not allowed: leaving the page still asks.
  }
}

export function forget(which) {
  for (const name of Object.keys(sessionStorage)) {
    if (name.startsWith(PREFIX) && which(read(name))) sessionStorage.removeItem(name);
  }
}
