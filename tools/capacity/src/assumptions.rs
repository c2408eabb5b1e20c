//! What no definition of this project says. Change a number here if you have measured a better one.

use crate::table::{Column, Table};

/// What an invocation of a function takes on average, in milliseconds. `convert` and `thumbnails` decode pictures: several
/// times what docs/pictures.md measures on a faster processor. The others mostly wait for AWS. Lambda's REPORT lines show
/// the real numbers, and the option `--duration` of `cargo xtask cost` takes them.
pub const MILLISECONDS: [(&str, f64); 20] = [
    ("validate", 80.0),
    ("detect-labels", 800.0),
    ("convert", 1_500.0),
    ("filter-labels", 25.0),
    ("persist", 80.0),
    ("notify", 30.0),
    ("record-failure", 60.0),
    // Only for videos, which the bill does not contain. `label-frames` labels a minute of video, and waits for slots while it decodes
    // frames. Longer waits are in the state machine.
    ("inspect-video", 4_000.0),
    ("label-frames", 20_000.0),
    ("collect-labels", 300.0),
    // Only for videos that Rekognition Video labels.
    ("start-video-labels", 500.0),
    ("read-video-labels", 4_000.0),
    ("resume-video", 60.0),
    // Only for bulk jobs, which the bill does not contain.
    ("run-job-part", 20_000.0),
    // Of most runs, which find that no pass is due. docs/costs.md has the price of a pass.
    ("reconcile", 30.0),
    // Only for imports: the wait for slots is most of the second one.
    ("check-import", 300.0),
    ("copy-objects", 45_000.0),
    ("summarize-import", 5_000.0),
    ("thumbnails", 700.0),
    ("api", 40.0),
];

/// Reads of a picture's record by the page that waits for its labels.
pub const POLLS_PER_IMAGE: f64 = 4.0;
/// Requests of such a page per picture. One request reads up to 100 pictures.
pub const POLL_REQUESTS_PER_IMAGE: f64 = 1.0;
/// Both thumbnails of a picture, in bytes.
pub const THUMBNAIL_BYTES: f64 = 220_000.0;
/// The small thumbnail, which the gallery shows, in bytes.
pub const SMALL_THUMBNAIL_BYTES: f64 = 20_000.0;
/// The JPEG that `convert` writes, in bytes.
pub const RENDITION_BYTES: f64 = 500_000.0;
/// Pictures on one page of `GET /images`.
pub const IMAGES_PER_LIST: f64 = 50.0;
/// How often each person opens the page in a month.
pub const VISITS_PER_OWNER: f64 = 10.0;
/// Files that a browser without a cache loads for the page, and their bytes.
pub const PAGE_FILES: f64 = 12.0;
/// The compressed bytes of these files.
pub const PAGE_BYTES: f64 = 250_000.0;
/// An answer of the API, in bytes.
pub const API_BYTES: f64 = 4_000.0;
/// What Lambda and a function log per invocation, in bytes.
pub const LOG_BYTES: f64 = 1_400.0;
/// How much of ingested logs CloudWatch stores after compression. Source: its price page.
pub const STORED_LOGS: f64 = 0.15;
/// Days of a month.
pub const MONTH_DAYS: f64 = 30.0;

/// The assumptions as a table.
pub fn table() -> Table {
    let mut table = Table::new(
        "Assumptions",
        [Column::left("what"), Column::right("value"), Column::left("unit")],
    );
    for (function, milliseconds) in MILLISECONDS {
        table.row([
            format!("duration of `{function}`"),
            milliseconds.to_string(),
            "ms".to_owned(),
        ]);
    }
    for (what, value, unit) in [
        (
            "reads of a record while its page waits for labels",
            POLLS_PER_IMAGE,
            "per picture",
        ),
        ("requests of such a page", POLL_REQUESTS_PER_IMAGE, "per picture"),
        ("both thumbnails", THUMBNAIL_BYTES / 1000.0, "KB"),
        ("small thumbnail", SMALL_THUMBNAIL_BYTES / 1000.0, "KB"),
        ("converted JPEG", RENDITION_BYTES / 1000.0, "KB"),
        ("visits of the page", VISITS_PER_OWNER, "per person and month"),
        ("files of the page", PAGE_FILES, "per visit"),
        ("bytes of the page", PAGE_BYTES / 1000.0, "KB per visit"),
        ("answer of the API", API_BYTES / 1000.0, "KB"),
        ("log", LOG_BYTES / 1000.0, "KB per invocation"),
    ] {
        table.row([what.to_owned(), value.to_string(), unit.to_owned()]);
    }
    table
}
