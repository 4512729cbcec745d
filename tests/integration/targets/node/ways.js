// Ways to hold a loop up, each in a function of that name; the line that does it ends in a comment
// with the way's name.
'use strict';
const childProcess = require('child_process');
const crypto = require('crypto');
const fs = require('fs');

const word = new Int32Array(new SharedArrayBuffer(4));

exports.execSync = function execSync() {
  const text = 'sleep 0.4';

  childProcess.execSync(text); // execSync
};

// `fifo`: somebody writes into it after 400 ms.
exports.readFifo = function readFifo(fifo) {
  childProcess.spawn('sh', ['-c', `sleep 0.4; echo x > ${fifo}`]);
  return fs.readFileSync(fifo); // readFifo
};

exports.atomicsWait = function atomicsWait() {
  return Atomics.wait(word, 0, 0, 400); // atomicsWait
};

exports.derive = function derive() {
  let key = 'a';
  const begin = Date.now();
  while (Date.now() - begin < 400) {
    key = crypto.pbkdf2Sync(key, 'salt', 400000, 64, 'sha512'); // derive
  }
  return key;
};

exports.compute = function compute() { // compute
  let total = 0;
  const begin = process.cpuUsage();
  for (let used = 0; used < 400000; used = process.cpuUsage(begin).user) {
    for (let i = 0; i < 100000; i++) total += i % 7;
  }
  return total;
}; // compute ends
