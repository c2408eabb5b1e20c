//! Chooses key frames by their times, with bounded memory.

use crate::limits::MAX_KEY_FRAMES;

/// Which key frames to return.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Select {
    /// The last one at or before this time in milliseconds. If there is none, the first one.
    AtOrBefore(u64),
    /// The first one at or after this time in milliseconds. If there is none, the last one.
    AtOrAfter(u64),
    /// The first one, and then each one that is at least this many milliseconds later than the one before. The interval is
    /// doubled as often as needed to return at most [`MAX_KEY_FRAMES`](crate::MAX_KEY_FRAMES).
    Every(u64),
}

/// When a frame is displayed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Shown {
    /// In milliseconds.
    At(u64),
    /// Before the part of the video that is displayed.
    Before,
    /// After the part of the video that is displayed, or between two parts.
    After,
}

/// The chosen entries so far, in the order in which they were offered.
#[derive(Debug)]
pub(crate) struct Chosen<T> {
    select: Select,
    max: usize,
    /// What is chosen, by time in milliseconds.
    kept: Vec<(u64, T)>,
    /// Chosen if no key frame is displayed: the last one before, or else the first one after.
    hidden: Option<(Shown, T)>,
}

impl<T> Chosen<T> {
    pub(crate) fn new(select: Select) -> Self {
        Self::at_most(MAX_KEY_FRAMES, select)
    }

    /// Keeps at most `max` entries, which is at least 2.
    pub(crate) fn at_most(max: usize, select: Select) -> Self {
        Self {
            select,
            max,
            kept: Vec::new(),
            hidden: None,
        }
    }

    /// Offers the next entry in decoding order. Returns whether later ones can change the result.
    pub(crate) fn offer(&mut self, shown: Shown, entry: T) -> bool {
        let Shown::At(time) = shown else {
            match self.hidden {
                Some((Shown::After, _)) => {}
                Some(_) if shown == Shown::After => {}
                _ => self.hidden = Some((shown, entry)),
            }
            return true;
        };
        match self.select {
            Select::AtOrBefore(wanted) => {
                let is_later = time > wanted;
                if !is_later || self.kept.is_empty() {
                    self.kept.clear();
                    self.kept.push((time, entry));
                }
                !is_later
            }
            Select::AtOrAfter(wanted) => {
                self.kept.clear();
                self.kept.push((time, entry));
                time < wanted
            }
            Select::Every(interval) => {
                let next = self
                    .kept
                    .last()
                    .map_or(0, |(last, _)| last.saturating_add(interval));
                if time >= next || self.kept.is_empty() {
                    if self.kept.len() == self.max {
                        self.thin();
                        return self.offer(shown, entry);
                    }
                    self.kept.push((time, entry));
                }
                true
            }
        }
    }

    /// Doubles the interval, and drops what is too close to the entry before.
    fn thin(&mut self) {
        let Select::Every(interval) = &mut self.select else {
            return;
        };
        // In the average interval, there is room for the entries so far.
        let (Some((first, _)), Some((last, _))) = (self.kept.first(), self.kept.last()) else {
            return;
        };
        let average = last.abs_diff(*first) / self.max as u64;
        *interval = (*interval).max(average).max(1).saturating_mul(2);
        let interval = *interval;
        let mut next = 0;
        let mut is_first = true;
        self.kept.retain(|(time, _)| {
            let is_kept = is_first || *time >= next;
            is_first = false;
            if is_kept {
                next = time.saturating_add(interval);
            }
            is_kept
        });
        // Times that jump back and forth can be spread over any range.
        self.kept.truncate(self.max / 2);
    }

    /// The chosen entries by the time in milliseconds at which they are displayed. If none is displayed, the one that is
    /// closest to that, at time 0.
    pub(crate) fn finish(self) -> Vec<(u64, T)> {
        if self.kept.is_empty() {
            return self.hidden.into_iter().map(|(_, entry)| (0, entry)).collect();
        }
        self.kept
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn choose(select: Select, times: &[u64]) -> Vec<u64> {
        let mut chosen = Chosen::at_most(10, select);
        for time in times {
            if !chosen.offer(Shown::At(*time), ()) {
                break;
            }
        }
        chosen.finish().into_iter().map(|(time, ())| time).collect()
    }

    #[test]
    fn a_poster_is_the_nearest_key_frame_on_the_wanted_side() {
        let times = [100, 2_000, 4_000, 6_000];
        for (time, before, after) in [
            (0, 100, 100),
            (100, 100, 100),
            (1_999, 100, 2_000),
            (2_000, 2_000, 2_000),
            (4_001, 4_000, 6_000),
            (9_000, 6_000, 6_000),
        ] {
            assert_eq!(choose(Select::AtOrBefore(time), &times), [before], "{time}");
            assert_eq!(choose(Select::AtOrAfter(time), &times), [after], "{time}");
        }
        assert_eq!(choose(Select::AtOrAfter(0), &[]), [0; 0]);
    }

    #[test]
    fn a_key_frame_that_is_trimmed_away_is_returned_only_if_there_is_no_other() {
        let mut chosen = Chosen::new(Select::Every(1_000));
        for (shown, entry) in [
            (Shown::Before, 1),
            (Shown::Before, 2),
            (Shown::After, 3),
            (Shown::After, 4),
        ] {
            assert!(chosen.offer(shown, entry));
        }
        assert_eq!(chosen.finish(), [(0, 2)]);

        let mut chosen = Chosen::new(Select::AtOrBefore(500));
        for (shown, entry) in [(Shown::Before, 1), (Shown::At(700), 2)] {
            chosen.offer(shown, entry);
        }
        assert_eq!(chosen.finish(), [(700, 2)]);
    }

    proptest! {
        #[test]
        fn a_strip_covers_the_video_with_a_bounded_number_of_key_frames(
            steps in prop::collection::vec(0_u64..5_000, 1..200),
            interval in 0_u64..5_000,
        ) {
            let times: Vec<u64> = steps.iter().scan(0, |time, step| { *time += step; Some(*time) }).collect();
            let chosen = choose(Select::Every(interval), &times);
            prop_assert!(chosen.len() <= 10);
            prop_assert_eq!(chosen[0], times[0]);
            prop_assert!(chosen.windows(2).all(|pair| pair[1] - pair[0] >= interval));
            // The last one is not much farther from the end than the interval, which is a fraction of the video.
            let last = times[times.len() - 1];
            let interval = interval.max(last * 2 / 9 + 2);
            let gap = steps.iter().max().unwrap() + 2 * interval;
            prop_assert!(last - chosen[chosen.len() - 1] <= gap, "{:?} of {:?}", chosen, times);
        }

        #[test]
        fn times_in_any_order_take_bounded_memory(times in prop::collection::vec(any::<u64>(), 0..300), interval: u64) {
            let chosen = choose(Select::Every(interval), &times);
            prop_assert!(chosen.len() <= 10);
            prop_assert_eq!(chosen.is_empty(), times.is_empty());
        }
    }
}
