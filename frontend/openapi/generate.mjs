// Writes src/api/schema.d.ts from the API's description. `npm run types` runs it.
import { createHash } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import openapiTS, { astToString } from 'openapi-typescript';

const description = new URL('../../api/openapi.json', import.meta.url);
const types = astToString(await openapiTS(description, { alphabetize: true }));
const sum = createHash('sha256').update(readFileSync(description)).digest('hex');
const head = `// Written by \`npm run types\` from api/openapi.json (SHA-256 ${sum}). Not to be edited.\n\n`;
writeFileSync(new URL('../src/api/schema.d.ts', import.meta.url), head + types);
