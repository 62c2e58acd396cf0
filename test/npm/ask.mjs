// Asks one thing by npm graphql-ws or graphql-sse, as whoever holds the token in
// the environment or else as nobody, and prints each answer and the end as a
// line of JSON: node ask.mjs ws|sse URL DOCUMENT.
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [kind, url, query] = process.argv.slice(2);
const token = process.env.KEYWRIGHT_TOKEN;
const credential = token ? { Authorization: `Bearer ${token}` } : {};
const client = kind === 'ws'
  ? overSocket({ url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: credential, retryAttempts: 0 })
  : overEvents({ url, headers: credential, retryAttempts: 0 });
const end = (what) => {
  console.log(JSON.stringify(what));
  client.dispose();
};

client.subscribe({ query }, {
  next: (answer) => console.log(JSON.stringify(answer)),
  error: (error) => end(Array.isArray(error) ? { errors: error } : { closed: error.code ?? error.response?.status ?? error.message }),
  complete: () => end({ complete: true }),
});
