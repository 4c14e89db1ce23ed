// Says when the vote is over. Voting itself is a plain form and needs none of this.

const state = document.getElementById("state");
const paper = document.getElementById("paper");
const LOST_AFTER = 3;
let failures = 0;

function say(first, ...others) {
  const note = document.createElement("p");
  note.className = "note";
  note.textContent = first;
  state.replaceChildren(note, ...others.map((line) => {
    const made = document.createElement("p");
    made.textContent = line;
    return made;
  }));
}

const before = [...state.childNodes];
const events = new EventSource(state.dataset.events);

events.onopen = () => {
  if (failures >= LOST_AFTER) state.replaceChildren(...before);
  failures = 0;
};

// The browser asks again by itself, every two seconds, unless it was refused.
events.onerror = () => {
  failures += 1;
  if (failures === LOST_AFTER || events.readyState === EventSource.CLOSED) say(state.dataset.lost);
};

events.addEventListener("closed", (event) => {
  events.close();
  paper.remove();
  say(...JSON.parse(event.data).lines);
  scrollTo(0, 0);
});
