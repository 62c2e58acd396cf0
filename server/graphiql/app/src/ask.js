// How the page asks the server: in JSON, which a subscription is answered to by
// graphql-sse, with a connection of its own.

// Ask gives what GraphiQL subscribes to, and unsubscribes from once the button
// that stops is pressed. From then on its observer is told nothing.
export const ask = (request, { headers } = {}) => ({
  subscribe(observer) {
    const stop = new AbortController();
    tell(observer, request, headers, stop.signal);
    return { unsubscribe: () => stop.abort() };
  },
});

async function tell(observer, request, headers, signal) {
  try {
    const response = await fetch('/graphql', {
      method: 'POST',
      headers: {
        'Content-Type': 'application/json',
        Accept: 'application/json, text/event-stream',
        ...sent(request, headers),
      },
      body: JSON.stringify(request),
      signal,
    });
    for await (const answer of answers(response)) {
      signal.throwIfAborted();
      observer.next(answer);
    }
    signal.throwIfAborted();
    observer.complete();
  } catch (error) {
    if (!signal.aborted) observer.error(error);
  }
}

// The schema is open, and shown whatever the token is. A token that was not put
// in yet is none: the server would refuse the text in its place.
function sent({ operationName }, headers = {}) {
  const given = Object.entries(headers).filter(([, value]) => !/<.*>/.test(value));
  return operationName === 'IntrospectionQuery' ? {} : Object.fromEntries(given);
}

// A refusal is JSON even where a stream was asked for.
async function* answers(response) {
  if (response.headers.get('Content-Type')?.startsWith('text/event-stream')) {
    yield* events(response.body);
  } else {
    yield whole(response.status, response.statusText, await response.text());
  }
}

function whole(status, statusText, text) {
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${status} ${statusText}: ${text}`);
  }
}

// Events reads answers off a stream as the server writes it: an event is of two
// lines, or a comment. One without the event complete was cut off.
export async function* events(body) {
  const reader = body.pipeThrough(new TextDecoderStream()).getReader();
  for (let rest = ''; ; ) {
    const { done, value } = await reader.read();
    if (done) throw new Error('the stream was cut off; run it again');
    const frames = (rest + value).split('\n\n');
    rest = frames.pop();
    for (const frame of frames) {
      const [, event, data] = frame.match(/^event: (\w+)\ndata: ?(.*)$/) ?? [];
      if (event === 'complete') return;
      if (event === 'next') yield JSON.parse(data);
    }
  }
}
