//! The largest real files: what reading them costs.

use super::build::numbers;
use super::*;

/// The tables of a video whose every frame has an entry in each of them, as far as writers do that.
fn video(seconds: u32, per_second: u32, key_frame_every: u32, size: u32) -> Mp4 {
    let count = seconds * per_second;
    let mut mp4 = Mp4 {
        timescale: 60_000,
        // Frames with uneven durations.
        stts: (0..count)
            .map(|index| (1, 60_000 / per_second + index % 2))
            .collect(),
        ctts: (0..count).map(|index| (1, 1_000 * (index % 3))).collect(),
        stss: Some(
            (0..count)
                .step_by(key_frame_every as usize)
                .map(|index| index + 1)
                .collect(),
        ),
        stsc: vec![],
        sizes: vec![size; count as usize],
        offsets: vec![],
        ..Mp4::default()
    };
    // Chunks of one and two frames alternate, because sound is between them.
    let (mut sample, mut chunk) = (0, 1);
    while sample < count {
        let samples = (chunk % 2 + 1).min(count - sample);
        mp4.stsc.push((chunk, samples));
        mp4.offsets
            .push(1_000_000 + u64::from(sample) * u64::from(size + 300));
        sample += samples;
        chunk += 1;
    }
    mp4
}

/// A file of this many bytes with the header at its end, or after `ftyp`.
fn file(mp4: &Mp4, size: u64, is_header_last: bool) -> File {
    let moov = mp4.moov();
    let ftyp = boxed(b"ftyp", b"isom\0\0\x02\0isommp41");
    let data = |length: u64| [&[0, 0, 0, 1][..], b"mdat", &length.to_be_bytes()].concat();
    let rest = size - (ftyp.len() + moov.len()) as u64;
    let parts = if is_header_last {
        let at = size - moov.len() as u64;
        vec![(0, [ftyp, data(rest)].concat()), (at, moov)]
    } else {
        vec![(0, [ftyp, moov, data(rest)].concat())]
    };
    File { size, parts }
}

#[test]
fn the_poster_of_an_hour_takes_few_bytes_and_reads() {
    let mp4 = video(3_600, 30, 60, 9_000);
    for is_header_last in [false, true] {
        let file = file(&mp4, 1_005_000_000, is_header_last);
        let (header, cost) = read(&file, look);
        assert_eq!(header.unwrap().frames, Some(108_000));
        assert!(cost.bytes < 6_000_000 && cost.reads <= 3, "{cost:?}");
        let (found, cost) = read(&file, |pieces| key_frames(pieces, Select::AtOrAfter(360_000)));
        let poster = found.unwrap()[0];
        assert!(poster.time_ms.abs_diff(360_000) < 2_100, "{poster:?}");
        assert!(cost.bytes < 6_000_000 && cost.reads <= 3, "{cost:?}");
    }
}

#[test]
fn the_largest_tables_of_6_hours_are_within_the_limits() {
    let mp4 = video(6 * 3_600, 60, 120, 7_000);
    assert!(mp4.moov().len() > 40_000_000);
    let file = file(&mp4, 9_999_000_000, true);
    let (found, cost) = read(&file, |pieces| key_frames(pieces, Select::Every(2_000)));
    let found = found.unwrap();
    assert!(
        found.len() > 5_000 && found.len() < MAX_KEY_FRAMES,
        "{}",
        found.len()
    );
    assert!(cost.reads < 40, "{cost:?}");
    // Frames take 1,000 and 1,001 units in turn, and are displayed up to 2,000 units later.
    for frame in found.iter().step_by(500) {
        let sample = (frame.position - 1_000_000) / 7_300;
        assert!(frame.time_ms.abs_diff(sample * 2_001 / 120) < 60, "{frame:?}");
    }

    // One key frame takes only the start of the tables.
    let (found, cost) = read(&file, |pieces| key_frames(pieces, Select::AtOrBefore(600_000)));
    assert!(found.unwrap()[0].time_ms.abs_diff(600_000) < 2_100);
    assert!(cost.bytes < 5_000_000 && cost.reads < 40, "{cost:?}");
}

#[test]
fn a_video_of_key_frames_is_thinned() {
    let count = 6 * 3_600 * 30;
    let mp4 = Mp4 {
        timescale: 30,
        stts: vec![(count, 1)],
        stss: None,
        stsc: vec![(1, 1)],
        sizes: vec![10_000; count as usize],
        offsets: (0..u64::from(count))
            .map(|index| 1_000_000 + index * 10_000)
            .collect(),
        ..Mp4::default()
    };
    let file = file(&mp4, 7_000_000_000, true);
    let found = read(&file, |pieces| key_frames(pieces, Select::Every(0)))
        .0
        .unwrap();
    assert!(
        found.len() <= MAX_KEY_FRAMES && found.len() > MAX_KEY_FRAMES / 4,
        "{}",
        found.len()
    );
    assert!(found[found.len() - 1].time_ms > 6 * 3_600_000 - 10_000);
}

/// A fragmented file with fragments of two seconds and a megabyte each, and perhaps an index at its end.
fn fragments(count: u32, has_index: bool) -> File {
    let fixture = fixture("h264-fragments.mp4");
    let start = &fixture[..find(fixture, b"moof") - 4];
    let mut file = File {
        size: 0,
        parts: vec![(0, start.to_vec())],
    };
    let mut at = start.len() as u64;
    let mut index = vec![];
    for fragment in 0..count {
        let tfhd = boxed(b"tfhd", &numbers([0x02_0018, 1, 10_240, 500_000]));
        let tfdt = boxed(b"tfdt", &numbers([0, fragment * 20_480]));
        let trun = boxed(b"trun", &numbers([0x405, 2, 200, 0, 0, 0x1_0000]));
        let moof = boxed(b"moof", &boxed(b"traf", &[tfhd, tfdt, trun].concat()));
        let part = [&moof[..], &1_000_008_u32.to_be_bytes(), b"mdat"].concat();
        index.extend(
            [
                &(u64::from(fragment) * 20_480).to_be_bytes()[..],
                &at.to_be_bytes(),
                &[1, 1, 1],
            ]
            .concat(),
        );
        file.parts.push((at, part));
        at += moof.len() as u64 + 1_000_008;
    }
    if has_index {
        let tfra = full(b"tfra", 0x0100_0000, &[numbers([1, 0, count]), index].concat());
        let length = u32::try_from(tfra.len() + 24).unwrap();
        let mfra = boxed(b"mfra", &[tfra, full(b"mfro", 0, &numbers([length]))].concat());
        file.parts.push((at, mfra.clone()));
        at += mfra.len() as u64;
    }
    file.size = at;
    file
}

#[test]
fn fragments_with_an_index_take_few_reads() {
    let file = fragments(3_600, true);
    let (header, cost) = read(&file, look);
    assert_eq!(header.unwrap().duration_ms, 7_200_000);
    assert!(cost.reads < 10, "{cost:?}");
    let (found, cost) = read(&file, |pieces| key_frames(pieces, Select::AtOrAfter(3_000_000)));
    assert_eq!(found.unwrap()[0].time_ms, 3_000_000);
    assert!(cost.reads < 10, "{cost:?}");
    let (found, cost) = read(&file, |pieces| key_frames(pieces, Select::Every(2_000)));
    let found = found.unwrap();
    assert!(
        found.len() <= MAX_VISITS && found.len() > MAX_VISITS / 4,
        "{}",
        found.len()
    );
    assert!(
        found[found.len() - 1].time_ms > 7_150_000 && cost.rounds < 10,
        "{cost:?}"
    );
}

#[test]
fn fragments_without_an_index_are_searched_up_to_a_limit() {
    let (header, cost) = read(&fragments(300, false), look);
    assert_eq!(header.unwrap().duration_ms, 600_000);
    assert!(cost.reads < 320, "{cost:?}");
    let file = fragments(2_000, false);
    assert_eq!(read(&file, look).0, Err(VideoError::NoIndex));
    // A poster needs only the start.
    let found = read(&file, |pieces| key_frames(pieces, Select::AtOrAfter(10_000))).0;
    assert_eq!(found.unwrap()[0].time_ms, 10_000);
}

#[test]
fn clusters_without_an_index_are_searched_up_to_a_limit() {
    // Clusters of unknown sizes, with one frame of a megabyte each.
    let fixture = fixture("vp9-live.webm");
    let start = &fixture[..find(fixture, &[0x1F, 0x43, 0xB6, 0x75])];
    let build = |count: u32| {
        let mut file = File {
            size: 0,
            parts: vec![(0, start.to_vec())],
        };
        let mut at = start.len() as u64;
        for cluster in 0..count {
            let time = [&[0xE7, 0x84][..], &(cluster * 1_000).to_be_bytes()].concat();
            // The size, then track, time and flags.
            let block = b"\xA3\x01\0\0\0\0\x0F\x42\x44\x81\0\0\x80";
            let part = [
                &b"\x1F\x43\xB6\x75\x01\xFF\xFF\xFF\xFF\xFF\xFF\xFF"[..],
                &time[..],
                block,
            ]
            .concat();
            let length = part.len() as u64 + 1_000_000;
            file.parts.push((at, part));
            at += length;
        }
        file.size = at;
        file
    };
    let file = build(100);
    let (found, cost) = read(&file, |pieces| key_frames(pieces, Select::Every(0)));
    let found = found.unwrap();
    assert_eq!(
        (found.len(), found[99].time_ms, found[99].size),
        (100, 99_000, 1_000_000)
    );
    assert!(cost.reads < 110, "{cost:?}");
    // The last frame lasts 100 ms.
    assert_eq!(read(&file, look).0.unwrap().duration_ms, 99_100);
    // In a large file, the duration is found at its end, and a poster at its start.
    let file = build(1_200);
    let (header, cost) = read(&file, look);
    assert_eq!(header.unwrap().duration_ms, 1_199_100);
    assert!(cost.bytes < 5_000_000 && cost.reads < 10, "{cost:?}");
    let (found, cost) = read(&file, |pieces| key_frames(pieces, Select::AtOrAfter(10_000)));
    assert_eq!(found.unwrap()[0].time_ms, 10_000);
    assert!(cost.reads < 20, "{cost:?}");
    let found = read(&file, |pieces| key_frames(pieces, Select::Every(0))).0;
    assert_eq!(found, Err(VideoError::NoIndex));
}

#[test]
fn a_short_video_takes_one_read() {
    for name in [
        "h264-faststart.mp4",
        "h264-header-at-end.mp4",
        "vp9.webm",
        "h264-fragments.mp4",
    ] {
        let (header, cost) = read(&File::of(fixture(name)), look);
        assert!(header.is_ok());
        assert_eq!(cost.reads, 1, "{name}");
        assert!(cost.bytes <= FIRST_READ);
    }
}
