//! The parent: starts a child, sends it the file, and reads and checks its answer.

use crate::child::{ARGUMENT, NOT_STARTED};
use crate::wire::{FrameOptions, Operation, Output, join, length, read_answer, read_end, request};
use crate::{Limits, ProcessError};
use domain::image::MAX_BYTES;
use domain::trace;
use image::RgbImage;
use picture::{Converted, Jpeg, THUMBNAIL_SIDES};
use rustix::process::Signal;
use std::io;
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWriteExt};
use tokio::process::{Child, ChildStdin, ChildStdout, Command};
use tokio::time::Instant;
use video::{FrameError, MAX_FRAME_BYTES, MAX_STRIP_FRAMES, Resource};

/// This program, also if its file has been replaced since it was started.
const THIS_PROGRAM: &str = "/proc/self/exe";

/// How much of the child's standard error is kept.
const MAX_STDERR_BYTES: u64 = 4 * 1024;

/// How long to wait for the end of standard error after the child has ended.
const STDERR_TIME: Duration = Duration::from_secs(1);

/// Bytes that a pipe holds. Linux allows this to every process; the default is 64 KiB, and each refill costs a switch
/// between the processes.
const PIPE_BYTES: usize = 1024 * 1024;

/// Standard error of a Rust program that does not get the memory it needs. It ends with SIGABRT, as after other fatal
/// errors.
const OUT_OF_MEMORY: &[u8] = b"memory allocation of ";

/// Maximum number of frames of [`PictureProcess::frames`].
pub const MAX_FRAMES: usize = 100;

/// How many frames of a video can crash their child. Each further one counts as damaged without being decoded.
const MAX_CRASHES: usize = 3;

type Answers = Vec<Result<Converted<Vec<Output>>, ProcessError>>;

/// Starts a child for each picture.
#[derive(Debug, Clone)]
pub struct PictureProcess {
    program: PathBuf,
    limits: Limits,
}

impl PictureProcess {
    /// [`run_if_child`](crate::run_if_child) returns this. A program that does not call it would run twice.
    pub(crate) fn of_this_program() -> Self {
        Self::of(Path::new(THIS_PROGRAM))
    }

    /// Children of another program, which calls [`run_if_child`](crate::run_if_child). For tests.
    pub fn of(program: &Path) -> Self {
        Self {
            program: program.to_owned(),
            limits: Limits::FUNCTION,
        }
    }

    /// With other limits than [`Limits::FUNCTION`].
    pub fn with_limits(self, limits: Limits) -> Self {
        Self { limits, ..self }
    }

    /// With at most this wall time, for a caller that has less time left than the limits allow.
    #[must_use]
    pub fn within(&self, time: Duration) -> Self {
        let mut limited = self.clone();
        limited.limits.wall_time = limited.limits.wall_time.min(time);
        limited
    }

    /// `picture::rendition`, in a child. Releases the memory of the file as soon as the child has read it.
    ///
    /// # Errors
    /// See [`ProcessError`].
    pub async fn rendition(&self, file: Vec<u8>) -> Result<Converted<Jpeg>, ProcessError> {
        let converted = self.one(Operation::Rendition, file).await?;
        let [jpeg] = exactly(converted.result)?;
        Ok(Converted {
            result: jpeg.into(),
            incomplete: converted.incomplete,
        })
    }

    /// `picture::thumbnails`, in a child. Releases the memory of the file as soon as the child has read it.
    ///
    /// # Errors
    /// See [`ProcessError`].
    pub async fn thumbnails(
        &self,
        file: Vec<u8>,
    ) -> Result<Converted<[Jpeg; THUMBNAIL_SIDES.len()]>, ProcessError> {
        let converted = self.one(Operation::Thumbnails, file).await?;
        Ok(Converted {
            result: exactly(converted.result)?.map(Jpeg::from),
            incomplete: converted.incomplete,
        })
    }

    /// `picture::pixels`, in a child: the picture at full size. Upright, or as stored if `as_stored`. Releases the memory
    /// of the file as soon as the child has read it.
    ///
    /// # Errors
    /// See [`ProcessError`].
    pub async fn pixels(&self, file: Vec<u8>, as_stored: bool) -> Result<Converted<RgbImage>, ProcessError> {
        let operation = if as_stored {
            Operation::PixelsAsStored
        } else {
            Operation::Pixels
        };
        let converted = self.one(operation, file).await?;
        let [Output { bytes, width, height }] = exactly(converted.result)?;
        Ok(Converted {
            result: RgbImage::from_raw(width, height, bytes).ok_or(ProcessError::Crashed)?,
            incomplete: converted.incomplete,
        })
    }

    /// `video::jpeg` of each frame, in a child: upright, with square pixels, at most as large as `size` says. Result `i`
    /// belongs to frame `i`; each error has the class [`domain::ErrorClass::File`]. Only the first [`MAX_FRAMES`] frames
    /// are decoded.
    ///
    /// The frames share [`Limits`](crate::Limits). One that crashes the child, or takes too much memory, does not affect the
    /// others, which another child decodes.
    ///
    /// # Errors
    /// [`ProcessError::Unavailable`].
    pub async fn frames(
        &self,
        track: &video::Track,
        size: video::Size,
        frames: Vec<Vec<u8>>,
    ) -> Result<Vec<Result<Jpeg, ProcessError>>, ProcessError> {
        let count = frames.len().min(MAX_FRAMES);
        let frames = &frames[..count];
        if let Err(error) = video::check(track) {
            return Ok(vec![Err(rejected(error)); count]);
        }
        let deadline = Instant::now() + self.limits.wall_time;
        let operation = Operation::Frame(Box::new(FrameOptions {
            track: track.clone(),
            size,
        }));
        let mut answers: Answers = Vec::with_capacity(count);
        let mut crashes = 0;
        while answers.len() < count {
            let rest = &frames[answers.len()..];
            let too_large = rest.iter().position(|frame| frame.len() as u64 > MAX_FRAME_BYTES);
            let rest = match too_large {
                Some(0) => {
                    answers.push(Err(rejected(FrameError::TooManyBytes(track.codec))));
                    continue;
                }
                Some(before) => &rest[..before],
                None => rest,
            };
            let Err(failure) = self.run(&operation, rest.iter(), deadline, &mut answers).await else {
                continue;
            };
            let is_final = match failure {
                ProcessError::Unavailable(_) => return Err(failure),
                ProcessError::TooMuchTime => true,
                _ => {
                    crashes += 1;
                    crashes > MAX_CRASHES
                }
            };
            let failure = match failure {
                ProcessError::TooMuchMemory => rejected(FrameError::TooMuch(track.codec, Resource::Memory)),
                ProcessError::TooMuchTime => rejected(FrameError::TooMuch(track.codec, Resource::Time)),
                _ => rejected(FrameError::Damaged(track.codec)),
            };
            let failed = if is_final {
                count
            } else {
                count.min(answers.len() + 1)
            };
            answers.resize(failed, Err(failure));
        }
        let jpeg = |answer: Result<Converted<Vec<Output>>, ProcessError>| {
            let [jpeg] = exactly(answer?.result)?;
            Ok(jpeg.into())
        };
        Ok(answers.into_iter().map(jpeg).collect())
    }

    /// `video::strip`, in a child. The JPEGs are those of [`frames`](Self::frames).
    ///
    /// # Errors
    /// See [`ProcessError`].
    pub async fn strip(&self, mut frames: Vec<Jpeg>) -> Result<Jpeg, ProcessError> {
        frames.truncate(MAX_STRIP_FRAMES);
        let file = join(&frames);
        if file.len() as u64 > MAX_BYTES {
            return Err(ProcessError::TooMuchMemory);
        }
        let converted = self.one(Operation::Strip, file).await?;
        let [jpeg] = exactly(converted.result)?;
        Ok(jpeg.into())
    }

    /// Sends one file. Releases its memory as soon as the child has read it.
    async fn one(&self, operation: Operation, file: Vec<u8>) -> Result<Converted<Vec<Output>>, ProcessError> {
        let deadline = Instant::now() + self.limits.wall_time;
        let mut answers = Vec::with_capacity(1);
        self.run(&operation, std::iter::once(file), deadline, &mut answers)
            .await?;
        answers.pop().unwrap_or(Err(ProcessError::Crashed))
    }

    /// Runs a child. If it fails, it has answered as many files as there are answers.
    async fn run(
        &self,
        operation: &Operation,
        files: impl ExactSizeIterator<Item: AsRef<[u8]>>,
        deadline: Instant,
        answers: &mut Answers,
    ) -> Result<(), ProcessError> {
        let timer = trace::decoding();
        let mut encoding = Duration::ZERO;
        let mut child = self.start()?;
        let (Some(stdin), Some(stdout), Some(stderr)) =
            (child.stdin.take(), child.stdout.take(), child.stderr.take())
        else {
            return Err(ProcessError::Unavailable("no pipes".into()));
        };
        let errors = tokio::spawn(start_of(stderr));
        let exchange = exchange(operation, files, answers, &mut encoding, stdin, stdout);
        let answered = tokio::time::timeout_at(deadline, exchange).await;
        // The child has nothing left to do, or has failed. Its exit status is final once it has closed its output by
        // ending. Waiting for it also makes sure that there is no other child when the next picture comes.
        let killed = child.start_kill();
        let status = child.wait().await;
        // Ends with the child, unless it has started another process, which no decoder does.
        let errors = tokio::time::timeout(STDERR_TIME, errors).await;
        let errors = errors.ok().and_then(Result::ok).unwrap_or_default();
        if let Some(timer) = timer {
            timer.encoded(encoding);
        }
        let failure = match answered {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(error)) if error.kind() == io::ErrorKind::UnexpectedEof => match &status {
                Ok(status) => failure_of(*status, &errors),
                Err(_) => ProcessError::Crashed,
            },
            Ok(Err(_)) => ProcessError::Crashed,
            Err(_) => ProcessError::TooMuchTime,
        };
        tracing::warn!(
            failure = ?failure,
            status = ?status.ok().map(|status| status.to_string()),
            kill = ?killed.err().map(|error| error.kind()),
            stderr = first_line(&errors),
            "the process that decodes a picture failed"
        );
        Err(failure)
    }

    fn start(&self) -> Result<Child, ProcessError> {
        let Limits {
            memory, cpu_seconds, ..
        } = self.limits;
        Command::new(&self.program)
            .args([ARGUMENT, &memory.to_string(), &cpu_seconds.to_string()])
            .env_clear()
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // If the request is canceled.
            .kill_on_drop(true)
            .spawn()
            .map_err(|error| ProcessError::Unavailable(error.kind().to_string()))
    }
}

fn exactly<const N: usize>(pictures: Vec<Output>) -> Result<[Output; N], ProcessError> {
    pictures.try_into().map_err(|_| ProcessError::Crashed)
}

fn rejected(error: FrameError) -> ProcessError {
    ProcessError::Picture {
        name: error.name(),
        message: error.to_string(),
    }
}

/// Sends the request and reads the answers, at the same time: a child may answer or end before it has read everything.
async fn exchange(
    operation: &Operation,
    files: impl ExactSizeIterator<Item: AsRef<[u8]>>,
    answers: &mut Answers,
    encoding: &mut Duration,
    mut stdin: ChildStdin,
    mut stdout: ChildStdout,
) -> io::Result<()> {
    // Larger pipes only save time, so errors are ignored.
    let _ = rustix::pipe::fcntl_setpipe_size(&stdin, PIPE_BYTES);
    let _ = rustix::pipe::fcntl_setpipe_size(&stdout, PIPE_BYTES);
    let count = files.len();
    let send = async move {
        // If the child has ended, its answer and exit status say why.
        let mut is_sent = stdin.write_all(&request(operation)).await.is_ok();
        for file in files {
            let file = file.as_ref();
            is_sent = is_sent
                && stdin.write_all(&length(file)).await.is_ok()
                && stdin.write_all(file).await.is_ok();
        }
        drop(stdin);
        Ok(())
    };
    let read = async {
        for _ in 0..count {
            answers.push(read_answer(&mut stdout, operation, encoding).await?);
        }
        read_end(&mut stdout).await
    };
    tokio::try_join!(send, read).map(drop)
}

/// Reads to the end, so that the child is never blocked, and returns the start.
async fn start_of(mut stream: impl AsyncRead + Unpin) -> Vec<u8> {
    let mut start = Vec::new();
    let _ = (&mut stream).take(MAX_STDERR_BYTES).read_to_end(&mut start).await;
    let _ = tokio::io::copy(&mut stream, &mut tokio::io::sink()).await;
    start
}

/// Why a child has ended without an answer.
fn failure_of(status: ExitStatus, errors: &[u8]) -> ProcessError {
    let is_signal = |signal: Signal| status.signal() == Some(signal.as_raw());
    if status.code() == Some(NOT_STARTED) {
        return ProcessError::Unavailable(first_line(errors));
    }
    if is_signal(Signal::XCPU) {
        return ProcessError::TooMuchTime;
    }
    let out_of_memory = errors
        .windows(OUT_OF_MEMORY.len())
        .any(|part| part == OUT_OF_MEMORY);
    // SIGKILL comes from the kernel, because the memory of the whole machine or function is used up. A function handles
    // one picture at a time, so that picture uses it.
    if is_signal(Signal::KILL) || (is_signal(Signal::ABORT) && out_of_memory) {
        return ProcessError::TooMuchMemory;
    }
    ProcessError::Crashed
}

/// The first line, which has the place of a panic. The lines after it can quote the file.
fn first_line(errors: &[u8]) -> String {
    let line = errors.split(|byte| *byte == b'\n').find(|line| !line.is_empty());
    let printable = |byte: &u8| (b' '..=b'~').contains(byte).then_some(char::from(*byte));
    line.unwrap_or_default()
        .iter()
        .filter_map(printable)
        .take(200)
        .collect()
}
