// Checks every definition in statemachine/ with two parsers and by evaluating its expressions, and shows what each check
// finds: faults planted in a definition that all of them accept, and in a second machine in a temporary folder.
// @ts-check
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import { FOLDER, caseFaults, machines, samplesOf } from './definitions.mjs';
import { checkExpressions } from './expressions.mjs';
import { aslValidatorFaults, motoFaults } from './parsers.mjs';

/** @import { Json, Samples } from './expressions.mjs' */
/** @typedef {'asl-validator' | 'moto' | 'expressions'} Check */

const EXAMPLE = JSON.parse(readFileSync(join(import.meta.dirname, 'example.asl.json'), 'utf8'));

/** @type {Samples} */
const SAMPLES = {
  inputs: [{ detail: { key: 'a' } }],
  results: new Map([
    [
      'Look',
      [
        { ready: true, name: 'a', items: [{ size: 1 }, { size: 2 }] },
        { ready: false, name: 'a', seconds: 5 },
      ],
    ],
    ['Ask', [{ items: [{ size: 1 }, { size: 2 }] }]],
  ]),
};

/**
 * Faults, each with the check that must find it. `plant` changes the states of the example.
 * @type {[what: string, plant: (states: Json, definition: Json) => unknown, check: Check][]}
 */
const FAULTS = [
  ['a Next that leads nowhere', ({ Look }) => (Look.Next = 'Nowhere'), 'asl-validator'],
  ['a StartAt that is not a state', (_, definition) => (definition['StartAt'] = 'Nowhere'), 'asl-validator'],
  ['a state that nothing leads to', (states) => (states['Lost'] = { Type: 'Succeed' }), 'asl-validator'],
  ['no Next and no End', ({ Wait }) => delete Wait.Next, 'asl-validator'],
  ['Next and End', ({ Wait }) => (Wait.End = true), 'asl-validator'],
  ['a Task without Resource', ({ Look }) => delete Look.Resource, 'asl-validator'],
  ['a field of another language', ({ Look }) => (Look.ResultPath = '$.result'), 'asl-validator'],
  ['an unknown type of state', ({ Wait }) => (Wait.Type = 'Sleep'), 'moto'],
  ['an unknown field', ({ Look }) => (Look.Argument = {}), 'asl-validator'],
  ['a Retry without ErrorEquals', ({ Look }) => delete Look.Retry[0].ErrorEquals, 'moto'],
  ['an empty ErrorEquals', ({ Look }) => (Look.Retry[0].ErrorEquals = []), 'moto'],
  ['a Catch without Next', ({ Look }) => delete Look.Catch[0].Next, 'moto'],
  ['MaxAttempts below zero', ({ Look }) => (Look.Retry[0].MaxAttempts = -1), 'moto'],
  ['a BackoffRate below one', ({ Look }) => (Look.Retry[0].BackoffRate = 0.5), 'moto'],
  ['IntervalSeconds of zero', ({ Look }) => (Look.Retry[0].IntervalSeconds = 0), 'moto'],
  ['an unknown JitterStrategy', ({ Look }) => (Look.Retry[0].JitterStrategy = 'HALF'), 'moto'],
  ['an unknown field of Retry', ({ Look }) => (Look.Retry[0].MaxDelay = 60), 'moto'],
  ['TimeoutSeconds as text', ({ Look }) => (Look.TimeoutSeconds = '60'), 'moto'],
  ['States.ALL beside another name', ({ Look }) => (Look.Catch[0].ErrorEquals = ['States.ALL', 'Busy']), 'moto'],
  ['an unknown error of States', ({ Look }) => (Look.Catch[0].ErrorEquals = ['States.Timedout']), 'moto'],
  ['Assign of $states', ({ Look }) => (Look.Assign = { ...Look.Assign, states: 1 }), 'expressions'],
  ['an unknown QueryLanguage', (_, definition) => (definition['QueryLanguage'] = 'JSONPointer'), 'moto'],
  ['invalid JSONata', ({ Look }) => (Look.Output = '{% $states.result. %}'), 'expressions'],
  ['an unknown field of $states', ({ Look }) => (Look.Output = '{% $states.resul.Payload %}'), 'expressions'],
  ['$states.result before there is one', ({ Look }) => (Look.Arguments.Payload = '{% $states.result %}'), 'expressions'],
  ['$states.errorOutput outside of a Catch', ({ Look }) => (Look.Output = '{% $states.errorOutput %}'), 'expressions'],
  ['$states.result in a Catch', ({ Look }) => (Look.Catch[0].Output = '{% $states.result %}'), 'expressions'],
  ['an unknown variable', ({ Ask }) => (Ask.Arguments.Payload.name = '{% $nam %}'), 'expressions'],
  ['an unknown variable inside of $exists', ({ Ask }) => (Ask.Output.by = "{% $exists($nam) ? 1 : 'x' %}"), 'expressions'],
  ['a variable that only one of two paths assigns', ({ Look }) => delete Look.Catch[1].Assign, 'expressions'],
  ['an unknown function', ({ Ask }) => (Ask.Arguments.Payload.name = '{% $upper($name) %}'), 'expressions'],
  ['$eval, which Step Functions lacks', ({ Ask }) => (Ask.Output.by = "{% $eval('1') %}"), 'expressions'],
  ['an unknown function that the samples do not reach', ({ Ask }) => (Ask.Output.by = '{% $states.input.x ? $nobody() : 1 %}'), 'expressions'],
  ['a path of the result that does not exist', ({ Look }) => (Look.Output = '{% $states.result.payload %}'), 'expressions'],
  ['a path of the input that does not exist', ({ Wait }) => (Wait.Seconds = '{% $states.input.second %}'), 'expressions'],
  ['a path of the context that does not exist', ({ Look }) => (Look.Arguments.Payload.executionArn = '{% $states.context.Execution.Arn %}'), 'expressions'],
  ['the token of a Task that has none', ({ Look }) => (Look.Arguments.Payload.event = '{% $states.context.Task.Token %}'), 'expressions'],
  ['a path inside of an object', ({ Ask }) => (Ask.Output = "{% {'items': $states.result.items, 'by': $states.result.author} %}"), 'expressions'],
  ['a name without $states', ({ Look }) => (Look.Output = '{% Payload.name %}'), 'expressions'],
  ['a name that ends with .$', ({ Look }) => (Look.Arguments = { FunctionName: '${A}', 'Payload.$': '$.input' }), 'expressions'],
  ['an expression without {% %}', ({ Look }) => (Look.Arguments.Payload.event = '$states.input'), 'expressions'],
  ['an expression within text', ({ Look }) => (Look.Arguments.Payload.event = 'of {% $name %}'), 'expressions'],
  ['a condition that is not a boolean', (states) => (states['Ready?'].Choices[0].Condition = "{% 'yes' %}"), 'expressions'],
  ['seconds that are not a number', ({ Wait }) => (Wait.Seconds = "{% 'five' %}"), 'expressions'],
  ['an expression that fails', ({ Ask }) => (Ask.Output.by = "{% $number('x') %}"), 'expressions'],
  ['a fault inside of a Map', ({ Both }) => (Both.Branches[0].States.Each.ItemProcessor.States.One.Output = '{% $states.input.size %}'), 'expressions'],
  ['a fault inside of a Parallel', ({ Both }) => (Both.Branches[1].States.Other.Output = '{% $states.input.sizes %}'), 'expressions'],
  ['a state that no sample reaches', (states) => (states['Ready?'].Choices[0].Condition = '{% false %}'), 'expressions'],
];

/** For each check, a fault that no other finds: the reason to have it. @type {[what: string, only: Check][]} */
const FOUND_BY_NO_OTHER = [
  ['a state that nothing leads to', 'asl-validator'],
  ['a BackoffRate below one', 'moto'],
  ['an unknown field of $states', 'expressions'],
];

/** @type {Check[]} */
const CHECKS = ['asl-validator', 'moto', 'expressions'];

const MACHINES = machines(FOLDER);
/** The example as a second machine beside those of the product, with a fault of each check in a copy. */
const SECOND = machines(secondFolder());
const PLANTED = new Map(
  FAULTS.map(([what, plant]) => {
    const definition = structuredClone(EXAMPLE);
    plant(definition.States, definition);
    return [what, definition];
  }),
);
const ALL = [EXAMPLE, ...[...MACHINES.values(), ...SECOND.values()].map(({ definition }) => definition), ...PLANTED.values()];
// All in one run of Python.
const OF_MOTO = new Map(motoFaults(ALL).map((faults, index) => [ALL[index], faults]));

test('the definitions in statemachine/', async (context) => {
  assert.notEqual(MACHINES.size, 0);
  for (const [name, machine] of MACHINES) {
    for (const check of CHECKS) {
      await context.test(`${name}: ${check}`, async () => {
        assert.deepEqual(await faultsOf(check, machine.definition, samplesOf(machine)), []);
      });
    }
  }
});

test('every machine has cases, and every case belongs to a machine and names its states', () => {
  assert.deepEqual(caseFaults(FOLDER), []);
});

test('a second machine', async (context) => {
  assert.deepEqual([...SECOND.keys()].sort(), [...MACHINES.keys(), 'second', ...CHECKS.map(wrong)].sort());
  for (const check of CHECKS) {
    await context.test(`${check}: nothing is found where nothing is planted, and a planted fault is found`, async () => {
      for (const [name, isFound] of /** @type {[string, boolean][]} */ ([['second', false], [wrong(check), true]])) {
        const machine = SECOND.get(name) ?? assert.fail(name);
        const faults = await faultsOf(check, machine.definition, samplesOf(machine));
        assert.equal(faults.length > 0, isFound, `${name}: ${faults}`);
      }
    });
  }
  await context.test('cases: planted faults are found', () => {
    const folder = secondFolder();
    assert.deepEqual(caseFaults(folder), []);
    // A case in the folder of another machine, a folder without a machine, and a machine without cases.
    cpSync(join(folder, 'cases/second/sample-0.json'), join(folder, 'cases', [...MACHINES.keys()][0] ?? '', 'of-second.json'));
    mkdirSync(join(folder, 'cases/secnod'));
    cpSync(join(folder, 'second.asl.json'), join(folder, 'third.asl.json'));
    const faults = caseFaults(folder);
    for (const fault of ['of-second.json: there is no state "Look"', 'cases/secnod belongs to no definition', 'third has no cases']) {
      assert.ok(faults.some((found) => found.includes(fault)), `${fault} is not among ${faults}`);
    }
  });
});

test('planted faults', async (context) => {
  for (const check of CHECKS) {
    await context.test(`${check}: nothing is found where nothing is planted`, async () => {
      assert.deepEqual(await faultsOf(check, EXAMPLE, SAMPLES), []);
    });
  }
  for (const [what, , check] of FAULTS) {
    await context.test(`${check}: ${what}`, async () => {
      assert.notDeepEqual(await faultsOf(check, PLANTED.get(what) ?? {}, SAMPLES), []);
    });
  }
  for (const [what, only] of FOUND_BY_NO_OTHER) {
    await context.test(`${only} alone: ${what}`, async () => {
      for (const check of CHECKS) {
        const faults = await faultsOf(check, PLANTED.get(what) ?? {}, SAMPLES);
        assert.equal(faults.length > 0, check === only, `${check}: ${faults}`);
      }
    });
  }
});

/** The name of the copy with a fault of a check. @param {Check} check */
function wrong(check) {
  return `second-with-fault-of-${check}`;
}

/** A copy of statemachine/ in a temporary folder, with the example as other machines. */
function secondFolder() {
  const folder = mkdtempSync(join(tmpdir(), 'statemachine-'));
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }));
  cpSync(FOLDER, folder, { recursive: true });
  const add = (/** @type {string} */ name, /** @type {Json} */ definition) => {
    writeFileSync(join(folder, `${name}.asl.json`), JSON.stringify(definition));
    const cases = join(folder, 'cases', name);
    mkdirSync(cases);
    // One case for each sample: a Task has one result in a case.
    const count = Math.max(...[...SAMPLES.results.values()].map((results) => results.length));
    for (let index = 0; index < count; index++) {
      const mocks = [...SAMPLES.results].flatMap(([state, results]) => {
        return index < results.length ? [[state, { returns: results[index] }]] : [];
      });
      const sample = { input: SAMPLES.inputs[0], mocks: Object.fromEntries(mocks), expected: { states: ['Look'] } };
      writeFileSync(join(cases, `sample-${index}.json`), JSON.stringify(sample));
    }
  };
  add('second', EXAMPLE);
  for (const [what, check] of FOUND_BY_NO_OTHER) {
    const definition = structuredClone(EXAMPLE);
    const plant = FAULTS.find(([fault]) => fault === what)?.[1] ?? assert.fail(what);
    plant(definition.States, definition);
    add(wrong(check), definition);
  }
  return folder;
}

/** @param {Check} check @param {Json} definition @param {Samples} samples @returns {Promise<string[]>} */
async function faultsOf(check, definition, samples) {
  switch (check) {
    case 'asl-validator':
      return aslValidatorFaults(definition);
    case 'moto':
      return OF_MOTO.get(definition) ?? assert.fail('moto has not seen the definition');
    case 'expressions':
      return checkExpressions(definition, samples);
  }
}
