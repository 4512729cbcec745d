// Holds its loop up in the ways that argv names, one after the other, each within a callback of the
// kind that argv[2] says: "handler" of an http server, "async" function, "worker" thread. argv[3]:
// a FIFO. Between them the loop iterates.
'use strict';
const http = require('http');
const { setTimeout: sleep } = require('timers/promises');
const { Worker, isMainThread, workerData } = require('worker_threads');
const ways = require('./ways.js');

const [kind, fifo, ...names] = isMainThread ? process.argv.slice(2) : workerData;

function enter(name) {
  return ways[name](fifo); // enter
}

async function handle(name) {
  await null;
  enter(name); // handle
}

async function overHttp() {
  const server = http.createServer((request, response) => {
    enter(request.url.slice(1)); // handler
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  for (const name of names) {
    await new Promise((resolve) => {
      http.get({ port: server.address().port, path: '/' + name, agent: false }, (answer) => {
        answer.resume();
        answer.on('end', resolve);
      });
    });
    await sleep(200);
  }
  server.close();
}

async function inAsync() {
  for (const name of names) {
    await sleep(200);
    await handle(name);
  }
  await sleep(200);
}

async function main() {
  const ticks = setInterval(() => {}, 10);
  await sleep(300);
  await (kind === 'handler' ? overHttp() : inAsync());
  clearInterval(ticks);
}

if (isMainThread && kind === 'worker') {
  new Worker(__filename, { workerData: process.argv.slice(2) });
} else {
  main();
}
