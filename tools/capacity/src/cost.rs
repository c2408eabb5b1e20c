//! `cargo xtask cost`: the monthly bill.

use crate::bill::{self, Charge};
use crate::items::Items;
use crate::numbers::{self, dollars, grouped, short};
use crate::prices::Prices;
use crate::stack::Stack;
use crate::table::{self, Column, Format, Table};
use crate::usage::{Month, Workload};
use crate::{assumptions, documents};
use anyhow::Result;
use clap::Parser;
use std::path::PathBuf;

/// Prints what a number of pictures costs: in the month in which they are uploaded, in each month after, and in a month in
/// which nobody uses the system.
#[derive(Debug, Clone, Parser)]
#[command(name = "cargo xtask cost", bin_name = "cargo xtask cost")]
pub struct CostOptions {
    /// Pictures that are uploaded in the first month
    #[arg(long, default_value = "1000000", allow_negative_numbers = true, value_parser = numbers::count)]
    images: u64,
    #[command(flatten)]
    habits: Habits,
    /// Print the write units of a picture instead
    #[arg(long, group = "instead")]
    write_units: bool,
    /// Print the prices and their sources instead
    #[arg(long, group = "instead")]
    prices: bool,
    /// Print the assumptions instead, such as how long a function runs
    #[arg(long, group = "instead")]
    assumptions: bool,
    /// Print only the sums of the services
    #[arg(long)]
    summary: bool,
    /// How to write the tables
    #[arg(long, value_enum, default_value = "text")]
    format: Format,
    /// Renew the tables in this file that earlier runs of `cost` and `scale` have written, instead of printing
    #[arg(long, value_name = "FILE")]
    renew: Option<PathBuf>,
}

/// What is the same for `cost` and `scale`.
#[derive(Debug, Clone, clap::Args)]
pub struct Habits {
    /// People who sign in each month
    #[arg(long, default_value = "1000", allow_negative_numbers = true, value_parser = numbers::positive_count)]
    pub owners: u64,
    /// The region whose prices apply
    #[arg(long, default_value = "us-east-1", value_parser = Prices::of)]
    pub region: Prices,
    /// Labels per picture, 0 to 100
    #[arg(long, default_value = "10", allow_negative_numbers = true,
          value_parser = clap::value_parser!(u32).range(0..=i64::from(domain::policy::MAX_LABELS)))]
    pub labels: u32,
    /// Megabytes per picture
    #[arg(long, value_name = "MB", default_value = "3", allow_negative_numbers = true, value_parser = megabytes)]
    pub average_mb: f64,
    /// Pictures that people look at in a month, first in the gallery and then in full size [default: as many as there are]
    #[arg(long, allow_negative_numbers = true, value_parser = numbers::count)]
    pub views: Option<u64>,
    /// How many pictures must be converted for Rekognition, such as HEIC
    #[arg(long, value_name = "PERCENT", default_value = "0", allow_negative_numbers = true, value_parser = percent)]
    pub converted: f64,
    /// Milliseconds that a function runs, such as `thumbnails=900`; can be repeated
    #[arg(long, value_name = "FUNCTION=MS", value_parser = duration)]
    pub duration: Vec<(String, f64)>,
}

impl Habits {
    /// The workload with this number of pictures.
    pub fn workload(&self, images: u64) -> Workload {
        Workload {
            images,
            owners: self.owners,
            labels: self.labels,
            average_mb: self.average_mb,
            views: self.views.unwrap_or(images),
            converted_percent: self.converted,
            durations: self.duration.iter().cloned().collect(),
        }
    }
}

fn megabytes(text: &str) -> Result<f64, String> {
    numbers::up_to(text, domain::image::MAX_BYTES as f64 / 1e6)
}

fn percent(text: &str) -> Result<f64, String> {
    numbers::up_to(text, 100.0)
}

/// A function and its milliseconds, at most Lambda's longest timeout.
fn duration(text: &str) -> Result<(String, f64), String> {
    let names: Vec<_> = assumptions::MILLISECONDS.iter().map(|(name, _)| *name).collect();
    let (function, milliseconds) = text
        .split_once('=')
        .filter(|(function, _)| names.contains(function))
        .ok_or_else(|| format!("expected FUNCTION=MS with one of {}", names.join(", ")))?;
    Ok((function.to_owned(), numbers::up_to(milliseconds, 900_000.0)?))
}

/// What the command prints.
///
/// # Errors
/// A definition of the stack is not as expected, or the document cannot be written.
pub fn run(options: &CostOptions) -> Result<String> {
    if let Some(document) = &options.renew {
        return documents::renew(document);
    }
    let format = options.format;
    if options.write_units {
        return Ok(Items::new(options.habits.labels).table().render(format));
    }
    if options.prices {
        return Ok(options.habits.region.table().render(format));
    }
    if options.assumptions {
        return Ok(assumptions::table().render(format));
    }
    let stack = Stack::read()?;
    let workload = options.habits.workload(options.images);
    let months = [Month::First, Month::Later, Month::Idle]
        .map(|month| bill::of(&workload, &stack, &options.habits.region, month));
    let mut tables = vec![summary(&workload, &options.habits.region.region, &months)];
    if !options.summary {
        tables.push(details(&months, &options.habits.region));
    }
    Ok(table::render(&tables, format))
}

fn columns(first: &[Column]) -> Vec<Column> {
    let months = ["first month", "each later month", "idle month"].map(Column::right);
    first.iter().cloned().chain(months).collect()
}

fn summary(workload: &Workload, region: &str, months: &[Vec<Charge>; 3]) -> Table {
    let title = format!(
        "US dollars for {} pictures of {} MB with {} labels, {} people, {} views a month, {region}",
        grouped(workload.images as f64),
        workload.average_mb,
        workload.labels,
        grouped(workload.owners as f64),
        grouped(workload.views as f64),
    );
    let mut table = Table::new(title, columns(&[Column::left("service")]));
    let sums = months.each_ref().map(|charges| bill::by_service(charges));
    for (index, (service, _)) in sums[0].iter().enumerate() {
        let amounts = sums.each_ref().map(|sums| dollars(sums[index].1));
        table.row(std::iter::once((*service).to_owned()).chain(amounts));
    }
    let totals = months.each_ref().map(|charges| bill::total(charges));
    let bold = totals.map(|total| format!("**{}**", dollars(total)));
    table.row(std::iter::once("**total**".to_owned()).chain(bold));
    if workload.images > 0 {
        let each = totals.map(|total| short(total / workload.images as f64));
        table.row(std::iter::once("per picture".to_owned()).chain(each));
    }
    table
}

fn details(months: &[Vec<Charge>; 3], prices: &Prices) -> Table {
    let first = [
        Column::left("service"),
        Column::left("what"),
        Column::right("quantity in the first month"),
        Column::left("unit"),
    ];
    let mut table = Table::new("Details", columns(&first));
    for (index, charge) in months[0].iter().enumerate() {
        let amounts = months.each_ref().map(|charges| dollars(charges[index].dollars));
        let cells = [
            charge.meter.service().to_owned(),
            charge.what.clone(),
            short(charge.quantity),
            prices.price(charge.meter).unit.clone(),
        ];
        table.row(cells.into_iter().chain(amounts));
    }
    table.note("Units that are free in every month count as if nothing else in the account used them.");
    table
}

#[cfg(test)]
mod tests {
    use super::*;

    fn parse(arguments: &[&str]) -> Result<CostOptions, String> {
        let arguments = std::iter::once("cost").chain(arguments.iter().copied());
        CostOptions::try_parse_from(arguments).map_err(|error| error.to_string())
    }

    #[test]
    fn errors_name_the_option_and_what_is_right() {
        for (arguments, words) in [
            (["--images", "-1"], ["--images", "whole number from 0"]),
            (["--images", "many"], ["--images", "whole number from 0"]),
            (
                ["--images", "99999999999999999999"],
                ["--images", "1,000,000,000,000,000"],
            ),
            (["--owners", "0"], ["--owners", "whole number from 1"]),
            (["--labels", "101"], ["--labels", "0..=100"]),
            (["--labels", "-1"], ["--labels", "0..=100"]),
            (["--average-mb", "NaN"], ["--average-mb", "from 0 to 104"]),
            (["--average-mb", "-3"], ["--average-mb", "from 0 to 104"]),
            (["--views", "x"], ["--views", "whole number"]),
            (["--converted", "200"], ["--converted", "from 0 to 100"]),
            (["--region", "mars-1"], ["--region", "us-east-1"]),
            (["--duration", "sleep=1"], ["--duration", "thumbnails"]),
            (["--duration", "api=-1"], ["--duration", "from 0 to 900000"]),
        ] {
            let error = parse(&arguments).unwrap_err();
            for word in words {
                assert!(error.contains(word), "{arguments:?}: {error}");
            }
        }
    }

    #[test]
    fn prints_a_bill_for_any_number_of_pictures() {
        for images in ["0", "1", "1000000000000"] {
            let text = run(&parse(&["--images", images]).unwrap()).unwrap();
            assert!(text.contains("Rekognition") && text.contains("total"), "{text}");
            assert!(!text.contains("NaN") && !text.contains("inf"), "{text}");
        }
    }

    #[test]
    fn a_given_duration_replaces_the_assumed_one() {
        let options = parse(&["--duration", "thumbnails=900", "--images", "10000000"]).unwrap();
        let assumed = parse(&["--images", "10000000"]).unwrap();
        assert_ne!(run(&options).unwrap(), run(&assumed).unwrap());
    }
}
