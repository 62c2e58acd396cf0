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
import { ask } from './ask.js';
import query from './tour.graphql?raw';
import variables from './tour.json?raw';

const headers = '{\n  "Authorization": "Bearer <admin token>"\n}\n';

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
