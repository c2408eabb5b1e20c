//! The workflow on a running stack: `cargo xtask test` starts one and puts its path into `ILG_STACK`.

mod capture_time;
mod dead_letters;
mod delete_all_data;
mod deletion;
mod duplicates;
mod execution_route;
mod failed_executions;
mod hostile_videos;
mod hosting;
mod import;
mod invalid_requests;
mod keywords;
mod malformed_files;
mod object_keys;
mod operator_commands;
mod picture_formats;
mod picture_url;
mod presigned_put;
mod random_actions;
mod reconcile;
mod rejections;
mod relabel;
mod repeated_events;
mod repeated_steps;
mod restart;
mod restore_table;
mod sample_events;
mod sign_in;
mod table;
mod thumbnails;
mod upload;
mod upload_command;
mod user_command;
mod videos;

/// The states of an execution that labels a picture without a conversion.
const LABELED: [&str; 5] = [
    "Validate image",
    "Detect labels",
    "Filter labels",
    "Persist result",
    "Send notification",
];
/// The states of an execution that converts a picture, since Rekognition does not accept it as it is.
const CONVERTED: [&str; 7] = [
    "Validate image",
    "Detect labels",
    "Convert picture",
    "Detect labels of rendition",
    "Filter labels",
    "Persist result",
    "Send notification",
];
/// The states of an execution that rejects a file while converting it.
const REJECTED_BY_CONVERSION: [&str; 5] = [
    "Validate image",
    "Detect labels",
    "Convert picture",
    "Persist result",
    "Send notification",
];
/// The states of an execution that rejects a file before it calls Rekognition.
const REJECTED_BY_VALIDATION: [&str; 3] = ["Validate image", "Persist result", "Send notification"];
