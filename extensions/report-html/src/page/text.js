const find = (id) => document.getElementById(id);

// An element. Strings among the children become text nodes, never markup.
function make(tag, attributes = {}, ...children) {
  const element = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}
function draw(tag, attributes = {}, ...children) {
  const element = document.createElementNS("http://www.w3.org/2000/svg", tag);
  for (const [name, value] of Object.entries(attributes)) element.setAttribute(name, value);
  element.append(...children);
  return element;
}

// Characters that show nothing, or turn the direction of what follows, are shown as their numbers.
const UNSEEN = /[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u061c\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;
const shown = (text) => text.replace(UNSEEN, (c) => (c === "\r" ? "\\r" : `\\u{${c.codePointAt(0).toString(16)}}`));
const shownLine = (text) => shown(text).replace(/\n/g, "\\n").replace(/\t/g, "\\t");

// Three digits, without zeros that say nothing.
const three = (value) => String(Number(value.toPrecision(3)));

// Microseconds for a person.
function time(us) {
  if (us < 0) return "";
  if (us < 1000) return `${us} µs`;
  if (us < 1e6) return `${three(us / 1000)} ms`;
  if (us < 60e6) return `${three(us / 1e6)} s`;
  const seconds = Math.round(us / 1e6);
  if (seconds < 3600) return `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
  return `${Math.floor(seconds / 3600)} h ${String(Math.floor(seconds / 60) % 60).padStart(2, "0")} min`;
}
const number = (count) => count.toLocaleString("en");
function size(bytes) {
  if (bytes < 1024) return bytes === 1 ? "1 byte" : `${bytes} bytes`;
  let unit = -1;
  for (; bytes >= 1024 && unit < 3; unit++) bytes /= 1024;
  return `${bytes.toFixed(1)} ${["KiB", "MiB", "GiB", "TiB"][unit]}`;
}

// One word for a POSIX shell.
function shellWord(word) {
  if (/^[\p{L}\p{N}_@%+=:,./-]+$/u.test(word)) return word;
  if (shownLine(word) === word) return `'${word.replaceAll("'", "'\\''")}'`;
  const bytes = new TextEncoder().encode(word);
  const plain = (byte) => byte >= 32 && byte < 127 && byte !== 39 && byte !== 92;
  return `$'${[...bytes].map((byte) => (plain(byte) ? String.fromCharCode(byte) : `\\x${byte.toString(16).padStart(2, "0")}`)).join("")}'`;
}

// A path as a link: each part of it encoded, so that it cannot be anything but a path.
function fileLink(path) {
  const parts = path.split("/").map(encodeURIComponent).join("/");
  return make("a", { href: path.startsWith("/") ? parts : `./${parts}` }, shownLine(path));
}

const ESCAPE = /\u001b(?:\[([0-9;:]*)m|\[[0-?]*[ -\/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[PX^_][^\u001b]*\u001b\\|[ -\/]*[0-~])/g;

// Output of a program: its colours become classes, its other commands to terminals are left out.
function coloured(text) {
  const parts = document.createDocumentFragment();
  const style = { classes: new Set(), front: "", back: "", colour: "" };
  text = text.replace(/\r+\n/g, "\n");
  let from = 0;
  const put = (to) => {
    if (to <= from) return;
    const piece = shown(text.slice(from, to));
    const names = [...style.classes, style.front, style.back].filter(Boolean);
    if (!names.length && !style.colour) { parts.append(piece); return; }
    const span = make("span", names.length ? { class: names.join(" ") } : {}, piece);
    if (style.colour) span.style.color = style.colour;
    parts.append(span);
  };
  for (const found of text.matchAll(ESCAPE)) {
    put(found.index);
    from = found.index + found[0].length;
    if (found[1] !== undefined) restyle(style, found[1]);
  }
  put(text.length);
  return parts;
}

function restyle(style, codes) {
  const numbers = codes.split(/[;:]/).map(Number);
  for (let at = 0; at < numbers.length; at++) {
    const code = numbers[at];
    if (code === 0) { style.classes.clear(); style.front = style.back = style.colour = ""; }
    else if ([1, 2, 3, 4, 9].includes(code)) style.classes.add(`a${code}`);
    else if (code === 22) { style.classes.delete("a1"); style.classes.delete("a2"); }
    else if ([23, 24, 29].includes(code)) style.classes.delete(`a${code - 20}`);
    else if (code >= 30 && code <= 37) { style.front = `c${code - 30}`; style.colour = ""; }
    else if (code >= 90 && code <= 97) { style.front = code === 90 ? "c8" : `c${code - 90}`; style.colour = ""; }
    else if (code === 39) style.front = style.colour = "";
    else if (code >= 40 && code <= 47) style.back = `b${code - 40}`;
    else if (code >= 100 && code <= 107) style.back = code === 100 ? "b8" : `b${code - 100}`;
    else if (code === 49) style.back = "";
    else if (code === 38 || code === 48) {
      const rgb = numbers[at + 1] === 2 ? numbers.slice(at + 2, at + 5) : numbers[at + 1] === 5 ? palette(numbers[at + 2]) : [];
      if (code === 38 && rgb.length === 3) style.colour = `rgb(${rgb.map((part) => part & 255).join(",")})`;
      at += numbers[at + 1] === 2 ? 4 : 2;
    }
  }
}

// The colour of a number from 0 to 255 as terminals have it.
function palette(index) {
  if (!(index >= 0 && index < 256)) return [];
  if (index >= 232) return Array(3).fill(8 + (index - 232) * 10);
  if (index >= 16) return [36, 6, 1].map((step) => [0, 95, 135, 175, 215, 255][Math.floor((index - 16) / step) % 6]);
  const high = index > 7 ? 255 : 170;
  return [1, 2, 4].map((bit) => (index & bit ? high : 60));
}
