//! Uploads a video of more than 100 MB in parts. An upload that was interrupted sends only the parts that S3 does not have.

use crate::api::{Api, ApiError, Part};
use crate::duration;
use crate::file::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::image::MAX_BYTES;
use domain::multipart::part_range;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::panic::resume_unwind;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::{Mutex, PoisonError};
use std::thread;

/// Parts of a file that are sent at the same time. One after another, most of the time would pass with waiting for answers.
/// Each takes 8 MB of memory.
const PARTS_AT_ONCE: usize = 4;

/// Whether a file of this size is uploaded in parts.
pub(crate) fn is_needed(size: u64) -> bool {
    size > MAX_BYTES
}

/// A multipart upload that has been started.
pub(crate) struct InParts {
    pub(crate) image_id: String,
    part_size: u64,
    size: u64,
    /// The SHA-256 of the parts that have been read, in base64.
    checksums: Vec<Option<String>>,
    /// Parts that have been sent or were there.
    pub(crate) arrived: usize,
}

impl InParts {
    /// Announces a file.
    ///
    /// # Errors
    /// [`ApiError`]
    pub(crate) fn start(api: &Api, path: &Path, size: u64) -> Result<Self, ApiError> {
        let new = api.announce_in_parts(path, size, duration::of_file(path, size))?;
        Ok(Self::new(new.image_id, new.multipart.part_size, size))
    }

    /// Continues an upload that was started earlier. `None` if that is not possible: it has expired, or its image is deleted.
    ///
    /// # Errors
    /// [`ApiError`], unless the API refuses.
    pub(crate) fn resume(api: &Api, image_id: &str, size: u64) -> Result<Option<Self>, ApiError> {
        match api.parts(image_id) {
            // The file has arrived, which `send` finds out again.
            Ok(progress) => {
                let part_size = progress.multipart.map_or(size, |multipart| multipart.part_size);
                Ok(Some(Self::new(image_id.to_owned(), part_size, size)))
            }
            Err(ApiError::Refused(_)) => Ok(None),
            Err(error) => Err(error),
        }
    }

    fn new(image_id: String, part_size: u64, size: u64) -> Self {
        let part_size = part_size.max(1);
        let count = usize::try_from(size.div_ceil(part_size)).unwrap_or(usize::MAX);
        Self {
            image_id,
            part_size,
            size,
            checksums: vec![None; count],
            arrived: 0,
        }
    }

    /// Sends the parts that S3 does not have, several at once, and completes the upload. Can be repeated after an error. `check`
    /// is called before each part and before the upload is completed: the file can change meanwhile, and nobody compares it as a
    /// whole.
    ///
    /// # Errors
    /// [`ApiError`], also that of `check`.
    pub(crate) fn send(
        &mut self,
        api: &Api,
        path: &Path,
        check: impl Fn() -> Result<(), ApiError> + Sync,
    ) -> Result<(), ApiError> {
        let progress = api.parts(&self.image_id)?;
        if progress.complete {
            return Ok(());
        }
        let (image_id, part_size, size) = (&self.image_id, self.part_size, self.size);
        let parts = Mutex::new(self.checksums.iter_mut().zip(1..));
        let arrived = AtomicUsize::new(0);
        let has_failed = AtomicBool::new(false);
        let send_some = || -> Result<(), ApiError> {
            let unreadable =
                |error: io::Error| ApiError::Refused(format!("can't read {}: {error}", path.display()));
            let mut file = File::open(path).map_err(unreadable)?;
            while !has_failed.load(Ordering::Relaxed) {
                let next = parts.lock().unwrap_or_else(PoisonError::into_inner).next();
                let Some((checksum, number)) = next else { break };
                check()?;
                let there = progress.parts.iter().find(|part| part.number == number);
                if there.is_none_or(|part| checksum.as_ref() != Some(&part.sha256)) {
                    let bytes = read(&mut file, number, part_size, size).map_err(unreadable)?;
                    let (_, sha256) = digest(&bytes[..]).map_err(unreadable)?;
                    let sha256 = BASE64_STANDARD.encode(sha256);
                    let part = Part { number, sha256 };
                    if there != Some(&part) {
                        api.put_part(image_id, &part, &bytes)?;
                    }
                    *checksum = Some(part.sha256);
                }
                arrived.fetch_add(1, Ordering::Relaxed);
            }
            Ok(())
        };
        let result = thread::scope(|scope| {
            let send_some = || send_some().inspect_err(|_| has_failed.store(true, Ordering::Relaxed));
            let threads: Vec<_> = (0..PARTS_AT_ONCE).map(|_| scope.spawn(send_some)).collect();
            let results = threads
                .into_iter()
                .map(|thread| thread.join().unwrap_or_else(|panic| resume_unwind(panic)));
            results.collect::<Result<(), _>>()
        });
        self.arrived = arrived.into_inner();
        result?;
        let parts = self.checksums.iter().flatten().zip(1..);
        let parts: Vec<_> = parts
            .map(|(sha256, number)| Part {
                number,
                sha256: sha256.clone(),
            })
            .collect();
        check()?;
        api.complete(&self.image_id, &parts)
    }
}

/// Reads a part: 8 MB. The first one has the number 1.
fn read(file: &mut File, number: u64, part_size: u64, size: u64) -> io::Result<Vec<u8>> {
    let Range { start, end } =
        part_range(size, part_size, number).ok_or_else(|| io::Error::other("it has no such part"))?;
    let length = end - start;
    file.seek(SeekFrom::Start(start))?;
    let mut bytes = Vec::new();
    file.take(length).read_to_end(&mut bytes)?;
    if bytes.len() as u64 != length {
        return Err(io::Error::new(
            io::ErrorKind::UnexpectedEof,
            "it has become shorter",
        ));
    }
    Ok(bytes)
}
