//! The types and rules that all parts of the system share.
//!
//! This crate does not depend on AWS clients, Lambda or HTTP. The functions exchange the types of [`contract`] as JSON.
//! The table stores [`record::ImageRecord`]s under the keys of [`table`].

pub mod bulk;
pub mod claim;
pub mod contract;
pub mod corrections;
pub mod counting;
pub mod details;
pub mod error_name;
pub mod event;
pub mod export;
pub mod image;
pub mod import;
pub mod job;
pub mod label;
pub mod lambda_error;
pub mod metadata;
pub mod metric;
pub mod multipart;
pub mod policy;
pub mod reconciliation;
pub mod record;
pub mod search;
pub mod subject;
pub mod table;
pub mod timeline;
pub mod trace;
pub mod video;

pub use bulk::{BulkDeletion, Correction, Relabel, Selection, Undo};
pub use claim::Claim;
pub use contract::{
    ClaimedImage, CorrectedLabels, DetectedImage, FilteredImage, InspectVideoInput, Media, Outcome,
    PersistInput, Picture, StartVideoLabelsInput, ValidateInput, VideoProgress,
};
pub use corrections::{CorrectionChange, Corrections};
pub use counting::Criteria;
pub use details::{ImageDetails, ImageFacts, LabelDetails};
pub use error_name::{ErrorClass, ErrorName, StepError};
pub use event::{EventKind, ObjectCreated, Sequencer};
pub use export::{Export, ExportFile, ExportFormat};
pub use image::{Format, ImageId, ImageKey, Orientation, Owner, Rendition, Status};
pub use import::{Import, ImportBatch, ImportCounts, ImportProgress, ImportRequest};
pub use job::{Job, JobId, JobKind, JobProgress, JobStatus};
pub use label::{BoundingBox, Confidence, Instance, Label};
pub use metadata::{Location, Metadata};
pub use multipart::MultipartUpload;
pub use policy::{FilterPolicy, Settings};
pub use record::ImageRecord;
pub use search::Search;
pub use subject::{HasSubject, Subject};
pub use timeline::Timeline;
pub use video::{MediaType, Video, VideoFacts, VideoFile};
