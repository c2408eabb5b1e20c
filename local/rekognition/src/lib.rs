//! A local stand-in for Amazon Rekognition. It answers `DetectLabels`, and `StartLabelDetection` and `GetLabelDetection` for
//! videos, with the labels of two real image models. The AWS SDKs use it without changes.
//!
//! This crate has only the protocol. [`server`] reads a request, [`request`] checks it as Rekognition does, [`object`]
//! fetches the image from S3, [`picture`] checks and decodes it, `label_model` labels it, [`properties`] measures colors
//! and quality, and [`response`] builds the answer. [`video`] runs the jobs that label videos.

mod css_colors;
pub mod error;
pub mod object;
pub mod picture;
pub mod properties;
pub mod request;
pub mod response;
pub mod server;
#[cfg(test)]
mod testing;
pub mod throttle;
pub mod video;
