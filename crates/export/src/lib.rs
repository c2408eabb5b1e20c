//! Files with the labels of an owner's images, for spreadsheets (CSV), programs (JSON) and photo programs (XMP).
//!
//! A file is built in memory, image by image, and is complete only after [`File::finish`]. Whoever builds it decides by
//! [`File::is_full`] when to start the next one. Texts in the files were chosen by users and by the authors of
//! pictures. Each format makes them harmless for the programs that read it.

mod file_names;
mod hierarchy;
mod json;
mod sidecar;
mod table;

use domain::{ExportFormat, ImageDetails};
use serde::Serialize;
use std::io;
use zip::result::ZipError;

/// The maximum number of images in a file. Less than the 65,535 files that a ZIP without extensions can have.
pub const MAX_IMAGES: u64 = 50_000;

/// A file is full if it has this many bytes: 64 MiB. The function that writes it has 1,024 MB of memory, and 8 seconds for
/// the call that stores the file (`aws::CALL_TIMEOUT`). A JSON file has about 4.5 KB for an image with ten labels.
pub const MAX_BYTES: usize = 64 * 1024 * 1024;

/// An image to export.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Image {
    /// What its owner sees of it.
    #[serde(flatten)]
    pub details: ImageDetails,
    /// The key of its object.
    pub key: String,
}

/// Why a file cannot be built. Files are built in memory, so this means that a text or a number is out of range.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// The table cannot be built.
    #[error("the CSV file cannot be built: {0}")]
    Csv(#[from] csv::Error),
    /// The document cannot be built.
    #[error("the JSON file cannot be built: {0}")]
    Json(#[from] serde_json::Error),
    /// The archive cannot be built.
    #[error("the ZIP file cannot be built: {0}")]
    Zip(#[from] ZipError),
    /// Writing to memory failed.
    #[error("the file cannot be built: {0}")]
    Io(#[from] io::Error),
}

/// A file that is being built.
pub struct File {
    content: Content,
    images: u64,
}

enum Content {
    Csv(Box<table::Table>),
    Json(json::Document),
    Xmp(Box<sidecar::Archive>),
}

impl File {
    /// A file without images.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn new(format: ExportFormat) -> Result<Self, ExportError> {
        let content = match format {
            ExportFormat::Csv => Content::Csv(Box::new(table::Table::new()?)),
            ExportFormat::Json => Content::Json(json::Document::new()),
            ExportFormat::Xmp => Content::Xmp(Box::new(sidecar::Archive::new())),
        };
        Ok(Self { content, images: 0 })
    }

    /// Adds an image. An archive of sidecars contains only images that have labels.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn add(&mut self, image: &Image) -> Result<(), ExportError> {
        let is_added = match &mut self.content {
            Content::Csv(table) => table.add(image).map(|()| true),
            Content::Json(document) => document.add(image).map(|()| true),
            Content::Xmp(archive) => archive.add(&image.details),
        }?;
        self.images += u64::from(is_added);
        Ok(())
    }

    /// The number of images in the file.
    pub fn images(&self) -> u64 {
        self.images
    }

    /// Whether the next image belongs into another file. A file has at most a page of images more than [`MAX_IMAGES`] and
    /// [`MAX_BYTES`] if this is checked after each page.
    pub fn is_full(&self) -> bool {
        self.images >= MAX_IMAGES || self.len() >= MAX_BYTES
    }

    /// At least the bytes of the file so far, apart from a buffer and the end of the file.
    fn len(&self) -> usize {
        match &self.content {
            Content::Csv(table) => table.len(),
            Content::Json(document) => document.len(),
            Content::Xmp(archive) => archive.len(),
        }
    }

    /// The complete file.
    ///
    /// # Errors
    /// See [`ExportError`].
    pub fn finish(self) -> Result<Vec<u8>, ExportError> {
        match self.content {
            Content::Csv(table) => table.finish(),
            Content::Json(document) => Ok(document.finish()),
            Content::Xmp(archive) => archive.finish(),
        }
    }
}

#[cfg(test)]
mod tests;
