//! Images: ids, owners, keys, formats and the limits of Rekognition.

use serde::{Deserialize, Serialize};
use std::fmt;
use strum::EnumIter;
use uuid::{Builder, Uuid, Variant, Version};

/// Most bytes of an upload, 100 MB: scans and panoramas fit, and what converts them holds them in memory.
pub const MAX_BYTES: u64 = 100 * 1024 * 1024;
/// Most pixels of an upload, width times height: what converts them holds them in memory, at 3 bytes each and more.
pub const MAX_PIXELS: u64 = 150_000_000;
/// Fewest pixels a side. Source: Rekognition's guidelines and quotas.
pub const MIN_SIDE: u32 = 80;

/// What Rekognition takes as it is. Source: Rekognition's guidelines and quotas.
pub mod rekognition {
    /// Most bytes of an object in S3, 15 MB.
    pub const MAX_BYTES: u64 = 15 * 1024 * 1024;
    /// Most pixels a side.
    pub const MAX_SIDE: u32 = 10_000;
}

/// All uploads have keys under this prefix.
pub const UPLOADS_PREFIX: &str = "uploads/";
/// All pictures that were converted for Rekognition have keys under this prefix. Outside of [`UPLOADS_PREFIX`], so that
/// none starts an execution.
pub const RENDITIONS_PREFIX: &str = "renditions/";
/// All thumbnails have keys under this prefix.
pub const THUMBNAILS_PREFIX: &str = "thumbnails/";

/// What stands before the keys of everything that was made of an image: its renditions and its thumbnails.
pub fn derived_prefixes(owner: &Owner, image_id: ImageId) -> [String; 2] {
    [RENDITIONS_PREFIX, THUMBNAILS_PREFIX].map(|prefix| format!("{prefix}{}/{image_id}/", owner.0))
}

/// The key of the rendition that an execution makes. Executions that work on different versions of an object at the same
/// time must not meet in it.
pub fn rendition_key(owner: &Owner, image_id: ImageId, execution_arn: &str) -> String {
    let [renditions, _] = derived_prefixes(owner, image_id);
    format!("{renditions}{}", execution_name(execution_arn))
}

/// The key of a thumbnail of the result of an execution, by its longest side in pixels.
pub fn thumbnail_key(owner: &Owner, image_id: ImageId, execution_arn: &str, side: u32) -> String {
    let [_, thumbnails] = derived_prefixes(owner, image_id);
    format!("{thumbnails}{}/{side}", execution_name(execution_arn))
}

/// The last part of its ARN.
fn execution_name(execution_arn: &str) -> &str {
    execution_arn.rsplit(':').next().unwrap_or(execution_arn)
}

/// Ids of objects that were not uploaded through the API are derived within this namespace.
const KEY_NAMESPACE: Uuid = Uuid::from_u128(0x5b0c_7f0e_2a43_4c55_9d18_61e1_7a0b_9c31);

/// An image's id: a UUIDv7 handed out by the API, or a UUIDv5 derived from bucket and key.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
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
    /// A new id for an upload through the API; later ids sort behind earlier ones.
    pub fn new() -> Self {
        Self(Uuid::now_v7())
    }

    /// The least id that the API can have handed out in a millisecond, counted since 1970: the sort keys of images that
    /// were announced later are greater.
    pub fn first_of(millisecond: u64) -> Self {
        Self(Builder::from_unix_timestamp_millis(millisecond, &[0; 10]).into_uuid())
    }

    /// Reads an id in its canonical form: lower case, with hyphens. `None` for anything else.
    pub fn parse(text: &str) -> Option<Self> {
        let id = Uuid::try_parse(text).ok()?;
        let known = matches!(id.get_version(), Some(Version::SortRand | Version::Sha1))
            && id.get_variant() == Variant::RFC4122;
        (known && id.hyphenated().to_string() == text).then_some(Self(id))
    }

    /// The id of an object: its name, where the API handed out the key, otherwise derived from
    /// bucket and key.
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

/// Whose image it is: what stands between `uploads/` and the next slash. Not empty, no slash.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Owner(String);

impl Owner {
    /// `None` where the text is empty or contains a slash.
    pub fn new(text: &str) -> Option<Self> {
        (!text.is_empty() && !text.contains('/')).then(|| Self(text.to_owned()))
    }

    /// As it stands in the key.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// The key of an image's object, taken apart: `uploads/<owner>/<name>`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageKey {
    /// Whose image it is.
    pub owner: Owner,
    /// The image's id.
    pub image_id: ImageId,
    /// The last part of the key, where the key was not handed out by the API: the file's own name.
    pub file_name: Option<String>,
}

impl ImageKey {
    /// Whether the API handed the key out: for one upload, so that whatever comes later under it is no other image.
    pub fn is_of_api(&self) -> bool {
        self.file_name.is_none()
    }

    /// The key under which the API lets an owner upload.
    pub fn for_upload(owner: &Owner, image_id: ImageId) -> String {
        format!("{UPLOADS_PREFIX}{}/{image_id}", owner.0)
    }

    /// Takes a key apart as it stands: keys in EventBridge events are not URL-encoded, and decoding
    /// them would break those that contain `+` or `%`.
    ///
    /// `None` for what is no upload: keys elsewhere, without owner or name, and folder markers.
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

/// The kinds of picture files that are taken.
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
}

impl Format {
    /// From a MIME type, such as `image/jpeg`. Some browsers have names of their own for BMP.
    pub fn from_content_type(content_type: &str) -> Option<Self> {
        match content_type {
            "image/jpeg" => Some(Self::Jpeg),
            "image/png" => Some(Self::Png),
            "image/webp" => Some(Self::WebP),
            "image/avif" => Some(Self::Avif),
            "image/gif" => Some(Self::Gif),
            "image/bmp" | "image/x-ms-bmp" => Some(Self::Bmp),
            "image/tiff" => Some(Self::Tiff),
            _ => None,
        }
    }

    /// As people call it.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Jpeg => "JPEG",
            Self::Png => "PNG",
            Self::WebP => "WebP",
            Self::Avif => "AVIF",
            Self::Gif => "GIF",
            Self::Bmp => "BMP",
            Self::Tiff => "TIFF",
        }
    }

    /// Its MIME type.
    pub fn content_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
            Self::WebP => "image/webp",
            Self::Avif => "image/avif",
            Self::Gif => "image/gif",
            Self::Bmp => "image/bmp",
            Self::Tiff => "image/tiff",
        }
    }

    /// What its files' names end in, without the dot.
    pub fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
            Self::WebP => "webp",
            Self::Avif => "avif",
            Self::Gif => "gif",
            Self::Bmp => "bmp",
            Self::Tiff => "tif",
        }
    }
}

/// How the pixels of a file are to be turned and mirrored to be seen: EXIF's number, 1 to 8.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(from = "u32", into = "u32")]
pub struct Orientation(u8);

impl Orientation {
    /// Stored as seen.
    pub const UPRIGHT: Self = Self(1);

    /// EXIF's number, 1 to 8.
    pub fn number(self) -> u8 {
        self.0
    }

    /// Whether the width as seen is the stored height.
    pub fn swaps_sides(self) -> bool {
        self.0 >= 5
    }

    /// Width and height as seen, from those stored.
    pub fn seen(self, (width, height): (u32, u32)) -> (u32, u32) {
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
    /// What is not 1 to 8 counts as upright.
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

/// Where an image is on its way.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "SCREAMING_SNAKE_CASE")]
#[cfg_attr(feature = "openapi", derive(utoipa::ToSchema))]
pub enum Status {
    /// The API has handed out an upload; nothing has landed yet.
    AwaitingUpload,
    /// An execution has claimed it.
    Processing,
    /// Done: it has labels, though possibly none above the threshold.
    Labeled,
    /// Done: the file is at fault.
    Rejected,
    /// The system is at fault; can be run again.
    Failed,
    /// Deleted by its owner; the record expires by itself.
    Deleted,
}

impl Status {
    /// As it stands in records.
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
    fn a_key_handed_out_by_the_api_leads_back_to_its_image() {
        let (owner, id) = (Owner::new("demo").unwrap(), ImageId::new());
        let key = ImageKey::parse(BUCKET, &ImageKey::for_upload(&owner, id)).unwrap();
        assert!(key.is_of_api());
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
    fn ids_of_the_api_sort_behind_the_first_of_their_time() {
        let now = std::time::SystemTime::now()
            .duration_since(std::time::UNIX_EPOCH)
            .unwrap();
        let now = u64::try_from(now.as_millis()).unwrap();
        let id = ImageId::new().to_string();
        assert!(ImageId::first_of(now).to_string() <= id);
        assert!(id < ImageId::first_of(now + 60_000).to_string());
    }

    #[test]
    fn keys_of_other_tools_are_taken_as_they_stand() {
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
            assert!(!key.is_of_api());
            assert_eq!(key.file_name.as_deref(), name.rsplit('/').next());
        }
    }

    #[test]
    fn similar_keys_get_different_ids_and_the_same_key_the_same_id() {
        let id = |bucket, key| ImageKey::parse(bucket, key).unwrap().image_id;
        assert_eq!(id(BUCKET, "uploads/demo/a b"), id(BUCKET, "uploads/demo/a b"));
        assert_ne!(id(BUCKET, "uploads/demo/a b"), id(BUCKET, "uploads/demo/a+b"));
        assert_ne!(id(BUCKET, "uploads/demo/a"), id(BUCKET, "uploads/other/a"));
        assert_ne!(id(BUCKET, "uploads/demo/a"), id("other", "uploads/demo/a"));
    }

    #[test]
    fn an_id_inside_a_folder_is_not_mistaken_for_one_of_the_api() {
        let id = ImageId::new();
        let key = ImageKey::parse(BUCKET, &format!("uploads/demo/x/{id}")).unwrap();
        assert_ne!(key.image_id, id);
    }

    #[test]
    fn what_is_no_upload_leaves_no_record() {
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
    fn only_canonical_ids_are_ids() {
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
        assert_eq!(ImageId::parse(random), None, "version 4 is never handed out");
    }

    proptest! {
        #[test]
        fn any_key_is_an_upload_of_the_named_owner_or_none(key in "(uploads/)?\\PC{0,40}(/\\PC{0,40})?") {
            if let Some(image) = ImageKey::parse(BUCKET, &key) {
                let prefix = format!("uploads/{}/", image.owner.as_str());
                prop_assert!(key.starts_with(&prefix));
            }
        }
    }
}
