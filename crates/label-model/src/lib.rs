//! From a picture's pixels to labels, with an object detector and an image classifier. No AWS and no HTTP.
//!
//! [`Analyzer::labels`](analysis::Analyzer::labels) takes a decoded picture, upright and in sRGB. [`sampling`] scales it
//! to the inputs of the two [`models`], [`labels`] combines their outputs, and the [`taxonomy`] supplies names, ancestors
//! and categories.

pub mod analysis;
pub mod geometry;
pub mod labels;
pub mod models;
pub mod sampling;
pub mod taxonomy;

/// The version of the models and the taxonomy. Change it when the same picture can get other labels.
pub const VERSION: &str = "local-1.0";
