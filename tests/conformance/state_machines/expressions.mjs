// Evaluates every JSONata expression of a state machine's definition with sample inputs, and reports what Step
// Functions would reject and what would fail an execution: an expression without a value, an unknown variable, function
// or field of $states, text that was meant to be an expression.
//
// The samples pass through the states as in an execution: each result of a Task, and each error that a Catch names, is
// followed from its state. JSONata is the reference implementation in the version that Step Functions documents, 2.0.6.
// Sources: "Transforming data with JSONata in Step Functions" and "Accessing execution data from the Context object" in
// the Step Functions developer guide.
//
// Of states in JSONPath, only a Map that discards its results is followed, with a sample of what S3 lists in place of its
// items. Not covered: what depends on the size of data.
// @ts-check
import { createHash, randomUUID } from 'node:crypto';
import jsonata from 'jsonata';
import { nestedMachines } from './definitions.mjs';

/**
 * @typedef {{[name: string]: any}} Json
 *
 * Sample data of one definition: inputs of executions, and results of Tasks by the names of their states. The result of
 * a Lambda function is its payload, and that of another integration the response. A Task without results returns its
 * payload.
 * @typedef {{inputs: unknown[], results: Map<string, unknown[]>}} Samples
 *
 * A situation of an execution in a state: the values of $states.input and of the variables, and the execution's input.
 * @typedef {{input: any, variables: Json, executionInput: any}} Moment
 *
 * A field that can hold expressions. `reads` are the fields of $states that it can refer to, `type` is the type that it
 * must have.
 * @typedef {{path: string, value: any, reads: string[], type?: string}} Field
 */

const EXECUTION = 'arn:aws:states:us-east-1:123456789012:execution:machine:sample';
const MACHINE = 'arn:aws:states:us-east-1:123456789012:stateMachine:machine';
const LAMBDA = 'arn:aws:states:::lambda:invoke';

/** Loops would produce new moments without end. */
const MAX_MOMENTS = 100;
/** The number of items of a Map that are followed. */
const MAX_ITEMS = 2;

/** An object as a distributed Map lists it. Source: "ItemReader" in the Step Functions developer guide. */
const LISTED = {
  Etag: '"05704fbdccb224cb01c59005bebbad28"',
  Key: 'images/1.jpg',
  LastModified: 1669699881,
  Size: 1073910,
  StorageClass: 'STANDARD',
};

/** Functions that Step Functions adds to JSONata, or replaces. @type {{[name: string]: (...values: any[]) => any}} */
const ADDED_FUNCTIONS = {
  partition: (/** @type {any[]} */ items, /** @type {number} */ size) =>
    Array.from({ length: Math.ceil(items.length / size) }, (_, index) => items.slice(index * size, (index + 1) * size)),
  range: (/** @type {number} */ first, /** @type {number} */ last, /** @type {number} */ step) =>
    Array.from({ length: Math.floor((last - first) / step) + 1 }, (_, index) => first + index * step),
  hash: (/** @type {string} */ text, /** @type {string} */ algorithm) =>
    createHash(algorithm.replace('-', '').toLowerCase()).update(text).digest('hex'),
  random: () => Math.random(),
  uuid: () => randomUUID(),
  parse: (/** @type {string} */ text) => JSON.parse(text),
};
/** A function of JSONata that Step Functions does not have. */
const MISSING_FUNCTION = 'eval';

/**
 * @param {Json} definition
 * @param {Samples} samples
 * @returns {Promise<string[]>} the faults, each with its path
 */
export async function checkExpressions(definition, samples) {
  const check = new Check(samples);
  check.readMachine(definition, '', definition['QueryLanguage'] ?? 'JSONPath');
  await check.runMachine(
    definition,
    '',
    definition['QueryLanguage'] ?? 'JSONPath',
    samples.inputs.map((input) => ({ input, variables: {}, executionInput: input })),
  );
  for (const path of check.expressions) {
    if (!check.evaluated.has(path)) {
      check.fault(path, 'is not reached with any sample: add a case to statemachine/cases/<machine>');
    }
  }
  return [...check.faults];
}

class Check {
  /** @type {Set<string>} */ faults = new Set();
  /** Paths of all expressions. @type {Set<string>} */ expressions = new Set();
  /** Paths of the expressions that were evaluated. @type {Set<string>} */ evaluated = new Set();

  /** @param {Samples} samples */
  constructor(samples) {
    this.samples = samples;
  }

  /** @param {string} path @param {string} what */
  fault(path, what) {
    this.faults.add(`${path}: ${what}`);
  }

  // ---- Checks without evaluation ----

  /** @param {Json} machine @param {string} path @param {string} language */
  readMachine(machine, path, language) {
    for (const [name, state] of Object.entries(machine['States'])) {
      const at = `${path}/${name}`;
      const stateLanguage = state['QueryLanguage'] ?? language;
      if (stateLanguage === 'JSONata') {
        for (const field of fieldsOf(state)) {
          this.readTemplate(field.value, `${at}/${field.path}`, field.reads);
          if (field.path.endsWith('Assign') && 'states' in field.value) {
            this.fault(`${at}/${field.path}`, 'the name states is reserved: rename the variable');
          }
        }
      }
      for (const [nested, nestedPath] of nestedMachines(state)) {
        this.readMachine(nested, `${at}/${nestedPath}`, stateLanguage);
      }
    }
  }

  /** @param {any} template @param {string} path @param {string[]} reads */
  readTemplate(template, path, reads) {
    if (typeof template === 'string') {
      if (isExpression(template)) {
        this.expressions.add(path);
        this.readExpression(template, path, reads);
      } else if (template.includes('{%') || template.includes('%}')) {
        this.fault(path, `${quoted(template)} is text: an expression has to be the whole text, from {% to %}`);
      } else if (/^\$\$?(\.|\[|[A-Za-z_])/.test(template)) {
        this.fault(path, `${quoted(template)} is text, not an expression: put it between {% and %}`);
      }
    } else if (template !== null && typeof template === 'object') {
      for (const [name, value] of Object.entries(template)) {
        if (name.endsWith('.$')) {
          this.fault(`${path}/${name}`, 'a name that ends with .$ is for JSONPath: use {% %} in the value');
        }
        this.readTemplate(value, `${path}/${name}`, reads);
      }
    }
  }

  /** @param {string} text @param {string} path @param {string[]} reads */
  readExpression(text, path, reads) {
    let ast;
    try {
      ast = jsonata(source(text)).ast();
    } catch (error) {
      this.fault(path, `${quoted(text)} is not valid JSONata: ${message(error)}`);
      return;
    }
    const own = boundNames(ast);
    for (const node of nodesOf(ast)) {
      if (node.type === 'path' && node.steps?.[0]?.type === 'variable' && node.steps[0].value === 'states') {
        const field = node.steps[1];
        if (field?.type === 'name' && !reads.includes(field.value)) {
          this.fault(path, `$states.${field.value} does not exist here, only ${reads.map((name) => `$states.${name}`).join(', ')}`);
        }
      }
      const called = ['function', 'partial'].includes(node.type) && node.procedure?.type === 'variable' ? node.procedure.value : undefined;
      if (called !== undefined && !own.has(called) && !isFunction(called)) {
        this.fault(path, `there is no function $${called}`);
      }
    }
  }

  // ---- Following the samples ----

  /**
   * @param {Json} machine @param {string} path @param {string} language @param {Moment[]} starts
   * @returns {Promise<any[]>} the outputs of the states that end the machine
   */
  async runMachine(machine, path, language, starts) {
    /** @type {Map<string, Set<string>>} */
    const seen = new Map();
    /** @type {any[]} */
    const outputs = [];
    /** @type {[string, Moment][]} */
    const open = starts.map((moment) => [machine['StartAt'], moment]);
    for (let next = open.shift(); next !== undefined; next = open.shift()) {
      const [name, moment] = next;
      const state = machine['States'][name];
      const moments = seen.get(name) ?? new Set();
      seen.set(name, moments);
      const key = JSON.stringify(moment);
      if (state === undefined || moments.has(key) || moments.size >= MAX_MOMENTS) continue;
      moments.add(key);
      const run = (state['QueryLanguage'] ?? language) === 'JSONata' ? this.runState : this.runPathState;
      for (const [to, then] of await run.call(this, name, state, `${path}/${name}`, moment)) {
        if (to === undefined) outputs.push(then.input);
        else open.push([to, then]);
      }
    }
    return outputs;
  }

  /**
   * Follows a Map in JSONPath. Its items are passed one by one and in batches.
   * @param {string} _name @param {Json} state @param {string} path @param {Moment} moment
   * @returns {Promise<[string | undefined, Moment][]>}
   */
  async runPathState(_name, state, path, moment) {
    if (state['Type'] !== 'Map' || state['ResultPath'] !== null) return [];
    const context = { Map: { Item: { Index: 0, Value: LISTED } } };
    const item = 'ItemSelector' in state ? selected(state['ItemSelector'], moment.input, context) : LISTED;
    for (const [machine, at] of nestedMachines(state)) {
      const starts = [item, { Items: [item] }].map((input) => ({ ...moment, input }));
      await this.runMachine(machine, `${path}/${at}`, 'JSONPath', starts);
    }
    return [[state['Next'], moment]];
  }

  /**
   * @param {string} name @param {Json} state @param {string} path @param {Moment} moment
   * @returns {Promise<[string | undefined, Moment][]>} the next states; undefined is the end of the machine
   */
  async runState(name, state, path, moment) {
    const context = contextOf(name, state, moment);
    const before = { input: moment.input, context };
    for (const field of fieldsOf(state).filter((field) => field.type !== undefined)) {
      await this.evaluate(field, path, before, moment.variables);
    }
    /** @type {[string | undefined, Moment][]} */
    const next = [];
    for (const [index, catcher] of (state['Catch'] ?? []).entries()) {
      for (const error of catcher['ErrorEquals']) {
        const errorOutput = errorOf(error);
        next.push(await this.leave(catcher, `${path}/Catch/${index}`, { ...before, errorOutput }, moment, errorOutput));
      }
    }
    switch (state['Type']) {
      case 'Choice': {
        for (const [index, choice] of state['Choices'].entries()) {
          const field = { path: `Choices/${index}/Condition`, value: choice['Condition'], reads: [], type: 'boolean' };
          if ((await this.evaluate(field, path, before, moment.variables)) === true) {
            next.push(await this.leave(choice, `${path}/Choices/${index}`, before, moment, moment.input));
            return next;
          }
        }
        if (state['Default'] !== undefined) {
          next.push(await this.leave({ ...state, Next: state['Default'] }, path, before, moment, moment.input));
        }
        return next;
      }
      case 'Fail':
        return next;
      case 'Task':
      case 'Parallel':
      case 'Map':
        for (const result of await this.resultsOf(name, state, path, moment, before)) {
          next.push(await this.leave(state, path, { ...before, result }, moment, result));
        }
        return next;
      default:
        next.push(await this.leave(state, path, before, moment, moment.input));
        return next;
    }
  }

  /**
   * Evaluates `Assign` and `Output` with the same variables, as Step Functions does.
   * @param {Json} from the object with Assign, Output and Next @param {string} path @param {Json} states @param {Moment} moment
   * @param {any} unchanged the output if there is no `Output`
   * @returns {Promise<[string | undefined, Moment]>}
   */
  async leave(from, path, states, moment, unchanged) {
    const evaluate = (/** @type {string} */ name) =>
      this.evaluate({ path: name, value: from[name], reads: [] }, path, states, moment.variables);
    const input = 'Output' in from ? await evaluate('Output') : unchanged;
    const assigned = 'Assign' in from ? await evaluate('Assign') : {};
    return [from['Next'], { ...moment, input, variables: { ...moment.variables, ...assigned } }];
  }

  /**
   * @param {string} name @param {Json} state @param {string} path @param {Moment} moment @param {Json} states
   * @returns {Promise<any[]>}
   */
  async resultsOf(name, state, path, moment, states) {
    const given =
      'Arguments' in state
        ? await this.evaluate({ path: 'Arguments', value: state['Arguments'], reads: [] }, path, states, moment.variables)
        : moment.input;
    if (state['Type'] === 'Parallel') {
      const branches = await Promise.all(
        nestedMachines(state).map(([branch, at]) =>
          this.runMachine(branch, `${path}/${at}`, 'JSONata', [{ ...moment, input: given }]),
        ),
      );
      return branches.every((outputs) => outputs.length > 0) ? [branches.map((outputs) => outputs[0])] : [];
    }
    if (state['Type'] === 'Map') {
      return this.resultsOfMap(state, path, moment, states);
    }
    const results = this.samples.results.get(name);
    if (!String(state['Resource']).startsWith(LAMBDA)) {
      return results ?? [given];
    }
    if (String(state['Resource']).endsWith('.waitForTaskToken')) {
      return results ?? [given?.Payload];
    }
    const payloads = results ?? [given?.Payload];
    return payloads.map((Payload) => ({ ExecutedVersion: '$LATEST', StatusCode: 200, Payload }));
  }

  /** @param {Json} state @param {string} path @param {Moment} moment @param {Json} states @returns {Promise<any[]>} */
  async resultsOfMap(state, path, moment, states) {
    const items =
      'Items' in state
        ? await this.evaluate({ path: 'Items', value: state['Items'], reads: [] }, path, states, moment.variables)
        : moment.input;
    const outputs = [];
    for (const [Index, Value] of [...(Array.isArray(items) ? items : [])].slice(0, MAX_ITEMS).entries()) {
      const context = { ...states['context'], Map: { Item: { Index, Value } } };
      const selector = { path: 'ItemSelector', value: state['ItemSelector'], reads: [] };
      const input =
        'ItemSelector' in state ? await this.evaluate(selector, path, { ...states, context }, moment.variables) : Value;
      for (const [machine, at] of nestedMachines(state)) {
        outputs.push(...(await this.runMachine(machine, `${path}/${at}`, 'JSONata', [{ ...moment, input }])));
      }
    }
    return [outputs];
  }

  // ---- One field ----

  /**
   * @param {Field} field @param {string} path of the state @param {Json} states the value of $states @param {Json} variables
   * @returns {Promise<any>}
   */
  async evaluate(field, path, states, variables) {
    const value = await this.evaluateTemplate(field.value, `${path}/${field.path}`, states, variables);
    if (isExpression(field.value) && value !== undefined && !isOfType(value, field.type)) {
      this.fault(`${path}/${field.path}`, `${quoted(field.value)} yields ${JSON.stringify(value)}, which is not of type ${field.type}`);
    }
    return value;
  }

  /** @param {any} template @param {string} path @param {Json} states @param {Json} variables @returns {Promise<any>} */
  async evaluateTemplate(template, path, states, variables) {
    if (isExpression(template)) {
      return this.evaluateExpression(template, path, states, variables);
    }
    if (Array.isArray(template)) {
      return Promise.all(template.map((value, index) => this.evaluateTemplate(value, `${path}/${index}`, states, variables)));
    }
    if (template !== null && typeof template === 'object') {
      /** @type {Json} */
      const evaluated = {};
      for (const [name, value] of Object.entries(template)) {
        evaluated[name] = await this.evaluateTemplate(value, `${path}/${name}`, states, variables);
      }
      return evaluated;
    }
    return template;
  }

  /** @param {string} text @param {string} path @param {Json} states @param {Json} variables @returns {Promise<any>} */
  async evaluateExpression(text, path, states, variables) {
    this.evaluated.add(path);
    let expression;
    try {
      expression = jsonata(source(text));
    } catch {
      return undefined; // `readExpression` reports it.
    }
    const own = boundNames(expression.ast());
    for (const node of nodesOf(expression.ast())) {
      const { value: name } = node;
      const known = name === '' || name === '$' || name === 'states' || own.has(name) || name in variables || isFunction(name);
      if (node.type === 'variable' && !known) {
        this.fault(path, `there is no variable $${name}`);
      }
    }
    for (const [name, implementation] of Object.entries(ADDED_FUNCTIONS)) {
      expression.registerFunction(name, implementation);
    }
    let value;
    try {
      value = await expression.evaluate(undefined, { ...variables, states });
    } catch (error) {
      this.fault(path, `${quoted(text)} fails: ${message(error)}`);
      return undefined;
    }
    const json = JSON.stringify(value);
    if (json === undefined) {
      this.fault(path, `${quoted(text)} yields nothing: a path in it does not exist`);
      return undefined;
    }
    for (const name of namesWithoutValue(expression.ast(), value)) {
      this.fault(path, `${quoted(text)} yields nothing for "${name}": a path in it does not exist`);
    }
    // Removes the properties that JSONata adds to its sequences.
    return JSON.parse(json);
  }
}

// ---- The Amazon States Language ----

/** An object with its fields in JSONPath replaced. Only simple paths. @param {Json} template @param {any} input @param {Json} context @returns {Json} */
function selected(template, input, context) {
  return Object.fromEntries(
    Object.entries(template).map(([name, value]) => {
      if (!name.endsWith('.$')) return [name, value];
      const [root, ...steps] = value.split('.');
      const found = steps.reduce((/** @type {any} */ of, /** @type {string} */ step) => of?.[step], root === '$$' ? context : input);
      return [name.slice(0, -2), found];
    }),
  );
}

/** Fields that are evaluated when a state is entered, and their types. @type {{[field: string]: string}} */
const TYPES = {
  TimeoutSeconds: 'number',
  HeartbeatSeconds: 'number',
  Seconds: 'number',
  Timestamp: 'string',
  MaxConcurrency: 'number',
  ToleratedFailureCount: 'number',
  ToleratedFailurePercentage: 'number',
  Credentials: 'object',
  ItemReader: 'object',
  ItemBatcher: 'object',
  ResultWriter: 'object',
  Error: 'string',
  Cause: 'string',
};

/**
 * The fields of a JSONata state that are evaluated. Those with a `type` are evaluated when the state is entered; the
 * others when the result, error or item that they read is known.
 * @param {Json} state @returns {Field[]}
 */
function fieldsOf(state) {
  const entered = ['input', 'context'];
  const withResult = ['Task', 'Parallel', 'Map'].includes(state['Type']) ? [...entered, 'result'] : entered;
  /** @type {(of: Json, prefix: string, names: string[], reads: string[]) => Field[]} */
  const fields = (of, prefix, names, reads) =>
    names.filter((name) => name in of).map((name) => ({ path: `${prefix}${name}`, value: of[name], reads }));
  return [
    ...fields(state, '', Object.keys(TYPES), entered).map((field) => ({ ...field, type: TYPES[field.path] ?? '' })),
    ...fields(state, '', ['Arguments', 'Items', 'ItemSelector'], entered),
    ...fields(state, '', ['Output', 'Assign'], withResult),
    ...(state['Catch'] ?? []).flatMap((/** @type {Json} */ catcher, /** @type {number} */ index) =>
      fields(catcher, `Catch/${index}/`, ['Output', 'Assign'], [...entered, 'errorOutput']),
    ),
    ...(state['Choices'] ?? []).flatMap((/** @type {Json} */ choice, /** @type {number} */ index) =>
      fields(choice, `Choices/${index}/`, ['Condition', 'Output', 'Assign'], entered),
    ),
  ];
}

/** The context object, without fields that exist only after a redrive. @param {string} name @param {Json} state @param {Moment} moment */
function contextOf(name, state, moment) {
  const context = {
    Execution: {
      Id: EXECUTION,
      Input: moment.executionInput,
      Name: 'sample',
      RoleArn: 'arn:aws:iam::123456789012:role/machine',
      StartTime: '2026-11-12T00:00:00.000Z',
      RedriveCount: 0,
    },
    StateMachine: { Id: MACHINE, Name: 'machine' },
    State: { Name: name, EnteredTime: '2026-11-12T00:00:01.000Z', RetryCount: 0 },
  };
  return String(state['Resource']).endsWith('.waitForTaskToken') ? { ...context, Task: { Token: 'AAAAKgAAAAIAAAAA' } } : context;
}

/** @param {string} name the name of an error, as in ErrorEquals */
function errorOf(name) {
  const Error = name === 'States.ALL' || name === 'States.TaskFailed' ? 'Example.Error' : name;
  return { Error, Cause: JSON.stringify({ errorType: Error, errorMessage: 'a sentence' }) };
}

// ---- JSONata ----

/** @param {any} value */
function isExpression(value) {
  return typeof value === 'string' && value.startsWith('{%') && value.endsWith('%}') && value.length >= 4;
}

/** @param {string} text */
function source(text) {
  return text.slice(2, -2).trim();
}

/** @param {string} text */
function quoted(text) {
  return `"${text}"`;
}

/** @param {unknown} error */
function message(error) {
  return /** @type {{message?: string}} */ (error).message ?? String(error);
}

/** @param {any} value @param {string | undefined} type */
function isOfType(value, type) {
  return type === undefined || (type === 'object' ? value !== null && typeof value === 'object' : typeof value === type);
}

/** @param {any} name */
function isFunction(name) {
  return name !== MISSING_FUNCTION && (name in ADDED_FUNCTIONS || BUILT_IN.has(name));
}

/** The names of the built-in functions of JSONata 2.0. */
const BUILT_IN = new Set(
  (
    'sum count max min average string substring substringBefore substringAfter lowercase uppercase length trim pad match ' +
    'contains replace split join formatNumber formatBase formatInteger parseInteger number floor ceil round abs sqrt ' +
    'power boolean not map zip filter single reduce sift keys lookup append exists spread merge reverse each error ' +
    'assert type sort shuffle distinct base64encode base64decode encodeUrlComponent encodeUrl decodeUrlComponent ' +
    'decodeUrl toMillis fromMillis clone now millis'
  ).split(' '),
);

/** Every node of a syntax tree. @param {any} node @returns {Generator<any>} */
function* nodesOf(node) {
  if (node === null || typeof node !== 'object') return;
  if (typeof node.type === 'string') yield node;
  for (const value of Object.values(node)) yield* nodesOf(value);
}

/** Names that an expression itself binds: with :=, as a function's parameters, with @ or #. @param {any} ast */
function boundNames(ast) {
  const names = new Set();
  for (const node of nodesOf(ast)) {
    if (node.type === 'bind') names.add(node.lhs.value);
    if (node.type === 'lambda') node.arguments.forEach((/** @type {any} */ parameter) => names.add(parameter.value));
    if (typeof node.focus === 'string') names.add(node.focus);
    if (typeof node.index === 'string') names.add(node.index);
    if (node.type === 'index' && typeof node.value === 'string') names.add(node.value);
  }
  return names;
}

/** Names in an object of an expression that the result lacks, since JSONata omits members without a value. @param {any} ast @param {any} value @returns {string[]} */
function namesWithoutValue(ast, value) {
  if (ast.type === 'block' && ast.expressions.length > 0) return namesWithoutValue(ast.expressions.at(-1), value);
  if (ast.type !== 'unary' || ast.value !== '{' || value === null || typeof value !== 'object') return [];
  return ast.lhs.flatMap((/** @type {[any, any]} */ [name, field]) => {
    if (name.type !== 'string') return [];
    return name.value in value ? namesWithoutValue(field, value[name.value]) : [name.value];
  });
}
