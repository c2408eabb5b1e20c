//! `cargo xtask scale`: how long a number of pictures takes, what is used meanwhile, and what is reached first.

use crate::bill;
use crate::cost::Habits;
use crate::items::Items;
use crate::limits::{
    self, EVENT_AGE, LOOKED_UP, Limit, OPEN_EXECUTIONS, PARTITION_BYTES, PARTITION_WRITES,
    START_EXECUTION_RATE, Scope,
};
use crate::numbers::{self, bytes, dollars, duration, grouped, short};
use crate::prices::Meter;
use crate::stack::Stack;
use crate::table::{self, Column, Format, Table};
use crate::usage::Month;
use anyhow::Result;
use backpressure::{Import, Live, Retrier, simulate, simulate_import};
use clap::{Parser, ValueEnum};

/// The share of Rekognition's quota that an import can use while live uploads wait for seconds, in percent.
const SAFE_PERCENT: f64 = 80.0;
/// Seconds of work with which an import is simulated if it has more: the retries are used up long before.
const MAX_SIMULATED_SECONDS: f64 = 60_000.0;
/// An import for the table of live uploads, in seconds of Rekognition's work.
const IMPORT_SECONDS: f64 = 2.0 * 3600.0;
/// Calls per second up to which live uploads are simulated. With more, the simulation takes minutes.
const MAX_LIVE_RATE: u64 = 50;
/// Live uploads in that table, in percent of Rekognition's quota, and how many come at the same moment.
const LIVE_PERCENT: f64 = 2.0;
const LIVE_BATCH: usize = 5;

/// Prints how long numbers of pictures take, what they use meanwhile, and which limit is reached first.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask scale", bin_name = "cargo xtask scale")]
pub struct ScaleOptions {
    /// Numbers of pictures
    #[arg(long, value_delimiter = ',', default_value = "1000000,100000000", allow_negative_numbers = true,
          value_parser = numbers::count)]
    images: Vec<u64>,
    /// Calls per second that Rekognition accepts
    #[arg(long, value_delimiter = ',', default_value = "5,50,500", allow_negative_numbers = true, value_parser = rate)]
    rates: Vec<u64>,
    #[command(flatten)]
    habits: Habits,
    /// Print only these tables
    #[arg(long, value_enum, value_delimiter = ',')]
    section: Vec<Section>,
    /// How to write the tables
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
}

/// A table.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Section {
    /// How long an import takes, and its state transitions
    Duration,
    /// What happens if all pictures are uploaded at once
    AtOnce,
    /// How long live uploads wait beside an import
    Live,
    /// What each second uses
    Load,
    /// Items of the table, and its partitions
    Table,
    /// Which limit is reached first
    First,
    /// All limits
    Limits,
    /// Costs by service
    Cost,
}

fn rate(text: &str) -> Result<u64, String> {
    let error = || "expected a whole number from 1 to 1,000,000".to_owned();
    let rate = numbers::positive_count(text).map_err(|_| error())?;
    if rate > 1_000_000 { Err(error()) } else { Ok(rate) }
}

/// What the command prints.
///
/// # Errors
/// A definition of the stack is not as expected.
pub fn run(options: &ScaleOptions) -> Result<String> {
    let stack = Stack::read()?;
    let sections = match options.section.as_slice() {
        [] => Section::value_variants(),
        chosen => chosen,
    };
    let mut tables = vec![];
    for section in sections {
        match section {
            Section::Duration => tables.push(durations(options, &stack)),
            Section::AtOnce => tables.push(at_once(options, &stack)),
            Section::Live => {
                let rates = options.rates.iter().filter(|rate| **rate <= MAX_LIVE_RATE);
                tables.extend(rates.map(|rate| live(*rate, &stack.retrier)));
            }
            Section::Load => tables.push(load(options, &stack)),
            Section::Table => tables.push(partitions(options)),
            Section::First => tables.push(first(options, &stack)),
            Section::Limits => tables.push(limits(options, &stack)),
            Section::Cost => tables.push(costs(options, &stack)),
        }
    }
    Ok(table::render(&tables, options.format))
}

fn durations(options: &ScaleOptions, stack: &Stack) -> Table {
    let mut table = Table::new(
        "Duration of an import",
        [
            Column::right("pictures"),
            Column::right("calls/s of Rekognition"),
            Column::right("duration"),
            Column::right(format!("at {SAFE_PERCENT} % of these calls")),
            Column::right("state transitions"),
        ],
    );
    for images in &options.images {
        let images = *images as f64;
        for rate in &options.rates {
            let rate = *rate as f64;
            table.row([
                grouped(images),
                grouped(rate),
                duration(images / rate),
                duration(images / (rate * SAFE_PERCENT / 100.0)),
                grouped(images * stack.transitions),
            ]);
        }
    }
    table
}

/// Pictures that are all uploaded at the same moment. Only the seconds that Rekognition needs for them matter, so the
/// simulation uses one call per second.
#[derive(Debug, Clone, Copy)]
struct AtOnce {
    /// The share of pictures that are labeled.
    labeled: f64,
    /// Retries per picture.
    retries: f64,
    /// Seconds until the last picture is labeled.
    drained: f64,
}

impl AtOnce {
    fn simulate(seconds: f64, retrier: &Retrier) -> Self {
        let simulated = seconds.clamp(1.0, MAX_SIMULATED_SECONDS).round();
        let outcome = simulate(simulated as usize, 1, retrier);
        Self {
            labeled: outcome.labeled as f64 / seconds.max(simulated),
            retries: outcome.retries as f64 / simulated,
            drained: outcome.drained,
        }
    }
}

/// The longest work, in seconds, whose pictures are all labeled if they are uploaded at once. A multiple of 1,000.
fn retried_seconds(retrier: &Retrier) -> f64 {
    let (mut all, mut some) = (1.0, MAX_SIMULATED_SECONDS / 1000.0);
    while some - all > 1.0 {
        let middle: f64 = ((all + some) / 2.0_f64).floor();
        if AtOnce::simulate(middle * 1000.0, retrier).labeled < 1.0 {
            some = middle;
        } else {
            all = middle;
        }
    }
    all * 1000.0
}

fn at_once(options: &ScaleOptions, stack: &Stack) -> Table {
    let mut table = Table::new(
        "All pictures uploaded at once",
        [
            Column::right("pictures"),
            Column::right("calls/s of Rekognition"),
            Column::right("labeled"),
            Column::right("the last one after"),
            Column::right("state transitions per picture"),
            Column::right("their price"),
            Column::left("beyond the quotas"),
        ],
    );
    let price = options.habits.region.price(Meter::StateTransitions);
    // All numbers beyond the limit of the simulation have the same outcome but for the share.
    let mut longest = None;
    for images in &options.images {
        let images = *images as f64;
        for rate in &options.rates {
            let seconds = images / *rate as f64;
            let outcome = if seconds < MAX_SIMULATED_SECONDS {
                AtOnce::simulate(seconds, &stack.retrier)
            } else {
                let limit = MAX_SIMULATED_SECONDS;
                let simulated = *longest.get_or_insert_with(|| AtOnce::simulate(limit, &stack.retrier));
                AtOnce {
                    labeled: simulated.labeled * limit / seconds,
                    ..simulated
                }
            };
            let transitions = stack.transitions + outcome.retries;
            let mut beyond = vec![];
            if images > OPEN_EXECUTIONS {
                beyond.push("open executions");
            }
            if images > START_EXECUTION_RATE * EVENT_AGE {
                beyond.push("events that EventBridge can deliver in a day");
            }
            table.row([
                grouped(images),
                grouped(*rate as f64),
                format!("{} %", short((outcome.labeled * 1000.0).floor() / 10.0)),
                duration(outcome.drained),
                short(transitions),
                dollars(price.dollars(images * transitions)),
                beyond.join(", "),
            ]);
        }
    }
    let seconds = retried_seconds(&stack.retrier);
    let held: Vec<_> = options
        .rates
        .iter()
        .map(|rate| format!("{} at {rate} calls/s", grouped(seconds * *rate as f64)))
        .collect();
    table.note(format!(
        "The retries last for {} of Rekognition's work. So many pictures can be uploaded at once: {}. With more, some \
         executions fail and must be redriven.",
        duration(seconds),
        held.join(", ")
    ));
    table
}

fn live(rate: u64, retrier: &Retrier) -> Table {
    let uploads = Live {
        rate: rate as f64 * LIVE_PERCENT / 100.0,
        batch: LIVE_BATCH,
    };
    let title = format!(
        "Wait of live uploads beside an import of {} pictures, {rate} calls/s of Rekognition",
        grouped(IMPORT_SECONDS * rate as f64)
    );
    let mut table = Table::new(
        title,
        [
            Column::left("the import uploads"),
            Column::right("half wait at most"),
            Column::right("99 % wait at most"),
            Column::right("longest wait"),
        ],
    );
    let images = (IMPORT_SECONDS * rate as f64) as usize;
    for percent in [None, Some(100.0), Some(90.0), Some(SAFE_PERCENT), Some(50.0)] {
        let import_rate = percent.map(|percent| rate as f64 * percent / 100.0);
        let import = Import {
            images,
            rate: import_rate,
        };
        let waits = simulate_import(import, uploads, rate, retrier);
        let name = match (percent, import_rate) {
            (Some(percent), Some(rate)) => format!("{} per second, {percent} % of the quota", short(rate)),
            _ => "everything at once".to_owned(),
        };
        table.row([
            name,
            duration(waits.median),
            duration(waits.p99),
            duration(waits.longest),
        ]);
    }
    table.note(format!(
        "People upload {LIVE_PERCENT} % of the quota, {LIVE_BATCH} pictures at a time."
    ));
    table
}

fn load(options: &ScaleOptions, stack: &Stack) -> Table {
    let mut columns = vec![Column::left("per second")];
    columns.extend(
        options
            .rates
            .iter()
            .map(|rate| Column::right(format!("at {rate} pictures/s"))),
    );
    let mut table = Table::new("Load", columns);
    let workload = options.habits.workload(0);
    let items = Items::new(workload.labels);
    let units = items.units() as f64;
    for (what, each) in [
        ("executions started", 1.0),
        ("state transitions", stack.transitions),
        (
            "executions open (number)",
            limits::execution_seconds(&workload, stack),
        ),
        ("functions running (number)", limits::seconds(&workload, stack)),
        ("write units of the table", units),
        (
            "partitions of the table for these writes (number)",
            units / PARTITION_WRITES,
        ),
        (
            "write units in the partition of one owner who has all pictures",
            items.owner_units() as f64,
        ),
        ("S3 writes under `uploads/`", 1.0),
        ("S3 writes under `thumbnails/`", 2.0),
        ("S3 reads under `uploads/`", 4.0),
        ("events that EventBridge delivers", 2.0),
    ] {
        let values = options.rates.iter().map(|rate| {
            let value = each * *rate as f64;
            if what.starts_with("partitions") {
                grouped(value.ceil())
            } else {
                short(value)
            }
        });
        table.row(std::iter::once(what.to_owned()).chain(values));
    }
    table
}

fn partitions(options: &ScaleOptions) -> Table {
    let mut columns = vec![Column::left("")];
    columns.extend(
        options
            .images
            .iter()
            .map(|images| Column::right(format!("{} pictures", grouped(*images as f64)))),
    );
    let items = Items::new(options.habits.labels);
    let mut table = Table::new(
        format!("The table, with {} labels per picture", options.habits.labels),
        columns,
    );
    let partitions = |bytes: f64| grouped((bytes / PARTITION_BYTES).ceil());
    let stored = items.stored() as f64;
    let of_owner = items.stored_of_owner() as f64;
    let owners = options.habits.owners as f64;
    let row = |what: String, value: &dyn Fn(f64) -> String| {
        let values: Vec<_> = options
            .images
            .iter()
            .map(|images| value(*images as f64))
            .collect();
        std::iter::once(what).chain(values).collect::<Vec<_>>()
    };
    table.row(row("all items".to_owned(), &|images| bytes(images * stored)));
    table.row(row("partitions for this size, at least".to_owned(), &|images| {
        partitions(images * stored)
    }));
    table.row(row(
        "records and results, if one owner has all".to_owned(),
        &|images| bytes(images * of_owner),
    ));
    table.row(row(
        "partitions of that owner's items, at least".to_owned(),
        &|images| partitions(images * of_owner),
    ));
    table.row(row(
        format!("records and results of each of {} owners", grouped(owners)),
        &|images| bytes(images / owners * of_owner),
    ));
    table
}

/// The limits that a number of pictures per second exceeds, the narrowest first.
fn reached(limits: &[Limit], rate: f64, scopes: &[Scope]) -> String {
    let names: Vec<_> = limits
        .iter()
        // Rekognition's own quota is what the rate stands for.
        .filter(|limit| {
            limit.service != "Rekognition" && scopes.contains(&limit.scope) && limit.images_per_second < rate
        })
        .map(|limit| {
            format!(
                "{}: {} ({}/s)",
                limit.service,
                limit.name,
                short(limit.images_per_second)
            )
        })
        .collect();
    if names.is_empty() {
        "none".to_owned()
    } else {
        names.join("; ")
    }
}

fn first(options: &ScaleOptions, stack: &Stack) -> Table {
    let limits = limits::all(&options.habits.workload(0), stack);
    let mut table = Table::new(
        "Limits that are reached besides Rekognition's, the first one first, with the pictures per second that they allow",
        [
            Column::right("pictures/s"),
            Column::left("many owners"),
            Column::left("also, if one owner has all pictures"),
            Column::left("also, if all come through the API"),
        ],
    );
    for rate in &options.rates {
        let reached = |scope| reached(&limits, *rate as f64, &[scope]);
        table.row([
            grouped(*rate as f64),
            reached(Scope::All),
            reached(Scope::Owner),
            reached(Scope::Api),
        ]);
    }
    table
}

fn limits(options: &ScaleOptions, stack: &Stack) -> Table {
    let columns = [
        "service",
        "limit",
        "default",
        "pictures/s",
        "of",
        "what to do",
        "source",
    ];
    let mut table = Table::new(
        format!("Limits, looked up on {LOOKED_UP}"),
        columns.map(|heading| {
            if heading == "pictures/s" {
                Column::right(heading)
            } else {
                Column::left(heading)
            }
        }),
    );
    for limit in limits::all(&options.habits.workload(0), stack) {
        let scope = match limit.scope {
            Scope::All => "all",
            Scope::Owner => "each owner",
            Scope::Api => "uploads through the API",
        };
        let source = match limit.source {
            "template.yaml" => "`template.yaml`".to_owned(),
            page => format!("<{page}>"),
        };
        table.row([
            limit.service.to_owned(),
            limit.name.to_owned(),
            limit.default,
            short(limit.images_per_second),
            scope.to_owned(),
            limit.remedy.to_owned(),
            source,
        ]);
    }
    table
}

fn costs(options: &ScaleOptions, stack: &Stack) -> Table {
    let mut columns = vec![Column::left("service")];
    columns.extend(
        options
            .images
            .iter()
            .map(|images| Column::right(format!("{} pictures", grouped(*images as f64)))),
    );
    let title = format!(
        "US dollars in the month of the import, {}",
        options.habits.region.region
    );
    let mut table = Table::new(title, columns);
    let months = |month| -> Vec<_> {
        let bill = |images: &u64| {
            bill::of(
                &options.habits.workload(*images),
                stack,
                &options.habits.region,
                month,
            )
        };
        options.images.iter().map(bill).collect()
    };
    let bills = months(Month::First);
    let sums: Vec<_> = bills.iter().map(|charges| bill::by_service(charges)).collect();
    if let Some(services) = sums.first() {
        for (index, (service, _)) in services.iter().enumerate() {
            let amounts = sums.iter().map(|sums| dollars(sums[index].1));
            table.row(std::iter::once((*service).to_owned()).chain(amounts));
        }
    }
    for (name, bills) in [
        ("**total**", bills),
        ("each later month", months(Month::Later)),
        ("idle month", months(Month::Idle)),
    ] {
        let totals = bills.iter().map(|charges| dollars(bill::total(charges)));
        table.row(std::iter::once(name.to_owned()).chain(totals));
    }
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<ScaleOptions, String> {
        let arguments = std::iter::once("scale").chain(arguments.iter().copied());
        ScaleOptions::try_parse_from(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn errors_name_the_option_and_what_is_right() {
        for (arguments, words) in [
            (["--images", "1,-1"], ["--images", "whole number"]),
            (["--images", "x"], ["--images", "whole number"]),
            (["--rates", "0"], ["--rates", "from 1 to 1,000,000"]),
            (["--rates", "fast"], ["--rates", "from 1 to 1,000,000"]),
            (["--region", "mars-1"], ["--region", "us-east-1"]),
            (["--section", "nothing"], ["--section", "at-once"]),
        ] {
            let error = parse(&arguments).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{arguments:?}: {error}");
            }
        }
    }

    #[test]
    fn takes_any_number_of_pictures() {
        let options = parse(&[
            "--images",
            "0,1,1000000000000",
            "--rates",
            "50",
            "--section",
            "duration,at-once,table,cost",
        ]);
        let text = run(&options.unwrap()).unwrap();
        assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        assert!(text.contains("1,000,000,000,000"), "{text}");
    }

    /// The operator's question: can everything be uploaded at once?
    #[test]
    fn says_when_retries_are_used_up() {
        let stack = Stack::read().unwrap();
        let seconds = retried_seconds(&stack.retrier);
        assert!(
            seconds >= 6.0 * 3600.0,
            "the definition promises six hours: {seconds}"
        );
        assert_eq!(AtOnce::simulate(seconds, &stack.retrier).labeled, 1.0);
        assert!(AtOnce::simulate(10.0 * seconds, &stack.retrier).labeled < 0.5);
    }

    #[test]
    fn one_owner_reaches_the_limit_of_a_partition_before_rekognition() {
        let stack = Stack::read().unwrap();
        let limits = limits::all(&parse(&[]).unwrap().habits.workload(0), &stack);
        let reached = |rate, scope| reached(&limits, rate, &[scope]);
        assert!(reached(50.0, Scope::Owner).starts_with("DynamoDB: Throughput of a partition"));
        assert_eq!(reached(5.0, Scope::All), "none");
        assert!(reached(500.0, Scope::All).contains("StartExecution"));
    }
}
