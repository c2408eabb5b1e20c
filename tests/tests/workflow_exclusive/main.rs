//! Tests that change something for the whole stack. This program must not run at the same time as others that use the
//! stack. It runs after `workflow`, since it leaves a versioned bucket behind: Cargo runs programs in the order of their
//! names.

mod daily_total;
mod logs;
mod rekognition_video;
mod versioned_bucket;

use tokio::sync::{Mutex, RwLock};

/// The daily quota of all users together. Locked for writing while a test uses it up, and for reading by tests that
/// upload.
static DAILY_TOTAL: RwLock<()> = RwLock::const_new(());

/// How videos are labeled. Locked by tests that label videos, since some change it.
static VIDEO_LABELS: Mutex<()> = Mutex::const_new(());
