"""The style and the script of the page with a divider."""

__all__ = ["SCRIPT", "STYLE"]

STYLE = """
:root { color-scheme: dark; }
body { margin: 0; background: #16181c; color: #ecedef; font: 15px/1.5 system-ui, sans-serif; }
#view { overflow: auto; max-height: calc(100vh - 7.5rem); max-height: calc(100dvh - 7.5rem); }
#stage { position: relative; width: 100%; margin: 0 auto; }
#picture { display: block; width: 100%; cursor: col-resize; touch-action: pan-y pinch-zoom; }
#stage.free #picture { touch-action: auto; }
#stage.zoomed #picture { image-rendering: pixelated; }
.name { position: absolute; top: 0; max-width: 45%; overflow: hidden; text-overflow: ellipsis;
  white-space: nowrap; background: #16181ccc; padding: .15rem .6rem; pointer-events: none; }
#left { left: 0; } #right { right: 0; }
#divider { position: absolute; top: 0; bottom: 0; width: 44px; margin-left: -22px;
  cursor: col-resize; touch-action: none; outline: none; }
#divider::before { content: ""; position: absolute; left: 21px; top: 0; bottom: 0; width: 2px;
  background: #fff; box-shadow: 0 0 4px #000a; }
#divider span { position: absolute; left: 4px; top: calc(50% - 18px); width: 36px; height: 36px;
  box-sizing: border-box; border: 2px solid #fff; border-radius: 50%; background: #16181c99; }
#divider span::before { content: "\\2039\\00a0\\203a"; position: absolute; inset: 0; color: #fff;
  font: 700 18px/28px system-ui, sans-serif; text-align: center; }
#divider:focus-visible span { box-shadow: 0 0 0 3px #60d0ff; }
#controls { display: flex; flex-wrap: wrap; gap: .6rem .9rem; align-items: center;
  padding: .7rem 1rem; }
#time { flex: 1 1 8rem; min-width: 6rem; }
button, select { font: inherit; padding: .25rem .7rem; min-height: 2.2rem; border-radius: 6px;
  border: 1px solid #555b66; background: #262a31; color: inherit; }
table { margin: 0 1rem; border-collapse: collapse; } p { margin: .3rem 1rem 1rem; opacity: .75; }
th, td { padding: .2rem .9rem .2rem 0; text-align: left; border-bottom: 1px solid #444a; }
#source { position: absolute; width: 1px; height: 1px; opacity: 0; pointer-events: none; }
"""

SCRIPT = """
'use strict';
const get = name => document.getElementById(name);
const facts = JSON.parse(get('facts').textContent);
const source = get('source'), canvas = get('picture');
const stage = get('stage'), divider = get('divider');
const isVideo = source.tagName === 'VIDEO';
const pen = canvas.getContext('2d');
const chosen = [0, 1];
let share = 0.5;
canvas.width = facts.width;
canvas.height = facts.height;

function draw() {
  const w = facts.width, h = facts.height, x = Math.round(share * w);
  if (x > 0) pen.drawImage(source, 0, chosen[0] * h, x, h, 0, 0, x, h);
  if (x < w) pen.drawImage(source, x, chosen[1] * h, w - x, h, x, 0, w - x, h);
}

function move(to) {
  share = Math.min(Math.max(to, 0), 1);
  divider.style.left = 100 * share + '%';
  divider.setAttribute('aria-valuenow', Math.round(100 * share));
  draw();
}

function name() {
  get('left').textContent = facts.labels[chosen[0]];
  get('right').textContent = facts.labels[chosen[1]];
}

function drag(event) {
  const box = canvas.getBoundingClientRect();
  move((event.clientX - box.left) / box.width);
}

for (const target of [divider, canvas]) {
  target.addEventListener('pointerdown', event => {
    const pans = stage.classList.contains('free') && event.pointerType === 'touch';
    if (event.button !== 0 || (pans && target === canvas)) return;
    target.setPointerCapture(event.pointerId);
    divider.focus({preventScroll: true});
    drag(event);
    event.preventDefault();
  });
  target.addEventListener('pointermove', event => {
    if (target.hasPointerCapture(event.pointerId)) drag(event);
  });
}

function zoom() {
  const factor = Number(get('zoom').value);
  stage.style.width = factor ? factor * facts.width / window.devicePixelRatio + 'px' : fitting();
  stage.classList.toggle('zoomed', factor > 1);
  stage.classList.toggle('free', factor > 0);
}

function fitting() {
  const style = getComputedStyle(get('view')).maxHeight;
  const limit = parseFloat(style) * facts.width / facts.height;
  return Math.min(document.documentElement.clientWidth, limit || Infinity) + 'px';
}

function step(frames) {
  source.pause();
  const at = Math.floor(source.currentTime * facts.rate + 1e-3) + frames;
  const last = Math.max(Math.round(source.duration * facts.rate) - 1, 0);
  source.currentTime = (Math.min(Math.max(at, 0), last) + 0.5) / facts.rate;
}

function toggle() {
  if (source.paused) source.play(); else source.pause();
}

document.addEventListener('keydown', event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const isField = /^(SELECT|INPUT|BUTTON)$/.test(event.target.tagName);
  const moves = {ArrowLeft: share - 0.01, ArrowRight: share + 0.01, PageDown: share - 0.1,
    PageUp: share + 0.1, Home: 0, End: 1};
  if (event.key in moves && !isField) move(moves[event.key]);
  else if (isVideo && event.key === ' ' && !isField) toggle();
  else if (isVideo && event.key === ',') step(-1);
  else if (isVideo && event.key === '.') step(1);
  else return;
  event.preventDefault();
});

if (isVideo) {
  const time = get('time'), play = get('play');
  const show = () => {
    draw();
    if (source.duration) time.value = source.currentTime / source.duration;
  };
  const follow = source.requestVideoFrameCallback
    ? () => source.requestVideoFrameCallback(() => { show(); follow(); })
    : () => requestAnimationFrame(() => { show(); follow(); });
  follow();
  source.addEventListener('seeked', show);
  source.addEventListener('loadeddata', () => { move(share); source.play().catch(() => {}); });
  source.addEventListener('play', () => { play.textContent = 'pause'; });
  source.addEventListener('pause', () => { play.textContent = 'play'; });
  play.addEventListener('click', toggle);
  get('back').addEventListener('click', () => step(-1));
  get('on').addEventListener('click', () => step(1));
  time.addEventListener('input', () => { source.currentTime = time.value * source.duration; });
  get('speed').addEventListener('change', event => { source.playbackRate = event.target.value; });
  const sound = get('sound');
  if (sound) sound.addEventListener('change', () => { source.muted = !sound.checked; });
  if (source.readyState >= 2) source.dispatchEvent(new Event('loadeddata'));
} else if (source.complete) draw(); else source.addEventListener('load', draw);

for (const place of [0, 1]) {
  const choice = get('choice' + place);
  if (choice) choice.addEventListener('change', () => {
    chosen[place] = Number(choice.value);
    name();
    draw();
  });
}
get('zoom').addEventListener('change', zoom);
window.addEventListener('resize', zoom);
name();
zoom();
move(share);
"""
