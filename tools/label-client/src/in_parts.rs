//! Uploads a video of more than 100 MB in parts. An upload that was interrupted sends only the parts that S3 does not have.

use crate::api::{Api, ApiError, Part};
use crate::file::digest;
use base64::Engine;
use base64::prelude::BASE64_STANDARD;
use domain::image::MAX_BYTES;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::Path;

/// Whether a file of this size is uploaded in parts.
pub(crate) fn is_needed(size: u64) -> bool {
    size > MAX_BYTES
}

/// An upload in parts that has been started.
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
        let new = api.announce_in_parts(path, size)?;
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

    /// Sends the parts that S3 does not have, and completes the upload. Can be repeated after an error. `check` is called before
    /// each part and before the upload is completed: the file can change meanwhile, and nobody compares it as a whole.
    ///
    /// # Errors
    /// [`ApiError`], also that of `check`.
    pub(crate) fn send(
        &mut self,
        api: &Api,
        path: &Path,
        check: impl Fn() -> Result<(), ApiError>,
    ) -> Result<(), ApiError> {
        let progress = api.parts(&self.image_id)?;
        if progress.complete {
            return Ok(());
        }
        let unreadable =
            |error: io::Error| ApiError::Refused(format!("can't read {}: {error}", path.display()));
        let mut file = File::open(path).map_err(unreadable)?;
        self.arrived = 0;
        for index in 0..self.checksums.len() {
            check()?;
            let number = index as u64 + 1;
            let there = progress.parts.iter().find(|part| part.number == number);
            let known = self.checksums[index].as_ref();
            if there.is_none_or(|part| known != Some(&part.sha256)) {
                let bytes = self.read(&mut file, index).map_err(unreadable)?;
                let (_, sha256) = digest(&bytes[..]).map_err(unreadable)?;
                let sha256 = BASE64_STANDARD.encode(sha256);
                let part = Part { number, sha256 };
                if there != Some(&part) {
                    api.put_part(&self.image_id, &part, &bytes)?;
                }
                self.checksums[index] = Some(part.sha256);
            }
            self.arrived += 1;
        }
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

    /// Reads a part: 8 MB.
    fn read(&self, file: &mut File, index: usize) -> io::Result<Vec<u8>> {
        let start = index as u64 * self.part_size;
        let length = self.part_size.min(self.size - start);
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
}
