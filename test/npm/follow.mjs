// Follows events as a program of a customer's would, by npm graphql-ws or
// graphql-sse, and prints each as a line of JSON: node follow.mjs ws|sse URL
// AFTER. The token is in the environment. Whatever cuts the connection off, it
// goes on behind the last event that it has seen.
import { createClient as overEvents } from 'graphql-sse';
import { createClient as overSocket } from 'graphql-ws';
import WebSocket from 'ws';

const [kind, url, after] = process.argv.slice(2);
const Authorization = `Bearer ${process.env.KEYWRIGHT_TOKEN}`;
const soon = () => new Promise((resolve) => setTimeout(resolve, 50));

// The fetch of Node.js 20 never ends if its connection is closed as soon as it
// is made, and holds no program open either. The server sends the head of a
// stream at once.
const headWithin = 5_000; // ms
const boundedFetch = async (address, options) => {
  const control = new AbortController(); // in place of the client's: nothing here cancels a subscription
  const timer = setTimeout(() => control.abort(new Error('no answer')), headWithin);
  try {
    return await fetch(address, { ...options, signal: control.signal });
  } finally {
    clearTimeout(timer);
  }
};
const clients = {
  ws: () => overSocket({
    url: url.replace('http', 'ws'), webSocketImpl: WebSocket, connectionParams: { Authorization },
    retryAttempts: Infinity, retryWait: soon, shouldRetry: () => true,
  }),
  sse: () => overEvents({ url, headers: { Authorization }, fetchFn: boundedFetch, retryAttempts: Infinity, retry: soon }),
};

// Both clients send the variables as they are when they subscribe again.
const variables = { after };
const query = 'subscription ($after: String) { events(after: $after) { id index cursor type } }';
clients[kind]().subscribe({ query, variables }, {
  next: (answer) => {
    if (!answer.data?.events) {
      console.log(JSON.stringify(answer));
      return;
    }
    variables.after = answer.data.events.cursor;
    console.log(JSON.stringify(answer.data.events));
  },
  error: (error) => {
    console.log(JSON.stringify({ error: { code: error.code, reason: error.reason, errors: Array.isArray(error) ? error : undefined } }));
    process.exit(1);
  },
  complete: () => {
    console.log(JSON.stringify({ complete: true }));
    process.exit(0);
  },
});
