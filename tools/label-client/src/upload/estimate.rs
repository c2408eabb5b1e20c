//! What an upload costs and how many days it takes: the end of the summary of `--dry-run`.

use super::report::Count;
use anyhow::Result;
use capacity::bill;
use capacity::numbers::{dollars, grouped};
use capacity::prices::Prices;
use capacity::stack::Stack;
use capacity::usage::{Month, Workload};
use std::collections::BTreeMap;

/// Labels per picture, as in `cargo xtask cost`.
const LABELS: u32 = 10;

/// Sentences about costs and days.
///
/// # Errors
/// A definition of the stack is not as expected.
pub(super) fn text(new: Count, region: &str, images_per_day: Option<u64>) -> Result<String> {
    let mut text = match Prices::of(region) {
        Ok(prices) => {
            let (first, later) = cost(new, &prices)?;
            format!(
                "Uploading and labeling costs about ${} in {region}, and each later month about ${}, mostly for storage.\n",
                dollars(first),
                dollars(later)
            )
        }
        Err(error) => format!("The costs in {region} are unknown: {error}.\n"),
    };
    if let Some(limit) = images_per_day.filter(|limit| *limit > 0) {
        let days = new.files.div_ceil(limit);
        text.push_str(&format!(
            "With up to {} images a day, it takes at least {} {}.\n",
            grouped(limit as f64),
            grouped(days as f64),
            if days == 1 { "day" } else { "days" }
        ));
    }
    Ok(text)
}

/// US dollars for the first month and for each later one, without what the stack costs anyway.
fn cost(new: Count, prices: &Prices) -> Result<(f64, f64)> {
    let stack = Stack::read()?;
    let month = |count: Count, month| {
        let workload = Workload {
            images: count.files,
            owners: 1,
            labels: LABELS,
            average_mb: count.bytes as f64 / 1e6 / count.files.max(1) as f64,
            views: 0,
            converted_percent: 0.0,
            durations: BTreeMap::new(),
        };
        bill::total(&bill::of(&workload, &stack, prices, month))
    };
    let added = |of| month(new, of) - month(Count::default(), of);
    Ok((added(Month::First), added(Month::Later)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_hundred_thousand_pictures_cost_about_a_tenth_of_a_cent_each() {
        let new = Count {
            files: 100_000,
            bytes: 300_000_000_000,
        };
        let prices = Prices::of("us-east-1").unwrap();
        let (first, later) = cost(new, &prices).unwrap();
        assert!((100.0..150.0).contains(&first), "{first}");
        // 300 GB in S3 for $0.023 each, less what 1024-based GB save.
        assert!((6.0..8.0).contains(&later), "{later}");
        let text = text(new, "us-east-1", Some(5000)).unwrap();
        assert!(
            text.contains("With up to 5,000 images a day, it takes at least 20 days."),
            "{text}"
        );
        assert_eq!(cost(Count::default(), &prices).unwrap(), (0.0, 0.0));
    }

    #[test]
    fn a_region_without_prices_is_named_and_days_are_estimated() {
        let new = Count { files: 3, bytes: 3 };
        let text = text(new, "mars-1", Some(2)).unwrap();
        assert!(text.starts_with("The costs in mars-1 are unknown: "), "{text}");
        assert!(
            text.ends_with("With up to 2 images a day, it takes at least 2 days.\n"),
            "{text}"
        );
    }
}
