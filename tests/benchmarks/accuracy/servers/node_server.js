// node_server.js PORT WHAT: a page of a thousand bytes (http), or lines sent back (echo).
const [port, what] = [Number(process.argv[2]), process.argv[3]];
const page = 'x'.repeat(1000);
setInterval(() => {}, 50);
if (what === 'http') {
  require('http').createServer((_, response) => response.end(page)).listen(port, '127.0.0.1');
} else {
  require('net').createServer((connection) => {
    connection.on('error', () => {});
    connection.pipe(connection);
  }).listen(port, '127.0.0.1');
}
