// The definitions in statemachine/, and the sample data in statemachine/cases/<machine>/.
// @ts-check
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';

/** @import { Json, Samples } from './expressions.mjs' */

/**
 * A state machine: its definition and its cases by the names of their files. Cases belong to a machine by their folder.
 * @typedef {{definition: Json, cases: Map<string, Json>}} Machine
 */

const DEFINITION = '.asl.json';

/** The folder of the definitions. */
export const FOLDER = join(import.meta.dirname, '../../../statemachine');

/** Every state machine in a folder, by name. @param {string} folder @returns {Map<string, Machine>} */
export function machines(folder) {
  const files = readdirSync(folder, { encoding: 'utf8' }).filter((file) => file.endsWith(DEFINITION));
  return new Map(
    files.sort().map((file) => {
      const name = file.slice(0, -DEFINITION.length);
      return [name, { definition: read(join(folder, file)), cases: casesOf(folder, name) }];
    }),
  );
}

/** @param {string} folder @param {string} machine @returns {Map<string, Json>} */
function casesOf(folder, machine) {
  const path = join(folder, 'cases', machine);
  const files = existsSync(path) ? readdirSync(path, { encoding: 'utf8' }) : [];
  return new Map(files.sort().map((file) => [file, read(join(path, file))]));
}

/** The sample data in the cases of a machine. @param {Machine} machine @returns {Samples} */
export function samplesOf({ cases }) {
  /** @type {Samples} */
  const samples = { inputs: [], results: new Map() };
  for (const sample of cases.values()) {
    samples.inputs.push(sample['input']);
    for (const [name, mock] of Object.entries(sample['mocks'])) {
      const results = 'returns' in mock ? [mock['returns']] : (mock['returnsInTurn'] ?? []);
      if (results.length > 0) samples.results.set(name, [...(samples.results.get(name) ?? []), ...results]);
    }
  }
  return samples;
}

/** Folders of cases without a machine, machines without cases, and cases that name unknown states.
 * @param {string} folder @returns {string[]} */
export function caseFaults(folder) {
  const all = machines(folder);
  const folders = readdirSync(join(folder, 'cases'), { encoding: 'utf8' });
  const faults = folders.filter((name) => !all.has(name)).map((name) => `cases/${name} belongs to no definition`);
  for (const [name, { definition, cases }] of all) {
    if (cases.size === 0) faults.push(`${name} has no cases`);
    const states = new Set(statesOf(definition));
    for (const [file, sample] of cases) {
      for (const state of [...Object.keys(sample['mocks']), ...sample['expected']['states']]) {
        if (!states.has(state)) faults.push(`cases/${name}/${file}: there is no state "${state}"`);
      }
    }
  }
  return faults;
}

/** The names of all states, those inside Map and Parallel states included. @param {Json} machine @returns {string[]} */
function statesOf(machine) {
  return Object.entries(machine['States']).flatMap(([name, state]) => [
    name,
    ...nestedMachines(state).flatMap(([nested]) => statesOf(nested)),
  ]);
}

/** @param {Json} state @returns {[Json, string][]} the machines inside a state, with their paths */
export function nestedMachines(state) {
  const branches = (state['Branches'] ?? []).map((/** @type {Json} */ branch, /** @type {number} */ index) => [
    branch,
    `Branches/${index}`,
  ]);
  return state['ItemProcessor'] === undefined ? branches : [...branches, [state['ItemProcessor'], 'ItemProcessor']];
}

/** @param {string} path @returns {Json} */
function read(path) {
  return JSON.parse(readFileSync(path, 'utf8'));
}
