//! Builds MP4 files with any tables.

/// A box.
pub(super) fn boxed(name: &[u8; 4], content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 8).unwrap();
    [&length.to_be_bytes(), &name[..], content].concat()
}

/// A box that starts with a version and flags.
pub(super) fn full(name: &[u8; 4], version_and_flags: u32, content: &[u8]) -> Vec<u8> {
    boxed(name, &[&version_and_flags.to_be_bytes(), content].concat())
}

/// Where bytes are that occur once, or the first of them.
pub(super) fn find(bytes: &[u8], part: &[u8]) -> usize {
    let found = bytes.windows(part.len()).position(|window| window == part);
    found.unwrap_or_else(|| panic!("no {part:?}"))
}

/// Overwrites bytes.
pub(super) fn put(bytes: &mut [u8], at: usize, part: &[u8]) {
    bytes[at..at + part.len()].copy_from_slice(part);
}

pub(super) fn numbers(numbers: impl IntoIterator<Item = u32>) -> Vec<u8> {
    numbers.into_iter().flat_map(u32::to_be_bytes).collect()
}

/// A video track, as its tables.
pub(super) struct Mp4 {
    pub(super) timescale: u32,
    /// Number and duration of samples.
    pub(super) stts: Vec<(u32, u32)>,
    /// Number of samples and offset of their times.
    pub(super) ctts: Vec<(u32, u32)>,
    /// Key frames. `None` if all are.
    pub(super) stss: Option<Vec<u32>>,
    /// First chunk and number of samples.
    pub(super) stsc: Vec<(u32, u32)>,
    pub(super) sizes: Vec<u32>,
    pub(super) offsets: Vec<u64>,
    /// Duration and first time.
    pub(super) elst: Vec<(u32, i32)>,
    /// Further boxes in the sample entry, each of which gives an entry of its own.
    pub(super) entries: Vec<Vec<u8>>,
}

impl Default for Mp4 {
    /// Ten frames of 0.1 seconds and 100 bytes each, from byte 100,000 on. The first and the sixth one are key frames.
    fn default() -> Self {
        Self {
            timescale: 1_000,
            stts: vec![(10, 100)],
            ctts: vec![],
            stss: Some(vec![1, 6]),
            stsc: vec![(1, 10)],
            sizes: vec![100; 10],
            offsets: vec![100_000],
            elst: vec![],
            entries: vec![vec![]],
        }
    }
}

impl Mp4 {
    /// The tables in `stbl`.
    fn tables(&self) -> Vec<Vec<u8>> {
        let table = |name, entries: Vec<u32>, count: usize| {
            full(
                name,
                0,
                &numbers([u32::try_from(count).unwrap()].into_iter().chain(entries)),
            )
        };
        let pairs = |entries: &[(u32, u32)]| entries.iter().flat_map(|(a, b)| [*a, *b]).collect();
        let entries: Vec<u8> = self
            .entries
            .iter()
            .flat_map(|more| {
                let mut entry = vec![0; 78];
                put(&mut entry, 24, &[0, 64, 0, 48]);
                entry.extend(more);
                boxed(b"avc1", &entry)
            })
            .collect();
        let count = u32::try_from(self.entries.len()).unwrap().to_be_bytes();
        let mut tables = vec![
            full(b"stsd", 0, &[&count[..], &entries].concat()),
            table(b"stts", pairs(&self.stts), self.stts.len()),
        ];
        if !self.ctts.is_empty() {
            tables.push(table(b"ctts", pairs(&self.ctts), self.ctts.len()));
        }
        if let Some(stss) = &self.stss {
            tables.push(table(b"stss", stss.clone(), stss.len()));
        }
        let stsc = self
            .stsc
            .iter()
            .flat_map(|(first, count)| [*first, *count, 1])
            .collect();
        tables.push(table(b"stsc", stsc, self.stsc.len()));
        let sizes = [&[0, u32::try_from(self.sizes.len()).unwrap()], &self.sizes[..]].concat();
        tables.push(full(b"stsz", 0, &numbers(sizes)));
        let offsets: Vec<u8> = self
            .offsets
            .iter()
            .flat_map(|offset| offset.to_be_bytes())
            .collect();
        let count = u32::try_from(self.offsets.len()).unwrap().to_be_bytes();
        tables.push(full(b"co64", 0, &[&count[..], &offsets].concat()));
        tables
    }

    /// The box `moov`.
    pub(super) fn moov(&self) -> Vec<u8> {
        self.moov_with(&self.tables().concat())
    }

    /// The box `moov` with these tables.
    fn moov_with(&self, tables: &[u8]) -> Vec<u8> {
        let matrix = numbers([0x1_0000, 0, 0, 0, 0x1_0000, 0, 0, 0, 0x4000_0000]);
        let mvhd = [
            &numbers([0, 0, 1_000, 0, 0x1_0000, 0, 0, 0])[..],
            &matrix,
            &[0; 28],
        ]
        .concat();
        let tkhd = [
            &numbers([0, 0, 1, 0, 0, 0, 0, 0, 0])[..],
            &matrix,
            &numbers([64 << 16, 48 << 16]),
        ]
        .concat();
        let edits = self
            .elst
            .iter()
            .flat_map(|(duration, time)| [*duration, time.cast_unsigned(), 0x1_0000]);
        let elst = [u32::try_from(self.elst.len()).unwrap()].into_iter().chain(edits);
        let edts = boxed(b"edts", &full(b"elst", 0, &numbers(elst)));
        let mdhd = full(b"mdhd", 0, &numbers([0, 0, self.timescale, 0, 0]));
        let hdlr = full(b"hdlr", 0, b"\0\0\0\0vide\0\0\0\0\0\0\0\0\0\0\0\0\0");
        let minf = boxed(b"minf", &boxed(b"stbl", tables));
        let mdia = boxed(b"mdia", &[mdhd, hdlr, minf].concat());
        let trak = boxed(b"trak", &[full(b"tkhd", 7, &tkhd), edts, mdia].concat());
        boxed(b"moov", &[full(b"mvhd", 0, &mvhd), trak].concat())
    }

    /// A file of 200,000 bytes.
    pub(super) fn file(&self) -> Vec<u8> {
        file_with(&self.moov())
    }

    /// A file of 200,000 bytes in which this table is replaced by another one.
    pub(super) fn with_table(&self, name: &[u8; 4], content: &[u8]) -> Vec<u8> {
        let mut tables = self.tables();
        tables.retain(|table| table[4..8] != name[..]);
        tables.push(boxed(name, content));
        file_with(&self.moov_with(&tables.concat()))
    }
}

/// A file of 200,000 bytes with this header.
pub(super) fn file_with(moov: &[u8]) -> Vec<u8> {
    let mut file = [boxed(b"ftyp", b"isom\0\0\x02\0isommp41"), moov.to_vec()].concat();
    let data = u32::try_from(200_000 - file.len()).unwrap();
    file.extend(data.to_be_bytes());
    file.extend(b"mdat");
    file.resize(200_000, 0);
    file
}
