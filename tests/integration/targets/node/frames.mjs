// As frames.js with "handler", as a module of the standard's kind.
import http from 'node:http';
import { setTimeout as sleep } from 'node:timers/promises';
import ways from './ways.js';

const [, fifo, ...names] = process.argv.slice(2);

const enter = (name) => {
  return ways[name](fifo); // enter
};

const server = http.createServer((request, response) => {
  enter(request.url.slice(1)); // handler
  response.end();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const ticks = setInterval(() => {}, 10);
await sleep(300);
for (const name of names) {
  await new Promise((resolve) => {
    http.get({ port: server.address().port, path: '/' + name, agent: false }, (answer) => {
      answer.resume();
      answer.on('end', resolve);
    });
  });
  await sleep(200);
}
clearInterval(ticks);
server.close();
