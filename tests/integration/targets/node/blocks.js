// A timer ticks; meanwhile one callback holds the loop up in the way that argv names. Prints
// "blocked MILLISECONDS".
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
  // 400 ms of CPU time.
  compute: () => {
    const begin = process.cpuUsage();
    let total = 0;
    for (let used = 0; used < 400000; used = process.cpuUsage(begin).user) {
      for (let i = 0; i < 100000; i++) total += i % 7;
    }
    return total;
  },
};

let ticks = 0;
let blocked = 0;
const timer = setInterval(() => {
  ticks += 1;
  if (ticks === 10) {
    const begin = process.hrtime.bigint();
    ways[process.argv[2]]();
    blocked = Number(process.hrtime.bigint() - begin) / 1e6;
  }
  if (ticks === 20) {
    clearInterval(timer);
    console.log(`blocked ${blocked}`);
  }
}, 20);
