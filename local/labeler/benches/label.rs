//! How long labeling a picture takes on one thread, part by part.
//!
//! ```text
//! ILG_MODELS=DIR ILG_ONNXRUNTIME=FILE cargo bench --package labeler -- PICTURE…
//! ```
//!
//! `reference.py` beside this file measures the same work in Python.

use std::path::PathBuf;
use std::time::{Duration, Instant};

use labeler::analysis::Analyzer;
use labeler::models::{Models, load_runtime};
use labeler::picture::Picture;
use labeler::taxonomy::Taxonomy;

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
            let picture = Picture::decode(&bytes)?;
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
