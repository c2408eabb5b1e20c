//! The names of the files in an archive. Every system can unpack them, and no two are the same. The page names the files
//! of a ZIP by the same rules (`frontend/src/download/file-names.ts`), so that a sidecar is named after its picture.

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use unicode_normalization::UnicodeNormalization;

/// Most file systems limit a name to 255 bytes. The rest is for the extension of the sidecar.
const MAX_BYTES: usize = 240;

/// A longer ending of a name is not a file extension. In bytes, with the dot.
const MAX_EXTENSION: usize = 16;

/// Names of devices on Windows, with any extension. `COM` and `LPT` are followed by a digit.
const DEVICES: [&str; 4] = ["con", "prn", "aux", "nul"];
const NUMBERED_DEVICES: [&str; 2] = ["com", "lpt"];

/// Gives names that are not taken yet.
#[derive(Debug, Default)]
pub(crate) struct FileNames {
    /// The keys of all names, and for the first file with a name the number of the next one: ten thousand files with one name
    /// must not try ten thousand numbers each.
    taken: HashMap<String, u64>,
}

impl FileNames {
    /// A valid file name like `wanted`: a number is added if another file has this name.
    pub(crate) fn add(&mut self, wanted: &str) -> String {
        let valid = valid(wanted);
        let (stem, extension) = split(&valid);
        let first = numbered(stem, extension, 1);
        let first_key = key(&first);
        let Some(mut number) = self.taken.get(&first_key).copied() else {
            self.taken.insert(first_key, 2);
            return first;
        };
        let name = loop {
            let name = numbered(stem, extension, number);
            number += 1;
            if let Entry::Vacant(place) = self.taken.entry(key(&name)) {
                place.insert(2);
                break name;
            }
        };
        self.taken.insert(first_key, number);
        name
    }
}

/// The name of the file with this number, counted from 1, among those with the same name.
fn numbered(stem: &str, extension: &str, number: u64) -> String {
    let suffix = match number {
        1 => extension.to_owned(),
        _ => format!(" ({number}){extension}"),
    };
    let stem = &stem[..stem.floor_char_boundary(MAX_BYTES.saturating_sub(suffix.len()))];
    format!("{stem}{suffix}")
}

/// The same for names that a system would store as one file: Windows and macOS ignore case, and macOS how accents are encoded.
fn key(name: &str) -> String {
    name.nfc().collect::<String>().to_lowercase()
}

/// Replaces what a system does not accept in the name of a file.
fn valid(name: &str) -> String {
    let clean: String = name
        .chars()
        .map(|character| if is_forbidden(character) { '_' } else { character })
        .collect();
    // Windows removes dots and spaces at the end, and `.` and `..` are folders.
    let clean = clean.trim().trim_end_matches(['.', ' ']);
    match clean {
        "" => "_".to_owned(),
        clean if is_device(clean) => format!("_{clean}"),
        clean => clean.to_owned(),
    }
}

/// Characters that Windows does not accept in file names, control characters, and marks that change the direction of text.
/// Slashes would also make folders, or lead out of the folder into which the archive is unpacked.
fn is_forbidden(character: char) -> bool {
    let is_direction_mark = matches!(
        character,
        '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}'
    );
    character.is_control() || is_direction_mark || "<>:\"/\\|?*".contains(character)
}

fn is_device(name: &str) -> bool {
    let stem = name.split('.').next().unwrap_or_default().to_ascii_lowercase();
    let is_numbered = |device: &str| {
        let number = stem.strip_prefix(device);
        number.is_some_and(|number| number.len() == 1 && number.as_bytes()[0].is_ascii_digit())
    };
    DEVICES.contains(&stem.as_str()) || NUMBERED_DEVICES.into_iter().any(is_numbered)
}

/// The name without its extension, and the extension with its dot.
fn split(name: &str) -> (&str, &str) {
    match name.rfind('.') {
        Some(dot) if dot > 0 && name.len() - dot <= MAX_EXTENSION => name.split_at(dot),
        _ => (name, ""),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::collections::HashSet;

    fn named(wanted: &[&str]) -> Vec<String> {
        let mut names = FileNames::default();
        wanted.iter().map(|wanted| names.add(wanted)).collect()
    }

    #[test]
    fn keeps_original_names() {
        let names = [
            "cat.jpg",
            "Ça va.png",
            "犬 🐈.heic",
            "no extension",
            ".hidden",
            "a.tar.gz",
        ];
        assert_eq!(named(&names), names);
    }

    #[test]
    fn numbers_names_that_a_system_would_store_as_one_file() {
        assert_eq!(
            named(&["cat.jpg", "Cat.JPG", "cat (2).jpg", "cat.jpg"]),
            ["cat.jpg", "Cat (2).JPG", "cat (2) (2).jpg", "cat (3).jpg"]
        );
        assert_eq!(
            named(&["caf\u{e9}.png", "cafe\u{301}.png"]),
            ["caf\u{e9}.png", "cafe\u{301} (2).png"]
        );
    }

    /// A library can have fifty thousand pictures with the name `image.jpg`.
    #[test]
    fn many_files_with_one_name_are_numbered_in_one_pass() {
        let mut names = FileNames::default();
        for number in 1..=50_000 {
            let name = names.add("image.jpg");
            assert!(number == 1 || name == format!("image ({number}).jpg"), "{name}");
        }
    }

    #[test]
    fn no_name_leads_out_of_the_folder_or_is_a_device() {
        for (wanted, name) in [
            ("../../etc/passwd", ".._.._etc_passwd"),
            ("C:\\Windows\\cat.jpg", "C__Windows_cat.jpg"),
            ("..", "_"),
            ("", "_"),
            ("a<b>:\"|?*.png", "a_b______.png"),
            ("CON", "_CON"),
            ("com1.jpg", "_com1.jpg"),
            ("console.jpg", "console.jpg"),
            ("com10.jpg", "com10.jpg"),
            ("cat.jpg. .", "cat.jpg"),
            ("a\0b\u{202e}gpj.exe", "a_b_gpj.exe"),
        ] {
            assert_eq!(named(&[wanted]), [name], "{wanted:?}");
        }
    }

    proptest! {
        #[test]
        fn any_names_are_distinct_and_can_be_unpacked(
            wanted in proptest::collection::vec("\\PC{0,12}|[./\\\\:a\u{0}\u{202e} -]{0,12}|(?i)(con|nul|com1)(\\.[a-z]{0,3})?|[a犬]{100,300}\\.jpg", 1..20),
        ) {
            let mut names = FileNames::default();
            let mut keys = HashSet::new();
            for wanted in &wanted {
                let name = names.add(wanted);
                prop_assert!(keys.insert(name.to_lowercase()), "{}", name);
                prop_assert!(!name.is_empty() && name.len() <= MAX_BYTES);
                prop_assert!(!name.chars().any(is_forbidden) && !is_device(&name), "{}", name);
                prop_assert!(name != "." && name != ".." && !name.ends_with(['.', ' ']), "{}", name);
            }
        }
    }
}
