// A plugin of Prettier for JSON with comments, in the place of those for all of
// JavaScript: GraphiQL formats variables and headers with it.
import { applyEdits, format } from 'jsonc-parser';

export const parsers = {
  jsonc: {
    astFormat: 'text',
    parse: (text) => ({ text: applyEdits(text, format(text, undefined, { tabSize: 2, insertSpaces: true })) }),
    locStart: () => 0,
    locEnd: (node) => node.text.length,
  },
};

export const printers = { text: { print: (path) => path.node.text } };
