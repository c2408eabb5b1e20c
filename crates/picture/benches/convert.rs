//! Measures time and memory of conversions, on as many threads as each decoder uses.
//!
//! ```text
//! cargo bench --package picture -- PICTURE…
//! ```
//!
//! `reference.py` in this folder makes pictures for it, and measures Pillow and libvips for comparison. Each picture is
//! measured in a separate process, because the peak memory counts for a whole process.

use picture::{rendition, thumbnails};
use std::process::Command;
use std::time::Instant;

const RUNS: usize = 5;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    let arguments: Vec<_> = std::env::args()
        .skip(1)
        .filter(|argument| argument != "--bench")
        .collect();
    if let [only, work, path] = &arguments[..]
        && only == "--only"
    {
        return measure(work, path);
    }
    for work in ["rendition", "thumbnails"] {
        for path in &arguments {
            Command::new(std::env::current_exe()?)
                .args(["--only", work, path])
                .status()?;
        }
    }
    Ok(())
}

fn measure(work: &str, path: &str) -> Result<(), Box<dyn std::error::Error>> {
    let file = std::fs::read(path)?;
    let megapixels = f64::from(imagesize(&file)?) / 1e6;
    let before = peak_memory()?;
    let mut best = f64::INFINITY;
    for _ in 0..RUNS {
        let started = Instant::now();
        if work == "rendition" {
            std::hint::black_box(rendition(&file)?);
        } else {
            std::hint::black_box(thumbnails(&file)?);
        }
        best = best.min(started.elapsed().as_secs_f64() * 1e3);
    }
    println!(
        "{work} {path}: {megapixels:.1} megapixels, {best:.0} ms ({:.1} a megapixel), {:.1} MB a megapixel",
        best / megapixels,
        (peak_memory()? - before) / megapixels
    );
    Ok(())
}

fn imagesize(file: &[u8]) -> Result<u32, Box<dyn std::error::Error>> {
    match picture_header::look(&picture_header::Pieces::all(file))? {
        picture_header::Look::Found(header) => Ok(header.width * header.height),
        picture_header::Look::ReadOn(_) => Err("no picture".into()),
    }
}

/// Peak memory of this process in megabytes. Linux only.
fn peak_memory() -> Result<f64, Box<dyn std::error::Error>> {
    let status = std::fs::read_to_string("/proc/self/status")?;
    let line = status
        .lines()
        .find(|line| line.starts_with("VmHWM:"))
        .ok_or("no VmHWM")?;
    let kibibytes: f64 = line.split_whitespace().nth(1).ok_or("no number")?.parse()?;
    Ok(kibibytes / 1024.0)
}
