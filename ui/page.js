// What the page does in the browser beyond Gradio: names for screen readers, a word about the microphone, and the
// answer scrolled into view. Runs once, when the page has loaded.
() => {
  const byId = (id) => document.getElementById(id);
  for (const id of ["moods", "intent"]) {
    const title = byId(id).querySelector("[data-testid=block-info]");
    title.id = `${id}-title`;
    byId(id).setAttribute("aria-labelledby", title.id);
  }

  const note = byId("microphone-note");
  const say = (problem) => { note.textContent = problem ? note.dataset[problem] : ""; };
  if (!navigator.mediaDevices) {
    say("insecure");
  } else {
    const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
    navigator.mediaDevices.getUserMedia = async (wanted) => {
      try {
        const stream = await ask(wanted);
        say("");
        return stream;
      } catch (error) {
        say(error.name === "NotAllowedError" ? "denied" : "missing");
        throw error;
      }
    };
  }

  const calm = matchMedia("(prefers-reduced-motion: reduce)");
  new MutationObserver(() => {
    byId("answer").scrollIntoView({ block: "nearest", behavior: calm.matches ? "auto" : "smooth" });
  }).observe(byId("answer"), { childList: true, subtree: true, characterData: true });
}
