// GraphiQL for whoever tries the server with --dev. What is typed, the admin
// token too, is kept until the browser's tab is closed, and no longer.
import { createElement } from 'react';
import { createRoot } from 'react-dom/client';
import { GraphiQL } from 'graphiql';
import 'graphiql/setup-workers/vite';
import '@graphiql/react/style.css';
import '@graphiql/plugin-doc-explorer/style.css';
import 'graphiql/graphiql.css';
import './page.css';
import query from './tour.graphql?raw';
import variables from './tour.json?raw';

const headers = '{\n  "Authorization": "Bearer <admin token>"\n}\n';

async function ask(request, { headers } = {}) {
  const answer = await fetch('/graphql', {
    method: 'POST',
    headers: { 'Content-Type': 'application/json', ...sent(request, headers) },
    body: JSON.stringify(request),
  });
  const text = await answer.text();
  try {
    return JSON.parse(text);
  } catch {
    throw new Error(`${answer.status} ${answer.statusText}: ${text}`);
  }
}

// The schema is open, and shown whatever the token is. A token that was not put
// in yet is none: the server would refuse the text in its place.
function sent({ operationName }, headers = {}) {
  const given = Object.entries(headers).filter(([, value]) => !/<.*>/.test(value));
  return operationName === 'IntrospectionQuery' ? {} : Object.fromEntries(given);
}

// Later the page shows what was there when it was left.
const begun = sessionStorage.getItem('graphiql:tabState') !== null;
const first = begun ? {} : { initialQuery: query, initialVariables: variables, initialHeaders: headers };

const page = createElement(
  GraphiQL,
  {
    fetcher: ask,
    ...first,
    defaultHeaders: headers,
    defaultQuery: '',
    defaultEditorToolsVisibility: 'headers',
    inputValueDeprecation: true,
    plugins: [],
    shouldPersistHeaders: true,
    showPersistHeadersSettings: false,
    storage: sessionStorage,
  },
  createElement(GraphiQL.Logo, null, 'Keywright'),
);
createRoot(document.getElementById('root')).render(page);
