//! Searches, compared with results computed from the same images. Also the list of labels.

use crate::{all, get, page};
use domain::Status;
use fastrand::Rng;
use futures_util::{StreamExt, stream};
use serde_json::json;
use std::collections::{BTreeMap, BTreeSet};
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

/// Images of two months, with labels as frequent as in [`LABELS`]. Some have no labels, some were rejected.
fn library(random: &mut Rng, count: usize) -> Vec<Seed> {
    let mut image = |_| {
        let (month, day, hour) = (random.u8(9..=10), random.u8(1..=28), random.u8(0..24));
        let mut labels: Vec<(&str, f64)> = vec![];
        for (name, frequency) in LABELS {
            if random.f64() < frequency {
                labels.push((name, (random.f64() * 10_000.0).round() / 100.0));
            }
        }
        labels.sort_by(|a, b| b.1.total_cmp(&a.1));
        let mut image = Seed::labeled(&format!("2026-{month:02}-{day:02}T{hour:02}:00:00.000Z"), &labels);
        image.status = match random.u8(0..8) {
            0 if labels.is_empty() => Status::Rejected,
            1 if labels.is_empty() => Status::AwaitingUpload,
            // It is labeled again, and has its previous labels.
            2 => Status::Processing,
            _ => Status::Labeled,
        };
        let (year, month, day) = (random.u16(2015..=2016), random.u8(1..=12), random.u8(1..=28));
        image.taken_at = random
            .bool()
            .then(|| format!("{year}-{month:02}-{day:02}T{hour:02}:30:00+01:00"));
        image
    };
    (0..count).map(&mut image).collect()
}

/// A name, as in a query, and its minimum confidence.
type Term = (String, Option<f64>);

#[derive(Debug, Default, Clone, Copy, PartialEq)]
enum Order {
    #[default]
    Time,
    Added,
    Confidence,
}

#[derive(Debug, Default)]
struct Query {
    order: Order,
    labels: Vec<Vec<Term>>,
    without: Vec<String>,
    untagged: bool,
    taken: Option<String>,
    min_confidence: Option<f64>,
    status: Option<Status>,
    from: Option<&'static str>,
    to: Option<&'static str>,
}

impl Query {
    fn random(random: &mut Rng) -> Self {
        let mut query = Self::default();
        for _ in 0..random.usize(0..=3) {
            let alternatives = 0..random.usize(1..=2);
            query.labels.push(alternatives.map(|_| term(random)).collect());
        }
        if random.u8(0..3) == 0 {
            query.without = (0..random.usize(1..=2)).map(|_| name(random)).collect();
        }
        query.untagged = query.labels.is_empty() && random.u8(0..3) == 0;
        query.min_confidence = (random.u8(0..4) == 0).then(|| [0.0, 50.0, 99.5][random.usize(0..3)]);
        query.status =
            (random.u8(0..6) == 0).then(|| [Status::Labeled, Status::Rejected][random.usize(0..2)]);
        query.from = (random.u8(0..4) == 0)
            .then(|| ["2015-09-15T12:00", "2026-09-15T12:00:00.000"][random.usize(0..2)]);
        query.to = (random.u8(0..4) == 0).then_some("2026-10-03");
        if random.u8(0..4) == 0 {
            let taken = format!(
                "201{}-0{}-1{}",
                random.u8(5..=6),
                random.u8(1..=9),
                random.u8(0..=9)
            );
            query.taken = Some(taken[..[4, 7, 10][random.usize(0..3)]].to_owned());
        }
        query.order = match random.u8(0..4) {
            0 => Order::Added,
            1 if query.searched_label().is_some() => Order::Confidence,
            _ => Order::Time,
        };
        query
    }

    /// The searched label, if there is exactly one.
    fn searched_label(&self) -> Option<&str> {
        match &self.labels[..] {
            [alternatives] if alternatives.len() == 1 => Some(&alternatives[0].0),
            _ => None,
        }
    }

    fn text(&self) -> String {
        let mut query = form_urlencoded::Serializer::new(String::new());
        for alternatives in &self.labels {
            let term = |(name, min): &Term| match min {
                Some(min) => format!("{name}>{min}"),
                None => name.clone(),
            };
            let alternatives: Vec<_> = alternatives.iter().map(term).collect();
            query.append_pair("label", &alternatives.join("|"));
        }
        for name in &self.without {
            query.append_pair("without", name);
        }
        let optional = [
            ("untagged", self.untagged.then(|| "true".to_owned())),
            ("taken", self.taken.clone()),
            ("minConfidence", self.min_confidence.map(|min| min.to_string())),
            ("status", self.status.map(|status| status.as_str().to_owned())),
            ("from", self.from.map(str::to_owned)),
            ("to", self.to.map(str::to_owned)),
            (
                "order",
                match self.order {
                    Order::Time => None,
                    Order::Added => Some("added".to_owned()),
                    Order::Confidence => Some("confidence".to_owned()),
                },
            ),
        ];
        for (name, value) in optional {
            query.extend_pairs(value.map(|value| (name, value)));
        }
        query.finish()
    }

    fn matches(&self, image: &Seed) -> bool {
        let has = |name: &str, min: f64| {
            let mut labels = image.labels.iter();
            labels.any(|(found, percent)| found.to_lowercase() == name.to_lowercase() && *percent >= min)
        };
        let min = self.min_confidence.unwrap_or(0.0);
        let has_any = |alternatives: &Vec<Term>| {
            let mut alternatives = alternatives.iter();
            alternatives.any(|(name, own)| has(name, own.unwrap_or(min)))
        };
        let is_confident = !self.labels.is_empty()
            || self.min_confidence.is_none()
            || image.labels.iter().any(|(_, percent)| *percent >= min);
        self.labels.iter().all(has_any)
            && !self.without.iter().any(|name| has(name, 0.0))
            && (!self.untagged || (image.status == Status::Labeled && image.labels.is_empty()))
            && is_confident
            && match self.status {
                Some(status) => image.status == status,
                None => image.status != Status::AwaitingUpload,
            }
            && self.from.is_none_or(|from| image.time().as_str() >= from)
            && self.to.is_none_or(|to| image.time().as_str() < to)
            && self.taken.as_ref().is_none_or(|taken| {
                let taken_at = image.taken_at.as_ref();
                taken_at.is_some_and(|taken_at| taken_at.starts_with(taken))
            })
    }

    /// What the images are sorted by. In the order of time, it is different for each image.
    fn sort_key(&self, image: &Seed) -> String {
        match self.order {
            Order::Time => image.history(),
            Order::Added => image.created_at.clone(),
            Order::Confidence => {
                let searched = self.searched_label().expect("a label").to_lowercase();
                let mut labels = image.labels.iter();
                let label = labels.find(|(name, _)| name.to_lowercase() == searched);
                format!("{:06.2}", label.expect("the label").1)
            }
        }
    }

    /// The result according to the meaning of the parameters, with the sort keys.
    fn expected(&self, library: &[Seed]) -> Vec<(String, String)> {
        let images = library.iter().filter(|image| self.matches(image));
        let mut images: Vec<_> = images
            .map(|image| (self.sort_key(image), image.image_id.to_string()))
            .collect();
        images.sort_by(|a, b| b.cmp(a));
        images
    }

    /// Checks the images of the first pages.
    fn check(&self, library: &[Seed], found: &[String], is_complete: bool) {
        let expected = self.expected(library);
        let keys: BTreeMap<&str, &str> = expected
            .iter()
            .map(|(key, id)| (id.as_str(), key.as_str()))
            .collect();
        let found_keys: Vec<_> = found
            .iter()
            .filter_map(|id| keys.get(id.as_str()).copied())
            .collect();
        let expected_keys: Vec<_> = expected.iter().map(|(key, _)| key.as_str()).collect();
        let query = self.text();
        assert_eq!(found_keys, expected_keys[..found.len()], "{query}");
        let distinct: BTreeSet<_> = found.iter().collect();
        assert_eq!(distinct.len(), found.len(), "{query}: no image twice");
        assert!(!is_complete || found.len() == expected.len(), "{query}");
    }
}

/// A label in any capitalization, or one that no image has.
fn name(random: &mut Rng) -> String {
    let name = match random.usize(0..=LABELS.len()) {
        index if index < LABELS.len() => LABELS[index].0,
        _ => "No Such Label",
    };
    match random.u8(0..3) {
        0 => name.to_lowercase(),
        1 => name.to_uppercase(),
        _ => name.to_owned(),
    }
}

fn term(random: &mut Rng) -> Term {
    let min = (random.u8(0..3) == 0).then(|| f64::from(random.u16(0..=10_000)) / 100.0);
    (name(random), min)
}

/// Queries at the same time.
const AT_ONCE: usize = 4;

#[test]
fn random_searches_match_a_linear_scan_of_the_library() {
    run(async |stack| {
        let user = stack.new_user("search").await;
        let mut random = Rng::with_seed(7);
        let library = library(&mut random, 2_000);
        stack.seed(&user.owner, &library).await;
        let queries: Vec<_> = (0..500).map(|_| Query::random(&mut random)).collect();
        let check = async |(number, query): (usize, &Query)| {
            let text = query.text();
            // All pages of only every tenth query: a filter that matches few images takes many short pages.
            let (found, next) = if number % 10 == 0 {
                (all(&user, &format!("limit=100&{text}")).await, None)
            } else {
                page(&get(&user, &format!("/images?limit=100&{text}")).await)
            };
            query.check(&library, &found, next.is_none());
            usize::from(!found.is_empty())
        };
        let answers: usize = stream::iter(queries.iter().enumerate())
            .map(check)
            .buffer_unordered(AT_ONCE)
            .fold(0, async |sum, answers| sum + answers)
            .await;
        assert!(answers > 100, "many first pages have images: {answers}");
    });
}

#[test]
fn one_image_per_page_is_found_in_order() {
    run(async |stack| {
        let user = stack.new_user("small-pages").await;
        let library = library(&mut Rng::with_seed(8), 150);
        stack.seed(&user.owner, &library).await;
        let label = |name: &str| vec![(name.to_owned(), None)];
        let both = vec![label("Cat"), label("Animal")];
        let either = vec![[label("Cat"), label("Coffee Cup"), label("Zebra")].concat()];
        let (cat, cup) = (vec![label("Cat")], vec![label("Coffee Cup")]);
        for (labels, order) in [
            (both, Order::Time),
            (either, Order::Time),
            (cat, Order::Confidence),
            (cup, Order::Added),
        ] {
            let query = Query {
                order,
                labels,
                min_confidence: Some(20.0),
                ..Query::default()
            };
            let found = all(&user, &format!("limit=1&{}", query.text())).await;
            query.check(&library, &found, true);
            assert!(found.len() > 5, "{}", query.text());
        }
    });
}

/// Someone who asks for the surest pictures of a common label does not load page after page of the others.
#[test]
fn in_the_order_of_confidence_nothing_below_the_minimum_is_read() {
    run(async |stack| {
        let user = stack.new_user("surest").await;
        let library = library(&mut Rng::with_seed(9), 600);
        stack.seed(&user.owner, &library).await;
        let query = Query {
            order: Order::Confidence,
            labels: vec![vec![("Animal".to_owned(), Some(99.0))]],
            ..Query::default()
        };
        let (found, next) = page(&get(&user, &format!("/images?limit=100&{}", query.text())).await);
        query.check(&library, &found, true);
        assert!(next.is_none() && found.len() < 100, "{} images", found.len());
        let query = Query {
            labels: vec![vec![("Animal".to_owned(), None)]],
            ..query
        };
        assert!(query.expected(&library).len() > 200, "more than a request reads");
    });
}

#[test]
fn labels_are_listed_with_counts_most_frequent_first_and_by_prefix() {
    run(async |stack| {
        let user = stack.new_user("labels").await;
        let library = library(&mut Rng::with_seed(7), 100);
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
                .map(|(name, count)| {
                    json!({"name": name, "count": count, "parents": [], "aliases": [], "categories": []})
                })
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
