//! What the parts of the system talk about.
//!
//! Pure: no AWS, no Lambda, no HTTP. The functions exchange the types of [`contract`] as JSON; the
//! table holds [`record::ImageRecord`]s under the keys of [`table`].

pub mod contract;
pub mod error_name;
pub mod event;
pub mod image;
pub mod label;
pub mod metadata;
pub mod policy;
pub mod record;
pub mod table;

pub use contract::{ClaimedImage, DetectedImage, Outcome, PersistInput, Rendition, ValidateInput};
pub use error_name::{ErrorClass, ErrorName};
pub use event::{ObjectCreated, Sequencer};
pub use image::{Format, ImageId, ImageKey, Orientation, Owner, Status};
pub use label::{BoundingBox, Confidence, Instance, Label};
pub use metadata::{Location, Metadata};
pub use policy::FilterPolicy;
pub use record::ImageRecord;
