// An http server that does nothing wrong. Prints its port; /quit ends it.
const http = require('http');

const server = http.createServer((request, response) => {
  response.end('hello\n');
  if (request.url === '/quit') {
    setTimeout(() => process.exit(0), 50);
  }
});
server.listen(0, '127.0.0.1', () => console.log(`port ${server.address().port}`));
