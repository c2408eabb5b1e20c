//! Images: ids, owners, keys, formats, limits and statuses.

use serde::{Deserialize, Serialize};
use std::fmt;
use strum::{EnumIter, IntoEnumIterator};
use uuid::{Builder, Uuid, Variant, Version};

/// Maximum size of an upload in bytes: 100 MB. Large enough for scans and panoramas, small enough for the conversion to
/// hold the file in memory.
pub const MAX_BYTES: u64 = 100 * 1024 * 1024;
/// Maximum width × height of an upload in pixels. The conversion holds all pixels in memory, at 3 or more bytes each.
pub const MAX_PIXELS: u64 = 150_000_000;
/// Minimum width and height in pixels. Source: Rekognition's guidelines and quotas.
pub const MIN_SIDE: u32 = 80;

/// Rekognition's limits for a picture that it reads from S3. Source: Rekognition's guidelines and quotas.
pub mod rekognition {
    /// Maximum size of an S3 object in bytes: 15 MB.
    pub const MAX_BYTES: u64 = 15 * 1024 * 1024;
    /// Maximum width and height in pixels.
    pub const MAX_SIDE: u32 = 10_000;
}

/// The keys of all uploads start with this prefix.
pub const UPLOADS_PREFIX: &str = "uploads/";
/// The keys of all pictures that were converted for Rekognition start with this prefix. It is outside
/// [`UPLOADS_PREFIX`], so that no rendition starts an execution.
pub const RENDITIONS_PREFIX: &str = "renditions/";
/// The keys of all thumbnails start with this prefix.
pub const THUMBNAILS_PREFIX: &str = "thumbnails/";
/// The keys of all objects that are derived from videos start with this prefix: see [`crate::video`].
pub const VIDEOS_PREFIX: &str = "videos/";

/// The prefixes of the keys of all objects that are derived from an image: its renditions, its thumbnails, and what is derived
/// from a video.
pub fn derived_prefixes(owner: &Owner, image_id: ImageId) -> [String; 3] {
    [RENDITIONS_PREFIX, THUMBNAILS_PREFIX, VIDEOS_PREFIX]
        .map(|prefix| format!("{prefix}{}/{image_id}/", owner.0))
}

/// The key of the rendition that an execution writes. It contains the execution's name, so that executions that process
/// different versions of an object at the same time do not overwrite each other's rendition.
pub fn rendition_key(owner: &Owner, image_id: ImageId, execution_arn: &str) -> String {
    let [renditions, ..] = derived_prefixes(owner, image_id);
    format!("{renditions}{}", execution_name(execution_arn))
}

/// The key of a thumbnail that belongs to the result of an execution. `side` is its longest side in pixels.
pub fn thumbnail_key(owner: &Owner, image_id: ImageId, execution_arn: &str, side: u32) -> String {
    let [_, thumbnails, _] = derived_prefixes(owner, image_id);
    format!("{thumbnails}{}/{side}", execution_name(execution_arn))
}

/// The execution's name: the last part of its ARN.
pub fn execution_name(execution_arn: &str) -> &str {
    execution_arn.rsplit(':').next().unwrap_or(execution_arn)
}

/// The parts of the key of a thumbnail, or of an object that is derived from a video.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DerivedKey<'a> {
    /// The image's owner.
    pub owner: Owner,
    /// The image.
    pub image_id: ImageId,
    /// The name of the execution to whose result it belongs.
    pub execution: &'a str,
}

impl<'a> DerivedKey<'a> {
    /// Splits a key into its parts. `None` if it is not the key of such an object.
    pub fn parse(key: &'a str) -> Option<Self> {
        let rest = key.strip_prefix(THUMBNAILS_PREFIX);
        let mut parts = rest.or_else(|| key.strip_prefix(VIDEOS_PREFIX))?.split('/');
        let (owner, image_id) = (Owner::new(parts.next()?)?, ImageId::parse(parts.next()?)?);
        let execution = parts.next().filter(|execution| !execution.is_empty())?;
        let _name = parts.next().filter(|name| !name.is_empty())?;
        parts.next().is_none().then_some(Self {
            owner,
            image_id,
            execution,
        })
    }
}

/// The namespace for the ids of objects that were not uploaded through the API.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x5b0c_7f0e_2a43_4c55_9d18_61e1_7a0b_9c31);

/// An image's id: a UUIDv7 created by the API, or a UUIDv5 derived from bucket and key. Sorted as in the table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
#[cfg_attr(
    feature = "openapi",
    derive(utoipa::ToSchema),
    schema(
        value_type = String,
        format = "uuid",
        pattern = "^[0-9a-f]{8}-[0-9a-f]{4}-[57][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$",
    )
)]
pub struct ImageId(Uuid);

impl ImageId {
    /// Creates an id for an upload through the API. Later ids sort after earlier ones.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The lowest id that the API can have created in a millisecond, counted since 1970. Ids that the API creates later
    /// are greater, and so are the sort keys of their images.
    pub fn first_of_millisecond(millisecond: u64) -> Self {
        Self(Builder::from_unix_timestamp_millis(millisecond, &[0; 10]).into_uuid())
    }

    /// Reads an id in its canonical form: lower case, with hyphens. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        let known = matches!(id.get_version(), Some(Version::SortRand | Version::Sha1))
            && id.get_variant() == Variant::RFC4122;
        (known && id.hyphenated().to_string() == text).then_some(Self(id))
    }

    /// The id of an object: the last part of the key if the API created the key, otherwise derived from bucket and key.
    fn of_object(bucket: &str, key: &str, name: &str) -> Self {
        match Self::parse(name) {
            Some(id) if id.0.get_version() == Some(Version::SortRand) => id,
            _ => Self(Uuid::new_v5(&KEY_NAMESPACE, format!("{bucket}/{key}").as_bytes())),
        }
    }
}

impl Default for ImageId {
    fn default() -> Self {
        Self::new()
    }
}

impl fmt::Display for ImageId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.hyphenated().fmt(f)
    }
}

/// The owner of an image: the part of the key between `uploads/` and the next slash. Not empty, and without a slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    /// `None` if the text is empty or contains a slash.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('/')).then(|| Self(text.to_owned()))
    }

    /// The owner as in the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The parts of the key of an image's object: `uploads/<owner>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageKey {
    /// The image's owner.
    pub owner: Owner,
    /// The image's id.
    pub image_id: ImageId,
    /// The file's name, which is the last part of the key. `None` if the API created the key.
    pub file_name: Option<String>,
}

impl ImageKey {
    /// Whether the API created the key. Such a key is for one upload only, so a later object under it is not another
    /// image.
    pub fn is_created_by_api(&self) -> bool {
        self.file_name.is_none()
    }

    /// The key of an upload through the API.
    pub fn for_upload(owner: &Owner, image_id: ImageId) -> String {
        format!("{UPLOADS_PREFIX}{}/{image_id}", owner.0)
    }

    /// Splits a key into its parts. It does not URL-decode the key: keys in EventBridge events are not encoded, and
    /// decoding would change keys that contain `+` or `%`.
    ///
    /// `None` if the key is not an upload's: it has another prefix, has no owner or name, or is a folder marker.
    pub fn parse(bucket: &str, key: &str) -> Option<Self> {
        let (owner, name) = key.strip_prefix(UPLOADS_PREFIX)?.split_once('/')?;
        if name.is_empty() || name.ends_with('/') {
            return None;
        }
        let owner = Owner::new(owner)?;
        let image_id = ImageId::of_object(bucket, key, name);
        let by_api = Self::for_upload(&owner, image_id) == key;
        let file_name = (!by_api).then(|| name.rsplit('/').next().unwrap_or(name).to_owned());
        Some(Self {
            owner,
            image_id,
            file_name,
        })
    }
}

/// The supported picture formats.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, EnumIter, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Format {
    /// `image/jpeg`
    Jpeg,
    /// `image/png`
    Png,
    /// `image/webp`
    WebP,
    /// `image/avif`
    Avif,
    /// `image/gif`
    Gif,
    /// `image/bmp`
    Bmp,
    /// `image/tiff`
    Tiff,
    /// `image/heic`: HEIF with HEVC data
    Heic,
    /// Raw file of Nikon cameras
    Nef,
    /// Raw file of older Canon cameras
    Cr2,
    /// Raw file of newer Canon cameras
    Cr3,
    /// Raw file of Sony cameras
    Arw,
    /// Raw file in Adobe's format
    Dng,
    /// Raw file of Olympus cameras
    Orf,
    /// Raw file of Panasonic cameras
    Rw2,
    /// Raw file of Fujifilm cameras
    Raf,
    /// Raw file of Pentax cameras
    Pef,
    /// Raw file of Samsung cameras
    Srw,
}

impl Format {
    /// The format for a MIME type, such as `image/jpeg`. The types in [`Self::ALIASES`] are accepted, too.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        let alias = Self::ALIASES.iter().find(|(alias, _)| *alias == content_type);
        match alias {
            Some((_, format)) => Some(*format),
            None => Self::iter().find(|format| format.content_type() == content_type),
        }
    }

    /// Other MIME types that browsers, operating systems and programs use for a format.
    pub const ALIASES: &[(&str, Self)] = &[
        ("image/jpg", Self::Jpeg),
        ("image/pjpeg", Self::Jpeg),
        ("image/mpo", Self::Jpeg),
        ("image/apng", Self::Png),
        ("image/x-png", Self::Png),
        ("image/avif-sequence", Self::Avif),
        ("image/x-bmp", Self::Bmp),
        ("image/x-ms-bmp", Self::Bmp),
        ("image/x-windows-bmp", Self::Bmp),
        ("image/tif", Self::Tiff),
        ("image/x-tif", Self::Tiff),
        ("image/x-tiff", Self::Tiff),
        ("image/heif", Self::Heic),
        ("image/heic-sequence", Self::Heic),
        ("image/heif-sequence", Self::Heic),
        ("image/dng", Self::Dng),
        ("image/x-dng", Self::Dng),
        ("image/x-nikon-nrw", Self::Nef),
        ("image/x-panasonic-rw", Self::Rw2),
        ("image/x-panasonic-raw", Self::Rw2),
        ("image/x-sony-sr2", Self::Arw),
    ];

    /// Whether this is a camera's raw format. Only the preview that such a file contains is used.
    pub fn is_raw(self) -> bool {
        matches!(
            self,
            Self::Nef
                | Self::Cr2
                | Self::Cr3
                | Self::Arw
                | Self::Dng
                | Self::Orf
                | Self::Rw2
                | Self::Raf
                | Self::Pef
                | Self::Srw
        )
    }

    /// The format's common name, such as `WebP`.
    pub fn as_str(self) -> &'static str {
        self.names().0
    }

    /// The format's MIME type.
    pub fn content_type(self) -> &'static str {
        self.names().1
    }

    /// The usual file name extension, without the dot.
    pub fn extension(self) -> &'static str {
        self.names().2
    }

    /// Common name, MIME type and extension. Raw files have no registered types; these are the usual ones.
    fn names(self) -> (&'static str, &'static str, &'static str) {
        match self {
            Self::Jpeg => ("JPEG", "image/jpeg", "jpg"),
            Self::Png => ("PNG", "image/png", "png"),
            Self::WebP => ("WebP", "image/webp", "webp"),
            Self::Avif => ("AVIF", "image/avif", "avif"),
            Self::Gif => ("GIF", "image/gif", "gif"),
            Self::Bmp => ("BMP", "image/bmp", "bmp"),
            Self::Tiff => ("TIFF", "image/tiff", "tif"),
            Self::Heic => ("HEIC", "image/heic", "heic"),
            Self::Nef => ("NEF", "image/x-nikon-nef", "nef"),
            Self::Cr2 => ("CR2", "image/x-canon-cr2", "cr2"),
            Self::Cr3 => ("CR3", "image/x-canon-cr3", "cr3"),
            Self::Arw => ("ARW", "image/x-sony-arw", "arw"),
            Self::Dng => ("DNG", "image/x-adobe-dng", "dng"),
            Self::Orf => ("ORF", "image/x-olympus-orf", "orf"),
            Self::Rw2 => ("RW2", "image/x-panasonic-rw2", "rw2"),
            Self::Raf => ("RAF", "image/x-fuji-raf", "raf"),
            Self::Pef => ("PEF", "image/x-pentax-pef", "pef"),
            Self::Srw => ("SRW", "image/x-samsung-srw", "srw"),
        }
    }
}

/// A JPEG that is derived from an image and stored in the same bucket.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Rendition {
    /// The object's key, in the original's bucket.
    pub key: String,
    /// Width in pixels.
    pub width: u32,
    /// Height in pixels.
    pub height: u32,
}

/// How to rotate and mirror the stored pixels for display: the EXIF orientation, 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Orientation(u8);

impl Orientation {
    /// The pixels are stored as displayed.
    pub const UPRIGHT: Self = Self(1);

    /// The EXIF orientation, 1 to 8.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether the displayed width is the stored height.
    pub fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// The displayed width and height for the stored ones.
    pub fn displayed(self, (width, height): (u32, u32)) -> (u32, u32) {
        if self.swaps_sides() {
            (height, width)
        } else {
            (width, height)
        }
    }
}

impl Default for Orientation {
    fn default() -> Self {
        Self::UPRIGHT
    }
}

impl From<u32> for Orientation {
    /// A number outside 1 to 8 counts as upright.
    fn from(number: u32) -> Self {
        match u8::try_from(number) {
            Ok(number @ 1..=8) => Self(number),
            _ => Self::UPRIGHT,
        }
    }
}

impl From<Orientation> for u32 {
    fn from(orientation: Orientation) -> Self {
        orientation.0.into()
    }
}

/// Processing status.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    /// The API has created the upload. The file has not arrived yet.
    AwaitingUpload,
    /// An execution has claimed the image.
    Processing,
    /// Final: the image has been labeled. All labels may be below the threshold.
    Labeled,
    /// Final: the file cannot be labeled.
    Rejected,
    /// The execution failed and can be redriven.
    Failed,
    /// Deleted by the owner. The record expires automatically.
    Deleted,
}

impl Status {
    /// The status as stored in records.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::AwaitingUpload => "AWAITING_UPLOAD",
            Self::Processing => "PROCESSING",
            Self::Labeled => "LABELED",
            Self::Rejected => "REJECTED",
            Self::Failed => "FAILED",
            Self::Deleted => "DELETED",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BUCKET: &str = "pictures";

    #[test]
    fn a_format_is_found_by_its_content_type_and_by_its_aliases() {
        for format in Format::iter() {
            assert_eq!(Format::from_content_type(format.content_type()), Some(format));
        }
        assert_eq!(Format::from_content_type("image/jpg"), Some(Format::Jpeg));
        assert_eq!(Format::from_content_type("image/heif"), Some(Format::Heic));
        assert_eq!(Format::from_content_type("image/x-dng"), Some(Format::Dng));
        for other in [
            "",
            "image/",
            "image/svg+xml",
            "IMAGE/JPEG",
            "image/jpeg ",
            "video/mp4",
        ] {
            assert_eq!(Format::from_content_type(other), None, "{other}");
        }
    }

    #[test]
    fn no_alias_hides_the_content_type_of_a_format() {
        for (alias, _) in Format::ALIASES {
            assert!(
                Format::iter().all(|format| format.content_type() != *alias),
                "{alias}"
            );
            let uses = Format::ALIASES.iter().filter(|(other, _)| other == alias);
            assert_eq!(uses.count(), 1, "{alias}");
        }
    }

    #[test]
    fn parses_a_key_created_by_the_api() {
        let (owner, id) = (Owner::new("demo").unwrap(), ImageId::new());
        let key = ImageKey::parse(BUCKET, &ImageKey::for_upload(&owner, id)).unwrap();
        assert!(key.is_created_by_api());
        assert_eq!(
            key,
            ImageKey {
                owner,
                image_id: id,
                file_name: None
            }
        );
    }

    #[test]
    fn ids_sort_after_the_first_id_of_their_millisecond() {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = u64::try_from(now.as_millis()).unwrap();
        let id = ImageId::new().to_string();
        assert!(ImageId::first_of_millisecond(now).to_string() <= id);
        assert!(id < ImageId::first_of_millisecond(now + 60_000).to_string());
    }

    #[test]
    fn keys_of_other_tools_are_not_decoded() {
        for name in [
            "a b.jpg",
            "a+b.jpg",
            "a%2Bb.jpg",
            "a#b.jpg",
            "🐈.jpg",
            "2026/11/cat.jpg",
            "//x",
        ] {
            let key = ImageKey::parse(BUCKET, &format!("uploads/demo/{name}")).unwrap();
            assert_eq!(key.owner.as_str(), "demo");
            assert!(!key.is_created_by_api());
            assert_eq!(key.file_name.as_deref(), name.rsplit('/').next());
        }
    }

    #[test]
    fn the_same_key_has_the_same_id_and_similar_keys_have_different_ids() {
        let id = |bucket, key| ImageKey::parse(bucket, key).unwrap().image_id;
        assert_eq!(id(BUCKET, "uploads/demo/a b"), id(BUCKET, "uploads/demo/a b"));
        assert_ne!(id(BUCKET, "uploads/demo/a b"), id(BUCKET, "uploads/demo/a+b"));
        assert_ne!(id(BUCKET, "uploads/demo/a"), id(BUCKET, "uploads/other/a"));
        assert_ne!(id(BUCKET, "uploads/demo/a"), id("other", "uploads/demo/a"));
    }

    #[test]
    fn an_id_in_a_subfolder_is_not_an_id_of_the_api() {
        let id = ImageId::new();
        let key = ImageKey::parse(BUCKET, &format!("uploads/demo/x/{id}")).unwrap();
        assert_ne!(key.image_id, id);
    }

    #[test]
    fn rejects_keys_that_are_not_uploads() {
        for key in [
            "uploads/",
            "uploads/demo",
            "uploads/demo/",
            "uploads//x",
            "uploads/demo/a/",
            "x/demo/a",
            "",
        ] {
            assert_eq!(ImageKey::parse(BUCKET, key), None, "{key}");
        }
    }

    #[test]
    fn accepts_only_canonical_ids() {
        let id = ImageId::new().to_string();
        assert!(ImageId::parse(&id).is_some());
        for text in [
            id.to_uppercase(),
            id.replace('-', ""),
            format!("{{{id}}}"),
            "1".into(),
            String::new(),
        ] {
            assert_eq!(ImageId::parse(&text), None, "{text}");
        }
        let random = "9b2f4e9c-6b1a-4d8e-8f0a-1c2d3e4f5a6b";
        assert_eq!(ImageId::parse(random), None, "version 4 is never created");
    }

    proptest! {
        #[test]
        fn the_owner_of_any_upload_is_the_one_in_its_key(key in "(uploads/)?\\PC{0,40}(/\\PC{0,40})?") {
            if let Some(image) = ImageKey::parse(BUCKET, &key) {
                let prefix = format!("uploads/{}/", image.owner.as_str());
                prop_assert!(key.starts_with(&prefix));
            }
        }
    }
}
