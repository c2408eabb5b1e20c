//! Objects and events that arrive after their image was deleted.

use domain::ImageKey;

/// An event for a deleted image, or an object that exists although its image is deleted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum DeletedImageEvent {
    /// The API created the key for the deleted image. Any object that is uploaded under it belongs to that image.
    OfDeletedUpload,
    /// The event is not later than the deleted object's.
    NotNewer,
    /// The event is about a later object under a key that the owner chose and can use again.
    NewObject,
}

impl DeletedImageEvent {
    /// `newer`: whether the event is later than the last claimed one.
    pub fn of(image: &ImageKey, newer: bool) -> Self {
        if image.is_created_by_api() {
            Self::OfDeletedUpload
        } else if newer {
            Self::NewObject
        } else {
            Self::NotNewer
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use domain::ImageId;

    #[test]
    fn a_key_created_by_the_api_is_never_used_for_another_image() {
        let event = |name: &str, newer| {
            let key = ImageKey::parse("pictures", &format!("uploads/demo/{name}")).unwrap();
            DeletedImageEvent::of(&key, newer)
        };
        let of_api = ImageId::new().to_string();
        assert_eq!(event(&of_api, true), DeletedImageEvent::OfDeletedUpload);
        assert_eq!(event(&of_api, false), DeletedImageEvent::OfDeletedUpload);
        assert_eq!(event("cat.jpg", true), DeletedImageEvent::NewObject);
        assert_eq!(event("cat.jpg", false), DeletedImageEvent::NotNewer);
    }
}
