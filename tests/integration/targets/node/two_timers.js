// Two timers with callbacks of 80 and 60 ms: both due in one iteration ("together"), or 150 ms apart.
function compute(ms) {
  const end = performance.now() + ms;
  let total = 0;
  do {
    for (let i = 0; i < 200000; i++) total += i % 7;
  } while (performance.now() < end);
  return total;
}
function pollSensors() { compute(80); }
function pollMeters() { compute(60); }

const later = process.argv[2] === 'together' ? 0 : 150;
for (let i = 0; i < 3; i++) {
  setTimeout(pollSensors, 300 + 400 * i);
  setTimeout(pollMeters, 300 + 400 * i + later);
}
