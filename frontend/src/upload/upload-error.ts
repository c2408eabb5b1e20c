// The error of an upload.
import { UserFacingError } from '../api/problem';

/** The file could not be stored. */
export class UploadError extends UserFacingError {
  override readonly name = 'UploadError';
}
