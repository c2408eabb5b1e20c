//! Decompresses a strip or tile row by row. Readers produce only as much as is read, so memory does not depend on what the
//! compressed data claims.

use super::fax::FaxReader;
use super::layout::{Compression, Layout};
use crate::decoded::DecodeError;
use flate2::bufread::ZlibDecoder;
use lzma_rust2::XzReader;
use ruzstd::decoding::StreamingDecoder;
use std::io::{self, Cursor, Read};
use weezl::LzwStatus;
use weezl::decode::Configuration;

/// Maximum size of the dictionaries of LZMA and Zstandard, in KiB. The strongest presets of xz use 64 MiB.
const MAX_DICTIONARY_KIB: u32 = 66 * 1024;

/// Reads the samples of a strip or tile whose compressed bytes these are. JPEG and WebP are decoded elsewhere.
pub(super) fn reader<'a>(layout: &Layout, bytes: &'a [u8]) -> Result<Box<dyn Read + 'a>, DecodeError> {
    if layout.reversed_bits {
        let bytes: Vec<u8> = bytes.iter().map(|byte| byte.reverse_bits()).collect();
        decompressor(layout, Cursor::new(bytes))
    } else {
        decompressor(layout, Cursor::new(bytes))
    }
}

fn decompressor<'a, B: AsRef<[u8]> + 'a>(
    layout: &Layout,
    bytes: Cursor<B>,
) -> Result<Box<dyn Read + 'a>, DecodeError> {
    Ok(match layout.compression {
        Compression::None => Box::new(bytes),
        Compression::Deflate => Box::new(ZlibDecoder::new(bytes)),
        Compression::Lzw => Box::new(LzwReader::new(bytes)),
        Compression::PackBits => Box::new(PackBitsReader {
            bytes,
            literals: 0,
            repeats: 0,
            value: 0,
        }),
        Compression::Zstd => {
            let window = u64::from(MAX_DICTIONARY_KIB) * 1024;
            Box::new(StreamingDecoder::new_with_max_window_size(bytes, window).map_err(DecodeError::of)?)
        }
        Compression::Lzma => Box::new(XzReader::new_mem_limit(bytes, true, MAX_DICTIONARY_KIB)),
        Compression::Fax(kind) => Box::new(FaxReader::new(bytes, kind, layout.chunk_width)?),
        Compression::Jpeg | Compression::OldJpeg | Compression::WebP => {
            return Err(DecodeError::of("not a compression of rows"));
        }
    })
}

struct LzwReader<B> {
    bytes: Cursor<B>,
    decoder: weezl::decode::Decoder,
}

impl<B: AsRef<[u8]>> LzwReader<B> {
    fn new(bytes: Cursor<B>) -> Self {
        // Files of the first TIFF libraries have codes in the reverse bit order.
        let configuration = match bytes.get_ref().as_ref() {
            [0, second, ..] if second & 1 == 1 => Configuration::new(weezl::BitOrder::Lsb, 8),
            _ => Configuration::with_tiff_size_switch(weezl::BitOrder::Msb, 8),
        };
        Self {
            bytes,
            decoder: configuration.with_yield_on_full_buffer(true).build(),
        }
    }
}

impl<B: AsRef<[u8]>> Read for LzwReader<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        loop {
            let at = self.bytes.position() as usize;
            let rest = self.bytes.get_ref().as_ref().get(at..).unwrap_or_default();
            let result = self.decoder.decode_bytes(rest, buffer);
            self.bytes.set_position((at + result.consumed_in) as u64);
            match result.status {
                Ok(LzwStatus::Done) => return Ok(result.consumed_out),
                Ok(_) if result.consumed_out > 0 => return Ok(result.consumed_out),
                Ok(_) if result.consumed_in > 0 => {}
                Ok(_) => return Ok(0),
                Err(_) if result.consumed_out > 0 => return Ok(result.consumed_out),
                Err(error) => return Err(io::Error::new(io::ErrorKind::InvalidData, error)),
            }
        }
    }
}

/// Apple's PackBits: runs of literal bytes and of one repeated byte.
struct PackBitsReader<B> {
    bytes: Cursor<B>,
    literals: usize,
    repeats: usize,
    value: u8,
}

impl<B: AsRef<[u8]>> PackBitsReader<B> {
    fn byte(&mut self) -> Option<u8> {
        let mut byte = [0];
        self.bytes.read_exact(&mut byte).ok()?;
        Some(byte[0])
    }

    /// Reads the next run's length. `None` after the last one.
    fn start_run(&mut self) -> Option<()> {
        match self.byte()? as i8 {
            length @ 0.. => self.literals = length as usize + 1,
            // Does nothing.
            i8::MIN => {}
            length => {
                self.repeats = 1 + length.unsigned_abs() as usize;
                self.value = self.byte()?;
            }
        }
        Some(())
    }
}

impl<B: AsRef<[u8]>> Read for PackBitsReader<B> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while filled < buffer.len() {
            let rest = &mut buffer[filled..];
            if self.literals > 0 {
                let wanted = self.literals.min(rest.len());
                let read = self.bytes.read(&mut rest[..wanted])?;
                if read == 0 {
                    break;
                }
                self.literals -= read;
                filled += read;
            } else if self.repeats > 0 {
                let count = self.repeats.min(rest.len());
                rest[..count].fill(self.value);
                self.repeats -= count;
                filled += count;
            } else if self.start_run().is_none() {
                break;
            }
        }
        Ok(filled)
    }
}
