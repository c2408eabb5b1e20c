//! One file's labels as a table.

use anyhow::Result;
use serde_json::Value;
use std::path::Path;
use std::time::Duration;

/// The length of a bar for 100%, in characters.
const BAR: usize = 20;

/// A heading with the file's name, then a line for each label: name, confidence, bar, boxes.
pub(super) fn render(file: &Path, result: &Result<Value>, took: Duration) -> String {
    let file = file.display();
    let image = match result {
        Ok(image) => image,
        Err(error) => return format!("{file}: {error:#}"),
    };
    let status = image["status"].as_str().unwrap_or_default();
    if status != "LABELED" {
        let name = image["error"]["name"].as_str().unwrap_or("no reason given");
        let message = image["error"]["message"].as_str().unwrap_or_default();
        return format!("{file}: {} ({name}). {message}", status.to_lowercase())
            .trim_end()
            .to_owned();
    }
    let labels = image["labels"].as_array().map(Vec::as_slice).unwrap_or_default();
    let mut text = format!(
        "{file}: {} in {:.1} s",
        count(labels.len(), "label", "labels"),
        took.as_secs_f64()
    );
    let name = |label: &Value| label["name"].as_str().unwrap_or_default().to_owned();
    let width = labels
        .iter()
        .map(|label| name(label).chars().count())
        .max()
        .unwrap_or_default();
    for label in labels {
        let confidence = label["confidence"].as_f64().unwrap_or_default();
        let boxes = label["instances"].as_array().map_or(0, Vec::len);
        let boxes = if boxes == 0 {
            String::new()
        } else {
            format!("  {}", count(boxes, "box", "boxes"))
        };
        let line = format!(
            "\n  {:<width$}  {confidence:>6.2} %  {}{boxes}",
            name(label),
            bar(confidence)
        );
        text.push_str(line.trim_end_matches(' '));
    }
    text
}

fn count(number: usize, one: &str, many: &str) -> String {
    format!("{number} {}", if number == 1 { one } else { many })
}

/// A bar for a confidence from 0 to 100, in eighths of a character.
fn bar(confidence: f64) -> String {
    let eighths = (confidence.clamp(0.0, 100.0) / 100.0 * BAR as f64 * 8.0).round() as usize;
    let part = ["", "▏", "▎", "▍", "▌", "▋", "▊", "▉"][eighths % 8];
    let bar = "█".repeat(eighths / 8) + part;
    format!("{bar:<BAR$}")
}

#[cfg(test)]
mod tests {
    use super::*;
    use anyhow::anyhow;
    use serde_json::json;

    fn rendered(result: &Result<Value>) -> String {
        render(Path::new("cat.jpg"), result, Duration::from_millis(840))
    }

    #[test]
    fn labels_are_aligned_in_columns() {
        let image = json!({"status": "LABELED", "labels": [
            {"name": "Cat", "confidence": 94.25, "instances": [{}]},
            {"name": "Egyptian Cat", "confidence": 50, "instances": []}]});
        assert_eq!(
            rendered(&Ok(image)),
            "cat.jpg: 2 labels in 0.8 s\n\
             \x20 Cat            94.25 %  ██████████████████▉   1 box\n\
             \x20 Egyptian Cat   50.00 %  ██████████"
        );
    }

    #[test]
    fn an_image_without_labels_shows_the_reason() {
        let rejected = json!({"status": "REJECTED",
            "error": {"name": "UnsupportedFormat", "message": "HEIC pictures aren't supported."}});
        assert_eq!(
            rendered(&Ok(rejected)),
            "cat.jpg: rejected (UnsupportedFormat). HEIC pictures aren't supported."
        );
        assert_eq!(
            rendered(&Err(anyhow!("can't read cat.jpg"))),
            "cat.jpg: can't read cat.jpg"
        );
        assert_eq!(
            rendered(&Ok(json!({"status": "LABELED", "labels": []}))),
            "cat.jpg: 0 labels in 0.8 s"
        );
    }

    #[test]
    fn bars_are_full_at_100_and_empty_at_0() {
        assert_eq!(bar(100.0), "█".repeat(20));
        assert_eq!(bar(0.0).trim(), "");
        assert_eq!(bar(250.0), "█".repeat(20));
    }
}
