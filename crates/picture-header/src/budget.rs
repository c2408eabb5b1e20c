//! How much work one look at a file may cost.
//!
//! `video-header` uses this module, too, with limits of its own.

use std::cell::Cell;

/// The steps, items and bytes that are left. Every loop and every allocation whose size comes from a file draws on it, so
/// no file can cost more than this, whatever its structure.
#[derive(Debug, Clone)]
pub struct Budget {
    steps: Cell<u32>,
    items: Cell<u32>,
    bytes: Cell<u32>,
}

/// A file has used up the [`Budget`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OverBudget;

impl Default for Budget {
    /// The limits for a picture:
    ///
    /// - 400,000 steps: a loop's iterations and reads. Each takes less than a microsecond. A file of 100 MB has 1,600 JPEG
    ///   segments of 64 KiB, or a HEIC grid of 256 × 256 tiles with five values each.
    /// - 400,000 items: values that are kept, of at most 32 bytes each (12 MB).
    /// - 16 MB: bytes that are searched or copied.
    fn default() -> Self {
        Self::new(400_000, 400_000, 16_000_000)
    }
}

impl Budget {
    /// A budget of these numbers of steps, items and bytes.
    pub const fn new(steps: u32, items: u32, bytes: u32) -> Self {
        Self {
            steps: Cell::new(steps),
            items: Cell::new(items),
            bytes: Cell::new(bytes),
        }
    }

    /// Call this in every iteration of a loop.
    ///
    /// # Errors
    /// [`OverBudget`].
    pub fn step(&self) -> Result<(), OverBudget> {
        draw(&self.steps, 1)
    }

    /// Call this before keeping `count` values of at most 32 bytes each. Count larger values several times.
    ///
    /// # Errors
    /// [`OverBudget`].
    pub fn items(&self, count: u64) -> Result<(), OverBudget> {
        draw(&self.items, count)
    }

    /// Call this before searching or copying `count` bytes.
    ///
    /// # Errors
    /// [`OverBudget`].
    pub fn bytes(&self, count: u64) -> Result<(), OverBudget> {
        draw(&self.bytes, count)
    }
}

fn draw(left: &Cell<u32>, count: u64) -> Result<(), OverBudget> {
    let rest = u32::try_from(count)
        .ok()
        .and_then(|count| left.get().checked_sub(count));
    // A request above the limit uses up the rest, so a reader that continues after the error gets nothing more of this
    // kind.
    left.set(rest.unwrap_or(0));
    rest.map(drop).ok_or(OverBudget)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_loop_of_any_length_ends() {
        let budget = Budget::default();
        let iterations = (0_u64..).take_while(|_| budget.step().is_ok()).count();
        assert_eq!(iterations, 400_000);
        assert_eq!(budget.step(), Err(OverBudget));
    }

    #[test]
    fn an_allocation_of_any_size_is_refused_and_ends_the_reading() {
        let budget = Budget::default();
        assert_eq!(budget.bytes(16_000_000), Ok(()));
        assert_eq!(budget.bytes(0), Ok(()));
        assert_eq!(budget.bytes(1), Err(OverBudget));
        assert_eq!(budget.items(400_000), Ok(()));
        assert_eq!(budget.items(u64::MAX), Err(OverBudget));
        assert_eq!(budget.step(), Ok(()), "each kind has its own limit");

        let budget = Budget::default();
        assert_eq!(budget.items(400_001), Err(OverBudget));
        assert_eq!(budget.items(1), Err(OverBudget));
    }
}
