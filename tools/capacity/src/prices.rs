//! The prices of AWS, from `prices.json`: for each region and [`Meter`], with the page that states it and the date.

use crate::numbers;
use crate::table::{Column, Table};
use serde::Deserialize;
use std::collections::BTreeMap;
use strum::{EnumIter, IntoEnumIterator};

/// Something that AWS counts and charges for.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Deserialize, EnumIter)]
#[serde(rename_all = "kebab-case")]
pub enum Meter {
    /// Calls of Rekognition's DetectLabels.
    DetectLabels,
    /// State transitions of standard workflows.
    StateTransitions,
    /// Invocations of functions.
    LambdaRequests,
    /// Memory times duration of functions on arm64.
    LambdaArm64,
    /// Memory times duration of functions on x86-64.
    #[serde(rename = "lambda-x86-64")]
    LambdaX86,
    /// Write request units of an on-demand table.
    WriteUnits,
    /// Read request units of an on-demand table.
    ReadUnits,
    /// Stored items.
    TableStorage,
    /// Point-in-time recovery.
    TableBackup,
    /// PUT, COPY, POST and LIST requests.
    S3Writes,
    /// GET and all other requests.
    S3Reads,
    /// Objects in the class Standard.
    S3Storage,
    /// Bytes from S3 to the internet.
    TransferOut,
    /// Custom and opt-in events.
    Events,
    /// Requests of an HTTP API.
    ApiRequests,
    /// HTTPS requests.
    CdnRequests,
    /// Invocations of CloudFront functions.
    CdnFunctions,
    /// Bytes from CloudFront to the internet.
    CdnTransfer,
    /// People who sign in.
    ActiveUsers,
    /// Logs of Lambda functions.
    LogIngestion,
    /// Stored logs.
    LogStorage,
    /// Alarms with one metric.
    Alarms,
    /// Dashboards.
    Dashboards,
    /// Recorded traces.
    Traces,
}

impl Meter {
    /// The service on the bill.
    pub fn service(self) -> &'static str {
        match self {
            Self::DetectLabels => "Rekognition",
            Self::StateTransitions => "Step Functions",
            Self::LambdaRequests | Self::LambdaArm64 | Self::LambdaX86 => "Lambda",
            Self::WriteUnits | Self::ReadUnits | Self::TableStorage | Self::TableBackup => "DynamoDB",
            Self::S3Writes | Self::S3Reads | Self::S3Storage | Self::TransferOut => "S3",
            Self::Events => "EventBridge",
            Self::ApiRequests => "API Gateway",
            Self::CdnRequests | Self::CdnFunctions | Self::CdnTransfer => "CloudFront",
            Self::ActiveUsers => "Cognito",
            Self::LogIngestion | Self::LogStorage | Self::Alarms | Self::Dashboards => "CloudWatch",
            Self::Traces => "X-Ray",
        }
    }
}

/// What a unit costs.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Price {
    /// What is counted, in the singular.
    pub unit: String,
    /// Units that are free in each month, for every account and without an end.
    pub free: f64,
    /// Prices of the units above the free ones, cheaper ones last. Only the last one has no limit.
    pub tiers: Vec<Tier>,
    /// The page of AWS that states the price.
    pub source: String,
    /// When the price was looked up: ISO 8601.
    pub date: String,
    /// Where the number was read, if the page of AWS loads it with a script.
    pub confirmed_by: Option<String>,
    /// What one must know about the price.
    pub note: Option<String>,
}

/// A price up to a quantity.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Tier {
    /// The last unit at this price, counted from the first that is not free.
    pub up_to: Option<f64>,
    /// US dollars for a unit.
    pub dollars: f64,
}

impl Price {
    /// What a quantity costs in a month, in US dollars.
    pub fn dollars(&self, quantity: f64) -> f64 {
        let charged = (quantity - self.free).max(0.0);
        let mut before = 0.0;
        let mut dollars = 0.0;
        for tier in &self.tiers {
            let up_to = tier.up_to.unwrap_or(f64::INFINITY).min(charged);
            dollars += (up_to - before).max(0.0) * tier.dollars;
            before = up_to;
        }
        dollars
    }
}

/// All prices of a region.
#[derive(Debug, Clone)]
pub struct Prices {
    /// The region, such as `us-east-1`.
    pub region: String,
    prices: BTreeMap<Meter, Price>,
}

impl Prices {
    /// The prices of a region.
    ///
    /// # Errors
    /// There are no prices for this region. The message names the regions that have some.
    pub fn of(region: &str) -> Result<Self, String> {
        let mut all = Self::all();
        let known: Vec<_> = all.keys().cloned().collect();
        let prices = all.remove(region).ok_or_else(|| {
            format!(
                "there are no prices for this region in tools/capacity/prices.json, only for {}",
                known.join(", ")
            )
        })?;
        Ok(Self {
            region: region.to_owned(),
            prices,
        })
    }

    fn all() -> BTreeMap<String, BTreeMap<Meter, Price>> {
        let json = include_str!("../prices.json");
        serde_json::from_str(json).expect("a test reads prices.json")
    }

    /// The price of a meter.
    pub fn price(&self, meter: Meter) -> &Price {
        &self.prices[&meter]
    }

    /// All prices as a table.
    pub fn table(&self) -> Table {
        let title = format!("Prices in {}", self.region);
        let columns = [
            "service",
            "unit",
            "US dollars",
            "free per month",
            "looked up",
            "source",
        ];
        let mut table = Table::new(title, columns.map(Column::left));
        for meter in Meter::iter() {
            let price = self.price(meter);
            let tiers: Vec<_> = price
                .tiers
                .iter()
                .map(|tier| match tier.up_to {
                    Some(up_to) => format!("{} up to {}", plain(tier.dollars), numbers::grouped(up_to)),
                    None => plain(tier.dollars),
                })
                .collect();
            let source = format!("<{}>", price.source);
            let source = match &price.confirmed_by {
                Some(page) => format!("{source}, number read at <{page}>"),
                None => source,
            };
            let source = match &price.note {
                Some(note) => format!("{source}. {note}"),
                None => source,
            };
            table.row([
                meter.service().to_owned(),
                price.unit.clone(),
                tiers.join(", then "),
                numbers::grouped(price.free),
                price.date.clone(),
                source,
            ]);
        }
        table
    }
}

/// All digits, without an exponent.
fn plain(dollars: f64) -> String {
    let text = format!("{dollars:.12}");
    text.trim_end_matches('0').trim_end_matches('.').to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_region_has_a_dated_price_of_aws_for_everything() {
        for (region, prices) in Prices::all() {
            for meter in Meter::iter() {
                let price = prices
                    .get(&meter)
                    .unwrap_or_else(|| panic!("{region}: {meter:?}"));
                assert!(
                    price.source.starts_with("https://aws.amazon.com/"),
                    "{region} {meter:?}"
                );
                assert_eq!(price.date.len(), "2026-11-29".len(), "{region} {meter:?}");
                let limits: Vec<_> = price.tiers.iter().map(|tier| tier.up_to).collect();
                let (last, others) = limits.split_last().unwrap();
                assert_eq!(*last, None, "{region} {meter:?}");
                assert!(others.iter().all(Option::is_some) && others.is_sorted_by(|a, b| a < b));
                assert!(price.tiers.iter().all(|tier| tier.dollars > 0.0));
            }
        }
    }

    #[test]
    fn names_the_known_regions_if_there_are_no_prices() {
        let error = Prices::of("eu-north-1").unwrap_err();
        assert!(error.contains("us-east-1"), "{error}");
    }

    /// The number of pictures at which each tier of Rekognition begins and ends.
    #[test]
    fn each_tier_applies_only_to_its_own_units() {
        let prices = Prices::of("us-east-1").unwrap();
        let rekognition = prices.price(Meter::DetectLabels);
        for (images, dollars) in [
            (0.0, 0.0),
            (1.0, 0.001),
            (1e6, 1000.0),
            (5e6, 1000.0 + 3200.0),
            (35e6, 4200.0 + 18_000.0),
            (100e6, 22_200.0 + 65e6 * 0.000_25),
        ] {
            assert!((rekognition.dollars(images) - dollars).abs() < 1e-6, "{images}");
        }
        assert!(rekognition.dollars(1e15).is_finite());
    }

    /// The page and the API say what labeling pictures again costs.
    #[test]
    fn the_price_of_an_image_in_the_code_is_that_of_the_first_tier() {
        let prices = Prices::of("us-east-1").unwrap();
        let first = prices.price(Meter::DetectLabels).dollars(1.0);
        assert!((first - domain::bulk::DOLLARS_PER_IMAGE).abs() < 1e-9);
    }

    #[test]
    fn free_units_cost_nothing() {
        let prices = Prices::of("us-east-1").unwrap();
        let transitions = prices.price(Meter::StateTransitions);
        assert_eq!(transitions.dollars(4000.0), 0.0);
        assert!((transitions.dollars(5000.0) - 0.025).abs() < 1e-9);
    }
}
