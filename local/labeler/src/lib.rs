//! A server that speaks Amazon Rekognition's protocol, so that the AWS SDKs talk to it unchanged, and answers
//! `DetectLabels` with what two real image models see. It stands in for Rekognition where there is no AWS account.
//!
//! A request's way: [`server`] reads it, [`request`] checks it as Rekognition does, [`object`] fetches the image
//! from S3, [`picture`] decodes it, [`analysis`] runs the [`models`] on what [`sampling`] makes of it, [`labels`]
//! weighs what they say against the [`taxonomy`], [`properties`] measures colors and quality, and [`response`] is
//! what goes back.

pub mod analysis;
mod css_colors;
pub mod error;
pub mod geometry;
pub mod labels;
pub mod models;
pub mod object;
pub mod orientation;
pub mod picture;
pub mod properties;
pub mod request;
pub mod response;
pub mod sampling;
pub mod server;
pub mod taxonomy;
#[cfg(test)]
mod testing;
pub mod throttle;
