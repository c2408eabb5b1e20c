//! All S3 calls of the product: reads, writes, copies, deletes and lists objects, and uploads them in parts.

mod checksum;
mod copy;
mod delete;
mod find;
mod list;
mod multipart;
mod presign;
mod read;
mod unreadable;
mod write;

pub use checksum::{Stored, exists, sha256, stored};
pub use copy::{Copy, NotCopied, Original, copy, open};
pub use delete::{Version, Versions, delete, delete_all, delete_until, list_versions};
pub use find::{Bucket, Found, find, find_bucket};
pub use list::{Object, Objects, list};
pub use multipart::{
    Completion, NewPart, UploadedPart, abort_multipart_upload, complete_multipart_upload,
    create_multipart_upload, list_parts, presign_part,
};
pub use presign::{NewObject, PresignedPut, PresignedUrl, ResponseHeaders, presign_get, presign_put};
pub use read::{Range, check_readable, read, read_range};
pub use unreadable::UnreadableObject;
pub use write::write;
