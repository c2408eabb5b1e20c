import { describe, expect, test } from 'vitest';
import { text } from '../shared/text';
import { readProblem } from './problem';

describe('readProblem', () => {
  test("shows the API's detail and keeps the field", () => {
    const body = {
      type: '/problems/invalid',
      title: 'Bad Request',
      status: 400,
      detail: 'size must be at least 1',
      field: 'size',
    };
    expect(readProblem(400, body)).toMatchObject({
      status: 400,
      message: 'size must be at least 1',
      field: 'size',
    });
  });

  test('falls back to the title, then to a text for the status', () => {
    expect(readProblem(404, { title: 'There is no such image' }).message).toBe('There is no such image');
    expect(readProblem(418, {}).message).toBe(text.apiStatus(418));
  });

  test.each([
    ['API Gateway', 429, { message: 'Too Many Requests' }],
    ['API Gateway', 503, { message: 'Service Unavailable' }],
    ['a proxy', 502, '<html><h1>502 Bad Gateway</h1></html>'],
    ['an empty response', 500, ''],
    ['JSON that is not an object', 500, null],
    ['a detail that is not a string', 500, { detail: { a: 1 } }],
  ])('never shows the text of %s (%i)', (_, status, body) => {
    expect(readProblem(status, body).message).toBe(text.apiStatus(status));
  });

  test.each([
    ['too-many-images', true],
    ['too-many-images-in-total', true],
    ['being-labeled', false],
  ])('knows whether %s is a daily limit', (name, expected) => {
    const type = `urn:image-label-generator:problem:${name}`;
    expect(readProblem(429, { type, detail: 'No more today' })).toMatchObject({ type, isDailyLimit: expected });
  });

  test('does not take throttling by API Gateway for a daily limit', () => {
    expect(readProblem(429, { message: 'Too Many Requests' }).isDailyLimit).toBe(false);
  });

  test('knows that a picture is being labeled', () => {
    expect([400, 409, 429].map((status) => readProblem(status, '').isRunning)).toEqual([false, true, false]);
  });

  test('knows which errors are transient', () => {
    expect([429, 500, 503].map((status) => readProblem(status, '').isTransient)).toEqual([true, true, true]);
    expect([400, 404].map((status) => readProblem(status, '').isTransient)).toEqual([false, false]);
  });
});
