//! Measures the time of the GET routes, and how many items they request from DynamoDB, with a small and a large library.
//! `cargo xtask bench-api` starts it. It redirects the API's calls to a proxy, which counts them.

use clap::Parser;
use reqwest::Method;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tests::proxy::{Call, Proxy};
use tests::seed::Seed;
use tests::users::User;
use tests::{Stack, run};

/// Labels, and the fraction of pictures that have them.
const LABELS: [(&str, f64); 12] = [
    ("Animal", 0.6),
    ("Person", 0.5),
    ("Outdoors", 0.5),
    ("Nature", 0.4),
    ("Food", 0.3),
    ("Cat", 0.2),
    ("Dog", 0.2),
    ("Coffee Cup", 0.1),
    ("Bicycle", 0.05),
    ("Beach", 0.05),
    ("Zebra", 0.01),
    ("Violin", 0.002),
];
/// The paths that are the same for both libraries.
const PATHS: [&str; 18] = [
    "/images",
    "/images?limit=100",
    "/images?status=FAILED",
    "/images?label=animal",
    "/images?label=violin",
    "/images?label=animal&label=person&label=zebra",
    "/images?label=animal%7Cperson%7Czebra",
    "/images?label=animal%3E90&without=person",
    "/images?untagged=true",
    "/images?taken=2015-07",
    "/images?label=beach&taken=2015&without=person",
    "/images?label=animal&boxes=true",
    "/images?order=added",
    "/images?order=added&label=violin",
    "/images?order=confidence&label=animal",
    "/timeline",
    "/duplicates",
    "/labels",
];
/// Images that are written at a time, so that a large library does not have to fit into memory.
const BATCH: usize = 5000;

/// Measures the GET routes of a running stack.
#[derive(Debug, Parser)]
struct Options {
    /// Images of the small library
    #[arg(long, default_value_t = 100)]
    small: usize,
    /// Images of the large library
    #[arg(long, default_value_t = 10_000)]
    large: usize,
    /// Requests per route
    #[arg(long, default_value_t = 30)]
    requests: usize,
}

fn main() {
    let options = Options::parse();
    run(async |stack| {
        let small = library(stack, options.small).await;
        let large = library(stack, options.large).await;
        let proxy = Proxy::new(stack, &stack.rekognition_url);
        stack.reroute_function("api", &proxy).await;
        let result = futures_util::FutureExt::catch_unwind(std::panic::AssertUnwindSafe(compare(
            &proxy,
            [&small, &large],
            options.requests,
        )))
        .await;
        stack.route_function_back("api").await;
        if let Err(panic) = result {
            std::panic::resume_unwind(panic);
        }
    });
}

/// A user with many images.
struct Library {
    user: User,
    size: usize,
    some: Vec<Seed>,
}

async fn library(stack: &Stack, size: usize) -> Library {
    let user = stack.new_user("bench").await;
    let mut random = fastrand::Rng::with_seed(1);
    let started = Instant::now();
    let mut all: Vec<(String, u32)> = LABELS.iter().map(|(name, _)| ((*name).to_owned(), 0)).collect();
    let mut some = vec![];
    let mut made = 0;
    while made < size {
        let count = BATCH.min(size - made);
        let images: Vec<Seed> = (made..made + count)
            .map(|index| {
                let mut labels: Vec<(&str, f64)> = vec![];
                for ((name, frequency), (_, counted)) in LABELS.iter().zip(&mut all) {
                    if random.f64() < *frequency {
                        *counted += 1;
                        labels.push((name, f64::from(random.u16(5500..=10_000)) / 100.0));
                    }
                }
                labels.sort_by(|a, b| b.1.total_cmp(&a.1));
                let (day, hour, minute, second) = (
                    index / 86_400 % 28 + 1,
                    index / 3600 % 24,
                    index / 60 % 60,
                    index % 60,
                );
                let time = format!("-{day:02}T{hour:02}:{minute:02}:{second:02}");
                let mut image = Seed::labeled(&format!("2026-10{time}.000Z"), &labels);
                let (year, month) = (random.u16(2005..=2025), random.u8(1..=12));
                image.taken_at = Some(format!("{year}-{month:02}{time}"));
                image
            })
            .collect();
        stack.seed_images(&user.owner, &images).await;
        made += count;
        some = images;
    }
    stack
        .seed_counts(
            &user.owner,
            all.iter().map(|(name, count)| (name.as_str(), *count)),
        )
        .await;
    println!("{size} images seeded in {:.0} s", started.elapsed().as_secs_f64());
    Library { user, size, some }
}

/// A route's name, and its path for a library.
type Route = (&'static str, Box<dyn Fn(&Library) -> String>);

async fn compare(proxy: &Proxy, libraries: [&Library; 2], requests: usize) {
    println!(
        "{:<52} {:>9} {:>10} {:>10} {:>6}",
        "route", "images", "median ms", "p95 ms", "items"
    );
    let ids = |library: &Library| {
        let ids: Vec<_> = library
            .some
            .iter()
            .take(100)
            .map(|image| format!("id={}", image.image_id))
            .collect();
        format!("/images?{}", ids.join("&"))
    };
    let image = |library: &Library| format!("/images/{}", library.some[0].image_id);
    let fixed = PATHS.map(|path| -> Route { (path, Box::new(|_| path.to_owned())) });
    let own: [Route; 2] = [
        ("/images?id=… (100)", Box::new(ids)),
        ("/images/{imageId}", Box::new(image)),
    ];
    let routes = fixed.into_iter().chain(own);
    for (name, path) in routes {
        let mut times = [vec![], vec![]];
        let mut items = [0, 0];
        // Alternating, so that other load on the machine affects both.
        for _ in 0..requests {
            for (index, library) in libraries.iter().enumerate() {
                let asked = Arc::new(AtomicUsize::new(0));
                let counting = {
                    let asked = Arc::clone(&asked);
                    proxy.inject(&["api"], library.user.owner.as_str(), move |_, call| {
                        asked.fetch_add(items_of(call), Ordering::Relaxed);
                        None
                    })
                };
                let started = Instant::now();
                let answer = library.user.api(Method::GET, &path(library), None, "").await;
                times[index].push(started.elapsed());
                drop(counting);
                assert_eq!(answer.status, 200, "{name}: {answer:?}");
                items[index] = items[index].max(asked.load(Ordering::Relaxed));
            }
        }
        for (index, library) in libraries.iter().enumerate() {
            times[index].sort();
            let at = |part: f64| {
                let last = (times[index].len() - 1) as f64;
                milliseconds(times[index][(last * part).round() as usize])
            };
            println!(
                "{name:<52} {:>9} {:>10.1} {:>10.1} {:>6}",
                library.size,
                at(0.5),
                at(0.95),
                items[index]
            );
        }
    }
}

/// The maximum number of items that a call to DynamoDB requests.
fn items_of(call: &Call) -> usize {
    let body = call.text.split_once("\r\n\r\n").map_or("", |(_, body)| body);
    let body: serde_json::Value = serde_json::from_str(body).unwrap_or_default();
    if let Some(tables) = body["RequestItems"].as_object() {
        return tables
            .values()
            .filter_map(|table| Some(table["Keys"].as_array()?.len()))
            .sum();
    }
    let limit = body["Limit"]
        .as_u64()
        .and_then(|limit| usize::try_from(limit).ok());
    limit.unwrap_or(usize::from(body["Key"].is_object()))
}

fn milliseconds(time: Duration) -> f64 {
    time.as_secs_f64() * 1000.0
}
