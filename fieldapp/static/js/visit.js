// The visit form's comforts: see the photos before saving, change the outcome without losing words, offer the place.
import { shrink } from "./photos.js";

const form = document.querySelector(".visit-form");

form.querySelector("[data-again-choice]").addEventListener("click", (event) => {
  event.preventDefault();
  for (const choice of form.querySelectorAll("input[name=outcome]")) choice.checked = false;
  form.querySelector("input[name=outcome]").focus({ preventScroll: true });
});

// Photos are made small as soon as they are chosen, so that saving does not wait for it. door.js asks for them.
const small = [];
form.smallPhotos = () => Promise.all(small);

// A file input cannot be added to, so each choice keeps its own and a fresh one takes its place.
form.addEventListener("change", (event) => {
  const input = event.target;
  if (input.name === "photos" && input.files.length) {
    const pick = input.closest(".photo-pick");
    const fresh = input.cloneNode();
    fresh.value = "";
    input.hidden = true;
    pick.append(fresh);
    form.append(input);
    for (const file of input.files) {
      small.push(shrink(file));
      const shown = new Image();
      shown.className = "photo-shown";
      shown.alt = "";
      shown.src = URL.createObjectURL(file);
      shown.onload = () => URL.revokeObjectURL(shown.src);
      form.querySelector("[data-photos]").prepend(shown);
    }
  }
  if (input.name === "outcome") window.scrollTo({ top: 0 });
});
const locate = form.querySelector("[data-locate]");
if ("geolocation" in navigator) {
  locate.hidden = false;
  locate.addEventListener("click", () => {
    const said = form.querySelector("[data-located]");
    navigator.geolocation.getCurrentPosition(
      ({ coords }) => {
        for (const name of ["longitude", "latitude", "accuracy"]) form.elements[name].value = coords[name];
        said.textContent = said.dataset.done.replace("__", Math.round(coords.accuracy));
      },
      () => { said.textContent = said.dataset.failed; },
      { enableHighAccuracy: true, timeout: 15000, maximumAge: 30000 },
    );
  });
}
