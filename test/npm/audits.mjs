// Runs the audits of npm graphql-http against the URL that is given, one after
// the other, and prints each result as a line of JSON.
import { serverAudits } from 'graphql-http';

for (const audit of serverAudits({ url: process.argv[2] })) {
  const { id, name, status, reason } = await audit.fn();
  console.log(JSON.stringify({ id, name, status, reason }));
}
