//! A local stand-in for Amazon Rekognition. It answers `DetectLabels` with the labels of two real image models. The AWS SDKs
//! use it without changes.
//!
//! This crate has only the protocol. [`server`] reads a request, [`request`] checks it as Rekognition does, [`object`]
//! fetches the image from S3, [`picture`] checks and decodes it, `label_model` labels it, [`properties`] measures colors
//! and quality, and [`response`] builds the answer.

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
