//! What an upload costs and how many days it takes: the end of the summary of `--dry-run`.

use super::report::{Count, Videos, plural};
use anyhow::Result;
use capacity::bill;
use capacity::numbers::{dollars, grouped};
use capacity::prices::Prices;
use capacity::stack::Stack;
use capacity::usage::{Month, Workload};
use clap::Args;
use domain::bulk::{DEFAULT_FRAME_INTERVAL, dollars_per_video_minute};
use domain::video::{MAX_DURATION_MS, VideoLabels};
use std::collections::BTreeMap;

/// Labels per picture, as in `cargo xtask cost`.
const LABELS: u32 = 10;

/// Prices and limits of a stack.
#[derive(Debug, Args)]
pub(super) struct Terms {
    /// The region whose prices the estimate uses
    #[arg(long, value_name = "REGION", default_value = "us-east-1")]
    region: String,
    /// The daily limit that the estimate uses
    #[arg(long, value_name = "NUMBER")]
    images_per_day: Option<u64>,
    /// The daily limit of minutes of video that the estimate uses
    #[arg(long, value_name = "NUMBER")]
    video_minutes_per_day: Option<u64>,
    /// How videos are labeled, as in the parameter VideoLabels
    #[arg(long, value_name = "FRAMES|REKOGNITION", default_value = "FRAMES")]
    video_labels: VideoLabels,
    /// Seconds between two labeled frames of a video
    #[arg(long, value_name = "SECONDS", default_value_t = DEFAULT_FRAME_INTERVAL)]
    video_frame_interval: u32,
}

/// Sentences about costs and days. `videos` are among the new files.
///
/// # Errors
/// A definition of the stack is not as expected.
pub(super) fn text(new: Count, videos: Videos, terms: &Terms) -> Result<String> {
    let per_minute = dollars_per_video_minute(terms.video_labels, terms.video_frame_interval);
    let minutes = videos.minutes as f64 * per_minute;
    let region = &terms.region;
    let prices = Prices::of(region);
    let is_known = prices.is_ok();
    let mut text = match prices {
        Ok(prices) => {
            let (first, later) = cost(new, videos.count, &prices)?;
            format!(
                "Uploading and labeling costs about ${} in {region}, and each later month about ${}, mostly for storage.\n",
                dollars(first + minutes),
                dollars(later)
            )
        }
        Err(error) => format!("The costs in {region} are unknown: {error}.\n"),
    };
    if videos.minutes > 0 {
        text.push_str(&format!(
            "Labeling {} of video costs about ${}{}: ${per_minute:.2} a minute, as in us-east-1.\n",
            plural(videos.minutes, "minute"),
            dollars(minutes),
            if is_known { " of that" } else { "" }
        ));
    }
    if videos.unreadable > 0 {
        text.push_str(
            "Videos whose length can't be read are not part of the price. They will probably be rejected.\n",
        );
    }
    if let Some(limit) = terms.images_per_day.filter(|limit| *limit > 0) {
        text.push_str(&format!(
            "At {} images a day, the upload takes at least {}.\n",
            grouped(limit as f64),
            plural(new.files.div_ceil(limit), "day")
        ));
    }
    if let Some(limit) = terms.video_minutes_per_day.filter(|_| videos.minutes > 0) {
        text.push_str(&minutes_per_day(videos, limit));
    }
    Ok(text)
}

/// Sentences about the daily limit of minutes of video.
fn minutes_per_day(videos: Videos, limit: u64) -> String {
    let longest_allowed = limit.min(MAX_DURATION_MS / 60_000);
    let longest = u64::from(videos.longest);
    if longest > longest_allowed {
        return format!(
            "Videos of more than {} are rejected. The longest one has {}.\n",
            plural(longest_allowed, "minute"),
            plural(longest, "minute")
        );
    }
    if videos.minutes > limit {
        return format!(
            "With up to {} of video a day, their labels take at least {}. Videos beyond that are rejected: label them again on \
             the next day.\n",
            plural(limit, "minute"),
            plural(videos.minutes.div_ceil(limit.max(1)), "day")
        );
    }
    String::new()
}

/// US dollars for the first month and for each later one, without what the stack costs anyway, and without the minutes of videos.
fn cost(new: Count, videos: Count, prices: &Prices) -> Result<(f64, f64)> {
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
    let pictures = Count {
        files: new.files - videos.files,
        bytes: new.bytes - videos.bytes,
    };
    let one = |bytes| Count { files: 1, bytes };
    let added = |of| {
        // Videos are stored. Everything else about them costs little, compared with their minutes.
        let stored = month(one(videos.bytes), of) - month(one(0), of);
        month(pictures, of) - month(Count::default(), of) + stored
    };
    Ok((added(Month::First), added(Month::Later)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn terms(region: &str, images_per_day: u64) -> Terms {
        Terms {
            region: region.into(),
            images_per_day: Some(images_per_day),
            video_minutes_per_day: Some(60),
            video_labels: VideoLabels::Frames,
            video_frame_interval: DEFAULT_FRAME_INTERVAL,
        }
    }

    #[test]
    fn a_hundred_thousand_pictures_cost_about_a_tenth_of_a_cent_each() {
        let new = Count {
            files: 100_000,
            bytes: 300_000_000_000,
        };
        let prices = Prices::of("us-east-1").unwrap();
        let (first, later) = cost(new, Count::default(), &prices).unwrap();
        assert!((100.0..150.0).contains(&first), "{first}");
        // 300 GB in S3 for $0.023 each, less what 1024-based GB save.
        assert!((6.0..8.0).contains(&later), "{later}");
        let text = text(new, Videos::default(), &terms("us-east-1", 5000)).unwrap();
        assert!(
            text.contains("At 5,000 images a day, the upload takes at least 20 days."),
            "{text}"
        );
        assert!(!text.contains("video"), "{text}");
        let nothing = cost(Count::default(), Count::default(), &prices);
        assert_eq!(nothing.unwrap(), (0.0, 0.0));
    }

    /// Ten videos, as large as ten thousand pictures.
    fn videos(minutes: u64, longest: u32) -> (Count, Videos) {
        let count = Count {
            files: 10,
            bytes: 30_000_000_000,
        };
        let videos = Videos {
            count,
            minutes,
            longest,
            unreadable: 0,
        };
        (count, videos)
    }

    #[test]
    fn videos_cost_their_minutes_and_their_storage() {
        let (new, videos) = videos(100, 30);
        let prices = Prices::of("us-east-1").unwrap();
        let (first, later) = cost(new, videos.count, &prices).unwrap();
        // 30 GB for $0.023 each.
        assert!(
            (0.6..0.8).contains(&first) && (0.6..0.8).contains(&later),
            "{first} {later}"
        );
        let estimate = |video_labels| {
            let terms = Terms {
                video_labels,
                ..terms("us-east-1", 5000)
            };
            text(new, videos, &terms).unwrap()
        };
        let frames = estimate(VideoLabels::Frames);
        assert!(
            frames.contains(
                "Labeling 100 minutes of video costs about $3.00 of that: $0.03 a minute, as in us-east-1.\n"
            ),
            "{frames}"
        );
        assert!(
            frames.contains("With up to 60 minutes of video a day, their labels take at least 2 days."),
            "{frames}"
        );
        let rekognition = estimate(VideoLabels::Rekognition);
        assert!(
            rekognition.contains("costs about $10.00 of that: $0.10 a minute"),
            "{rekognition}"
        );
    }

    #[test]
    fn videos_that_are_longer_than_the_daily_limit_are_rejected() {
        let (new, videos) = videos(100, 61);
        let text = text(new, videos, &terms("us-east-1", 5000)).unwrap();
        let expected = "Videos of more than 60 minutes are rejected. The longest one has 61 minutes.\n";
        assert!(text.ends_with(expected), "{text}");
    }

    #[test]
    fn videos_without_a_readable_length_are_not_priced() {
        let (new, mut videos) = videos(0, 0);
        videos.unreadable = 10;
        let text = text(new, videos, &terms("us-east-1", 5000)).unwrap();
        assert!(text.contains("are not part of the price"), "{text}");
        assert!(!text.contains("a minute"), "{text}");
    }

    #[test]
    fn a_region_without_prices_is_named_and_days_are_estimated() {
        let new = Count { files: 3, bytes: 3 };
        let text = text(new, Videos::default(), &terms("mars-1", 2)).unwrap();
        assert!(text.starts_with("The costs in mars-1 are unknown: "), "{text}");
        assert!(
            text.ends_with("At 2 images a day, the upload takes at least 2 days.\n"),
            "{text}"
        );
    }
}
