//! `StartLabelDetection` and `GetLabelDetection`: `Jobs` label videos and keep the results, `Worker` reads a video's key
//! frames, and `Notifier` publishes the message when a job has ended. Jobs are in memory only.
//!
//! Source: Amazon Rekognition's API reference and developer guide ("Detecting labels in a video", "Guidelines and quotas").

mod jobs;
mod notifier;
mod request;
mod results;
mod worker;

pub use jobs::MAX_JOBS;
pub use notifier::Notifier;

pub(crate) use jobs::Jobs;
pub(crate) use request::{GetLabelDetection, StartLabelDetection};
pub(crate) use worker::Worker;
