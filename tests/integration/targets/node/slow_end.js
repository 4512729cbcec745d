// A program whose loop is healthy and whose end is slow, in the way that argv names.
const childProcess = require('child_process');
const fs = require('fs');

const kept = [];
const ways = {
  quick: () => {},
  // Memory that node frees when its loop has ended.
  teardown: () => { for (let i = 0; i < 16; i++) kept.push(Buffer.alloc(64 << 20, 1)); },
  listener: () => process.on('exit', () => {
    const end = Date.now() + 400;
    while (Date.now() < end);
  }),
  // A thread of the pool stands in open() of a FIFO, which is opened for writing seconds later.
  pool: (fifo) => {
    childProcess.spawn('sh', ['-c', `sleep 3; exec 3<>${fifo}`], { stdio: 'ignore' }).unref();
    fs.readFile(fifo, () => {});
  },
};

const way = process.argv[2];
ways[way](process.argv[3]);
let ticks = 0;
const timer = setInterval(() => {
  if (++ticks < 15) return;
  clearInterval(timer);
  if (way === 'pool') process.exit(0);
}, 20);
