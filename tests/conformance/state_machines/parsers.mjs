// Two parsers of the Amazon States Language, which find different faults: asl-validator checks the fields of each type of
// state and follows the transitions; moto's grammar checks intervals, error names and the syntax of values.
// @ts-check
import { execFileSync } from 'node:child_process';
import { join } from 'node:path';
import aslValidator from 'asl-validator';

/** @import { Json } from './expressions.mjs' */

/** @param {Json} definition @returns {string[]} its faults */
export function aslValidatorFaults(definition) {
  // It changes its argument, hence the copy. It accepts ${substitutions} in place of ARNs.
  const { isValid, errorsText } = aslValidator(structuredClone(definition));
  return isValid ? [] : [errorsText('; ')];
}

/** Fields of a distributed Map that moto's grammar lacks, or whose newer values it does not know. Source: "ItemBatcher" and "ItemReader" in the Step Functions
 * developer guide. */
const UNKNOWN_TO_MOTO = new Set(['ItemBatcher', 'ReaderConfig']);

/**
 * @param {Json[]} definitions all at once: starting Python takes longer than parsing
 * @returns {string[][]} the faults of each
 */
export function motoFaults(definitions) {
  const python = process.env['ILG_CONFORMANCE_PYTHON'];
  if (python === undefined) {
    throw new Error('ILG_CONFORMANCE_PYTHON is not set: run `cargo xtask test state-machine`');
  }
  const answer = execFileSync(python, [join(import.meta.dirname, 'moto_parser.py')], {
    input: JSON.stringify(definitions, (name, value) => (UNKNOWN_TO_MOTO.has(name) ? undefined : value)),
    encoding: 'utf8',
  });
  return JSON.parse(answer);
}
