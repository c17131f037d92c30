// What the page does in the browser beyond Gradio: names for screen readers, a word about the microphone, the answer
// scrolled into view, and an address that reproduces the list. Runs once, when the page has loaded.
() => {
  const byId = (id) => document.getElementById(id);
  for (const id of ["moods", "intent"]) {
    const title = byId(id).querySelector("[data-testid=block-info]");
    title.id = `${id}-title`;
    byId(id).setAttribute("aria-labelledby", title.id);
  }

  // Beside each recorder is a place for a word about the microphone; what goes wrong is said at the one that was used.
  const notes = [...document.querySelectorAll(".microphone-note")];
  let nearest = notes[0];
  document.addEventListener("click", ({ target }) => {
    nearest = target.closest("#ask, .drawer")?.querySelector(".microphone-note") ?? nearest;
  }, true);

  // A recording that is stopped at once has no sound, and leaves a player that nothing clears: it lasts at least so long.
  const SHORTEST_MS = 700;
  let started = 0;
  document.addEventListener("click", (click) => {
    if (click.target.closest(".record-button")) started = performance.now();
    const button = click.target.closest(".stop-button");
    const rest_ms = started + SHORTEST_MS - performance.now();
    if (!button || rest_ms <= 0) return;
    click.stopImmediatePropagation();
    setTimeout(() => button.click(), rest_ms);
  }, true);
  const say = (problem, places = notes) => {
    for (const note of places) note.textContent = problem ? note.dataset[problem] : "";
  };
  if (!navigator.mediaDevices) {
    say("insecure");
  } else {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      try {
        const stream = await ask(wanted);
        started = performance.now();
        say("");
        return stream;
      } catch (error) {
        say(error.name === "NotAllowedError" ? "denied" : "missing", [nearest]);
        throw error;
      }
    };
  }

  // Gradio refuses all files of a choice for one that is too large: that one is left out here, and the others go on.
  const leaveOut = (event, input, files) => {
    const note = input.closest("#ask, .drawer")?.querySelector(".microphone-note, .file-note");
    if (!note) return; // where it is no recording
    const kept = [...files].filter(({ size }) => size <= note.dataset.maxBytes);
    if (note.textContent === note.dataset.large) say("", [note]);
    if (kept.length === files.length) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    const transfer = new DataTransfer();
    for (const file of kept) transfer.items.add(file);
    input.files = transfer.files;
    if (kept.length) input.dispatchEvent(new Event("change", { bubbles: true }));
    say("large", [note]);
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[type=file]")) leaveOut(event, event.target, event.target.files);
  }, true);
  document.addEventListener("drop", (event) => {
    const input = event.target.closest(".block")?.querySelector("input[type=file]");
    if (input) leaveOut(event, input, event.dataTransfer.files);
  }, true);

  // Live: its drawer is open when the page loads, because Gradio streams ten times a second from a recorder that
  // appears later; and at its limit it is stopped here, since Gradio cannot stop it.
  const live = byId("live");
  for (const drawer of [byId("enroll"), live]) {
    drawer.querySelector("button").click();
    drawer.classList.add("ready");
  }
  const stop = () => live.querySelector(".stop-button")?.click();
  new MutationObserver(() => {
    if (live.querySelector("[data-over]")) stop();
  }).observe(byId("live-bars"), { childList: true, subtree: true });
  addEventListener("unhandledrejection", stop); // Record was pressed before Gradio had loaded its recorder

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  new MutationObserver(() => {
    byId("answer").scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  }).observe(byId("answer"), { childList: true, subtree: true, characterData: true });

  // The open list of a dropdown scrolls, so Tab would move into it just before it closes, and the focus would be lost.
  addEventListener("keydown", ({ key }) => {
    if (key === "Tab") for (const list of document.querySelectorAll("[role=listbox]")) list.tabIndex = -1;
  }, true);

  // "More films" disappears with the last of them: the keyboard focus then moves to the first new film.
  let known = -1; // films there were when it was pressed
  document.addEventListener("click", ({ target }) => {
    const more = target.closest("#more");
    known = more?.contains(document.activeElement) ? byId("films").querySelectorAll(".film").length : -1;
  }, true);
  const keepFocus = () => {
    const links = byId("films").querySelectorAll(".film h3 a");
    if (known < 0 || byId("more") || links.length <= known) return;
    links[known].focus();
    known = -1;
  };

  // Gradio's button for more files contains another button, the one to press, and has an untranslated name.
  const upload = getComputedStyle(document.documentElement).getPropertyValue("--say-upload").replaceAll('"', "");
  new MutationObserver(() => {
    for (const outer of byId("batch").querySelectorAll("button:has(button):not([role])")) {
      outer.setAttribute("role", "group");
      outer.tabIndex = -1;
      outer.ariaLabel = outer.title = upload;
    }
  }).observe(byId("batch"), { childList: true, subtree: true });

  // The list is too long to be read out: a screen reader announces its heading and the number of films.
  const news = document.body.appendChild(document.createElement("p"));
  news.className = "unseen";
  news.setAttribute("role", "status");
  let listed = "";
  const announce = () => {
    const heading = byId("films").querySelector("h2")?.textContent;
    const films = [...byId("films").querySelectorAll("[data-film]")].map((button) => button.dataset.film);
    const text = heading ? `${heading}: ${films.length}` : "";
    const list = [text, ...films].join();
    if (list === listed) return;
    listed = list;
    const again = news.textContent === text; // other films, but as many: the same words are read only if they come anew
    if (again) news.textContent = "";
    setTimeout(() => { news.textContent = text; }, again ? 100 : 0);
  };

  const gradios = (name) => name.startsWith("__"); // Gradio's own, such as __theme
  new MutationObserver(() => {
    announce();
    setTimeout(keepFocus, 100); // the button disappears just after the list has changed
    const list = byId("films").querySelector("[data-query]");
    if (!list) return;
    const parts = [...new URLSearchParams(location.search)].filter(([name]) => gradios(name)).map((pair) => pair.join("="));
    const query = [...parts, list.dataset.query].filter(Boolean).join("&");
    history.replaceState(history.state, "", query ? `?${query}` : location.pathname);
    if (parent !== window) parent.postMessage({ queryString: list.dataset.query }, "https://huggingface.co");
  }).observe(byId("films"), { childList: true, subtree: true, attributes: true });
}
