//! Compares with a reader that expands all tables.

use super::*;

/// A sample: duration, offset of its time, size, whether it is a key frame, and whether a chunk begins.
type Sample = (u32, i32, u32, bool, bool);

fn samples() -> impl Strategy<Value = Vec<Sample>> {
    let durations = prop::sample::select(vec![1_u32, 40, 40, 40, 41]);
    let offsets = prop::sample::select(vec![0_i32, 0, 80, 40, -40]);
    prop::collection::vec(
        (durations, offsets, 1_u32..200, any::<bool>(), any::<bool>()),
        1..80,
    )
}

/// Joins equal values that follow each other.
fn runs<T: Copy + PartialEq>(values: impl Iterator<Item = T>) -> Vec<(u32, T)> {
    let mut runs: Vec<(u32, T)> = vec![];
    for value in values {
        match runs.last_mut() {
            Some((count, last)) if *last == value => *count += 1,
            _ => runs.push((1, value)),
        }
    }
    runs
}

/// The tables of these samples, and position, size and time of each key frame.
fn tables(samples: &[Sample]) -> (Mp4, Vec<(u64, u32, i64)>) {
    let mut mp4 = Mp4 {
        timescale: 1_000,
        stts: runs(samples.iter().map(|sample| sample.0)),
        ctts: runs(samples.iter().map(|sample| sample.1.cast_unsigned())),
        stss: None,
        stsc: vec![],
        sizes: samples.iter().map(|sample| sample.2).collect(),
        offsets: vec![],
        ..Mp4::default()
    };
    let (mut keys, mut expected) = (vec![], vec![]);
    let (mut position, mut time) = (100_000, 0);
    let mut in_chunk: Vec<u32> = vec![];
    for (index, (duration, offset, size, is_key, begins_chunk)) in samples.iter().enumerate() {
        if *begins_chunk || index == 0 {
            // Sound is between chunks.
            position += 50;
            mp4.offsets.push(position);
            in_chunk.push(0);
        }
        *in_chunk.last_mut().unwrap() += 1;
        if *is_key {
            keys.push(u32::try_from(index + 1).unwrap());
            expected.push((position, *size, time + i64::from(*offset)));
        }
        position += u64::from(*size);
        time += i64::from(*duration);
    }
    let mut first = 1;
    for (count, samples) in runs(in_chunk.into_iter()) {
        mp4.stsc.push((first, samples));
        first += count;
    }
    mp4.stss = Some(keys);
    if expected.is_empty() {
        // An empty list stands for the first sample.
        expected.push((100_050, samples[0].2, samples[0].1.into()));
    }
    (mp4, expected)
}

proptest! {
    #[test]
    fn finds_the_same_key_frames_as_a_reader_that_expands_all_tables(samples in samples()) {
        let (mp4, expected) = tables(&samples);
        let file = mp4.file();
        let found = keys(&file, Select::Every(0)).unwrap();
        let found: Vec<_> = found.iter().map(|frame| (frame.position, frame.size, frame.time_ms)).collect();
        let expected: Vec<_> = expected
            .into_iter()
            .map(|(position, size, time)| (position, size, u64::try_from(time).unwrap_or(0)))
            .collect();
        // Only those at ascending times are chosen.
        let mut last = 0;
        let chosen: Vec<_> = expected.into_iter().filter(|(_, _, time)| {
            let is_chosen = *time >= last;
            last = last.max(*time);
            is_chosen
        }).collect();
        prop_assert_eq!(found, chosen);
    }

    #[test]
    fn trims_as_a_reader_that_expands_all_tables(samples in samples(), from in 0_i32..2_000, duration in 1_u32..2_000) {
        let (mut mp4, expected) = tables(&samples);
        mp4.elst = vec![(300, -1), (duration, from)];
        let shown: Vec<_> = expected
            .into_iter()
            .map(|(position, _, time)| (position, time - i64::from(from)))
            .filter(|(_, time)| (0..=i64::from(duration)).contains(time))
            .map(|(position, time)| (position, u64::try_from(time + 300).unwrap()))
            .collect();
        let file = mp4.file();
        for time in [0, 300, 700, 5_000] {
            let found = keys(&file, Select::AtOrAfter(time)).unwrap()[0];
            if let Some((position, at)) = shown.iter().find(|(_, at)| *at >= time).or(shown.last()) {
                prop_assert_eq!((found.position, found.time_ms), (*position, *at));
            } else {
                prop_assert_eq!(found.time_ms, 0);
            }
        }
    }
}
