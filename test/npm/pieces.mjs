// Reads a stream as the page at /graphiql does, in two pieces for each place
// between its bytes and then byte by byte, and prints what was read each time as
// a line of JSON: node pieces.mjs STREAM.
import { events } from '../../server/graphiql/app/src/ask.js';

const bytes = new TextEncoder().encode(process.argv[2]);
const ways = [...bytes.keys()].map((at) => [bytes.slice(0, at), bytes.slice(at)]);
ways.push([...bytes].map((byte) => Uint8Array.of(byte)));

for (const pieces of ways) {
  const read = [];
  const body = new ReadableStream({
    start(to) {
      pieces.forEach((piece) => to.enqueue(piece));
      to.close();
    },
  });
  try {
    for await (const answer of events(body)) read.push(answer);
  } catch (error) {
    read.push(error.message);
  }
  console.log(JSON.stringify(read));
}
