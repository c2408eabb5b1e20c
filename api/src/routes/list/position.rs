//! Where a page of a list ended.

use crate::routes::list::query::Order;
use domain::{ImageId, table};
use jiff::Timestamp;
use jiff::civil::DateTime;
use records::{Added, Confident};

/// A position in a list, in one of the three orders.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Position {
    /// In the order of time.
    History(Place),
    /// In the order of uploads.
    Added(Added),
    /// In the order of confidences, with the place as text.
    Confidence(Confident, Place),
}

impl Position {
    /// Reads [`Position::text`]. `None` if it is not a position of this order.
    pub(crate) fn parse(order: Order, text: &str) -> Option<Self> {
        match order {
            Order::Time => Place::parse(text).map(Self::History),
            Order::Added => {
                let (created_at, id) = text.split_once('#')?;
                created_at.parse::<Timestamp>().ok()?;
                Some(Self::Added(Added {
                    created_at: created_at.to_owned(),
                    image_id: ImageId::parse(id)?,
                }))
            }
            Order::Confidence => {
                let (percent, place) = text.split_once('@')?;
                let number: f64 = percent.parse().ok()?;
                (0.0..=100.0).contains(&number).then_some(())?;
                Self::of_confident(Confident {
                    percent: percent.to_owned(),
                    place: place.to_owned(),
                })
            }
        }
    }

    /// The position of a label row. `None` if its sort key is invalid.
    pub(crate) fn of_confident(confident: Confident) -> Option<Self> {
        let place = Place::parse(&confident.place)?;
        Some(Self::Confidence(confident, place))
    }

    /// As in a cursor.
    pub(crate) fn text(&self) -> String {
        match self {
            Self::History(place) => place.as_str().to_owned(),
            Self::Added(Added { created_at, image_id }) => format!("{created_at}#{image_id}"),
            Self::Confidence(Confident { percent, place }, _) => format!("{percent}@{place}"),
        }
    }

    /// The image's ID.
    pub(crate) fn image_id(&self) -> Option<ImageId> {
        match self {
            Self::History(place) | Self::Confidence(_, place) => place.image_id(),
            Self::Added(added) => Some(added.image_id),
        }
    }

    /// The place in the history, in the order of time.
    pub(crate) fn place(&self) -> Option<&Place> {
        match self {
            Self::History(place) => Some(place),
            Self::Added(_) | Self::Confidence(..) => None,
        }
    }

    /// The position in the order of uploads.
    pub(crate) fn added(&self) -> Option<&Added> {
        match self {
            Self::Added(added) => Some(added),
            Self::History(_) | Self::Confidence(..) => None,
        }
    }

    /// The position in the order of confidences.
    pub(crate) fn confident(&self) -> Option<&Confident> {
        match self {
            Self::Confidence(confident, _) => Some(confident),
            Self::History(_) | Self::Added(_) => None,
        }
    }
}

/// A place in the history of an owner's images: the [`domain::table::history_sort`] of an image, which may have been
/// deleted since.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Place(String);

impl Place {
    /// `None` if the text is not a valid sort key.
    pub(crate) fn parse(text: &str) -> Option<Self> {
        let (time, id) = text.split_once('#')?;
        let time = table::without_zone(time);
        let parsed: DateTime = time.parse().ok()?;
        // Other years have a different number of digits, and would sort wrongly.
        let is_canonical = format!("{parsed:.3}") == time && (0..=9999).contains(&parsed.year());
        (is_canonical && ImageId::parse(id).is_some()).then(|| Self(text.to_owned()))
    }

    /// The sort key.
    pub(crate) fn as_str(&self) -> &str {
        &self.0
    }

    /// The image's ID.
    pub(crate) fn image_id(&self) -> Option<ImageId> {
        ImageId::parse(self.0.split_once('#')?.1)
    }

    /// A text that sorts directly before this place: DynamoDB's BETWEEN includes its ends. A place ends in a
    /// hexadecimal digit, which always has a preceding character.
    pub(crate) fn just_before(&self) -> String {
        let mut bytes = self.0.clone().into_bytes();
        if let Some(last) = bytes.last_mut() {
            *last -= 1;
        }
        String::from_utf8(bytes).unwrap_or_default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_position_is_read_as_it_was_written_and_only_in_its_order() {
        let id = ImageId::new();
        let place = format!("2015-07-13T18:20:00.000#{id}");
        let texts = [
            (Order::Time, place.clone()),
            (Order::Added, format!("2026-11-22T12:00:00.000Z#{id}")),
            (Order::Confidence, format!("96.21@{place}")),
        ];
        for (order, text) in &texts {
            let position = Position::parse(*order, text).unwrap();
            assert_eq!((position.text(), position.image_id()), (text.clone(), Some(id)));
        }
        for (order, text) in [
            (Order::Time, format!("96.21@{place}")),
            (Order::Added, place.clone()),
            (Order::Added, "2026-11-22T12:00:00.000Z#1".into()),
            (Order::Confidence, place.clone()),
            (Order::Confidence, format!("NaN@{place}")),
            (Order::Confidence, format!("101@{place}")),
        ] {
            assert_eq!(Position::parse(order, &text), None, "{text}");
        }
    }

    #[test]
    fn a_place_is_a_sort_key_of_an_image() {
        let id = ImageId::new();
        for text in [
            String::new(),
            "#".into(),
            format!("2026-11-22T12:00:00#{id}"),
            format!("2026-11-22T12:00:00.000#{id}#"),
            format!("2026-11-22T12:00:00.000+00:00#{id}"),
            format!("-002026-11-22T12:00:00.000#{id}"),
            "2026-11-22T12:00:00.000#IMAGE".into(),
        ] {
            assert_eq!(Place::parse(&text), None, "{text}");
        }
    }

    #[test]
    fn no_place_is_between_a_place_and_just_before_it() {
        let at = |digit: char| {
            Place::parse(&format!(
                "2026-11-22T12:00:00.000#0193a5a0-0000-7000-8000-00000000000{digit}"
            ))
            .unwrap()
        };
        for (lower, upper) in [('0', '1'), ('8', '9'), ('9', 'a'), ('e', 'f')] {
            assert!(at(upper).just_before().as_str() >= at(lower).as_str());
            assert!(at(upper).just_before().as_str() < at(upper).as_str());
        }
        assert!(at('0').just_before().as_str() < at('0').as_str());
    }
}
