// What the page does in the browser beyond Gradio: the recorder's limits and messages, the way to the answer and back,
// sharing, and names for screen readers. Runs once, when the page has loaded.
() => {
  const byId = (id) => document.getElementById(id);
  const word = (name) =>
    getComputedStyle(document.documentElement).getPropertyValue(`--say-${name}`).trim().slice(1, -1);
  const seen = (element) => element?.checkVisibility() && element.getBoundingClientRect().width > 0;
  const gradios = (key) => key.startsWith("__"); // parts of the address that are Gradio's own, such as __theme
  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  const bringUp = (element, block = "start") =>
    element?.scrollIntoView({ block, behavior: calm.matches ? "auto" : "smooth" });
  const soon = (find, act, left_ms = 4000) => {
    const found = find();
    if (found) act(found);
    else if (left_ms > 0) setTimeout(() => soon(find, act, left_ms - 50), 50);
  };

  // Messages: beside each recorder and list is a place for one, and what goes wrong is said where the visitor was last.
  const all = () => [...document.querySelectorAll(".note")]; // a drawer that was never opened has none yet
  const areas = "#voice, #choose, #list, .drawer";
  const noteOf = (element) =>
    (element.closest(areas)?.querySelector(".note") ?? element.closest("#list")?.querySelector(".note"));
  let nearest = all()[0];
  for (const kind of ["pointerdown", "click", "keydown", "change", "drop"]) {
    document.addEventListener(kind, ({ target }) => { nearest = noteOf(target) ?? nearest; }, true);
  }
  const say = (problem, places = all(), again = null) => {
    for (const note of places) {
      if (note.dataset.said === problem && !again) continue;
      note.dataset.said = problem;
      note.textContent = problem ? note.dataset[problem] : "";
      if (!again) continue;
      const button = Object.assign(document.createElement("button"), { type: "button", onclick: again });
      button.textContent = note.dataset.again;
      note.append(" ", button);
    }
  };
  const unsay = (problems, places = all()) =>
    say("", places.filter((note) => problems.includes(note.dataset.said)));

  // No connection, or a full queue: what was to be sent is kept, said, and sent again when it can be.
  const RETRY_MS = 3000;
  const patient = /\/(upload|queue\/join)(\?|$)/;
  const send = window.fetch.bind(window);
  const waiting = new Map(); // what waits: a function that tries again at once
  const tryAll = () => { for (const go of [...waiting.values()]) go(); };
  const SLOW_MS = 5000;
  addEventListener("online", tryAll);
  window.fetch = async (address, options) => {
    if (!patient.test(String(address?.url ?? address))) return send(address, options);
    const place = nearest;
    const request = {};
    const slow = setTimeout(() => say("slow", [place]), SLOW_MS);
    try {
      for (;;) {
        let problem = "unsent";
        try {
          const answer = await send(address, options);
          if (answer.status !== 503) return answer;
          problem = "full";
        } catch (error) {
          if (error.name === "AbortError") throw error;
        }
        clearTimeout(slow);
        document.body.classList.add("unsent");
        if (place.dataset.said !== problem) say(problem, [place], tryAll);
        await new Promise((resolve) => {
          waiting.set(request, resolve);
          setTimeout(resolve, RETRY_MS);
        });
      }
    } finally {
      clearTimeout(slow);
      unsay(["slow"]);
      waiting.delete(request);
      if (!waiting.size) {
        document.body.classList.remove("unsent");
        unsay(["unsent", "full"]);
      }
    }
  };

  // While Gradio thinks that the connection is lost, it sends nothing, and later it may load the page anew: a mood that
  // was picked then is picked again, and is in the address.
  let unsent = null;
  document.addEventListener("input", ({ target }) => {
    if (navigator.onLine || !target.matches("#moods input")) return;
    unsent = target;
    const parts = new URLSearchParams(location.search);
    parts.set("mood", target.value);
    history.replaceState(history.state, "", `?${parts}`);
    document.body.classList.add("unsent");
    if (nearest.dataset.said !== "unsent") say("unsent", [nearest], tryAll);
  }, true);
  addEventListener("online", () => setTimeout(() => {
    if (unsent && !byId("answer").querySelector(`.face-${unsent.value}`)) {
      unsent.dispatchEvent(new Event("input", { bubbles: true }));
    }
    unsent = null;
    if (waiting.size) return;
    document.body.classList.remove("unsent");
    unsay(["unsent"]);
  }, 1000));

  // The microphone: a recording lasts at least so long that it has a sound, and no longer than may be sent.
  const SHORTEST_MS = 700;
  const LONGEST_MS = all()[0].dataset.maxS * 1000 - 500;
  const recorders = "#clip, #enroll-recorder";
  let started = 0;
  let limit = 0;
  let spoke = false; // the focus goes to the answer
  const stopRecording = (recorder) =>
    [...recorder.querySelectorAll(".stop-button, .stop-button-paused")].find(seen)?.click();
  document.addEventListener("click", (click) => {
    const recorder = click.target.closest("#clip, #enroll-recorder, #live-recorder");
    if (recorder && click.target.closest(".record-button")) {
      started = performance.now();
      soon(() => [...recorder.querySelectorAll(".stop-button")].find(seen), (stop) => {
        if ([document.body, click.target].includes(document.activeElement)) stop.focus({ preventScroll: true });
        clearTimeout(limit);
        if (recorder.matches(recorders)) limit = setTimeout(() => stopRecording(recorder), LONGEST_MS);
      }, 30_000);
    }
    const button = click.target.closest(".stop-button, .stop-button-paused");
    if (!button) return;
    const rest_ms = started + SHORTEST_MS - performance.now();
    if (rest_ms > 0) {
      click.stopImmediatePropagation();
      setTimeout(() => button.click(), rest_ms);
      return;
    }
    clearTimeout(limit);
    spoke = recorder?.id === "clip";
  }, true);
  if (!navigator.mediaDevices) {
    say("insecure", all().filter((note) => note.matches(".microphone-note")));
  } else {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      try {
        const stream = await ask(wanted);
        started = performance.now();
        unsay(["denied", "missing"]);
        if (document.body.classList.contains("no-microphone")) {
          for (const close of document.querySelectorAll(".toast-close")) close.click(); // what Gradio said meanwhile
          document.body.classList.remove("no-microphone");
        }
        return stream;
      } catch (error) {
        say(error.name === "NotAllowedError" ? "denied" : "missing", [nearest]);
        document.body.classList.add("no-microphone"); // what Gradio says besides is not shown
        throw error;
      }
    };
  }

  // Files: Gradio judges them by type, but this server by what is in them. One that is too large is left out, because
  // Gradio would refuse all files of a choice for it.
  const take = (event, input, files) => {
    const note = noteOf(input);
    if (!note || input.dataset.taken) return void delete input.dataset.taken;
    const kept = [...files].filter(({ size }) => size <= note.dataset.maxBytes);
    unsay(["large"], [note]);
    if (kept.length < files.length) say("large", [note]);
    const retype = input.closest(recorders) !== null;
    if (kept.length === files.length && !retype) return;
    event.stopImmediatePropagation();
    event.preventDefault();
    const transfer = new DataTransfer();
    for (const file of kept) transfer.items.add(retype ? new File([file], file.name, { type: "audio/wav" }) : file);
    if (!kept.length) return;
    input.files = transfer.files;
    input.dataset.taken = "yes";
    input.dispatchEvent(new Event("change", { bubbles: true }));
  };
  document.addEventListener("change", (event) => {
    if (event.target.matches("input[type=file]")) take(event, event.target, event.target.files);
  }, true);
  document.addEventListener("drop", (event) => {
    const input = event.target.closest(".block")?.querySelector("input[type=file]");
    if (input) take(event, input, event.dataTransfer.files);
  }, true);

  // Live: its drawer is open when the page loads, because Gradio streams ten times a second from a recorder that
  // appears later; and at its limit it is stopped here, since Gradio cannot stop it.
  const live = byId("live");
  for (const drawer of [byId("enroll"), live]) {
    drawer.querySelector("button").click();
    drawer.classList.add("ready");
  }
  const settle = () => document.body.classList.add("ready"); // what is below stays hidden until the recorder is drawn
  soon(() => byId("clip").querySelector(".record-button, audio, input"), () => requestAnimationFrame(settle), 5000);
  setTimeout(settle, 5000);
  const stopLive = () => stopRecording(live);
  new MutationObserver(() => {
    if (live.querySelector("[data-over]")) stopLive();
  }).observe(byId("live-bars"), { childList: true, subtree: true });
  addEventListener("unhandledrejection", (event) => {
    stopLive(); // Record was pressed before Gradio had loaded its recorder
    if (/Error accessing the microphone/.test(event.reason?.message)) event.preventDefault(); // said already
  });

  const hidesGender = () => {
    try {
      return localStorage.getItem("hide-gender");
    } catch { // in a frame whose storage the browser blocks
      return null;
    }
  };

  // The answer comes to the top of the window, except while somebody walks through the moods by arrow keys.
  let walking = false;
  let answered = "";
  let picked = false; // a mood was picked with the space bar: the focus goes to the answer
  document.addEventListener("keydown", ({ key, target }) => {
    walking = key.startsWith("Arrow");
    picked = [" ", "Enter"].includes(key) && target.matches("#moods input");
  }, true);
  document.addEventListener("pointerdown", () => { walking = picked = false; }, true);
  new MutationObserver(() => {
    const section = byId("answer").querySelector("section");
    if (!section || section.dataset.stamp === answered) return;
    answered = section.dataset.stamp;
    unsay(["denied", "missing", "insecure", "forgot"]);
    if (section.dataset.voice === "plain" && byId("guide").querySelector(".enrolled")) { // the server was restarted
      byId("forget-profile").click();
      say("forgot", all().filter((note) => note.closest("#enroll, #voice")));
    }
    if (hidesGender()) section.classList.add("no-gender");
    if (walking) return;
    setTimeout(() => bringUp(section), 50); // what went wrong before is gone by then
    if (spoke || picked) section.querySelector("h2").focus({ preventScroll: true });
    spoke = picked = false;
  }).observe(byId("answer"), { childList: true, subtree: true, characterData: true, attributes: true });

  // A mood that is named elsewhere on the page, a way back to the recorder, and who does not want to be told a gender.
  document.addEventListener("click", ({ target }) => {
    const mood = target.closest("[data-mood]")?.dataset.mood;
    const radio = mood && byId("moods").querySelector(`input[value="${mood}"]`);
    if (radio?.checked) bringUp(byId("answer").querySelector("section"));
    else if (radio) radio.click();
    if (target.closest(".start-over")) {
      byId("clip").querySelector(".top-panel button")?.click();
      const kept = [...new URLSearchParams(location.search)].filter(([key]) => gradios(key));
      history.pushState(null, "", `?${new URLSearchParams(kept)}`);
      dispatchEvent(new PopStateEvent("popstate")); // as "Back" does to a page without an answer
      bringUp(byId("ask"));
      soon(() => byId("clip").querySelector(".record-button"), (record) => record.focus({ preventScroll: true }));
    }
    if (target.closest(".hide-gender")) {
      localStorage.setItem("hide-gender", "yes");
      target.closest("section").classList.add("no-gender");
    }
  });

  // "What it heard" opens, is brought into view, and closes; Gradio only knows how to open it.
  const explain = byId("explain");
  let opening = false;
  document.addEventListener("click", (click) => {
    if (!click.target.closest("#explain-button")) return;
    if (explain.querySelector("figure")) {
      explain.classList.toggle("closed");
      click.stopImmediatePropagation();
      if (!explain.classList.contains("closed")) bringUp(explain);
    } else {
      explain.classList.remove("closed");
      opening = true;
    }
    tidy();
  }, true);
  new MutationObserver(() => {
    if (opening && explain.querySelector("figure, h2")) bringUp(explain);
    if (explain.querySelector("figure")) opening = false;
  }).observe(explain, { childList: true, subtree: true });

  // The open list of a dropdown scrolls, so Tab would move into it just before it closes, and the focus would be lost.
  addEventListener("keydown", ({ key }) => {
    if (key === "Tab") for (const list of document.querySelectorAll("[role=listbox]")) list.tabIndex = -1;
  }, true);

  // Names and states that Gradio leaves out: one group for the answers to a question, whether a drawer is open, what
  // the recorder's buttons are called. Whenever something has appeared or changed its class.
  const name = (element, text) => {
    if (element && element.ariaLabel !== text) element.ariaLabel = element.title = text;
  };
  const groupRadios = () => {
    for (const radio of document.querySelectorAll("input[type=radio]")) {
      const group = radio.closest(".block");
      if (group.id) radio.name = group.id;
    }
  };
  const tidy = () => {
    groupRadios();
    for (const id of ["moods", "intent"]) {
      const title = byId(id).querySelector("[data-testid=block-info]");
      title.id = `${id}-title`;
      byId(id).setAttribute("aria-labelledby", title.id);
    }
    for (const label of document.querySelectorAll(".label-wrap")) {
      label.ariaExpanded = label.classList.contains("open");
      label.querySelector(".icon")?.setAttribute("aria-hidden", "true");
    }
    const explained = byId("explain-button");
    if (explained) explained.ariaExpanded = Boolean(explain.querySelector("section")) && !explain.matches(".closed");
    if (!navigator.mediaDevices) for (const button of document.querySelectorAll(".record-button")) button.disabled = true;
    for (const recorder of document.querySelectorAll("#clip, #enroll-recorder")) {
      const [upload, microphone] = recorder.querySelectorAll(".source-selection button");
      name(upload, word("upload"));
      name(microphone, word("microphone"));
      name(recorder.querySelector(".top-panel button"), word("record-again"));
      for (const input of recorder.querySelectorAll("input[type=file]")) input.accept = all()[0].dataset.files;
    }
    // Gradio's button for more files contains another button, the one to press, and has an untranslated name.
    for (const outer of byId("batch").querySelectorAll("button:has(button):not([role])")) {
      outer.setAttribute("role", "group");
      outer.tabIndex = -1;
      name(outer, word("upload"));
    }
  };
  let due = 0;
  new MutationObserver(() => {
    cancelAnimationFrame(due);
    due = requestAnimationFrame(tidy);
  }).observe(document.body, { childList: true, subtree: true, attributes: true, attributeFilter: ["class"] });
  tidy();
  // Gradio names the radio that was just chosen anew: at once, so the next arrow key would find it alone.
  addEventListener("keydown", ({ key }) => { if (key.startsWith("Arrow")) groupRadios(); }, true);

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

  // The address reproduces the list. A new mood or intent is a step that "Back" undoes; a filter is not.
  let reproduced = null;
  const question = (query) => ["mood", "intent"].map((key) => new URLSearchParams(query).get(key)).join();
  new MutationObserver(() => {
    announce();
    setTimeout(keepFocus, 100); // the button disappears just after the list has changed
    const list = byId("films").querySelector("[data-query]");
    if (!list || list.dataset.query === reproduced) return; // also while the list is still the one before "Back"
    reproduced = list.dataset.query;
    const parts = [...new URLSearchParams(location.search)].filter(([key]) => gradios(key)).map((pair) => pair.join("="));
    const query = [...parts, list.dataset.query].filter(Boolean).join("&");
    if (location.search.slice(1) === query) return;
    const step = question(location.search) === question(query) ? "replaceState" : "pushState";
    history[step](history.state, "", query ? `?${query}` : location.pathname);
    if (parent !== window) parent.postMessage({ queryString: list.dataset.query }, "https://huggingface.co");
  }).observe(byId("films"), { childList: true, subtree: true, attributes: true });

  // Share: the phone's own sheet, else the address is copied.
  document.addEventListener("click", async ({ target }) => {
    const button = target.closest(".share");
    if (!button) return;
    const parts = [...new URLSearchParams(location.search)].filter(([key]) => !gradios(key)).map((pair) => pair.join("="));
    const url = `${location.origin}${location.pathname}${parts.length ? "?" : ""}${parts.join("&")}`;
    if (navigator.share) return navigator.share({ title: document.title, url }).catch(() => {});
    try {
      await navigator.clipboard.writeText(url);
    } catch { // an http page
      const field = document.body.appendChild(Object.assign(document.createElement("textarea"), { value: url }));
      field.select();
      document.execCommand("copy");
      field.remove();
    }
    const label = button.textContent;
    button.textContent = news.textContent = button.dataset.done;
    setTimeout(() => { button.textContent = label; }, 2500);
  });
}
