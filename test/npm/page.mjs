// Asks as the page at /graphiql does, with the token in the environment in its
// header, and prints each answer and the end as a line of JSON: node page.mjs
// URL REQUEST [ENOUGH]. After so many answers it stops, as the page's button
// does, and ends by itself once no connection is left.
import { ask } from '../../server/graphiql/app/src/ask.js';

const [url, request, enough] = process.argv.slice(2);
const elsewhere = globalThis.fetch;
globalThis.fetch = (path, options) => elsewhere(new URL(path, url), options);

const token = process.env.KEYWRIGHT_TOKEN;
const headers = token ? { Authorization: `Bearer ${token}` } : undefined;
const say = (what) => console.log(JSON.stringify(what));
let answers = 0;
const asking = ask(JSON.parse(request), { headers }).subscribe({
  next: (answer) => {
    say(answer);
    answers += 1;
    if (answers === Number(enough)) asking.unsubscribe();
  },
  error: (error) => say({ error: error.message }),
  complete: () => say({ complete: true }),
});
