//! What parent and child send each other. Numbers are little-endian.
//!
//! Request: operation (1 byte), length of its options (4), options, and for each file: its length (8), file. The child reads
//! the next file after it has answered the one before. All operations but `Frame` have one file and no options.
//!
//! Answer to each file: 0, whether the picture is incomplete (1), number of pictures (1), microseconds spent on encoding them
//! (4), and for each: width (4), height (4), length (8), bytes. Or 1, and twice a length (4) and text: the error's name and message.

mod track;

use crate::ProcessError;
use domain::image::{MAX_BYTES, MAX_PIXELS, rekognition};
use domain::{ErrorClass, ErrorName};
use picture::{Converted, Jpeg, PictureError, THUMBNAIL_SIDES};
use std::io::{self, Read, Write};
use std::time::Duration;
use strum::IntoEnumIterator;
use tokio::io::{AsyncRead, AsyncReadExt};
use video::{FrameError, MAX_FRAME_BYTES, MAX_LONGEST_SIDE, MAX_STRIP_FRAMES, STRIP_SIDE};

/// Maximum length of an error's message.
const MAX_MESSAGE_BYTES: usize = 1_000;
const MAX_NAME_BYTES: usize = 64;

const PICTURES: u8 = 0;
const ERROR: u8 = 1;

/// Maximum length of an operation's options. A decoder's configuration has at most 64 KiB.
const MAX_OPTION_BYTES: u32 = 128 * 1024;

/// What the child does with each file.
#[derive(Debug, Clone, PartialEq)]
pub enum Operation {
    /// `picture::rendition`.
    Rendition,
    /// `picture::thumbnails`.
    Thumbnails,
    /// `picture::pixels`: upright, at full size.
    Pixels,
    /// `picture::pixels`, at full size and as stored, whatever the file's orientation.
    PixelsAsStored,
    /// `video::jpeg`. Each file is a key frame of the same track.
    Frame(Box<FrameOptions>),
    /// `video::strip`. The file is the length (4) of each JPEG, followed by the JPEG.
    Strip,
}

/// The options of [`Operation::Frame`].
#[derive(Debug, Clone, PartialEq)]
pub struct FrameOptions {
    /// The track of the frames.
    pub track: video::Track,
    /// What to make of them.
    pub size: video::Size,
}

impl Operation {
    fn code(&self) -> u8 {
        match self {
            Self::Rendition => 0,
            Self::Thumbnails => 1,
            Self::Pixels => 2,
            Self::PixelsAsStored => 3,
            Self::Frame(_) => 4,
            Self::Strip => 5,
        }
    }

    fn of(code: u8, options: &[u8]) -> io::Result<Self> {
        Ok(match code {
            0 => Self::Rendition,
            1 => Self::Thumbnails,
            2 => Self::Pixels,
            3 => Self::PixelsAsStored,
            4 => Self::Frame(Box::new(track::read(options).ok_or(invalid("unknown options"))?)),
            5 => Self::Strip,
            _ => return Err(invalid("an unknown operation")),
        })
    }

    fn options(&self) -> Vec<u8> {
        match self {
            Self::Frame(options) => track::write(options),
            _ => Vec::new(),
        }
    }

    /// Maximum length of a file.
    fn max_file_bytes(&self) -> u64 {
        match self {
            Self::Frame(_) => MAX_FRAME_BYTES,
            _ => MAX_BYTES,
        }
    }

    /// Number of pictures in the answer.
    fn pictures(&self) -> usize {
        match self {
            Self::Thumbnails => THUMBNAIL_SIDES.len(),
            _ => 1,
        }
    }

    /// Maximum length of each picture.
    fn max_bytes(&self) -> u64 {
        match self {
            Self::Rendition | Self::Thumbnails | Self::Frame(_) | Self::Strip => rekognition::MAX_BYTES,
            Self::Pixels | Self::PixelsAsStored => 3 * MAX_PIXELS,
        }
    }

    fn accepts(&self, picture: &Output) -> bool {
        let (width, height) = (picture.width, picture.height);
        let (max_width, max_height) = match self {
            Self::Rendition | Self::Thumbnails => (rekognition::MAX_SIDE, rekognition::MAX_SIDE),
            Self::Frame(_) => (MAX_LONGEST_SIDE, MAX_LONGEST_SIDE),
            Self::Strip => (STRIP_SIDE * MAX_STRIP_FRAMES as u32, STRIP_SIDE),
            Self::Pixels | Self::PixelsAsStored => {
                return picture.bytes.len() as u64 == 3 * u64::from(width) * u64::from(height);
            }
        };
        (1..=max_width).contains(&width)
            && (1..=max_height).contains(&height)
            && picture.bytes.starts_with(&[0xFF, 0xD8, 0xFF])
    }
}

/// The first bytes of a request, which the files follow.
pub(crate) fn request(operation: &Operation) -> Vec<u8> {
    let options = operation.options();
    let length = u32::try_from(options.len()).unwrap_or(u32::MAX);
    [&[operation.code()][..], &length.to_le_bytes(), &options].concat()
}

/// What precedes a file.
pub(crate) fn length(file: &[u8]) -> [u8; 8] {
    (file.len() as u64).to_le_bytes()
}

pub(crate) fn read_request(mut from: impl Read) -> io::Result<Operation> {
    let mut start = [0; 5];
    from.read_exact(&mut start)?;
    let [code, length @ ..] = start;
    let length = u32::from_le_bytes(length);
    if length > MAX_OPTION_BYTES {
        return Err(invalid("options above the limit"));
    }
    let mut options = vec![0; length as usize];
    from.read_exact(&mut options)?;
    Operation::of(code, &options)
}

/// The next file. `None` after the last one.
pub(crate) fn read_file(mut from: impl Read, operation: &Operation) -> io::Result<Option<Vec<u8>>> {
    let mut length = [0; 8];
    match from.read_exact(&mut length) {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => return Ok(None),
        other => other?,
    }
    let length = u64::from_le_bytes(length);
    if length > operation.max_file_bytes() {
        return Err(invalid("a file above the limit"));
    }
    let mut file = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut file)?;
    Ok(Some(file))
}

/// The JPEGs of [`Operation::Strip`] as one file.
pub(crate) fn join(jpegs: &[Jpeg]) -> Vec<u8> {
    let mut file = Vec::new();
    for Jpeg { bytes, .. } in jpegs {
        file.extend(u32::try_from(bytes.len()).unwrap_or(u32::MAX).to_le_bytes());
        file.extend_from_slice(bytes);
    }
    file
}

/// The opposite of [`join`]. Ends before a JPEG that is cut off.
pub(crate) fn split(mut file: &[u8]) -> Vec<&[u8]> {
    let mut jpegs = Vec::new();
    while let Some((length, rest)) = file.split_first_chunk()
        && let Some((jpeg, rest)) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)
    {
        jpegs.push(jpeg);
        file = rest;
    }
    jpegs
}

/// A picture that the child returns.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    /// A JPEG, or red, green and blue of each pixel.
    pub bytes: Vec<u8>,
    /// Pixels.
    pub width: u32,
    /// Pixels.
    pub height: u32,
}

impl From<Jpeg> for Output {
    fn from(Jpeg { bytes, width, height }: Jpeg) -> Self {
        Self { bytes, width, height }
    }
}

impl From<Output> for Jpeg {
    fn from(Output { bytes, width, height }: Output) -> Self {
        Self { bytes, width, height }
    }
}

/// Why a file is rejected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rejection {
    /// Has the class [`ErrorClass::File`].
    pub name: ErrorName,
    /// At most 1,000 bytes.
    pub message: String,
}

impl From<PictureError> for Rejection {
    fn from(error: PictureError) -> Self {
        Self {
            name: error.name(),
            message: error.to_string(),
        }
    }
}

impl From<FrameError> for Rejection {
    fn from(error: FrameError) -> Self {
        Self {
            name: error.name(),
            message: error.to_string(),
        }
    }
}

impl From<Rejection> for ProcessError {
    fn from(Rejection { name, message }: Rejection) -> Self {
        Self::Picture { name, message }
    }
}

/// The pictures, or why there are none.
pub type Answer = Result<Converted<Vec<Output>>, Rejection>;

pub(crate) fn write_answer(mut to: impl Write, answer: &Answer, encoding: Duration) -> io::Result<()> {
    match answer {
        Ok(converted) => {
            to.write_all(&[
                PICTURES,
                converted.incomplete.into(),
                u8::try_from(converted.result.len()).map_err(io::Error::other)?,
            ])?;
            let microseconds = u32::try_from(encoding.as_micros()).unwrap_or(u32::MAX);
            to.write_all(&microseconds.to_le_bytes())?;
            for Output { bytes, width, height } in &converted.result {
                to.write_all(&width.to_le_bytes())?;
                to.write_all(&height.to_le_bytes())?;
                to.write_all(&(bytes.len() as u64).to_le_bytes())?;
                to.write_all(bytes)?;
            }
        }
        Err(error) => {
            to.write_all(&[ERROR])?;
            for text in [error.name.as_str(), &error.message] {
                let length = u32::try_from(text.len()).map_err(io::Error::other)?;
                to.write_all(&length.to_le_bytes())?;
                to.write_all(text.as_bytes())?;
            }
        }
    }
    to.flush()
}

/// Reads the answer to one file, and adds the time that the child reports for encoding to `encoding`.
///
/// # Errors
/// `UnexpectedEof` if it ends too early, and `InvalidData` if it is wrong in any other way.
pub(crate) async fn read_answer(
    from: &mut (impl AsyncRead + Unpin),
    operation: &Operation,
    encoding: &mut Duration,
) -> io::Result<Result<Converted<Vec<Output>>, ProcessError>> {
    match from.read_u8().await? {
        PICTURES => Ok(Ok(read_pictures(from, operation, encoding).await?)),
        ERROR => Ok(Err(read_error(from).await?)),
        _ => Err(invalid("an unknown answer")),
    }
}

/// Makes sure that nothing follows the last answer.
///
/// # Errors
/// `InvalidData` if something does.
pub(crate) async fn read_end(from: &mut (impl AsyncRead + Unpin)) -> io::Result<()> {
    match from.read_u8().await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(()),
        Err(error) => Err(error),
        Ok(_) => Err(invalid("a longer answer than announced")),
    }
}

async fn read_pictures(
    from: &mut (impl AsyncRead + Unpin),
    operation: &Operation,
    encoding: &mut Duration,
) -> io::Result<Converted<Vec<Output>>> {
    let incomplete = from.read_u8().await? != 0;
    let count = usize::from(from.read_u8().await?);
    let time = Duration::from_micros(from.read_u32_le().await?.into());
    if count != operation.pictures() {
        return Err(invalid("another number of pictures"));
    }
    let mut pictures = Vec::with_capacity(count);
    for _ in 0..count {
        let (width, height) = (from.read_u32_le().await?, from.read_u32_le().await?);
        let length = from.read_u64_le().await?;
        let bytes = read_bytes(from, length, operation.max_bytes()).await?;
        let picture = Output { bytes, width, height };
        if !operation.accepts(&picture) {
            return Err(invalid("a picture of another kind"));
        }
        pictures.push(picture);
    }
    *encoding += time;
    Ok(Converted {
        result: pictures,
        incomplete,
    })
}

async fn read_error(from: &mut (impl AsyncRead + Unpin)) -> io::Result<ProcessError> {
    let name = read_text(from, MAX_NAME_BYTES).await?;
    let message = read_text(from, MAX_MESSAGE_BYTES).await?;
    let name = ErrorName::iter()
        .filter(|known| known.class() == ErrorClass::File)
        .find(|known| known.as_str() == name)
        .ok_or_else(|| invalid("an unknown error"))?;
    Ok(ProcessError::Picture { name, message })
}

async fn read_text(from: &mut (impl AsyncRead + Unpin), max: usize) -> io::Result<String> {
    let length = from.read_u32_le().await?;
    let bytes = read_bytes(from, length.into(), max as u64).await?;
    let text = String::from_utf8(bytes).map_err(|_| invalid("no text"))?;
    if text.chars().any(char::is_control) {
        return Err(invalid("control characters in a text"));
    }
    Ok(text)
}

/// Allocates memory as the bytes arrive, and not as much as the child has announced.
async fn read_bytes(from: &mut (impl AsyncRead + Unpin), length: u64, max: u64) -> io::Result<Vec<u8>> {
    if length > max {
        return Err(invalid("more bytes than allowed"));
    }
    let mut bytes = Vec::new();
    from.take(length).read_to_end(&mut bytes).await?;
    if bytes.len() as u64 != length {
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok(bytes)
}

fn invalid(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}
