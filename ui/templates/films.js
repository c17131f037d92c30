// What the buttons on a film do: most tell Gradio; the heart keeps the film in this browser, in a list to copy or save.
const KEPT = "mood-picks-kept"; // IMDb id to title and year
const readKept = () => {
  try {
    return JSON.parse(localStorage.getItem(KEPT)) ?? {};
  } catch {
    return {}; // such as where a browser forbids to store anything
  }
};
const make = (tag, properties) => Object.assign(document.createElement(tag), properties);
const line = ([id, film]) => `${film.title}${film.year ? ` (${film.year})` : ""} https://www.imdb.com/title/${id}/`;

const showKept = () => {
  const kept = readKept();
  for (const heart of element.querySelectorAll("[data-keep]")) {
    heart.setAttribute("aria-pressed", String(heart.closest("[data-id]").dataset.id in kept));
  }
  const place = element.querySelector(".kept");
  const films = Object.entries(kept).filter(([id]) => /^tt\d{7,9}$/.test(id));
  const shown = films.map(line).join("\n");
  if (!place || place.dataset.shown === shown) return;
  place.dataset.shown = shown;
  if (!films.length) return place.replaceChildren();
  const list = make("ul", {});
  for (const [id, film] of films) {
    const item = list.appendChild(make("li", {}));
    const text = `${film.title}${film.year ? ` (${film.year})` : ""}`;
    item.append(make("a", { href: `https://www.imdb.com/title/${id}/`, target: "_blank", rel: "noopener", textContent: text }));
  }
  const copy = make("button", { type: "button", className: "plain", textContent: place.dataset.copy });
  copy.onclick = () => navigator.clipboard?.writeText(shown);
  const href = `data:text/plain;charset=utf-8,${encodeURIComponent(`${shown}\n`)}`;
  const save = make("a", { href, download: "films.txt", className: "plain", textContent: place.dataset.save });
  const buttons = make("p", { className: "acts" });
  buttons.append(copy, save);
  place.replaceChildren(make("h3", { textContent: place.dataset.title }), list, buttons);
};

const acts = () => [...element.querySelectorAll("li [data-act]")];
let place = -1; // of the button that was pressed, to return the focus there when the list has changed
let wanted = ""; // what is brought into view then
let surprise = ""; // the film that was picked by chance
element.addEventListener("click", (event) => {
  const heart = event.target.closest("[data-keep]");
  if (heart) {
    const kept = readKept();
    const { id } = heart.closest("[data-id]").dataset;
    if (id in kept) delete kept[id];
    else kept[id] = { title: heart.dataset.title, year: heart.dataset.year };
    localStorage.setItem(KEPT, JSON.stringify(kept));
    return showKept();
  }
  const button = event.target.closest("[data-act]");
  if (!button) return;
  place = acts().indexOf(button);
  wanted = ["lighter", "back"].includes(button.dataset.act) ? "h2 ~ p" : "";
  trigger("click", { action: button.dataset.act, imdb_id: button.closest("[data-id]")?.dataset.id ?? "" });
});
// The tools of a film are one stop of the Tab key, and arrow keys walk through them.
const toolsAround = (one) => [...(one.closest("[role=toolbar]")?.querySelectorAll("a, button") ?? [])];
element.addEventListener("focusin", ({ target }) => {
  for (const tool of toolsAround(target)) tool.tabIndex = tool === target ? 0 : -1;
});
element.addEventListener("keydown", (event) => {
  const step = { ArrowRight: 1, ArrowDown: 1, ArrowLeft: -1, ArrowUp: -1 }[event.key];
  const tools = toolsAround(event.target);
  if (!step || !tools.length) return;
  event.preventDefault();
  tools.at((tools.indexOf(event.target) + step) % tools.length).focus();
});
new MutationObserver(() => {
  showKept();
  const chosen = element.querySelector(".surprise")?.dataset.id ?? "";
  if (chosen && chosen !== surprise) wanted = ".surprised";
  surprise = chosen;
  if (wanted) element.querySelector(wanted)?.scrollIntoView({ block: "start" });
  wanted = "";
  acts()[place]?.focus({ preventScroll: true });
  place = -1;
}).observe(element, { childList: true, subtree: true });
