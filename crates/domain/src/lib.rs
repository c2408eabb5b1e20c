//! The types and rules that all parts of the system share.
//!
//! This crate does not depend on AWS clients, Lambda or HTTP. The functions exchange the types of [`contract`] as JSON.
//! The table stores [`record::ImageRecord`]s under the keys of [`table`].

pub mod claim;
pub mod contract;
pub mod corrections;
pub mod counting;
pub mod details;
pub mod error_name;
pub mod event;
pub mod export;
pub mod image;
pub mod job;
pub mod label;
pub mod lambda_error;
pub mod metadata;
pub mod metric;
pub mod policy;
pub mod record;
pub mod search;
pub mod subject;
pub mod table;

pub use claim::Claim;
pub use contract::{
    ClaimedImage, DetectedImage, FilteredImage, Outcome, PersistInput, Picture, ValidateInput,
};
pub use corrections::{CorrectionChange, Corrections};
pub use counting::Criteria;
pub use details::{ImageDetails, ImageFacts, LabelDetails};
pub use error_name::{ErrorClass, ErrorName, StepError};
pub use event::{EventKind, ObjectCreated, Sequencer};
pub use export::{Export, ExportFile, ExportFormat, ExportSelection};
pub use image::{Format, ImageId, ImageKey, Orientation, Owner, Rendition, Status};
pub use job::{Job, JobId, JobKind, JobProgress, JobStatus};
pub use label::{BoundingBox, Confidence, Instance, Label};
pub use metadata::{Location, Metadata};
pub use policy::{FilterPolicy, Settings};
pub use record::ImageRecord;
pub use search::Search;
pub use subject::{HasSubject, Subject};
