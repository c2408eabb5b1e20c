//! The media type of a file: by its extension, else by its first bytes.

use std::path::Path;

/// What each kind of picture begins with.
const SIGNATURES: [(&[u8], &str); 6] = [
    (b"\xFF\xD8\xFF", "image/jpeg"),
    (b"\x89PNG\r\n\x1A\n", "image/png"),
    (b"GIF8", "image/gif"),
    (b"BM", "image/bmp"),
    (b"II*\0", "image/tiff"),
    (b"MM\0*", "image/tiff"),
];

/// The media type to announce. Whether it is one that is labeled, the API decides.
pub(super) fn guess(file: &Path, start: &[u8]) -> &'static str {
    let extension = file
        .extension()
        .and_then(|extension| extension.to_str())
        .unwrap_or_default();
    match extension.to_ascii_lowercase().as_str() {
        "jpg" | "jpeg" | "jpe" | "jfif" => "image/jpeg",
        "png" => "image/png",
        "gif" => "image/gif",
        "webp" => "image/webp",
        "avif" => "image/avif",
        "bmp" => "image/bmp",
        "tif" | "tiff" => "image/tiff",
        "heic" | "heif" => "image/heic",
        _ => SIGNATURES
            .iter()
            .find(|(signature, _)| start.starts_with(signature))
            .map_or("application/octet-stream", |(_, media_type)| media_type),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_extension_decides_and_the_bytes_where_there_is_none() {
        assert_eq!(guess(Path::new("a/Cat.JPG"), b""), "image/jpeg");
        assert_eq!(guess(Path::new("cat.png"), b"\xFF\xD8\xFF\xE0"), "image/png");
        assert_eq!(guess(Path::new("IMG_0001"), b"\xFF\xD8\xFF\xE0"), "image/jpeg");
        assert_eq!(
            guess(Path::new("download.tmp"), b"\x89PNG\r\n\x1A\n\0"),
            "image/png"
        );
        assert_eq!(
            guess(Path::new("notes.txt"), b"hello"),
            "application/octet-stream"
        );
        assert_eq!(guess(Path::new("empty"), b""), "application/octet-stream");
    }
}
