//! TIFF and BigTIFF of nearly all kinds that libtiff reads.
//!
//! A page consists of strips or tiles, which are independent of each other. Each thread takes the next row of them, and
//! decompresses and converts it row by row, so that a picture takes little more memory than its pixels. What all strips and
//! tiles decompress to is checked before the first one is decompressed.

mod decompress;
mod directory;
mod embedded;
mod fax;
mod layout;
mod old_jpeg;
mod samples;

use crate::decoded::{DecodeError, Decoded, bounded, picture};
use directory::Directory;
use layout::{Color, Compression, JPEG_TABLES, Layout, Sample};
use samples::{Chroma, Converter, Range};
use std::io::{Cursor, Read};
use std::num::NonZero;
use std::sync::{Mutex, PoisonError};
use std::thread;

/// How much is decompressed at once, in bytes.
const BUFFER_BYTES: usize = 64 * 1024;
/// The color of missing parts.
const MISSING: u8 = 128;

/// Decodes the page that people see. Parts that are damaged or missing become gray.
pub(super) fn decode(file: &[u8]) -> Result<Decoded, DecodeError> {
    let page = picture_header::tiff_page(file).map_err(DecodeError::of)?;
    let directory = Directory::read(file, page.offset)?;
    let layout = Layout::read(&directory, file.len())?;
    let page = Page {
        file,
        tables: directory.bytes(JPEG_TABLES),
        layout: &layout,
    };
    let range = page.range()?;
    let chroma = Chroma::new(&directory.fractions(529, 3), &directory.fractions(532, 6));
    let converter = Converter::new(&layout, palette(&directory, &layout)?, range, chroma);

    let mut rgb = vec![0; layout.width as usize * 3 * layout.height as usize];
    let incomplete = match old_jpeg::assemble(&directory, &layout, file) {
        Some(stream) => {
            page.convert_one_jpeg(&converter, &stream, &mut rgb)?;
            false
        }
        None => page.convert(&converter, &mut rgb)?,
    };
    Ok(Decoded {
        picture: picture((layout.width, layout.height), rgb)?,
        profile: bounded(directory.bytes(34_675).map(<[u8]>::to_vec)),
        incomplete,
    })
}

/// The colors of a palette.
fn palette(directory: &Directory<'_>, layout: &Layout) -> Result<Vec<[u8; 3]>, DecodeError> {
    if layout.color != Color::Palette {
        return Ok(Vec::new());
    }
    if layout.sample != Sample::Unsigned {
        return Err(DecodeError::of("a palette with numbers that are no indices"));
    }
    let colors = 1 << layout.bits;
    let values = directory.numbers(320, 3 * colors);
    if values.len() < 3 {
        return Err(DecodeError::of("no palette"));
    }
    // The values have 16 bits. Some programs write 8.
    let shift = if values.iter().any(|value| *value > 255) {
        8
    } else {
        0
    };
    // Red, green and blue are separate. If the palette is short, each has a third.
    let colors = values.len() / 3;
    let color = |index: usize| [0, 1, 2].map(|channel| (values[channel * colors + index] >> shift) as u8);
    Ok((0..colors).map(color).collect())
}

/// Counts what was decoded.
#[derive(Default)]
struct Outcome {
    rows: u64,
    /// The first error.
    error: Option<DecodeError>,
}

impl Outcome {
    fn join(&mut self, other: Self) {
        self.rows += other.rows;
        self.error = self.error.take().or(other.error);
    }
}

struct Page<'a> {
    file: &'a [u8],
    tables: Option<&'a [u8]>,
    layout: &'a Layout,
}

impl<'a> Page<'a> {
    /// Finds the smallest and the largest sample, if the type of the samples does not say what is black and white.
    fn range(&self) -> Result<Range, DecodeError> {
        let layout = self.layout;
        if layout.sample == Sample::Unsigned {
            return Ok(Range { min: 0.0, max: 255.0 });
        }
        let extremes = Mutex::new(Range::EMPTY);
        let channels = layout.color.channels();
        self.work(0..layout.down, |row| {
            let mut range = Range::EMPTY;
            let outcome = self.read_band(row, |_, column, planes| {
                let columns = self.columns(column) as usize;
                for plane in 0..channels {
                    let (row, stride, first) = if layout.planar {
                        (planes[plane], 1, 0)
                    } else {
                        (planes[0], layout.samples, plane)
                    };
                    (0..columns).for_each(|x| range.add(samples::value(layout, row, x * stride + first)));
                }
            });
            let mut extremes = extremes.lock().unwrap_or_else(PoisonError::into_inner);
            *extremes = extremes.join(range);
            outcome
        })?;
        let extremes = extremes.into_inner().unwrap_or_else(PoisonError::into_inner);
        Ok(extremes.of_picture(layout.sample))
    }

    /// Converts all strips or tiles. Returns whether parts are missing.
    fn convert(&self, converter: &Converter<'_>, rgb: &mut [u8]) -> Result<bool, DecodeError> {
        let layout = self.layout;
        let row_bytes = layout.width as usize * 3;
        let bands = rgb.chunks_mut(row_bytes * layout.chunk_height.min(layout.height) as usize);
        self.work((0..layout.down).zip(bands), |(row, band)| {
            let mut buffer = Vec::new();
            let mut done = vec![0; layout.across as usize];
            let down = layout.subsampling.1 as usize;
            let outcome = self.read_band(row, |y, column, planes| {
                let left = (column * layout.chunk_width) as usize * 3;
                let columns = self.columns(column) as usize;
                let rows = band.chunks_mut(row_bytes).skip(y * down).take(down);
                let mut rows = rows.map(|row| &mut row[left..left + columns * 3]);
                if layout.subsampling == (1, 1) {
                    rows.for_each(|row| converter.convert(planes, &mut buffer, row));
                } else {
                    converter.convert_units(planes[0], columns, &mut rows);
                }
                done[column as usize] = y * down + down;
            });
            if outcome.error.is_some() {
                for (column, done) in (0..).zip(done) {
                    let left = (column * layout.chunk_width) as usize * 3;
                    let right = left + self.columns(column) as usize * 3;
                    let rows = band.chunks_mut(row_bytes).skip(done);
                    rows.for_each(|row| row[left..right].fill(MISSING));
                }
            }
            outcome
        })
    }

    /// Converts a JPEG of the whole page.
    fn convert_one_jpeg(
        &self,
        converter: &Converter<'_>,
        stream: &[u8],
        rgb: &mut [u8],
    ) -> Result<(), DecodeError> {
        let layout = self.layout;
        let row_bytes = layout.width as usize * layout.samples;
        let samples = embedded::jpeg(layout, stream, (layout.width, layout.height), row_bytes)?;
        let mut buffer = Vec::new();
        let rows = rgb.chunks_exact_mut(layout.width as usize * 3);
        for (row, samples) in rows.zip(samples.chunks_exact(row_bytes)) {
            converter.convert(&[samples], &mut buffer, row);
        }
        Ok(())
    }

    /// The pixels in a row of one strip or tile that are inside of the picture.
    fn columns(&self, column: u32) -> u32 {
        let layout = self.layout;
        layout.chunk_width.min(layout.width - column * layout.chunk_width)
    }

    /// Does the work for all items, on one thread for each processor. Returns whether a part failed.
    fn work<T: Send>(
        &self,
        items: impl ExactSizeIterator<Item = T> + Send,
        work: impl Fn(T) -> Outcome + Sync,
    ) -> Result<bool, DecodeError> {
        let threads = thread::available_parallelism()
            .map_or(1, NonZero::get)
            .min(items.len());
        let items = Mutex::new(items);
        let work_all = || {
            let mut outcome = Outcome::default();
            loop {
                let next = items.lock().unwrap_or_else(PoisonError::into_inner).next();
                match next {
                    Some(item) => outcome.join(work(item)),
                    None => return outcome,
                }
            }
        };
        let mut outcome = Outcome::default();
        thread::scope(|scope| {
            let threads: Vec<_> = (0..threads).map(|_| scope.spawn(work_all)).collect();
            for thread in threads {
                outcome.join(thread.join().unwrap_or_else(|_| Outcome {
                    rows: 0,
                    error: Some(DecodeError::of("a panic")),
                }));
            }
        });
        match outcome.error {
            Some(error) if outcome.rows == 0 || error.is_unsupported() => Err(error),
            error => Ok(error.is_some()),
        }
    }

    /// Decompresses one strip or one row of tiles. Passes on each row of each strip or tile: its number, the column of the
    /// tile, and its samples, in one row for each plane.
    fn read_band(&self, row: u32, mut pass: impl FnMut(usize, u32, &[&[u8]])) -> Outcome {
        let mut outcome = Outcome::default();
        for column in 0..self.layout.across {
            let read = self.read_chunk(row, column, |y, planes| {
                outcome.rows += 1;
                pass(y, column, planes);
            });
            if let Err(error) = read {
                outcome.error.get_or_insert(error);
            }
        }
        outcome
    }

    fn read_chunk(
        &self,
        row: u32,
        column: u32,
        mut pass: impl FnMut(usize, &[&[u8]]),
    ) -> Result<(), DecodeError> {
        let layout = self.layout;
        let row_bytes = layout.row_bytes();
        let planes = if layout.planar {
            Converter::channels(layout)
        } else {
            1
        };
        let mut readers = Vec::new();
        for plane in 0..planes {
            let index =
                (plane * layout.down as usize + row as usize) * layout.across as usize + column as usize;
            readers.push(self.reader(index, layout.rows(row))?);
        }
        // With subsampled chroma, rows of units.
        let rows = layout.rows(row).div_ceil(layout.subsampling.1) as usize;
        let rows_at_once = (BUFFER_BYTES / row_bytes).clamp(1, rows);
        let mut buffers = vec![vec![0; row_bytes * rows_at_once]; planes];
        let mut y = 0;
        while y < rows {
            let wanted = rows_at_once.min(rows - y) * row_bytes;
            let mut complete = wanted / row_bytes;
            for (reader, buffer) in readers.iter_mut().zip(&mut buffers) {
                let read = read_up_to(reader, &mut buffer[..wanted]);
                complete = complete.min(read / row_bytes);
                for row in buffer[..complete * row_bytes].chunks_exact_mut(row_bytes) {
                    samples::restore(layout, row);
                }
            }
            for index in 0..complete {
                let from = index * row_bytes;
                match &buffers[..] {
                    [buffer] => pass(y + index, &[&buffer[from..from + row_bytes]]),
                    _ => {
                        let rows: Vec<_> = buffers
                            .iter()
                            .map(|buffer| &buffer[from..from + row_bytes])
                            .collect();
                        pass(y + index, &rows);
                    }
                }
            }
            y += complete;
            if complete < wanted / row_bytes {
                return Err(DecodeError::of("a strip or tile ends early"));
            }
        }
        Ok(())
    }

    fn reader(&self, index: usize, rows: u32) -> Result<Box<dyn Read + 'a>, DecodeError> {
        let layout = self.layout;
        let chunk = layout
            .chunks
            .get(index)
            .ok_or_else(|| DecodeError::of("a missing strip or tile"))?;
        let bytes = &self.file[chunk.from..chunk.from + chunk.length];
        let sides = (layout.chunk_width, layout.chunk_height);
        Ok(match layout.compression {
            Compression::Jpeg | Compression::OldJpeg => {
                let stream = embedded::with_tables(self.tables, bytes);
                Box::new(Cursor::new(embedded::jpeg(
                    layout,
                    &stream,
                    sides,
                    layout.row_bytes(),
                )?))
            }
            Compression::WebP => Box::new(Cursor::new(embedded::webp(layout, bytes, rows)?)),
            _ => decompress::reader(layout, bytes)?,
        })
    }
}

/// Fills the buffer as far as possible. Returns how many bytes were read.
fn read_up_to(reader: &mut dyn Read, buffer: &mut [u8]) -> usize {
    let mut filled = 0;
    while filled < buffer.len() {
        match reader.read(&mut buffer[filled..]) {
            Ok(0) | Err(_) => break,
            Ok(read) => filled += read,
        }
    }
    filled
}
