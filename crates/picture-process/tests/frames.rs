//! Key frames of a video in real children. One that ends its child does not affect the others.

use domain::{ErrorClass, ErrorName};
use picture::Jpeg;
use picture_process::{Limits, MAX_FRAMES, PictureProcess, ProcessError};
use std::path::Path;
use std::time::Duration;
use video::{MAX_FRAME_BYTES, Size, Track};
use video_header::{Codec, Look, Pieces, Select, key_frames, look};

const VIDEO: &[u8] = include_bytes!("../../video/fixtures/h264.mp4");

/// Enough processor time to decode the frames without optimizations, also on a slow machine.
const LIMITS: Limits = Limits {
    memory: 256 * 1024 * 1024,
    cpu_seconds: 5,
    wall_time: Duration::from_secs(600),
};

const SIZE: Size = Size {
    longest_side: 64,
    quality: 80,
};

fn children() -> PictureProcess {
    PictureProcess::of(Path::new(env!("CARGO_BIN_EXE_misbehaving-child"))).with_limits(LIMITS)
}

fn track() -> Track {
    match look(&Pieces::all(VIDEO)).unwrap() {
        Look::Found(video) => Track::from(&video),
        Look::Read(_) => panic!("the whole file is there"),
    }
}

fn frame() -> Vec<u8> {
    let Look::Found(frames) = key_frames(&Pieces::all(VIDEO), Select::AtOrAfter(500)).unwrap() else {
        panic!("the whole file is there")
    };
    let from = usize::try_from(frames[0].position).unwrap();
    VIDEO[from..from + frames[0].size as usize].to_vec()
}

fn name(result: &Result<Jpeg, ProcessError>) -> Option<ErrorName> {
    result.as_ref().err().map(ProcessError::name)
}

#[tokio::test]
async fn decodes_like_the_library() {
    let expected = video::jpeg(&track(), &frame(), SIZE).unwrap();
    let found = children().frames(&track(), SIZE, vec![frame(); 3]).await;
    assert_eq!(found, Ok(vec![Ok(expected); 3]));
    assert_eq!(children().frames(&track(), SIZE, vec![]).await, Ok(vec![]));
    let too_many = vec![frame(); MAX_FRAMES + 1];
    assert_eq!(
        children().frames(&track(), SIZE, too_many).await.unwrap().len(),
        MAX_FRAMES
    );
}

#[tokio::test]
async fn a_frame_that_ends_its_child_affects_no_other() {
    for (file, expected) in [
        (&b"panics"[..], ErrorName::InvalidImage),
        (b"aborts", ErrorName::InvalidImage),
        (b"answers something else", ErrorName::InvalidImage),
        (b"ends without an answer", ErrorName::InvalidImage),
        (b"allocates without limit", ErrorName::TooComplex),
        (b"no frame", ErrorName::InvalidImage),
    ] {
        let frames = vec![frame(), file.to_vec(), frame(), file.to_vec(), frame()];
        let found = children().frames(&track(), SIZE, frames).await.unwrap();
        let names: Vec<_> = found.iter().map(name).collect();
        let text = String::from_utf8_lossy(file);
        assert_eq!(
            names,
            [None, Some(expected), None, Some(expected), None],
            "{text}"
        );
        let error = found[1].as_ref().unwrap_err().to_string();
        assert!(error.contains("H.264"), "{error}");
    }
}

#[tokio::test]
async fn after_some_crashes_the_rest_is_not_decoded() {
    let mut frames = vec![b"panics".to_vec(); 5];
    frames.push(frame());
    let found = children().frames(&track(), SIZE, frames).await.unwrap();
    assert_eq!(
        found.iter().map(name).collect::<Vec<_>>(),
        [Some(ErrorName::InvalidImage); 6]
    );
}

#[tokio::test]
async fn frames_share_the_time() {
    let frames = vec![frame(), b"never ends".to_vec(), frame(), b"never ends".to_vec()];
    let found = children().frames(&track(), SIZE, frames).await.unwrap();
    let late = Some(ErrorName::TooComplex);
    assert_eq!(
        found.iter().map(name).collect::<Vec<_>>(),
        [None, late, late, late]
    );
    let impatient = children().with_limits(Limits {
        wall_time: Duration::from_millis(500),
        ..LIMITS
    });
    let frames = vec![b"waits forever".to_vec(), frame()];
    let found = impatient.frames(&track(), SIZE, frames).await.unwrap();
    assert_eq!(found.iter().map(name).collect::<Vec<_>>(), [late, late]);
}

#[tokio::test]
async fn what_is_rejected_without_decoding_names_the_codec() {
    let large = vec![0; usize::try_from(MAX_FRAME_BYTES).unwrap() + 1];
    let frames = vec![frame(), large.clone(), frame(), large];
    let found = children().frames(&track(), SIZE, frames).await.unwrap();
    let error = Some(ErrorName::TooComplex);
    assert_eq!(
        found.iter().map(name).collect::<Vec<_>>(),
        [None, error, None, error]
    );

    let mpeg4 = Track {
        codec: Codec::Mpeg4,
        ..track()
    };
    let found = children().frames(&mpeg4, SIZE, vec![frame()]).await.unwrap();
    assert_eq!(name(&found[0]), Some(ErrorName::UnsupportedFormat));
    assert!(found[0].as_ref().unwrap_err().to_string().contains("MPEG-4"));
}

#[tokio::test]
async fn a_strip_is_made_of_the_frames() {
    let small = Size {
        longest_side: 40,
        quality: 80,
    };
    let frames = children()
        .frames(&track(), small, vec![frame(); 3])
        .await
        .unwrap();
    let frames: Vec<Jpeg> = frames.into_iter().map(Result::unwrap).collect();
    let strip = children().strip(frames.clone()).await.unwrap();
    assert_eq!(
        (strip.width, strip.height),
        (3 * frames[0].width, frames[0].height)
    );
    let broken = Jpeg {
        bytes: b"no picture".to_vec(),
        width: 40,
        height: 40,
    };
    let error = children().strip(vec![broken]).await.unwrap_err();
    assert_eq!(error.name().class(), ErrorClass::File);
}

#[tokio::test]
async fn a_program_that_cannot_be_started_is_a_problem_of_the_service() {
    let process = PictureProcess::of(Path::new("/nowhere"));
    let error = process.frames(&track(), SIZE, vec![frame()]).await.unwrap_err();
    assert_eq!(error.name().class(), ErrorClass::Transient, "{error:?}");
}
