//! Measures what the child process costs: the time to convert a picture in this process and in a child, in turns.
//!
//! ```text
//! cargo bench --package picture-process -- PICTURE…
//! ```
//!
//! The child's peak memory includes the file and everything that decoding takes. Compare it with a tiny picture, for which
//! decoding takes nothing.

use picture_process::{PictureProcess, run_if_child};
use std::time::{Duration, Instant};

const RUNS: usize = 101;

fn main() -> Result<(), Box<dyn std::error::Error>> {
    measure(&run_if_child())
}

#[tokio::main(flavor = "current_thread")]
async fn measure(process: &PictureProcess) -> Result<(), Box<dyn std::error::Error>> {
    for path in std::env::args().skip(1).filter(|argument| argument != "--bench") {
        let file = std::fs::read(&path)?;
        let (mut here, mut child) = (vec![], vec![]);
        for _ in 0..RUNS {
            let started = Instant::now();
            std::hint::black_box(picture::rendition(&file)?);
            here.push(started.elapsed());
            let copy = file.clone();
            let started = Instant::now();
            std::hint::black_box(process.rendition(copy).await?);
            child.push(started.elapsed());
        }
        println!(
            "{path}: {:.2} ms in this process, {:.2} ms in a child (medians of {RUNS})",
            median(here),
            median(child)
        );
    }
    Ok(())
}

fn median(mut times: Vec<Duration>) -> f64 {
    times.sort();
    times[times.len() / 2].as_secs_f64() * 1e3
}
