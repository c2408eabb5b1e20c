//! Files that lie, loop, or claim more than they have.

use super::build::{file_with, numbers};
use super::*;

fn every(bytes: &[u8]) -> Result<Vec<KeyFrame>, VideoError> {
    keys(bytes, Select::Every(0))
}

#[track_caller]
fn assert_broken<T: std::fmt::Debug>(found: Result<T, VideoError>, what: &str) {
    match found {
        Err(VideoError::Broken(text)) if text.contains(what) => {}
        other => panic!("{other:?} instead of {what:?}"),
    }
}

#[test]
fn the_file_on_which_the_others_are_based_is_valid() {
    let file = Mp4::default().file();
    let video = header(&file).unwrap();
    assert_eq!((video.duration_ms, video.frames), (1_000, Some(10)));
    let found: Vec<_> = every(&file)
        .unwrap()
        .iter()
        .map(|frame| (frame.time_ms, frame.position))
        .collect();
    assert_eq!(found, [(0, 100_000), (500, 100_500)]);
}

#[test]
fn rejects_tables_that_claim_4_billion_entries() {
    let all = u32::MAX;
    for (name, content) in [
        (b"stts", numbers([0, all, 10, 100])),
        (b"ctts", numbers([0, all, 10, 100])),
        (b"stss", numbers([0, all, 1])),
        (b"stsc", numbers([0, all, 1, 10, 1])),
        (b"stsz", numbers([0, 0, all, 100])),
        (b"stz2", numbers([0, 16, all, 100])),
        (b"co64", numbers([0, all, 0, 100_000])),
    ] {
        let mut mp4 = Mp4::default();
        if name == b"stz2" {
            mp4.sizes.clear();
        }
        let mut file = mp4.with_table(name, &content);
        if name == b"stz2" {
            let stsz = find(&file, b"stsz");
            put(&mut file, stsz, b"none");
        }
        assert_broken(every(&file), "fewer entries than it states");
    }
}

#[test]
fn rejects_4_billion_samples_without_any_bytes() {
    let all = u32::MAX;
    // All samples have the same size.
    let file = Mp4::default().with_table(b"stsz", &numbers([0, 100, all]));
    assert_eq!(header(&file), Err(VideoError::TooComplex));
    assert_eq!(every(&file), Err(VideoError::TooComplex));

    // As many as are allowed, all of them key frames.
    let count = u32::try_from(MAX_SAMPLES).unwrap();
    let mp4 = Mp4 {
        stts: vec![(count, 1)],
        stss: None,
        stsc: vec![(1, count)],
        ..Mp4::default()
    };
    let file = mp4.with_table(b"stsz", &numbers([0, 0, 0]));
    assert_broken(header(&file), "no frames");
    let file = mp4.with_table(b"stsz", &numbers([0, 1, count]));
    assert_broken(every(&file), "after the end of the file");
    let found = keys(&file, Select::AtOrBefore(50_000)).unwrap();
    assert_eq!((found[0].time_ms, found[0].position), (50_000, 150_000));
}

#[test]
fn times_that_disagree_with_sizes_are_used_as_far_as_both_go() {
    let short = Mp4 {
        stts: vec![(6, 100)],
        ..Mp4::default()
    };
    assert_eq!(header(&short.file()).unwrap().duration_ms, 600);
    assert_eq!(every(&short.file()).unwrap().len(), 2);
    let shorter = Mp4 {
        stts: vec![(5, 100)],
        ..Mp4::default()
    };
    assert_eq!(every(&shorter.file()).unwrap().len(), 1);
    let long = Mp4 {
        stts: vec![(u32::MAX, 100)],
        ..Mp4::default()
    };
    assert_eq!(header(&long.file()).unwrap().duration_ms, 1_000);
}

#[test]
fn rejects_units_of_zero_and_frames_that_last_for_ages() {
    let zero = Mp4 {
        timescale: 0,
        ..Mp4::default()
    };
    assert_broken(header(&zero.file()), "0 units per second");
    let mut file = Mp4::default().file();
    let mvhd = find(&file, b"mvhd");
    put(&mut file, mvhd + 16, &[0; 4]);
    assert_broken(header(&file), "0 units per second");

    // Players replace negative durations.
    let negative = Mp4 {
        stts: vec![(10, u32::MAX)],
        ..Mp4::default()
    };
    assert_eq!(header(&negative.file()).unwrap().duration_ms, 10);
    let still = Mp4 {
        stts: vec![(10, 0)],
        ..Mp4::default()
    };
    let video = header(&still.file()).unwrap();
    assert_eq!((video.duration_ms, video.frame_rate), (0, None));
}

#[test]
fn rejects_key_frames_outside_the_file_and_in_each_other() {
    for (offsets, what) in [
        (vec![u64::MAX], "after the end of the file"),
        (vec![u64::MAX - 550], "after the end of the file"),
        (vec![199_450], "after the end of the file"),
        (vec![], "no entry for a key frame"),
    ] {
        let file = Mp4 {
            offsets,
            ..Mp4::default()
        };
        assert_broken(every(&file.file()), what);
    }
    for second in [100_000, 100_050, 99_950] {
        let overlapping = Mp4 {
            stsc: vec![(1, 5)],
            offsets: vec![100_000, second],
            ..Mp4::default()
        };
        assert_broken(every(&overlapping.file()), "overlap");
    }
}

#[test]
fn rejects_tables_that_are_not_in_order() {
    for stss in [vec![6, 1], vec![1, 1], vec![0], vec![11], vec![u32::MAX]] {
        let file = Mp4 {
            stss: Some(stss),
            ..Mp4::default()
        };
        assert_broken(every(&file.file()), "key frames (stss)");
    }
    for stsc in [
        vec![],
        vec![(2, 10)],
        vec![(0, 10)],
        vec![(1, 0)],
        vec![(1, 2), (1, 8)],
        vec![(1, 2), (u32::MAX, 0)],
    ] {
        let file = Mp4 {
            stsc,
            ..Mp4::default()
        };
        assert_broken(every(&file.file()), "chunks (stsc)");
    }
}

#[test]
fn without_listed_key_frames_the_first_frame_is_one() {
    let file = Mp4 {
        stss: Some(vec![]),
        ..Mp4::default()
    };
    assert_eq!(every(&file.file()).unwrap().len(), 1);
}

#[test]
fn reads_compact_tables_of_sizes() {
    for (bits, sizes) in [
        (4, vec![0x98, 0x76, 0x54, 0x32, 0x15]),
        (8, vec![9, 8, 7, 6, 5, 4, 3, 2, 1, 5]),
        (
            16,
            (1..=10)
                .rev()
                .flat_map(|size: u16| (size - 1).max(1).to_be_bytes())
                .collect(),
        ),
    ] {
        let content = [numbers([0, bits, 10]), sizes].concat();
        let mut file = Mp4::default().with_table(b"stz2", &content);
        let stsz = find(&file, b"stsz");
        put(&mut file, stsz, b"none");
        let found = every(&file).unwrap();
        assert_eq!(
            (
                found[0].size,
                found[1].position - found[0].position,
                found[1].size
            ),
            (9, 35, 4),
            "{bits}"
        );
    }
    let mut file = Mp4::default().with_table(b"stz2", &numbers([0, 3, 10, 0, 0]));
    let stsz = find(&file, b"stsz");
    put(&mut file, stsz, b"none");
    assert_broken(every(&file), "unknown length");
}

#[test]
fn rejects_a_codec_that_changes() {
    let aspect = full(b"pasp", 1, &numbers([2]));
    let changes = Mp4 {
        entries: vec![vec![], boxed(b"avcC", b"\x01\x64\0\x29")],
        ..Mp4::default()
    };
    assert_eq!(header(&changes.file()), Err(VideoError::CodecChanges));
    let same = Mp4 {
        entries: vec![aspect.clone(), aspect],
        ..Mp4::default()
    };
    assert_eq!(header(&same.file()).unwrap().codec, Codec::H264(None));
}

#[test]
fn ignores_an_impossible_clean_aperture_and_applies_a_possible_one() {
    // The middle of the aperture is 4 pixels to the left of that of the frame.
    let offsets = [(-4_i32).cast_unsigned(), 1, 0, 0];
    let with = |numbers_of: [u32; 4]| {
        let clap = boxed(b"clap", &numbers(numbers_of.into_iter().chain(offsets)));
        let file = Mp4 {
            entries: vec![clap],
            ..Mp4::default()
        };
        let video = header(&file.file()).unwrap();
        let crop = video.crop;
        (
            (video.width, video.height),
            [crop.left, crop.top, crop.width, crop.height],
        )
    };
    assert_eq!(with([40, 1, 88, 2]), ((40, 44), [8, 2, 40, 44]));
    assert_eq!(with([62, 1, 48, 1]), ((62, 48), [0, 0, 62, 48]));
    for ignored in [
        [60, 0, 44, 1],
        [0, 0, 0, 0],
        [0, 1, 44, 1],
        [65, 1, 44, 1],
        [u32::MAX, 1, 1, 1],
    ] {
        assert_eq!(with(ignored), ((64, 48), [0, 0, 64, 48]));
    }
}

#[test]
fn pixels_can_be_so_wide_that_the_caller_has_to_refuse_them() {
    let file = Mp4 {
        entries: vec![boxed(b"pasp", &numbers([u32::MAX, 1]))],
        ..Mp4::default()
    };
    assert_eq!(header(&file.file()).unwrap().width, u32::MAX);
}

#[test]
fn rejects_edit_lists_with_too_many_parts() {
    let with = |count| Mp4 {
        elst: vec![(1_000, 0); count],
        ..Mp4::default()
    };
    assert_eq!(header(&with(64).file()).unwrap().duration_ms, 64_000);
    assert_eq!(header(&with(65).file()), Err(VideoError::TooComplex));
}

#[test]
fn rejects_boxes_that_are_longer_or_shorter_than_possible() {
    for (name, size, what) in [
        (b"trak", 0xFFFF_FFFF_u32, "longer than the one that contains it"),
        (b"stbl", 7, "shorter than its header"),
        (b"mdia", 1, ""),
    ] {
        let mut file = Mp4::default().file();
        let at = find(&file, name) - 4;
        put(&mut file, at, &size.to_be_bytes());
        assert_broken(header(&file), what);
    }
}

#[test]
fn a_box_to_the_end_of_the_file_is_the_last_one() {
    let mut file = Mp4::default().file();
    let mdat = find(&file, b"mdat") - 4;
    put(&mut file, mdat, &[0; 4]);
    assert_eq!(every(&file).unwrap().len(), 2);

    let moov = Mp4::default().moov();
    let ftyp = boxed(b"ftyp", b"isom\0\0\x02\0isommp41");
    let without = [&ftyp[..], &boxed(b"mdat", &[0; 400]), &[0, 0, 0, 0], &moov[4..]].concat();
    assert_eq!(header(&without).unwrap().frames, Some(10));
    let data_only = [&ftyp[..], &[0, 0, 0, 0], b"mdat", &moov].concat();
    assert_broken(header(&data_only), "header (moov) is missing");
}

#[test]
fn tells_an_incomplete_file_from_a_damaged_one() {
    let file = fixture("h264-header-at-end.mp4");
    let moov = find(file, b"moov");
    assert_eq!(header(&file[..moov + 100]), Err(VideoError::Incomplete));
    assert_broken(header(&file[..moov - 4]), "header (moov) is missing");
    let file = fixture("h264-faststart.mp4");
    let mdat = find(file, b"mdat");
    // The header is complete, but not the frames.
    assert!(header(&file[..mdat + 100]).is_ok());
    assert_broken(every(&file[..mdat + 100]), "after the end of the file");
}

#[test]
fn many_boxes_before_the_header_are_too_many() {
    let ftyp = boxed(b"ftyp", b"isom\0\0\x02\0isommp41");
    let file = |count: usize| {
        [
            &ftyp[..],
            &boxed(b"free", &[]).repeat(count),
            &Mp4::default().moov(),
        ]
        .concat()
    };
    assert!(header(&file(900)).is_ok());
    assert_broken(header(&file(1_100)), "header (moov) is missing");
}

#[test]
fn many_tracks_and_nested_boxes_end() {
    let track = boxed(
        b"trak",
        &boxed(
            b"mdia",
            &full(b"hdlr", 0, b"\0\0\0\0soun\0\0\0\0\0\0\0\0\0\0\0\0\0"),
        ),
    );
    let mvhd = full(b"mvhd", 0, &[&numbers([0, 0, 1_000])[..], &[0; 88]].concat());
    let moov = |tracks: usize| boxed(b"moov", &[&mvhd[..], &track.repeat(tracks)].concat());
    assert_eq!(header(&file_with(&moov(1_000))), Err(VideoError::AudioOnly));
    let file = [boxed(b"ftyp", b"isom\0\0\x02\0isommp41"), moov(120_000)].concat();
    assert_eq!(header(&file), Err(VideoError::TooComplex));

    let mut nested = vec![];
    for _ in 0..10_000 {
        nested = boxed(b"moov", &nested);
    }
    assert_broken(header(&file_with(&nested)), "mvhd");
}

/// A fragmented file with these boxes after the header.
fn fragmented(boxes: &[u8]) -> Vec<u8> {
    let file = fixture("h264-fragments.mp4");
    let first = find(file, b"moof") - 4;
    [&file[..first], boxes].concat()
}

fn moof(tfhd: &[u32], trun: &[u32]) -> Vec<u8> {
    let tfhd = boxed(b"tfhd", &numbers(tfhd.iter().copied()));
    let tfdt = boxed(b"tfdt", &numbers([0, 0]));
    let trun = boxed(b"trun", &numbers(trun.iter().copied()));
    boxed(b"moof", &boxed(b"traf", &[tfhd, tfdt, trun].concat()))
}

#[test]
fn rejects_fragments_that_lie() {
    // Samples with sizes.
    let file = fragmented(&moof(&[0x02_0000, 1], &[0x200, u32::MAX, 1]));
    assert_broken(every(&file), "fewer entries than it states");
    // Samples without any bytes of their own.
    let file = fragmented(&moof(&[0x02_0018, 1, 100, 1], &[0, u32::MAX]));
    assert_eq!(every(&file), Err(VideoError::TooComplex));
    assert_eq!(header(&file), Err(VideoError::TooComplex));
    // Before the start of the file.
    let file = fragmented(&moof(&[0x02_0018, 1, 100, 1], &[1, 1, 0x8000_0000]));
    assert_broken(every(&file), "after the end of the file");
    // At the largest position.
    let base = [0x19, 1, u32::MAX, u32::MAX, 100, 1];
    assert_broken(
        every(&fragmented(&moof(&base, &[0, 2]))),
        "after the end of the file",
    );
    // The same data twice.
    let twice = moof(&[0x02_0018, 1, 100, 1], &[1, 1, 100]);
    let twice = [
        &twice[..],
        &moof(&[0x19, 1, 0, 900, 100, 1], &[0, 1]),
        &moof(&[0x19, 1, 0, 900, 100, 1], &[0, 1]),
    ];
    assert_broken(
        every(&[fragmented(&twice.concat()), vec![0; 2_000]].concat()),
        "overlap",
    );
}

#[test]
fn an_index_of_fragments_cannot_lead_in_circles_or_out_of_the_file() {
    let file = fixture("h264-fragments-mfra.mp4");
    let (mfra, tfra) = (find(file, b"mfra") - 4, find(file, b"tfra"));
    assert_eq!(every(file).unwrap().len(), 4);

    // An entry that names the index itself, or a position after the end.
    for position in [mfra as u64, file.len() as u64, u64::MAX] {
        let mut broken = file.to_vec();
        put(&mut broken, tfra + 4 + 16 + 3 * 19 + 8, &position.to_be_bytes());
        assert_broken(every(&broken), "fragment that does not exist");
    }
    // An index that begins at itself, or before the file, is none.
    for length in [0, 8, u32::MAX] {
        let mut broken = file.to_vec();
        let at = broken.len() - 4;
        put(&mut broken, at, &length.to_be_bytes());
        assert_eq!(every(&broken), every(file), "{length}");
    }
}

#[test]
fn an_index_of_segments_that_lies_is_named() {
    let file = fixture("h264-fragments-sidx.mp4");
    let sidx = find(file, b"sidx");
    // Version 1: the first entry is after 36 bytes.
    let mut broken = file.to_vec();
    put(&mut broken, sidx + 36, &0x7FFF_FFFF_u32.to_be_bytes());
    assert_broken(every(&broken), "after the end of the file");
    let mut broken = file.to_vec();
    put(&mut broken, sidx + 34, &[0xFF, 0xFF]);
    assert_broken(every(&broken), "fewer entries than it states");
}

#[test]
fn matroska_elements_of_any_size_end() {
    let file = fixture("vp9.webm");
    // Information, tracks, index.
    for id in [
        [0x15, 0x49, 0xA9, 0x66],
        [0x16, 0x54, 0xAE, 0x6B],
        [0x1C, 0x53, 0xBB, 0x6B],
    ] {
        for size in [
            &[0x01, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF, 0xFF][..],
            &[0x01, 0x7F, 0, 0, 0, 0, 0, 0],
        ] {
            let mut broken = file.to_vec();
            let at = broken.windows(4).rposition(|window| window == id).unwrap();
            put(&mut broken, at + 4, size);
            let (found, cost) = read(&File::of(&broken), |pieces| key_frames(pieces, Select::Every(0)));
            assert!(
                matches!(found, Err(VideoError::Broken(_) | VideoError::Incomplete)) || id[0] == 0x1C,
                "{found:?}"
            );
            assert!(cost.reads < 10);
        }
    }
}

#[test]
fn an_index_of_clusters_cannot_lead_out_of_the_file() {
    let file = fixture("vp9.webm");
    let cues = file
        .windows(4)
        .rposition(|window| window == [0x1C, 0x53, 0xBB, 0x6B])
        .unwrap();
    let position = cues + find(&file[cues..], &[0xF1]);
    let length = usize::from(file[position + 1] & 0x7F);
    for byte in [0, 0xFF] {
        let mut broken = file.to_vec();
        put(&mut broken, position + 2, &vec![byte; length]);
        assert_broken(every(&broken), "frame that does not exist");
    }
}

#[test]
fn an_index_with_an_entry_twice_gives_a_key_frame_once() {
    let file = fixture("vp9.webm");
    let cues = file
        .windows(4)
        .rposition(|window| window == [0x1C, 0x53, 0xBB, 0x6B])
        .unwrap();
    // The entry of the second key frame has the same length as that of the third one.
    let second = cues + 5 + 2 + usize::from(file[cues + 6] & 0x7F);
    let length = 2 + usize::from(file[second + 1] & 0x7F);
    let mut twice = file.to_vec();
    twice.copy_within(second..second + length, second + length);
    let times: Vec<_> = every(&twice).unwrap().iter().map(|frame| frame.time_ms).collect();
    assert_eq!(times, [0, 500, 1_500]);
}

/// Where an element's content begins that has a size of one byte.
fn matroska_value(file: &[u8], id: &[u8]) -> usize {
    find(file, id) + id.len() + 1
}

#[test]
fn rejects_impossible_numbers_in_matroska() {
    let file = fixture("vp9.webm");
    let mut zero = file.to_vec();
    let scale = matroska_value(file, &[0x2A, 0xD7, 0xB1]);
    put(&mut zero, scale, &[0; 3]);
    assert_broken(header(&zero), "TimestampScale");

    for duration in [f64::NAN, f64::NEG_INFINITY, -1.0] {
        let mut broken = file.to_vec();
        let at = matroska_value(file, &[0x44, 0x89]);
        put(&mut broken, at, &duration.to_be_bytes());
        // By the last frame.
        assert_eq!(header(&broken).unwrap().duration_ms, 2_000);
    }
    let mut endless = file.to_vec();
    let at = matroska_value(file, &[0x44, 0x89]);
    put(&mut endless, at, &f64::INFINITY.to_be_bytes());
    assert_eq!(header(&endless).unwrap().duration_ms, u64::MAX);
}

proptest! {
    #[test]
    fn a_modified_file_gives_a_result_or_an_error(
        (_, bytes) in prop::sample::select(FIXTURES.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..12),
        time in 0_u64..3_000,
    ) {
        let mut bytes = bytes.to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        check_all(&bytes, time);
    }

    #[test]
    fn a_file_with_extreme_numbers_gives_a_result_or_an_error(
        (_, bytes) in prop::sample::select(FIXTURES.to_vec()),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(vec![
            0_u32, 1, 2, 0xFF, 0x7FFF_FFFF, 0x8000_0000, 0xFFFF_FFFE, 0xFFFF_FFFF,
        ])), 1..4),
        time in 0_u64..3_000,
    ) {
        let mut bytes = bytes.to_vec();
        for (at, value) in changes {
            let at = at.index(bytes.len() - 4);
            put(&mut bytes, at, &value.to_be_bytes());
        }
        check_all(&bytes, time);
    }

    #[test]
    fn parts_of_other_files_give_a_result_or_an_error(
        (_, bytes) in prop::sample::select(FIXTURES.to_vec()),
        (_, other) in prop::sample::select(FIXTURES.to_vec()),
        cut in any::<prop::sample::Index>(),
        from in any::<prop::sample::Index>(),
    ) {
        let bytes = [&bytes[..cut.index(bytes.len())], &other[from.index(other.len())..]].concat();
        check_all(&bytes, 700);
    }
}

/// Reads everything. [`read`] checks the limits.
fn check_all(bytes: &[u8], time: u64) {
    let file = File::of(bytes);
    let (found, _) = read(&file, look);
    assert_eq!(found, whole(look(&Pieces::all(bytes))));
    for select in [
        Select::Every(100),
        Select::AtOrBefore(time),
        Select::AtOrAfter(time),
    ] {
        let (found, _) = read(&file, |pieces| key_frames(pieces, select));
        for frame in found.as_ref().map(|frames| &frames[..]).unwrap_or_default() {
            assert!(frame.size > 0 && frame.position + u64::from(frame.size) <= file.size);
        }
        assert_eq!(found, whole(key_frames(&Pieces::all(bytes), select)));
    }
}

#[test]
fn a_file_that_is_cut_off_anywhere_gives_a_result_or_an_error() {
    for name in [
        "h264-faststart.mp4",
        "h264-fragments-mfra.mp4",
        "hevc-pq.mp4",
        "av1-hlg.mkv",
        "vp9-without-cues.webm",
    ] {
        let bytes = fixture(name);
        for length in 0..bytes.len() {
            let bytes = &bytes[..length];
            let found = read(&File::of(bytes), look).0;
            assert_eq!(found, whole(look(&Pieces::all(bytes))), "{name}, {length}");
            let found = every(bytes);
            if length < 100 {
                assert!(found.is_err(), "{name}, {length}");
            }
        }
    }
}
