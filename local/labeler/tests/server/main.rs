//! The real server with the real models, asked by the AWS SDK as a client would ask Rekognition.

/// What the shared `testing` module calls `crate::picture`.
use labeler::picture;

mod errors;
mod labels;
mod running;
mod storage;
#[path = "../../src/testing.rs"]
#[allow(dead_code, reason = "the unit tests use all of it")]
mod testing;
