//! The child: limits itself, reads a request, and writes the answer.

use crate::PictureProcess;
use crate::wire::{Answer, Operation, Output, read_file, read_request, split, write_answer};
use picture::{Converted, Jpeg, PictureError};
use rustix::process::{Resource, Rlimit, setrlimit};
use std::io;
use std::process::exit;

/// The argument that makes a program a child. The limits follow: bytes of memory, and CPU seconds.
pub(crate) const ARGUMENT: &str = "--decode-picture";

/// The exit code of a child that could not limit itself, or got no valid request. It has not decoded anything.
pub(crate) const NOT_STARTED: i32 = 71;

/// Standard streams, and those that `std` opens to count the processors.
const MAX_OPEN_FILES: u64 = 16;

/// If this process is a child, does the child's work and ends the process. Otherwise, returns the means to start
/// children.
///
/// Call this first in `main`: before other threads start, and before anything secret is read.
pub fn run_if_child() -> PictureProcess {
    run_if_child_with(decode)
}

/// Like [`run_if_child`], with another decoder. For tests of what happens to decoders that misbehave.
pub fn run_if_child_with(decode: fn(&Operation, &[u8]) -> Answer) -> PictureProcess {
    let mut arguments = std::env::args().skip(1);
    if arguments.next().as_deref() != Some(ARGUMENT) {
        return PictureProcess::of_this_program();
    }
    let mut number = || arguments.next().and_then(|number| number.parse().ok());
    let (Some(memory), Some(cpu_seconds)) = (number(), number()) else {
        eprintln!("no limits");
        exit(NOT_STARTED)
    };
    match run(memory, cpu_seconds, decode) {
        Ok(()) => exit(0),
        Err(error) => {
            eprintln!("{error}");
            exit(NOT_STARTED)
        }
    }
}

fn run(memory: u64, cpu_seconds: u64, decode: fn(&Operation, &[u8]) -> Answer) -> io::Result<()> {
    limit(memory, cpu_seconds)?;
    let mut stdin = io::stdin().lock();
    let operation = read_request(&mut stdin)?;
    while let Some(file) = read_file(&mut stdin, &operation)? {
        let answer = decode(&operation, &file);
        drop(file);
        if write_answer(io::stdout().lock(), &answer, picture::take_encoding_time()).is_err() {
            // Nobody reads the answers any more.
            break;
        }
    }
    Ok(())
}

fn limit(memory: u64, cpu_seconds: u64) -> io::Result<()> {
    // If the machine runs out of memory, the kernel kills this process first. Not every system allows it.
    let _ = std::fs::write("/proc/self/oom_score_adj", "1000");
    let limits = [
        (Resource::Data, memory, memory),
        // At the first value SIGXCPU ends the process, at the second SIGKILL.
        (Resource::Cpu, cpu_seconds, cpu_seconds + 1),
        (Resource::Core, 0, 0),
        (Resource::Fsize, 0, 0),
        (Resource::Nofile, MAX_OPEN_FILES, MAX_OPEN_FILES),
    ];
    for (resource, current, maximum) in limits {
        let limit = Rlimit {
            current: Some(current),
            maximum: Some(maximum),
        };
        setrlimit(resource, limit)?;
    }
    Ok(())
}

/// The real decoder.
///
/// # Errors
/// See [`PictureError`] and [`video::FrameError`].
pub fn decode(operation: &Operation, file: &[u8]) -> Answer {
    Ok(match operation {
        Operation::Rendition => picture::rendition(file)?.map(|jpeg| vec![jpeg.into()]),
        Operation::Thumbnails => picture::thumbnails(file)?.map(|jpegs| jpegs.map(Output::from).into()),
        Operation::Pixels => pixels(file, false)?,
        Operation::PixelsAsStored => pixels(file, true)?,
        Operation::Frame(options) => complete(video::jpeg(&options.track, file, options.size)?),
        Operation::Strip => complete(video::strip(&split(file))?),
    })
}

fn complete(jpeg: Jpeg) -> Converted<Vec<Output>> {
    Converted {
        result: vec![jpeg.into()],
        incomplete: false,
    }
}

fn pixels(file: &[u8], as_stored: bool) -> Result<Converted<Vec<Output>>, PictureError> {
    let header = picture::header(file)?;
    let header = if as_stored {
        header.without_orientation()
    } else {
        header
    };
    let pixels = picture::pixels(file, &header)?;
    Ok(pixels.map(|pixels| {
        let (width, height) = pixels.dimensions();
        let bytes = pixels.into_raw();
        vec![Output { bytes, width, height }]
    }))
}
