//! The real server with the real models, called with the AWS SDK as Rekognition is.

mod errors;
mod labels;
mod running;
mod storage;
#[path = "../../src/testing.rs"]
#[allow(dead_code, reason = "the unit tests use all of it")]
mod testing;
mod video;
