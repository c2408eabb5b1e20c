//! The functions' log.

use crate::Stack;
use jiff::Timestamp;
use serde_json::{Value, json};
use std::collections::{BTreeSet, HashSet};

/// The maximum number of events in an answer.
const PAGE: usize = 10_000;

/// A line of the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Line {
    /// The line, without its line break.
    pub text: String,
    /// Milliseconds since 1970.
    pub time: u64,
}

impl Line {
    /// The line's fields, if a function has logged it as JSON.
    pub fn fields(&self) -> Option<Value> {
        serde_json::from_str(&self.text).ok().filter(Value::is_object)
    }
}

/// The current time in milliseconds since 1970.
///
/// # Panics
/// If the clock is wrong.
pub fn now() -> u64 {
    u64::try_from(Timestamp::now().as_millisecond()).expect("a time after 1970")
}

/// The functions that have a line about this image and this execution: the fields by which the saved query of
/// `template.yaml` selects lines.
fn functions(lines: &[Line], image: &str, execution: &str) -> BTreeSet<String> {
    lines
        .iter()
        .filter_map(Line::fields)
        .filter(|line| line["span"]["imageId"] == image && line["span"]["execution"] == execution)
        .filter_map(|line| line["span"]["function"].as_str().map(str::to_owned))
        .collect()
}

impl Stack {
    /// The functions that have a line about this image and this execution. The emulator loses some lines on a busy machine:
    /// tests repeat what causes them.
    ///
    /// # Panics
    /// If CloudWatch Logs does not answer.
    pub async fn functions_in_log(&self, start: u64, image: &str, execution: &str) -> BTreeSet<String> {
        functions(&self.log(start, "").await, image, execution)
    }

    /// All lines of all functions since `start`, in milliseconds since 1970, which contain `term` unless it is empty.
    ///
    /// # Panics
    /// If CloudWatch Logs does not answer.
    pub async fn log(&self, start: u64, term: &str) -> Vec<Line> {
        let group = format!("/aws/lambda/{}", self.event_bus);
        let (mut lines, mut start, mut seen) = (vec![], start, HashSet::new());
        loop {
            let mut input = json!({"logGroupName": group, "startTime": start, "limit": PAGE});
            if !term.is_empty() {
                input["filterPattern"] = json!(format!("\"{term}\""));
            }
            let target = "Logs_20140328.FilterLogEvents";
            let page = self.user_pool.call_service("logs", target, &input).await;
            let events = page["events"].as_array().expect("events");
            for event in events {
                // The emulator has no tokens for further pages, so each page begins with the end of the last one.
                if seen.insert(event.to_string()) {
                    let time = event["timestamp"].as_u64().expect("a time");
                    start = start.max(time);
                    let text = event["message"].as_str().expect("a text").to_owned();
                    lines.push(Line { text, time });
                }
            }
            if events.len() < PAGE {
                return lines;
            }
        }
    }
}
