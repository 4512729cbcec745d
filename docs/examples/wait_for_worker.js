// A node program that waits for its worker in the loop, in place of listening for its message.
const { Worker } = require('worker_threads');

const done = new Int32Array(new SharedArrayBuffer(4));
const worker = new Worker(
  `const { workerData } = require('worker_threads');
   setTimeout(() => { Atomics.store(workerData, 0, 1); Atomics.notify(workerData, 0); }, 300);`,
  { eval: true, workerData: done });

function waitForWorker() {
  Atomics.wait(done, 0, 0);
}

worker.on('online', () => setTimeout(waitForWorker, 50));
