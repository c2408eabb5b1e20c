//! Edit lists: which part of a track is displayed, and when.

use crate::select::Shown;

/// A part of an edit list.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Edit {
    /// In the movie's units. 0 is up to the end of the track.
    pub(crate) duration: u64,
    /// The composition time of the first frame in the track's units. `None` if nothing is displayed.
    pub(crate) media_time: Option<u64>,
    /// Whether the frame at `media_time` is displayed all the time.
    pub(crate) is_still: bool,
}

/// An edit list. An empty one displays the complete track.
#[derive(Debug)]
pub(crate) struct Edits {
    edits: Vec<Edit>,
    /// Units per second. Above 0.
    movie: u32,
    /// Units per second. Above 0.
    track: u32,
}

impl Edits {
    pub(crate) fn none(track: u32) -> Self {
        Self::new(Vec::new(), 1, track)
    }

    pub(crate) fn new(mut edits: Vec<Edit>, movie: u32, track: u32) -> Self {
        if edits.iter().all(|edit| edit.media_time.is_none()) {
            edits.clear();
        }
        Self { edits, movie, track }
    }

    /// When the frame with this composition time in the track's units is displayed. If that is several times, the first one.
    pub(crate) fn shown(&self, time: i64) -> Shown {
        if self.edits.is_empty() {
            return Shown::At(milliseconds(time.max(0).into(), self.track.into()));
        }
        let (movie, track) = (i128::from(self.movie), i128::from(self.track));
        let mut start = 0;
        let mut is_before = true;
        for edit in &self.edits {
            if let Some(media_time) = edit.media_time.filter(|_| !edit.is_still) {
                let since = i128::from(time) - i128::from(media_time);
                // Durations are often rounded down, so the last frame can begin up to one unit later.
                let is_within = edit.duration == 0 || since * movie < (i128::from(edit.duration) + 1) * track;
                if since >= 0 && is_within {
                    return Shown::At(milliseconds(start * track + since * movie, movie * track));
                }
                is_before &= since < 0;
            }
            start += i128::from(edit.duration);
        }
        if is_before { Shown::Before } else { Shown::After }
    }

    /// When what is displayed ends in milliseconds, for a track with frames of this duration in total, the first of which
    /// has this composition time.
    pub(crate) fn duration_ms(&self, first: i64, total: u64) -> u64 {
        let (movie, track) = (i128::from(self.movie), i128::from(self.track));
        if self.edits.is_empty() {
            return milliseconds_rounded(i128::from(first.max(0)) + i128::from(total), track);
        }
        let end = i128::from(first) + i128::from(total);
        // In units of both timescales.
        let duration = self.edits.iter().map(|edit| {
            let stated = i128::from(edit.duration) * track;
            match edit.media_time {
                Some(media_time) if !edit.is_still => {
                    let rest = (end - i128::from(media_time)).max(0) * movie;
                    if edit.duration == 0 {
                        rest
                    } else {
                        stated.min(rest)
                    }
                }
                _ => stated,
            }
        });
        milliseconds_rounded(duration.sum(), movie * track)
    }
}

/// Converts units to milliseconds, rounded down. `per_second` is above 0.
pub(crate) fn milliseconds(units: i128, per_second: i128) -> u64 {
    u64::try_from(units.saturating_mul(1_000) / per_second).unwrap_or(u64::MAX)
}

/// Converts units to milliseconds, rounded to the nearest. `per_second` is above 0.
pub(crate) fn milliseconds_rounded(units: i128, per_second: i128) -> u64 {
    milliseconds(
        units.saturating_mul(2).saturating_add(per_second / 1_000),
        2 * per_second,
    )
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn edit(duration: u64, media_time: Option<u64>) -> Edit {
        Edit {
            duration,
            media_time,
            is_still: false,
        }
    }

    #[test]
    fn without_edits_times_are_those_of_the_track() {
        for edits in [Edits::none(600), Edits::new(vec![edit(500, None)], 1_000, 600)] {
            assert_eq!(edits.shown(-20), Shown::At(0));
            assert_eq!(edits.shown(601), Shown::At(1_001));
            assert_eq!(edits.duration_ms(60, 1_200), 2_100);
            assert_eq!(edits.duration_ms(-60, 1_200), 2_000);
        }
    }

    #[test]
    fn an_empty_edit_delays_and_a_trim_cuts() {
        let edits = Edits::new(vec![edit(250, None), edit(1_000, Some(600))], 1_000, 600);
        assert_eq!(edits.shown(599), Shown::Before);
        assert_eq!(edits.shown(600), Shown::At(250));
        assert_eq!(edits.shown(1_200), Shown::At(1_250));
        assert_eq!(edits.shown(1_201), Shown::After);
        assert_eq!(edits.duration_ms(0, 6_000), 1_250);
        // Less is left than the edit claims.
        assert_eq!(edits.duration_ms(0, 900), 750);
    }

    #[test]
    fn a_frame_of_several_edits_is_displayed_when_the_first_one_shows_it() {
        let still = Edit {
            is_still: true,
            ..edit(1_000, Some(0))
        };
        let edits = Edits::new(
            vec![
                edit(1_000, Some(1_000)),
                still,
                edit(1_000, Some(0)),
                edit(0, Some(500)),
            ],
            1_000,
            1_000,
        );
        assert_eq!(edits.shown(1_000), Shown::At(0));
        assert_eq!(edits.shown(600), Shown::At(2_600));
        assert_eq!(edits.shown(2_500), Shown::At(5_000));
        assert_eq!(edits.duration_ms(0, 3_000), 5_500);
    }

    proptest! {
        #[test]
        fn any_numbers_give_a_time(
            edits in prop::collection::vec((any::<u64>(), any::<Option<u64>>(), any::<bool>()), 0..64),
            movie in 1_u32..,
            track in 1_u32..,
            first: i64,
            total: u64,
        ) {
            let edits = edits.into_iter().map(|(duration, media_time, is_still)| Edit { duration, media_time, is_still });
            let edits = Edits::new(edits.collect(), movie, track);
            let _ = edits.duration_ms(first, total);
            let _ = edits.shown(first);
        }
    }
}
