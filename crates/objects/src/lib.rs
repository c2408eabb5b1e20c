//! All S3 calls of the product: reads, writes, deletes and lists objects.

mod checksum;
mod delete;
mod presign;
mod read;
mod unreadable;
mod write;

pub use checksum::sha256;
pub use delete::{Version, Versions, delete, delete_all, list_versions};
pub use presign::{NewObject, PresignedPut, PresignedUrl, ResponseHeaders, presign_get, presign_put};
pub use read::{Range, check_readable, read, read_range};
pub use unreadable::UnreadableObject;
pub use write::write;
