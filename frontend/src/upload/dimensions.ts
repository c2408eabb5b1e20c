// Measures a picture with the browser's decoder.

export interface Dimensions {
  /** In pixels, after EXIF orientation. */
  readonly width: number;
  readonly height: number;
}

/** The dimensions of the picture at an object URL; `undefined` if the browser cannot decode it. */
export async function measure(objectUrl: string): Promise<Dimensions | undefined> {
  const image = new Image();
  const loaded = new Promise<boolean>((resolve) => {
    image.onload = () => resolve(true);
    image.onerror = () => resolve(false);
  });
  image.src = objectUrl;
  if (!(await loaded) || image.naturalWidth === 0) return undefined;
  return { width: image.naturalWidth, height: image.naturalHeight };
}
