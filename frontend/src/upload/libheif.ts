// The decoder of HEIC pictures: libheif, as WebAssembly. A megabyte and a half, so only who needs it loads it.
import factory, { type heif_image_handle, type MainModule } from 'libheif-js/libheif-wasm/libheif.js';
import binary from 'libheif-js/libheif-wasm/libheif.wasm?url';

/** Pixels of one kind of samples, as libheif's JavaScript hands them over. */
interface Channel {
  readonly width: number;
  readonly height: number;
  /** Bytes from one row to the next. */
  readonly stride: number;
  /** Red, green, blue and opacity, a byte each. */
  readonly data: Uint8Array;
}

/** The decoder, loaded. */
export class Libheif {
  private constructor(private readonly module: MainModule) {}

  /** Throws if it cannot be fetched. */
  static async load(): Promise<Libheif> {
    const response = await fetch(binary);
    if (!response.ok) throw new Error(`the decoder cannot be fetched: ${response.status}`);
    return new Libheif(factory({ wasmBinary: await response.arrayBuffer() }));
  }

  /** The main picture of a file, not decoded yet, or `undefined` where there is none. */
  open(file: Uint8Array): HeicPicture | undefined {
    const context = this.module.heif_context_alloc();
    const { code } = this.module.heif_context_read_from_memory(context, file);
    if (code !== this.module.heif_error_code.heif_error_Ok) return undefined;
    const handle = this.module.heif_js_context_get_primary_image_handle(context);
    return handle && !handle.code ? new HeicPicture(this.module, handle) : undefined;
  }
}

/** One picture of a file. */
class HeicPicture {
  constructor(
    private readonly libheif: MainModule,
    private readonly handle: heif_image_handle,
  ) {}

  /** In pixels, as seen. */
  get sides(): { width: number; height: number } {
    return {
      width: this.libheif.heif_image_handle_get_width(this.handle),
      height: this.libheif.heif_image_handle_get_height(this.handle),
    };
  }

  /** The pixels, upright, or `undefined` where they cannot be decoded. */
  async pixels(colorSpace: PredefinedColorSpace): Promise<ImageData | undefined> {
    const { heif_colorspace, heif_chroma } = this.libheif;
    const decoded: { channels?: readonly Channel[] } | undefined = await this.libheif.heif_js_decode_image2(
      this.handle,
      heif_colorspace.heif_colorspace_RGB,
      heif_chroma.heif_chroma_interleaved_RGBA,
    );
    const [channel] = decoded?.channels ?? [];
    if (!channel) return undefined;
    const { width, height, stride, data } = channel;
    const pixels = new ImageData(width, height, { colorSpace });
    for (let row = 0; row < height; row += 1) {
      pixels.data.set(data.subarray(row * stride, row * stride + width * 4), row * width * 4);
    }
    return pixels;
  }
}
