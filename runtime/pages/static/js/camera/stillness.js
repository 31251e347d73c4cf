// Whether what lies under the camera is still, and whether it is something new.
const [WIDTH, HEIGHT] = [96, 72];
const MOVES = 0.02; // of the full scale, on average: sensor noise is a quarter of it
const NEW = 0.03;
const SAME_PLACE = 0.012;
const STILL_MS = 900;

const canvas = document.createElement("canvas");
canvas.width = WIDTH;
canvas.height = HEIGHT;
const context = canvas.getContext("2d", { willReadFrequently: true });

let before = null;
let corners = null;
let stillSince = 0;
let taken = null;

function greys(video) {
  context.drawImage(video, 0, 0, WIDTH, HEIGHT);
  const { data } = context.getImageData(0, 0, WIDTH, HEIGHT);
  const grey = new Float32Array(WIDTH * HEIGHT);
  for (let n = 0; n < grey.length; n += 1) grey[n] = (data[4 * n] + 2 * data[4 * n + 1] + data[4 * n + 2]) / 1020;
  return grey;
}

function apart(one, other) {
  let sum = 0;
  for (let n = 0; n < one.length; n += 1) sum += Math.abs(one[n] - other[n]);
  return sum / one.length;
}

const wandered = (one, other) =>
  Math.max(...one.flatMap(([x, y], n) => [Math.abs(x - other[n][0]), Math.abs(y - other[n][1])]));

// Call it with every frame that was looked at. `still`: the sheet has lain still for a while; `fresh`: and it is
// not the picture that was taken last.
export function judge(video, found) {
  const grey = greys(video);
  const now = performance.now();
  const moves = !before || apart(grey, before) > MOVES;
  const jumps = !found || !corners || wandered(found, corners) > SAME_PLACE;
  if (moves || jumps) stillSince = now;
  before = grey;
  corners = found;
  return { still: now - stillSince >= STILL_MS, fresh: !taken || apart(grey, taken) > NEW };
}

export function remember(video) {
  taken = greys(video);
}

export function forget() {
  before = corners = taken = null;
}
