// The camera itself: which there are, its picture in a <video>, photographs out of it.
const SIZES = [
  [4608, 3456], [4160, 3120], [3840, 2160], [3264, 2448], [2592, 1944], [2048, 1536],
  [1920, 1080], [1600, 1200], [1280, 960], [1280, 720], [800, 600], [640, 480],
];
const FIRST = { width: 2592, height: 1944 };
const REASONS = {
  NotFoundError: "none",
  OverconstrainedError: "none",
  NotAllowedError: "refused",
  SecurityError: "refused",
  NotReadableError: "busy",
  AbortError: "busy",
};

let stream = null;

export async function cameras() {
  const devices = (await navigator.mediaDevices?.enumerateDevices()) ?? [];
  return devices.filter((device) => device.kind === "videoinput");
}

// Shows the chosen camera in `video`. Throws an Error whose `reason` is "none", "refused" or "busy".
export async function start(video, choice, onEnd) {
  stop(video);
  if (!navigator.mediaDevices) throw Object.assign(new Error("no media devices"), { reason: "refused" });
  const known = (await cameras()).find((device) => device.label && device.label === choice.camera);
  const { width, height } = choice.width ? choice : FIRST;
  const wanted = { width: { ideal: width }, height: { ideal: height }, frameRate: { ideal: 15 }, resizeMode: { ideal: "none" } };
  if (known) wanted.deviceId = { exact: known.deviceId };
  try {
    stream = await navigator.mediaDevices.getUserMedia({ video: wanted, audio: false });
  } catch (error) {
    throw Object.assign(new Error(error.message), { reason: REASONS[error.name] ?? "busy" });
  }
  const own = stream;
  stream.getVideoTracks()[0].addEventListener("ended", () => {
    if (own === stream) onEnd();
  });
  video.srcObject = stream;
  await video.play();
}

export function stop(video) {
  for (const track of stream?.getTracks() ?? []) track.stop();
  stream = null;
  video.srcObject = null;
}

export const running = () => stream?.getVideoTracks()[0]?.readyState === "live";

// The camera's name for itself, and the size of its picture.
export function facts() {
  const track = stream?.getVideoTracks()[0];
  const { width = 0, height = 0 } = track?.getSettings() ?? {};
  return { camera: track?.label ?? "", width, height };
}

// The sizes that this camera may have, largest first.
export function sizes() {
  const { width, height } = stream?.getVideoTracks()[0]?.getCapabilities?.() ?? {};
  return SIZES.filter(([across, down]) => across <= (width?.max ?? 0) && down <= (height?.max ?? 0));
}

const canvas = document.createElement("canvas");

// A JPEG of the picture now, at most `side` pixels wide; null while there is none.
export function photograph(video, side = Infinity, quality = 0.95) {
  if (!video.videoWidth) return Promise.resolve(null);
  const scale = Math.min(1, side / video.videoWidth);
  canvas.width = Math.round(video.videoWidth * scale);
  canvas.height = Math.round(video.videoHeight * scale);
  canvas.getContext("2d").drawImage(video, 0, 0, canvas.width, canvas.height);
  return new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", quality));
}
