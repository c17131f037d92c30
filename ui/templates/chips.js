// A click on a chip drops its filter.
element.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-drop]");
  if (button) trigger("click", { name: button.dataset.drop, value: button.dataset.value });
});
