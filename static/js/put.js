// Writes a value into the element of that `data-f` name; whether that changed anything.
export function put(box, name, value) {
  const place = box.querySelector(`[data-f=${name}]`);
  if (!place || value === undefined || place.textContent === String(value ?? "–")) return false;
  place.textContent = value ?? "–";
  return true;
}
