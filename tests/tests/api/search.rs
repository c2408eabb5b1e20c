//! Searches by label, confidence and time, compared with results computed from the same images. Also the list of labels.

use crate::{all, get};
use serde_json::json;
use std::collections::BTreeMap;
use tests::run;
use tests::seed::Seed;

const LABELS: [(&str, f64); 6] = [
    ("Animal", 0.8),
    ("Coffee Cup", 0.5),
    ("Cat", 0.3),
    ("100% Wool #1", 0.2),
    ("Überraschung", 0.1),
    ("Zebra", 0.02),
];

/// Images of two months, with labels as frequent as in [`LABELS`].
fn library(count: usize) -> Vec<Seed> {
    let mut random = fastrand::Rng::with_seed(7);
    let mut image = |_| {
        let (month, day, hour) = (random.u8(9..=10), random.u8(1..=28), random.u8(0..24));
        let mut labels: Vec<(&str, f64)> = vec![];
        for (name, frequency) in LABELS {
            if random.f64() < frequency {
                labels.push((name, (random.f64() * 10_000.0).round() / 100.0));
            }
        }
        labels.sort_by(|a, b| b.1.total_cmp(&a.1));
        Seed::labeled(&format!("2026-{month:02}-{day:02}T{hour:02}:00:00.000Z"), &labels)
    };
    (0..count).map(&mut image).collect()
}

struct Query<'a> {
    labels: &'a [&'a str],
    min_confidence: Option<f64>,
    from: Option<&'a str>,
    to: Option<&'a str>,
}

impl Query<'_> {
    fn text(&self, limit: usize) -> String {
        let mut parts = vec![format!("limit={limit}")];
        for label in self.labels {
            let label: String = label.bytes().map(|byte| format!("%{byte:02X}")).collect();
            parts.push(format!("label={label}"));
        }
        parts.extend(self.min_confidence.map(|min| format!("minConfidence={min}")));
        parts.extend(self.from.map(|from| format!("from={from}")));
        parts.extend(self.to.map(|to| format!("to={to}")));
        parts.join("&")
    }

    /// The result according to the meaning of the parameters.
    fn expected(&self, library: &[Seed]) -> Vec<String> {
        let min = self.min_confidence.unwrap_or(0.0);
        let mut images: Vec<_> = library
            .iter()
            .filter(|image| {
                let has = |wanted: &&str| {
                    let mut labels = image.labels.iter();
                    labels.any(|(name, percent)| {
                        name.to_lowercase() == wanted.to_lowercase() && *percent >= min
                    })
                };
                let confident = !self.labels.is_empty()
                    || self.min_confidence.is_none()
                    || image.labels.iter().any(|(_, percent)| *percent >= min);
                confident
                    && self.labels.iter().all(has)
                    && self.from.is_none_or(|from| image.created_at.as_str() >= from)
                    && self.to.is_none_or(|to| image.created_at.as_str() < to)
            })
            .collect();
        images.sort_by_key(|image| image.history());
        images
            .iter()
            .rev()
            .map(|image| image.image_id.to_string())
            .collect()
    }
}

#[test]
fn search_finds_exactly_the_images_that_have_all_labels() {
    run(async |stack| {
        let user = stack.new_user("search").await;
        let library = library(600);
        stack.seed(&user.owner, &library).await;
        let mut answers = 0;
        for labels in [
            &[][..],
            &["Cat"],
            &["zebra"],
            &["ANIMAL", "coffee cup"],
            &["Cat", "cat"],
            &["100% wool #1", "Animal"],
            &["coffee cup", "CAT", "animal"],
            &["überraschung", "100% Wool #1", "Animal"],
            &["Animal", "No Such Label"],
        ] {
            for min_confidence in [None, Some(50.0), Some(99.5)] {
                for (from, to) in [
                    (None, None),
                    (Some("2026-09-15"), None),
                    (Some("2026-09-15T12:00:00Z"), Some("2026-10-03")),
                ] {
                    let query = Query {
                        labels,
                        min_confidence,
                        from,
                        to,
                    };
                    let found = all(&user, &query.text(40)).await;
                    let expected = query.expected(&library);
                    assert_eq!(found, expected, "{}", query.text(40));
                    answers += usize::from(!expected.is_empty());
                }
            }
        }
        assert!(answers > 40, "most queries find images: {answers}");
        let query = Query {
            labels: &["Cat", "Animal"],
            min_confidence: Some(20.0),
            from: None,
            to: None,
        };
        assert_eq!(
            all(&user, &query.text(1)).await,
            query.expected(&library),
            "one image per page"
        );
    });
}

#[test]
fn labels_are_listed_with_counts_most_frequent_first_and_by_prefix() {
    run(async |stack| {
        let user = stack.new_user("labels").await;
        let library = library(100);
        stack.seed(&user.owner, &library).await;
        let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
        for (name, _) in library.iter().flat_map(|image| &image.labels) {
            *counts.entry(name).or_default() += 1;
        }
        let mut counts: Vec<_> = counts.into_iter().collect();
        counts.sort_by_key(|(name, count)| (std::cmp::Reverse(*count), *name));
        let answer = |prefix: &str| {
            let labels: Vec<_> = counts
                .iter()
                .filter(|(name, _)| name.to_lowercase().starts_with(prefix))
                .map(|(name, count)| json!({"name": name, "count": count}))
                .collect();
            json!({"labels": labels})
        };
        assert_eq!(get(&user, "/labels").await.body, answer(""));
        assert_eq!(get(&user, "/labels?prefix=C").await.body, answer("c"));
        assert_eq!(get(&user, "/labels?prefix=100%25+W").await.body, answer("100% w"));
        assert_eq!(get(&user, "/labels?prefix=%C3%9CBER").await.body, answer("über"));
        assert_eq!(get(&user, "/labels?prefix=x").await.body, json!({"labels": []}));
    });
}
