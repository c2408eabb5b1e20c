//! Rectangles in a picture.

use serde::Serialize;

/// A rectangle in fractions of the picture as it is seen, EXIF orientation applied; inside 0..=1 on both axes.
#[derive(Debug, Clone, Copy, PartialEq, Serialize)]
#[serde(rename_all = "PascalCase")]
pub struct BoundingBox {
    /// Distance of the left edge from the picture's left edge.
    pub left: f32,
    /// Distance of the upper edge from the picture's upper edge.
    pub top: f32,
    /// Width as a fraction of the picture's width.
    pub width: f32,
    /// Height as a fraction of the picture's height.
    pub height: f32,
}

impl BoundingBox {
    /// The whole picture.
    pub const WHOLE: Self = Self {
        left: 0.0,
        top: 0.0,
        width: 1.0,
        height: 1.0,
    };

    /// The rectangle between two corners, cut to the picture. `None` if nothing of it is inside.
    pub fn from_corners(left: f32, top: f32, right: f32, bottom: f32) -> Option<Self> {
        let inside = |value: f32| value.clamp(0.0, 1.0);
        let (left, top, right, bottom) = (inside(left), inside(top), inside(right), inside(bottom));
        // NaN compares false and is dropped here too.
        (right > left && bottom > top).then_some(Self {
            left,
            top,
            width: right - left,
            height: bottom - top,
        })
    }

    /// Distance of the right edge from the picture's left edge.
    pub fn right(&self) -> f32 {
        (self.left + self.width).min(1.0)
    }

    /// Distance of the lower edge from the picture's upper edge.
    pub fn bottom(&self) -> f32 {
        (self.top + self.height).min(1.0)
    }

    /// Area as a fraction of the picture's.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// The area that both share.
    pub fn intersection(&self, other: &Self) -> f32 {
        let width = self.right().min(other.right()) - self.left.max(other.left);
        let height = self.bottom().min(other.bottom()) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// How much two rectangles cover each other: shared area over covered area, 0..=1.
    pub fn intersection_over_union(&self, other: &Self) -> f32 {
        let shared = self.intersection(other);
        let covered = self.area() + other.area() - shared;
        if covered > 0.0 { shared / covered } else { 0.0 }
    }

    /// The rectangle grown on each side by `margin` times its own size, cut to the picture.
    pub fn grown(&self, margin: f32) -> Self {
        let (dx, dy) = (self.width * margin, self.height * margin);
        Self::from_corners(
            self.left - dx,
            self.top - dy,
            self.right() + dx,
            self.bottom() + dy,
        )
        .unwrap_or(*self)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_box_is_cut_to_the_picture() {
        let found = BoundingBox::from_corners(-0.5, 0.25, 0.5, 1.5).expect("a part is inside");
        assert_eq!(
            found,
            BoundingBox {
                left: 0.0,
                top: 0.25,
                width: 0.5,
                height: 0.75
            }
        );
        assert_eq!(
            BoundingBox::from_corners(1.0, 0.0, 2.0, 1.0),
            None,
            "nothing of it is inside"
        );
        assert_eq!(
            BoundingBox::from_corners(f32::NAN, 0.0, 1.0, 1.0),
            None,
            "a model may answer NaN"
        );
    }

    #[test]
    fn overlap_is_shared_over_covered_area() {
        let left = BoundingBox {
            left: 0.0,
            top: 0.0,
            width: 0.5,
            height: 1.0,
        };
        let middle = BoundingBox {
            left: 0.25,
            top: 0.0,
            width: 0.5,
            height: 1.0,
        };
        assert!((left.intersection_over_union(&middle) - 1.0 / 3.0).abs() < 1e-6);
        let right = BoundingBox {
            left: 0.6,
            top: 0.0,
            width: 0.4,
            height: 1.0,
        };
        assert_eq!(left.intersection_over_union(&right), 0.0);
    }
}
