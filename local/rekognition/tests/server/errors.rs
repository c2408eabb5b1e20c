//! Rekognition's errors.

use crate::running::{Server, command, inline, path, sample};
use aws_sdk_rekognition::error::ProvideErrorMetadata;
use jpeg_encoder::{ColorType, Encoder};
use std::path::PathBuf;
use std::process::Stdio;

const DETECT_LABELS: &str = "RekognitionService.DetectLabels";

#[tokio::test]
async fn rejects_an_invalid_image_with_rekognitions_error() {
    let server = Server::start(&[]);
    let cat = sample("cat.jpg");
    let sized = |width: u16, height: u16| {
        let mut file = Vec::new();
        let pixels = vec![90; usize::from(width) * usize::from(height) * 3];
        Encoder::new(&mut file, 50)
            .encode(&pixels, width, height, ColorType::Rgb)
            .expect("it encodes");
        file
    };
    for (what, file, code) in [
        (
            "a text",
            b"this is text and not an image".to_vec(),
            "InvalidImageFormatException",
        ),
        (
            "a GIF",
            b"GIF89a\x90\x01\x2c\x01\x80\0\0".to_vec(),
            "InvalidImageFormatException",
        ),
        (
            "half a JPEG",
            cat[..cat.len() / 2].to_vec(),
            "InvalidImageFormatException",
        ),
        (
            "a JPEG's first bytes",
            cat[..20].to_vec(),
            "InvalidImageFormatException",
        ),
        ("79 pixels", sized(79, 200), "InvalidParameterException"),
        ("10,001 pixels", sized(10_001, 80), "ImageTooLargeException"),
        (
            "more than 5 MB",
            vec![0xFF; 5 * 1024 * 1024 + 1],
            "ImageTooLargeException",
        ),
        (
            "far more than 5 MB",
            vec![0xFF; 12 * 1024 * 1024],
            "ImageTooLargeException",
        ),
        ("nothing", Vec::new(), "InvalidParameterException"),
    ] {
        let answer = server.client().detect_labels().image(inline(file)).send().await;
        let error = answer
            .map(|answer| format!("{what} got {answer:?}"))
            .expect_err(what);
        assert_eq!(error.code(), Some(code), "{what}: {error:?}");
        assert!(
            error.message().is_some_and(|message| message.len() > 10),
            "{what}: {error:?}"
        );
    }
    // The server still works.
    assert!(!server.labels(cat).await.labels().is_empty());
}

#[test]
fn rejects_an_invalid_request_with_rekognitions_error() {
    let server = Server::start(&[]);
    for (target, body, name) in [
        (None, "{}", "UnknownOperationException"),
        (
            Some("RekognitionService.DetectFaces"),
            "{}",
            "UnknownOperationException",
        ),
        (Some("Rekognition"), "{}", "UnknownOperationException"),
        (Some(DETECT_LABELS), "", "SerializationException"),
        (Some(DETECT_LABELS), "{\"Image\":", "SerializationException"),
        (Some(DETECT_LABELS), "[]", "SerializationException"),
        (Some(DETECT_LABELS), "{}", "InvalidParameterException"),
        (
            Some(DETECT_LABELS),
            "{\"Image\":{\"Bytes\":\"$\"}}",
            "SerializationException",
        ),
    ] {
        let (status, answer) = server.post(target, body);
        assert_eq!(status, 400, "{target:?} {body}: {answer}");
        let answer: serde_json::Value = serde_json::from_str(&answer).expect("the answer is JSON");
        assert_eq!(answer["__type"], name, "{target:?} {body}: {answer}");
        assert!(
            answer["Message"]
                .as_str()
                .is_some_and(|message| !message.is_empty()),
            "{answer}"
        );
    }
    let (status, answer) =
        server.raw(b"GET /elsewhere HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    assert!(
        status == 400 && answer.contains("UnknownOperationException"),
        "{status} {answer}"
    );
    let (status, answer) =
        server.raw(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    assert!(status == 200 && answer.contains("ok"), "{status} {answer}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn rejects_a_decompression_bomb_without_allocating_memory() {
    let server = Server::start(&[]);
    let before = server.peak_memory();
    // Both claim 65,500 x 65,500 pixels, 12.9 GB: a photograph with a modified frame header, and a PNG header.
    let mut jpeg = sample("cat.jpg");
    let frame = jpeg
        .windows(2)
        .position(|marker| marker == [0xFF, 0xC0])
        .expect("a JPEG has a frame header");
    jpeg[frame + 5..frame + 9].copy_from_slice(&[0xFF, 0xDC, 0xFF, 0xDC]);
    let png =
        b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\xff\xdc\0\0\xff\xdc\x08\x02\0\0\0\x1c\x35\x81\x4c".to_vec();
    for file in [jpeg, png] {
        let error = server
            .client()
            .detect_labels()
            .image(inline(file))
            .send()
            .await
            .expect_err("it is rejected");
        assert_eq!(error.code(), Some("ImageTooLargeException"), "{error:?}");
    }
    let grown = server.peak_memory() - before;
    assert!(grown < 50_000, "rejecting both took {grown} kB");
}

#[tokio::test]
async fn throttles_requests_above_the_configured_rate() {
    let server = Server::start(&["--max-tps", "0.001"]);
    assert!(
        !server.labels(sample("cat.jpg")).await.labels().is_empty(),
        "the first request is accepted"
    );
    let answer = server
        .client()
        .detect_labels()
        .image(inline(sample("cat.jpg")))
        .send()
        .await;
    let error = answer
        .expect_err("the second request is throttled")
        .into_service_error();
    assert!(error.is_provisioned_throughput_exceeded_exception(), "{error:?}");
    let (status, _) = server.raw(b"GET /health HTTP/1.1\r\nhost: 127.0.0.1\r\nconnection: close\r\n\r\n");
    assert_eq!(status, 200, "health is not throttled");
}

#[test]
fn sigterm_stops_the_server_cleanly() {
    assert_eq!(Server::start(&[]).terminate(), Some(0));
}

#[test]
fn a_failed_start_says_what_is_missing() {
    let (models, runtime) = (path("ILG_MODELS"), path("ILG_ONNXRUNTIME"));
    let nowhere = PathBuf::from("/nowhere");
    for (models, runtime, arguments, message) in [
        (&nowhere, &runtime, vec![], "/nowhere/detector.onnx"),
        (
            &models,
            &nowhere,
            vec![],
            "ONNX Runtime cannot be loaded from /nowhere",
        ),
        (&models, &runtime, vec!["--max-tps", "0"], "above 0"),
        (&models, &runtime, vec!["--listen", "127.0.0.1:http"], "--listen"),
    ] {
        let output = command()
            .arg("--models")
            .arg(models)
            .arg("--onnxruntime")
            .arg(runtime)
            .args(&arguments)
            .stdin(Stdio::null())
            .output()
            .expect("the server starts");
        let error = String::from_utf8_lossy(&output.stderr);
        assert!(
            !output.status.success() && error.contains(message),
            "{message:?} is not in: {error}"
        );
    }
}
