//! A period of time before now, as an option of commands.

use std::str::FromStr;

/// The longest period in seconds: Step Functions keeps executions for 90 days after their end.
const MAX_SECONDS: u32 = 90 * 24 * 60 * 60;

/// The units and their lengths in seconds.
const UNITS: [(char, u32); 4] = [('s', 1), ('m', 60), ('h', 60 * 60), ('d', 24 * 60 * 60)];

/// A period in seconds: from 1 second to 90 days. Written as `90s`, `30m`, `24h` or `7d`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Since(u32);

impl Since {
    pub(crate) fn seconds(self) -> u32 {
        self.0
    }
}

impl FromStr for Since {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let invalid = || "expected a time from 1s to 90d, such as 30m, 24h or 7d".to_owned();
        let (digits, unit) = UNITS
            .iter()
            .find_map(|(suffix, unit)| Some((text.strip_suffix(*suffix)?, unit)))
            .ok_or_else(invalid)?;
        // `parse` would accept a plus sign.
        if !digits.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(invalid());
        }
        let seconds = digits
            .parse::<u32>()
            .ok()
            .and_then(|count| count.checked_mul(*unit));
        seconds
            .filter(|seconds| (1..=MAX_SECONDS).contains(seconds))
            .map(Self)
            .ok_or_else(invalid)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_number_with_a_unit() {
        for (text, seconds) in [("1s", 1), ("30m", 1800), ("24h", 86_400), ("90d", 7_776_000)] {
            assert_eq!(text.parse(), Ok(Since(seconds)));
        }
    }

    #[test]
    fn refuses_other_texts_with_an_example() {
        for text in [
            "",
            "h",
            "24",
            "0h",
            "91d",
            "-1h",
            "+1h",
            "1.5h",
            "1w",
            "99999999999d",
            "4294967295h",
            "1ä",
        ] {
            let error = text.parse::<Since>().unwrap_err();
            assert!(error.contains("such as 30m"), "{text}");
        }
    }
}
