//! Rectangles in a picture.

/// A rectangle as fractions of the picture's sides, measured on the upright picture. All edges are within 0..=1.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct BoundingBox {
    /// Distance of the left edge from the picture's left edge.
    pub left: f32,
    /// Distance of the top edge from the picture's top edge.
    pub top: f32,
    /// Fraction of the picture's width.
    pub width: f32,
    /// Fraction of the picture's height.
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

    /// The rectangle between two corners, clipped to the picture. `None` if no part of it is inside.
    pub fn from_corners(left: f32, top: f32, right: f32, bottom: f32) -> Option<Self> {
        let inside = |value: f32| value.clamp(0.0, 1.0);
        let (left, top, right, bottom) = (inside(left), inside(top), inside(right), inside(bottom));
        // Comparisons with NaN are false, so NaN gives None.
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

    /// Distance of the bottom edge from the picture's top edge.
    pub fn bottom(&self) -> f32 {
        (self.top + self.height).min(1.0)
    }

    /// Area as a fraction of the picture's area.
    pub fn area(&self) -> f32 {
        self.width * self.height
    }

    /// Area of the overlap with another rectangle.
    pub fn intersection(&self, other: &Self) -> f32 {
        let width = self.right().min(other.right()) - self.left.max(other.left);
        let height = self.bottom().min(other.bottom()) - self.top.max(other.top);
        width.max(0.0) * height.max(0.0)
    }

    /// Intersection over union, 0..=1.
    pub fn intersection_over_union(&self, other: &Self) -> f32 {
        let intersection = self.intersection(other);
        let union = self.area() + other.area() - intersection;
        if union > 0.0 { intersection / union } else { 0.0 }
    }

    /// Moves each side outward by `margin` times the rectangle's own size and clips the result to the picture.
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
    fn clips_a_box_to_the_picture() {
        let clipped = BoundingBox::from_corners(-0.5, 0.25, 0.5, 1.5).expect("a part is inside");
        assert_eq!(
            clipped,
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
            "no part is inside"
        );
        assert_eq!(
            BoundingBox::from_corners(f32::NAN, 0.0, 1.0, 1.0),
            None,
            "a model can return NaN"
        );
    }

    #[test]
    fn intersection_over_union_of_overlapping_and_separate_boxes() {
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
