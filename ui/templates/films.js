// "Not this one": tells Gradio which film; when the list has changed, the focus returns to the same place in it.
const buttons = () => [...element.querySelectorAll("button[data-film]")];
let place = -1;
element.addEventListener("click", (event) => {
  const button = event.target.closest("button[data-film]");
  if (!button) return;
  place = buttons().indexOf(button);
  trigger("click", { imdb_id: button.dataset.film });
});
new MutationObserver(() => {
  buttons()[place]?.focus({ preventScroll: true });
  place = -1;
}).observe(element, { childList: true, subtree: true });
