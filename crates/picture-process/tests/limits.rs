//! Real children with decoders that misbehave, and with files that make a decoder misbehave. Each ends with the reason, and
//! the next picture is decoded as if nothing had happened.

use domain::trace::{self, Activity, Work};
use domain::{ErrorClass, ErrorName};
use picture::{Converted, Jpeg, PictureError};
use picture_process::{Limits, PictureProcess, ProcessError};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::time::Duration;
use tempfile::TempDir;

const CHILD: &str = env!("CARGO_BIN_EXE_misbehaving-child");
const CAT: &[u8] = include_bytes!("../../../samples/cat.jpg");

/// Small, so that the tests are fast. The wall time only ends children that do nothing.
const LIMITS: Limits = Limits {
    memory: 256 * 1024 * 1024,
    cpu_seconds: 1,
    wall_time: Duration::from_secs(600),
};
const IMPATIENT: Limits = Limits {
    wall_time: Duration::from_millis(500),
    ..LIMITS
};

fn children() -> PictureProcess {
    PictureProcess::of(Path::new(CHILD)).with_limits(LIMITS)
}

async fn rendition(children: &PictureProcess, file: &[u8]) -> Result<Converted<Jpeg>, ProcessError> {
    let result = children.rendition(file.to_vec()).await;
    assert_eq!(
        children.rendition(CAT.to_vec()).await,
        Ok(picture::rendition(CAT).unwrap()),
        "a picture after {:?}",
        String::from_utf8_lossy(&file[..file.len().min(40)])
    );
    result
}

/// A program that is not limited, because it does not do what a child does.
fn script(folder: &TempDir, text: &str) -> PictureProcess {
    let path = folder.path().join("child");
    std::fs::write(&path, format!("#!/bin/sh\n{text}\n")).unwrap();
    std::fs::set_permissions(&path, PermissionsExt::from_mode(0o755)).unwrap();
    PictureProcess::of(&path).with_limits(LIMITS)
}

/// What was measured of a conversion, and whether it has succeeded.
async fn traced(file: &[u8], as_pixels: bool) -> (Vec<Activity>, bool) {
    let children = PictureProcess::of(Path::new(CHILD));
    trace::start();
    let is_decoded = if as_pixels {
        children.pixels(file.to_vec(), false).await.is_ok()
    } else {
        children.thumbnails(file.to_vec()).await.is_ok()
    };
    let parts = trace::take().parts;
    assert!(
        parts.iter().all(|part| part.started < part.ended),
        "each takes time: {parts:?}"
    );
    (parts.into_iter().map(|part| part.activity).collect(), is_decoded)
}

#[tokio::test]
async fn the_process_reports_how_long_it_has_encoded() {
    let [decode, encode] = [Work::Decode, Work::Encode].map(Activity::Work);
    assert_eq!(traced(CAT, false).await, (vec![decode.clone(), encode], true));
    assert_eq!(traced(CAT, true).await, (vec![decode.clone()], true));
    assert_eq!(traced(b"panics", false).await, (vec![decode], false));
}

#[tokio::test]
async fn decodes_like_the_library() {
    let children = PictureProcess::of(Path::new(CHILD));
    assert_eq!(
        children.thumbnails(CAT.to_vec()).await,
        Ok(picture::thumbnails(CAT).unwrap())
    );
    let header = picture::header(CAT).unwrap();
    assert_eq!(
        children.pixels(CAT.to_vec(), false).await,
        Ok(picture::pixels(CAT, &header).unwrap())
    );
    let text = PictureError::Header(picture_header::HeaderError::OtherKind("PDF documents"));
    assert_eq!(
        children.rendition(b"%PDF-1.7 and the rest".to_vec()).await,
        Err(ProcessError::Picture {
            name: ErrorName::UnsupportedFormat,
            message: text.to_string(),
        })
    );
}

/// Turned by 90 degrees, as phones store portraits.
#[tokio::test]
async fn pixels_are_upright_or_as_stored() {
    let mut turned = CAT[..2].to_vec();
    let exif = b"\xFF\xE1\0\x22Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0\x06\0\0\0\0\0\0";
    turned.extend(exif);
    turned.extend(&CAT[2..]);
    let stored = children().pixels(CAT.to_vec(), false).await.unwrap().result;
    let (width, height) = stored.dimensions();
    let upright = children().pixels(turned.clone(), false).await.unwrap().result;
    assert_eq!(upright.dimensions(), (height, width));
    let as_stored = children().pixels(turned, true).await.unwrap().result;
    assert_eq!(as_stored, stored);
}

#[tokio::test]
async fn a_decoder_that_never_ends_is_stopped_by_its_cpu_time() {
    assert_eq!(
        rendition(&children(), b"never ends").await,
        Err(ProcessError::TooMuchTime)
    );
}

#[tokio::test]
async fn a_decoder_that_waits_forever_is_stopped_by_the_wall_time() {
    let children = children().with_limits(IMPATIENT);
    assert_eq!(
        children.rendition(b"waits forever".to_vec()).await,
        Err(ProcessError::TooMuchTime)
    );
}

#[tokio::test]
async fn a_decoder_that_allocates_without_limit_runs_out_of_memory() {
    for file in [&b"allocates without limit"[..], b"allocates in threads"] {
        assert_eq!(
            rendition(&children(), file).await,
            Err(ProcessError::TooMuchMemory)
        );
    }
}

#[tokio::test]
async fn an_invalid_answer_is_not_believed() {
    for file in [
        &b"answers without end"[..],
        b"announces an endless answer",
        b"answers something else",
        b"answers half a picture",
        b"ends without an answer",
    ] {
        let text = String::from_utf8_lossy(file);
        assert_eq!(
            rendition(&children(), file).await,
            Err(ProcessError::Crashed),
            "{text}"
        );
    }
}

#[tokio::test]
async fn a_crash_means_that_the_file_is_invalid() {
    for file in [&b"panics"[..], b"aborts", b"overflows the stack"] {
        let error = rendition(&children(), file).await.unwrap_err();
        assert_eq!(error, ProcessError::Crashed, "{}", String::from_utf8_lossy(file));
        assert_eq!(error.name(), ErrorName::InvalidImage);
    }
}

#[tokio::test]
async fn a_child_that_fills_standard_error_is_not_blocked() {
    let jpeg = rendition(&children(), b"complains without end").await.unwrap();
    assert_eq!(jpeg.result.bytes, b"\xFF\xD8\xFF complained");
}

#[tokio::test]
async fn a_child_cannot_write_files() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("file");
    let file = format!("writes to {}", path.display());
    assert_eq!(
        rendition(&children(), file.as_bytes()).await,
        Err(ProcessError::Crashed)
    );
    assert_eq!(std::fs::read(path).unwrap_or_default(), b"");
}

/// The tests themselves have an environment, as functions do: it contains their credentials.
#[tokio::test]
async fn a_child_has_no_environment() {
    assert!(std::env::vars_os().next().is_some());
    let error = children().rendition(b"has an environment".to_vec()).await;
    assert_eq!(
        error,
        Err(ProcessError::Picture {
            name: ErrorName::ImageTooLarge,
            message: PictureError::TooNarrow(1, 2).to_string(),
        })
    );
}

/// A file that does not fit into the pipe.
#[tokio::test]
async fn a_child_that_ends_before_it_has_read_the_file_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let file = vec![0; 8 * 1024 * 1024];
    for (text, expected) in [
        ("exit 0", ProcessError::Crashed),
        ("exit 101", ProcessError::Crashed),
        ("kill -SEGV $$", ProcessError::Crashed),
        ("exec yes", ProcessError::Crashed),
        // The kernel does this to a process when the machine's memory is used up.
        ("kill -KILL $$", ProcessError::TooMuchMemory),
        ("kill -XCPU $$", ProcessError::TooMuchTime),
        (
            "echo 'no limits' >&2; exit 71",
            ProcessError::Unavailable("no limits".into()),
        ),
    ] {
        assert_eq!(
            script(&folder, text).rendition(file.clone()).await,
            Err(expected),
            "{text}"
        );
    }
    let stuck = script(&folder, "exec sleep 1000").with_limits(IMPATIENT);
    assert_eq!(stuck.rendition(file).await, Err(ProcessError::TooMuchTime));
}

/// The process that is left keeps the pipes open.
#[tokio::test]
async fn a_child_that_starts_a_process_blocks_nobody() {
    let folder = tempfile::tempdir().unwrap();
    let pid = folder.path().join("pid");
    let text = format!("sleep 1000 & echo $! > {}", pid.display());
    // Enough for a busy machine to start both processes.
    let limits = Limits {
        wall_time: Duration::from_secs(20),
        ..LIMITS
    };
    let child = script(&folder, &text).with_limits(limits);
    let result = child.rendition(CAT.to_vec()).await;
    let killed = std::process::Command::new("kill")
        .arg(std::fs::read_to_string(pid).unwrap().trim())
        .status();
    assert!(killed.unwrap().success(), "it was still running");
    assert_eq!(result, Err(ProcessError::TooMuchTime));
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_a_problem_of_the_service() {
    let error = PictureProcess::of(Path::new("/nowhere"))
        .rendition(CAT.to_vec())
        .await;
    let error = error.unwrap_err();
    assert_eq!(error.name().class(), ErrorClass::Transient, "{error:?}");
}

/// A progressive JPEG in which each scan adds nothing, and makes the decoder visit every block.
fn scans(side: u16, scans: usize) -> Vec<u8> {
    let segment = |marker: u8, content: &[u8]| {
        let length = u16::try_from(content.len() + 2).unwrap().to_be_bytes();
        [&[0xFF, marker][..], &length, content].concat()
    };
    let [high, low] = side.to_be_bytes();
    let mut file = vec![0xFF, 0xD8];
    file.extend(segment(0xDB, &[&[0][..], &[1; 64]].concat()));
    file.extend(segment(0xC2, &[8, high, low, high, low, 1, 1, 0x11, 0]));
    // One code of one bit in each table: no difference to the last block, and the end of 2^14 and more blocks.
    let table = |class_and_id: u8, symbol: u8| [&[class_and_id, 1][..], &[0; 15], &[symbol]].concat();
    file.extend(segment(0xC4, &table(0x00, 0x00)));
    file.extend(segment(0xC4, &table(0x10, 0xE0)));
    let blocks = usize::from(side).div_ceil(8).pow(2);
    file.extend(segment(0xDA, &[1, 1, 0x00, 0, 0, 0]));
    file.extend(bits(std::iter::repeat_n((0, 1), blocks)));
    // Each run ends 2^14 blocks, plus 14 further bits.
    const LONGEST: usize = (1 << 15) - 1;
    let runs = std::iter::repeat_n((LONGEST - (1 << 14), 15), blocks / LONGEST);
    let rest = blocks % LONGEST;
    assert!(rest >= 1 << 14, "the last run would need another code");
    let scan = [
        segment(0xDA, &[1, 1, 0x00, 1, 63, 0]),
        bits(runs.chain([(rest - (1 << 14), 15)])),
    ]
    .concat();
    for _ in 0..scans {
        file.extend(&scan);
    }
    file.extend([0xFF, 0xD9]);
    file
}

/// Numbers of so many bits each, as in a JPEG.
fn bits(numbers: impl Iterator<Item = (usize, u32)>) -> Vec<u8> {
    let mut bytes = vec![];
    let (mut buffer, mut length) = (0_u64, 0);
    let mut push = |byte: u8| {
        bytes.push(byte);
        if byte == 0xFF {
            bytes.push(0);
        }
    };
    for (number, bits) in numbers {
        buffer = buffer << bits | number as u64;
        length += bits;
        while length >= 8 {
            length -= 8;
            push((buffer >> length) as u8);
        }
    }
    if length > 0 {
        let ones = (1 << (8 - length)) - 1;
        push(((buffer << (8 - length)) | ones) as u8);
    }
    bytes
}

/// 9,000 x 9,000 pixels in less than a megabyte.
#[tokio::test]
async fn a_jpeg_of_thousands_of_scans_is_rejected() {
    let harmless = scans(9_000, 2);
    let limits = Limits {
        memory: Limits::FUNCTION.memory,
        cpu_seconds: 5,
        ..LIMITS
    };
    let children = children().with_limits(limits);
    assert!(children.rendition(harmless).await.is_ok());
    let file = scans(9_000, 6_000);
    assert!(file.len() < 1_000_000, "{}", file.len());
    let error = rendition(&children, &file).await.unwrap_err();
    assert_eq!(error.name().class(), ErrorClass::File, "{error:?}");
    assert_ne!(error, ProcessError::Crashed, "the file is valid");
}
