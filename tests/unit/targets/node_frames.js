// Functions of all kinds, on the main thread and in a worker. Each thread writes down what V8 says
// of its stack, and then blocks in the same call of its innermost function: a JSON line on standard
// output, {"frames": [{"function", "file", "line"}, …]}, innermost first. The thread that waits
// does so until standard input ends. argv: "main" or "worker".
'use strict';
const fs = require('fs');
const { Worker, isMainThread, workerData } = require('worker_threads');

const kWay = isMainThread ? process.argv[2] : workerData;

function say() {
  const prepare = Error.prepareStackTrace;
  Error.prepareStackTrace = (_, sites) => sites;
  Error.stackTraceLimit = 100;
  // Without this function and its caller, and those that wait for a promise.
  const sites = new Error().stack.slice(2).filter((site) => !site.isAsync());
  Error.prepareStackTrace = prepare;
  const frames = sites
    .filter((site) => site.getFileName() !== null && site.getFileName() !== undefined)
    .map((site) => ({
      function: site.getFunctionName(),
      file: site.getFileName(),
      line: site.getLineNumber(),
    }));
  fs.writeSync(1, JSON.stringify({ frames }) + '\n');
}

const kWord = new Int32Array(new SharedArrayBuffer(4));
const wait = isMainThread
  ? () => { for (const step of [say, () => fs.readSync(0, Buffer.alloc(1)), process.exit]) step(); }
  : () => { for (const step of [say, () => Atomics.wait(kWord, 0, 0)]) step(); };

class Shape {
  #size = 1;
  constructor(next) { this.result = this.measure(next); }
  measure(next) {
    return Shape.apply(next);
  }
  static apply(next) { return [this].map(function named() { return next(); }); }
  get area() {

    return deep(3);
  }
}

const holder = {};
holder.assigned = function () { return new Shape(() => holder['ключ']()); };
holder['ключ'] = function ключ() { return (() => new Shape(closes))(); };

function closes() { return [].concat(['a']).forEach(() => holder.wide(1)); }
holder.wide = (a) => { let b = a; return (() => b + a + eval('1') + Number(Object.create(Shape.prototype).area))(); };

function deep(n) {
  if (n > 0) return deep(n - 1);
  return wait();
}

async function later() {
  await null;
  holder.assigned();
}

async function outer() { await later(); }

if (isMainThread && kWay === 'worker') {
  new Worker(__filename, { workerData: 'in worker' });
  fs.read(0, Buffer.alloc(1), () => process.exit(0));
} else {
  setTimeout(() => outer(), 1);
}
