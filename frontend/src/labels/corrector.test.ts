import { expect, test } from 'vitest';
import { ApiError, NetworkError } from '../api/problem';
import type { CorrectionChange, CorrectionResult, Corrections, Summary } from '../api/types';
import { text } from '../shared/text';
import { CorrectedEvent, Corrector, correctionProblem, inverse } from './corrector';

const PROBLEM = 'urn:image-label-generator:problem:';

/** Pictures with corrections, like the API's: `found` is what the model found. */
class FakeApi {
  readonly pictures = new Map<
    string,
    { found: readonly string[]; corrections: Corrections; status: Summary['status'] }
  >();
  readonly requests: { readonly ids: readonly string[]; readonly change: CorrectionChange }[] = [];
  failing: unknown;

  add(imageId: string, found: readonly string[], corrections: Partial<Corrections> = {}, status = 'LABELED' as const) {
    this.pictures.set(imageId, { found, corrections: { added: [], removed: [], ...corrections }, status });
  }

  summary(imageId: string): Summary {
    const { found, corrections, status } = this.pictures.get(imageId) ?? {
      found: [],
      corrections: { added: [], removed: [] },
      status: 'DELETED',
    };
    const detected = found.filter((name) => ![...corrections.removed, ...corrections.added].includes(name));
    const labels = [
      ...corrections.added.map((name) => ({ name, confidence: 100, added: true })),
      ...detected.map((name) => ({ name, confidence: 80, added: false })),
    ];
    return { imageId, status, labels } as unknown as Summary;
  }

  names(imageId: string): string[] {
    return this.summary(imageId)
      .labels.map(({ name }) => name)
      .toSorted();
  }

  correctLabels = async () => {
    throw new Error('not used here');
  };

  getImages = async (ids: readonly string[]) => ids.filter((id) => this.pictures.has(id)).map((id) => this.summary(id));

  correctLabelsOfImages = async (ids: readonly string[], change: CorrectionChange): Promise<CorrectionResult[]> => {
    this.requests.push({ ids, change });
    if (this.failing) throw this.failing;
    return ids.map((imageId) => {
      const picture = this.pictures.get(imageId);
      if (!picture) return { imageId, outcome: 'NO_SUCH_IMAGE' };
      const { add = [], remove = [], reset = [] } = change;
      const named = [...add, ...remove, ...reset];
      const without = (names: readonly string[]) => names.filter((name) => !named.includes(name));
      const corrections = {
        added: [...without(picture.corrections.added), ...add],
        removed: [...without(picture.corrections.removed), ...remove],
      };
      const isSame = JSON.stringify(corrections) === JSON.stringify(picture.corrections);
      this.pictures.set(imageId, { ...picture, corrections });
      return { imageId, outcome: isSame ? 'UNCHANGED' : 'CORRECTED' };
    });
  };

  images(): Summary[] {
    return [...this.pictures.keys()].map((id) => this.summary(id));
  }
}

const EDIT = { add: ['Cat'], remove: ['Dog'] };
const corrector = (api: FakeApi) => new Corrector(api, new AbortController().signal);

test('undoing a correction restores what was corrected before', () => {
  const before = { added: ['Cat'], removed: ['Dog'] };
  expect(inverse({ add: ['dog'], remove: ['CAT'], reset: ['Bird'] }, before)).toEqual({
    add: ['CAT'],
    remove: ['dog'],
    reset: ['Bird'],
  });
});

test('a large selection is corrected with up to a hundred pictures per request, and says how far it is', async () => {
  const api = new FakeApi();
  for (let index = 0; index < 230; index += 1) api.add(String(index), ['Dog']);
  const progress: number[] = [];
  const { outcomes, failed } = await corrector(api).correctAll(api.images(), EDIT, (done) => progress.push(done));
  expect(api.requests.map(({ ids }) => ids.length)).toEqual([100, 100, 30]);
  expect(progress).toEqual([0, 100, 200, 230]);
  expect(outcomes.CORRECTED).toBe(230);
  expect(failed).toBe(0);
  expect(api.names('229')).toEqual(['Cat']);
});

test('pictures that have the wanted labels already are left alone', async () => {
  const api = new FakeApi();
  api.add('both', ['Dog', 'Cat']);
  api.add('done', ['Cat']);
  api.add('running', [], {}, 'PROCESSING' as never);
  const { outcomes } = await corrector(api).correctAll(api.images(), EDIT);
  expect(api.requests).toEqual([
    { ids: ['both'], change: { add: [], remove: ['Dog'] } },
    { ids: ['running'], change: EDIT },
  ]);
  expect(outcomes).toMatchObject({ CORRECTED: 2, UNCHANGED: 1 });
});

test('undo restores added, detected and removed labels of each picture', async () => {
  const api = new FakeApi();
  api.add('detected', ['Dog']);
  api.add('added by hand', [], { added: ['Dog'] });
  api.add('removed by hand', ['Dog', 'Cat'], { removed: ['Cat'] });
  const before = new Map(api.images().map(({ imageId, labels }) => [imageId, labels]));
  const events: string[] = [];
  const edited = corrector(api);
  edited.addEventListener('corrected', (event) => event instanceof CorrectedEvent && events.push(event.image.imageId));
  const { undo } = await edited.correctAll(api.images(), EDIT);
  for (const id of before.keys()) expect(api.names(id)).toEqual(['Cat']);
  expect(events).toEqual([...before.keys()]);
  await undo?.();
  for (const [id, labels] of before) expect(api.summary(id).labels).toEqual(labels);
  expect(api.pictures.get('removed by hand')?.corrections).toEqual({ added: [], removed: ['Cat'] });
});

test('an undo that fails halfway continues with the rest when it is repeated', async () => {
  const api = new FakeApi();
  for (let index = 0; index < 250; index += 1) api.add(String(index), ['Dog']);
  api.add('removed by hand', ['Dog', 'Cat'], { removed: ['Cat'] });
  const { undo } = await corrector(api).correctAll(api.images(), EDIT);
  api.requests.length = 0;
  const send = api.correctLabelsOfImages;
  api.correctLabelsOfImages = async (ids, change) => {
    api.failing = api.requests.length === 1 ? new NetworkError('lost') : undefined;
    return send(ids, change);
  };
  await expect(undo?.()).rejects.toThrow('lost');
  await undo?.();
  // The second request is repeated, and the last one removes again what was removed by hand.
  expect(api.requests.map(({ ids }) => ids.length)).toEqual([100, 100, 100, 51, 1]);
  expect(api.names('0')).toEqual(['Dog']);
  expect(api.names('249')).toEqual(['Dog']);
  expect(api.pictures.get('removed by hand')?.corrections).toEqual({ added: [], removed: ['Cat'] });
});

test('a failed request does not stop the others, and its pictures are not undone', async () => {
  const api = new FakeApi();
  for (let index = 0; index < 150; index += 1) api.add(String(index), ['Dog']);
  const lost = new NetworkError('lost');
  const send = api.correctLabelsOfImages;
  api.correctLabelsOfImages = async (ids, change) => {
    api.failing = api.requests.length === 0 ? lost : undefined;
    return send(ids, change);
  };
  const { outcomes, failed, causes } = await corrector(api).correctAll(api.images(), EDIT);
  expect(outcomes.CORRECTED).toBe(50);
  expect(failed).toBe(100);
  expect(causes).toEqual([lost]);
});

test('nothing can be undone if nothing was changed', async () => {
  const api = new FakeApi();
  api.add('done', ['Cat']);
  expect((await corrector(api).correctAll(api.images(), EDIT)).undo).toBeUndefined();
});

test.each([['too-many-corrections'], ['not-labeled'], ['no-such-image']])('%s is explained', (type) => {
  const error = new ApiError(409, "The image's labels…", undefined, PROBLEM + type);
  expect(correctionProblem(error)).toBe(text.corrections.problems[type]);
  expect(correctionProblem(new NetworkError(text.unreachable))).toBe(text.unreachable);
});
