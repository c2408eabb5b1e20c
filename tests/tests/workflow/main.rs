//! The workflow, as it runs on a real stack: `cargo xtask test` starts one and names it in `ILG_STACK`.

mod account;
mod dead_letters;
mod deletion;
mod execution;
mod hosting;
mod keys;
mod kinds;
mod odd_files;
mod random_use;
mod rejections;
mod relabel;
mod repetitions;
mod requests;
mod run_again;
mod sample_events;
mod sign_in;
mod steps_twice;
mod thumbnails;
mod transfers;
mod upload;
mod view;

/// The states of an execution that labels a picture.
const LABELED: [&str; 5] = [
    "Validate image",
    "Detect labels",
    "Filter labels",
    "Persist result",
    "Send notification",
];
/// The states of an execution that labels a picture which Rekognition does not take as it is.
const CONVERTED: [&str; 7] = [
    "Validate image",
    "Detect labels",
    "Convert picture",
    "Detect labels of rendition",
    "Filter labels",
    "Persist result",
    "Send notification",
];
/// The states of an execution that finds the file at fault while it converts it.
const REJECTED_BY_CONVERSION: [&str; 5] = [
    "Validate image",
    "Detect labels",
    "Convert picture",
    "Persist result",
    "Send notification",
];
/// The states of an execution that finds the file at fault before Rekognition is asked.
const REJECTED_AT_ONCE: [&str; 3] = ["Validate image", "Persist result", "Send notification"];
