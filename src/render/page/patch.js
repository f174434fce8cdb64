
// Makes of one element what another is. What is the same in both stays as it is, and with it the
// reader's place: folds, scroll, focus.
const keyOf = (node) => JSON.stringify([node.nodeName, node.id, { ...node.dataset }]);

// Every child that is to be, with the child that it already has for it, if it has one.
function pairs(old, fresh) {
  const own = new Map();
  for (const child of old.childNodes) {
    const key = keyOf(child);
    if (own.has(key)) own.get(key).push(child);
    else own.set(key, [child]);
  }
  return [...fresh.childNodes].map((child) => [child, own.get(keyOf(child))?.shift()]);
}

function patch(old, fresh) {
  if (old.nodeType !== Node.ELEMENT_NODE) {
    if (old.data !== fresh.data) old.data = fresh.data;
    return;
  }
  patchAttributes(old, fresh);
  const wanted = pairs(old, fresh);
  const kept = new Set(wanted.map(([, own]) => own));
  for (const child of [...old.childNodes]) if (!kept.has(child)) child.remove();
  let place = old.firstChild;
  for (const [child, own] of wanted) {
    if (own) patch(own, child);
    if (own && own === place) place = place.nextSibling;
    else old.insertBefore(own ?? child, place);
  }
}

function patchAttributes(old, fresh) {
  // Whether a fold is open is for the reader to say.
  const names = new Set([...old.getAttributeNames(), ...fresh.getAttributeNames()]);
  names.delete("open");
  for (const name of names) {
    const value = fresh.getAttribute(name);
    if (value === null) old.removeAttribute(name);
    else if (value !== old.getAttribute(name)) old.setAttribute(name, value);
  }
}

// A node that is moved loses its scroll and its focus.
function keepingPlace(area, change) {
  const scrolled = [...area.querySelectorAll(".error, .clamp")].map((text) => [text, text.scrollTop]);
  const focused = document.activeElement;
  change();
  for (const [text, top] of scrolled) if (text.scrollTop !== top) text.scrollTop = top;
  if (area.contains(focused) && focused !== document.activeElement) focused.focus({ preventScroll: true });
}

// What stands for a node of one area in what that area is to be.
function partner(node, area, fresh) {
  if (node === area) return fresh;
  const parent = partner(node.parentNode, area, fresh);
  return parent && pairs(node.parentNode, parent).find(([, own]) => own === node)?.[0];
}
