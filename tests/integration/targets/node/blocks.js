// A timer ticks; meanwhile one callback holds the loop up in the way that argv names.
const childProcess = require('child_process');
const fs = require('fs');

const ways = {
  nothing: () => {},
  exec_sync: () => childProcess.execSync('sleep 0.4'),
  // argv[3] is a FIFO, into which somebody writes after 400 ms.
  read_fifo: () => {
    childProcess.spawn('sh', ['-c', `sleep 0.4; echo x > ${process.argv[3]}`]);
    fs.readFileSync(process.argv[3]);
  },
  compute: () => {
    const end = Date.now() + 400;
    let total = 0;
    while (Date.now() < end) {
      for (let i = 0; i < 100000; i++) total += i % 7;
    }
    return total;
  },
};

let ticks = 0;
const timer = setInterval(() => {
  ticks += 1;
  if (ticks === 10) ways[process.argv[2]]();
  if (ticks === 20) clearInterval(timer);
}, 20);
