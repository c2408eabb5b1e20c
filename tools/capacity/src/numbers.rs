//! Numbers as arguments and in tables.

/// The largest number of pictures that is accepted. Up to here, `f64` counts exactly.
pub const MAX_COUNT: u64 = 1_000_000_000_000_000;

/// A count from 0 to [`MAX_COUNT`].
///
/// # Errors
/// Says what was wrong. Clap adds the name of the option.
pub fn count(text: &str) -> Result<u64, String> {
    let expected = || format!("expected a whole number from 0 to {}", grouped(MAX_COUNT as f64));
    text.parse::<u64>()
        .ok()
        .filter(|number| *number <= MAX_COUNT)
        .ok_or_else(expected)
}

/// A count from 1 to [`MAX_COUNT`].
///
/// # Errors
/// As [`count`].
pub fn positive_count(text: &str) -> Result<u64, String> {
    count(text)
        .ok()
        .filter(|number| *number > 0)
        .ok_or_else(|| format!("expected a whole number from 1 to {}", grouped(MAX_COUNT as f64)))
}

/// A number from 0 to `limit`.
///
/// # Errors
/// As [`count`].
pub fn up_to(text: &str, limit: f64) -> Result<f64, String> {
    text.parse::<f64>()
        .ok()
        .filter(|number| (0.0..=limit).contains(number))
        .ok_or_else(|| format!("expected a number from 0 to {limit}"))
}

/// Rounded, with commas between thousands: `1,234,567`.
pub fn grouped(number: f64) -> String {
    let digits = format!("{:.0}", number.abs());
    let mut text = String::new();
    for (place, digit) in digits.chars().enumerate() {
        if place > 0 && (digits.len() - place).is_multiple_of(3) {
            text.push(',');
        }
        text.push(digit);
    }
    if number < 0.0 && text != "0" {
        text.insert(0, '-');
    }
    text
}

/// Three significant digits or all digits before the point: `0.00123`, `1.5`, `1,234`.
pub fn short(number: f64) -> String {
    if number == 0.0 {
        return "0".to_owned();
    }
    let decimals = 2 - number.abs().log10().floor() as i32;
    match usize::try_from(decimals) {
        Ok(decimals) if decimals > 0 => {
            let text = format!("{number:.decimals$}");
            text.trim_end_matches('0').trim_end_matches('.').to_owned()
        }
        _ => grouped(number),
    }
}

/// US dollars: cents below 1,000, whole dollars above.
pub fn dollars(amount: f64) -> String {
    if amount >= 1000.0 {
        grouped(amount)
    } else {
        format!("{amount:.2}")
    }
}

/// Bytes, in decimal units.
pub fn bytes(bytes: f64) -> String {
    for (unit, size) in [("TB", 1e12), ("GB", 1e9)] {
        if bytes >= size {
            return format!("{} {unit}", short(bytes / size));
        }
    }
    format!("{} MB", short(bytes / 1e6))
}

/// A time in the unit that people use for it.
pub fn duration(seconds: f64) -> String {
    for (unit, length) in [
        ("years", 31_557_600.0),
        ("days", 86_400.0),
        ("hours", 3600.0),
        ("minutes", 60.0),
    ] {
        if seconds >= 2.0 * length {
            return format!("{} {unit}", short(seconds / length));
        }
    }
    if seconds < 10.0 {
        format!("{seconds:.1} s")
    } else {
        format!("{seconds:.0} s")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn accepts_only_numbers_that_can_be_counted() {
        assert_eq!(count("0"), Ok(0));
        assert_eq!(count("1000000000000"), Ok(1_000_000_000_000));
        for text in ["-1", "", "1e6", "many", "99999999999999999999", "1.5"] {
            assert!(
                count(text).unwrap_err().contains("1,000,000,000,000,000"),
                "{text}"
            );
        }
        assert!(positive_count("0").is_err());
        for text in ["-0.1", "NaN", "inf", "101", "x"] {
            assert_eq!(
                up_to(text, 100.0),
                Err("expected a number from 0 to 100".into()),
                "{text}"
            );
        }
    }

    #[test]
    fn writes_numbers_as_people_read_them() {
        assert_eq!(
            (grouped(0.0), grouped(999.0), grouped(1_234_567.4)),
            ("0".into(), "999".into(), "1,234,567".into())
        );
        assert_eq!(
            ["0.00123", "1.5", "12.3", "1,235"],
            [0.001_23, 1.5, 12.34, 1234.6]
                .map(short)
                .each_ref()
                .map(String::as_str)
        );
        assert_eq!(
            (dollars(0.0), dollars(999.994), dollars(1e15)),
            ("0.00".into(), "999.99".into(), "1,000,000,000,000,000".into())
        );
        assert_eq!(
            [0.26, 20.0, 600.0, 7200.0, 200_000.0, 2e8]
                .map(duration)
                .each_ref()
                .map(String::as_str),
            [
                "0.3 s",
                "20 s",
                "10 minutes",
                "2 hours",
                "2.31 days",
                "6.34 years"
            ]
        );
    }
}
