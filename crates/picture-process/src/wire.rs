//! What parent and child send each other. Numbers are little-endian.
//!
//! Request: operation (1 byte), length of the file (8), file.
//!
//! Answer: 0, whether the picture is incomplete (1), number of pictures (1), and for each: width (4), height (4), length
//! (8), bytes. Or 1, and twice a length (4) and text: the error's name and message.

use crate::ProcessError;
use domain::image::{MAX_BYTES, MAX_PIXELS, rekognition};
use domain::{ErrorClass, ErrorName};
use picture::{Converted, Jpeg, PictureError, THUMBNAIL_SIDES};
use std::io::{self, Read, Write};
use strum::{EnumIter, IntoEnumIterator};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Maximum length of an error's message.
const MAX_MESSAGE_BYTES: usize = 1_000;
const MAX_NAME_BYTES: usize = 64;

const PICTURES: u8 = 0;
const ERROR: u8 = 1;

/// What the child does with the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, EnumIter)]
pub enum Operation {
    /// `picture::rendition`.
    Rendition,
    /// `picture::thumbnails`.
    Thumbnails,
    /// `picture::pixels`: upright, at full size.
    Pixels,
    /// `picture::pixels`, at full size and as stored, whatever the file's orientation.
    PixelsAsStored,
}

impl Operation {
    fn code(self) -> u8 {
        self as u8
    }

    fn of(code: u8) -> io::Result<Self> {
        let found = Self::iter().find(|operation| operation.code() == code);
        found.ok_or_else(|| invalid("an unknown operation"))
    }

    /// Number of pictures in the answer.
    fn pictures(self) -> usize {
        match self {
            Self::Thumbnails => THUMBNAIL_SIDES.len(),
            _ => 1,
        }
    }

    /// Maximum length of each picture.
    fn max_bytes(self) -> u64 {
        match self {
            Self::Rendition | Self::Thumbnails => rekognition::MAX_BYTES,
            Self::Pixels | Self::PixelsAsStored => 3 * MAX_PIXELS,
        }
    }

    fn accepts(self, picture: &Output) -> bool {
        let (width, height) = (picture.width, picture.height);
        match self {
            Self::Rendition | Self::Thumbnails => {
                let sides = 1..=rekognition::MAX_SIDE;
                sides.contains(&width)
                    && sides.contains(&height)
                    && picture.bytes.starts_with(&[0xFF, 0xD8, 0xFF])
            }
            Self::Pixels | Self::PixelsAsStored => {
                picture.bytes.len() as u64 == 3 * u64::from(width) * u64::from(height)
            }
        }
    }
}

/// The first bytes of a request, which the file follows.
pub(crate) fn request(operation: Operation, file: &[u8]) -> Vec<u8> {
    [&[operation.code()][..], &(file.len() as u64).to_le_bytes()].concat()
}

pub(crate) fn read_request(mut from: impl Read) -> io::Result<(Operation, Vec<u8>)> {
    let mut start = [0; 9];
    from.read_exact(&mut start)?;
    let [operation, length @ ..] = start;
    let length = u64::from_le_bytes(length);
    if length > MAX_BYTES {
        return Err(invalid("a file above the limit"));
    }
    let mut file = vec![0; usize::try_from(length).map_err(io::Error::other)?];
    from.read_exact(&mut file)?;
    Ok((Operation::of(operation)?, file))
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

/// The pictures, or why there are none.
pub type Answer = Result<Converted<Vec<Output>>, PictureError>;

pub(crate) fn write_answer(mut to: impl Write, answer: &Answer) -> io::Result<()> {
    match answer {
        Ok(converted) => {
            to.write_all(&[
                PICTURES,
                converted.incomplete.into(),
                u8::try_from(converted.result.len()).map_err(io::Error::other)?,
            ])?;
            for Output { bytes, width, height } in &converted.result {
                to.write_all(&width.to_le_bytes())?;
                to.write_all(&height.to_le_bytes())?;
                to.write_all(&(bytes.len() as u64).to_le_bytes())?;
                to.write_all(bytes)?;
            }
        }
        Err(error) => {
            to.write_all(&[ERROR])?;
            for text in [error.name().as_str(), &error.to_string()] {
                let length = u32::try_from(text.len()).map_err(io::Error::other)?;
                to.write_all(&length.to_le_bytes())?;
                to.write_all(text.as_bytes())?;
            }
        }
    }
    to.flush()
}

/// Reads an answer to its end.
///
/// # Errors
/// `UnexpectedEof` if it ends too early, and `InvalidData` if it is wrong in any other way.
pub(crate) async fn read_answer(
    mut from: impl AsyncRead + Unpin,
    operation: Operation,
) -> io::Result<Result<Converted<Vec<Output>>, ProcessError>> {
    let answer = match from.read_u8().await? {
        PICTURES => Ok(read_pictures(&mut from, operation).await?),
        ERROR => Err(read_error(&mut from).await?),
        _ => return Err(invalid("an unknown answer")),
    };
    match from.read_u8().await {
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(answer),
        Err(error) => Err(error),
        Ok(_) => Err(invalid("a longer answer than announced")),
    }
}

async fn read_pictures(
    from: &mut (impl AsyncRead + Unpin),
    operation: Operation,
) -> io::Result<Converted<Vec<Output>>> {
    let incomplete = from.read_u8().await? != 0;
    let count = usize::from(from.read_u8().await?);
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
