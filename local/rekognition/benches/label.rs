//! Measures the time to decode and label a picture on one thread.
//!
//! ```text
//! ILG_MODELS=DIR ILG_ONNXRUNTIME=FILE cargo bench --package local-rekognition -- PICTURE…
//! ```
//!
//! `reference.py` in this folder measures the same work in Python.

use label_model::analysis::Analyzer;
use label_model::models::{Models, load_runtime};
use label_model::taxonomy::Taxonomy;
use local_rekognition::picture;
use std::path::PathBuf;
use std::time::{Duration, Instant};

const RUNS: usize = 15;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let variable = |name: &str| {
        std::env::var_os(name)
            .map(PathBuf::from)
            .ok_or(format!("{name} is not set"))
    };
    let environment = load_runtime(&variable("ILG_ONNXRUNTIME")?)?;
    let analyzer = Analyzer::new(
        Models::load(&environment, &variable("ILG_MODELS")?, 1)?,
        Taxonomy::built_in()?,
    );
    for path in std::env::args().skip(1).filter(|argument| argument != "--bench") {
        let bytes = std::fs::read(&path)?;
        let mut times = Vec::new();
        for _ in 0..RUNS {
            let started = Instant::now();
            let picture = picture::decode_here(&bytes, &picture::header(&bytes)?)?;
            let decoded = Instant::now();
            analyzer.labels(&picture)?;
            times.push((started.elapsed(), decoded - started));
        }
        times.sort();
        let milliseconds = |time: Duration| time.as_secs_f64() * 1e3;
        let ((best, decode), (median, _)) = (times[0], times[RUNS / 2]);
        println!(
            "{path}: best {:.1} ms (decode {:.1}), median {:.1} ms",
            milliseconds(best),
            milliseconds(decode),
            milliseconds(median)
        );
    }
    Ok(())
}
