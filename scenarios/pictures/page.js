'use strict';
// Without this the titles are the browser's own, after a while; and zooming goes to the left end.
const tip = document.createElementNS('http://www.w3.org/1999/xhtml', 'div');
tip.id = 'tip';
document.body.append(tip);
document.addEventListener('pointerover', function (event) {
  const found = event.target.closest('svg *');
  let at = found, title = null;
  while (at) {
    title = Array.from(at.children).find(function (child) { return child.localName === 'title' || child.localName === 'desc'; });
    if (title || at.classList.contains('canvas')) { break; }
    at = at.parentElement;
  }
  if (!title) { tip.style.display = 'none'; return; }
  if (title.localName === 'title') {
    const kept = document.createElementNS('http://www.w3.org/2000/svg', 'desc');
    kept.textContent = title.textContent;
    title.replaceWith(kept);
    title = kept;
  }
  tip.textContent = title.textContent;
  tip.style.display = 'block';
});
document.addEventListener('pointermove', function (event) {
  const right = event.clientX + 16 + tip.offsetWidth;
  const low = event.clientY + 18 + tip.offsetHeight;
  tip.style.left = Math.max(4, event.clientX + 16 - Math.max(0, right - window.innerWidth + 8)) + 'px';
  tip.style.top = (low > window.innerHeight ? event.clientY - tip.offsetHeight - 12 : event.clientY + 18) + 'px';
});
document.addEventListener('change', function (event) {
  const plot = event.target.parentElement.querySelector('.plot');
  if (!plot) { return; }
  const middle = Number(plot.dataset.middle || 0.5);
  plot.scrollLeft = middle * plot.scrollWidth - plot.clientWidth / 2;
});
document.addEventListener('scroll', function (event) {
  const plot = event.target;
  if (plot.classList ? plot.classList.contains('plot') : false) {
    plot.dataset.middle = (plot.scrollLeft + plot.clientWidth / 2) / plot.scrollWidth;
  }
}, true);
