//! Quantities times prices.

use crate::prices::{Meter, Prices};
use crate::stack::Stack;
use crate::usage::{self, Month, Workload};
use std::collections::BTreeMap;

/// A line of the bill, in US dollars.
#[derive(Debug, Clone, PartialEq)]
pub struct Charge {
    /// What counts.
    pub meter: Meter,
    /// What it is used for.
    pub what: String,
    /// Units of the meter.
    pub quantity: f64,
    /// The price of this quantity. Lines of the same meter share its free units and its tiers in proportion.
    pub dollars: f64,
}

/// What a month costs. The free units of an account count as if nothing else used them.
pub fn of(workload: &Workload, stack: &Stack, prices: &Prices, month: Month) -> Vec<Charge> {
    let lines = usage::of(workload, stack, month);
    let mut totals: BTreeMap<Meter, f64> = BTreeMap::new();
    for line in &lines {
        *totals.entry(line.meter).or_default() += line.quantity;
    }
    lines
        .into_iter()
        .map(|line| {
            let total = totals[&line.meter];
            let dollars = prices.price(line.meter).dollars(total);
            Charge {
                meter: line.meter,
                what: line.what,
                quantity: line.quantity,
                dollars: if total > 0.0 {
                    dollars * (line.quantity / total)
                } else {
                    0.0
                },
            }
        })
        .collect()
}

/// The sum of the charges.
pub fn total(charges: &[Charge]) -> f64 {
    charges.iter().map(|charge| charge.dollars).sum()
}

/// The sum of the charges of each service, in the order of the charges.
pub fn by_service(charges: &[Charge]) -> Vec<(&'static str, f64)> {
    let mut sums: Vec<(&'static str, f64)> = vec![];
    for charge in charges {
        let service = charge.meter.service();
        match sums.iter_mut().find(|(name, _)| *name == service) {
            Some((_, sum)) => *sum += charge.dollars,
            None => sums.push((service, charge.dollars)),
        }
    }
    sums
}

#[cfg(test)]
mod tests {
    use super::*;

    fn workload(images: u64) -> Workload {
        Workload {
            images,
            owners: 1000,
            labels: 10,
            average_mb: 3.0,
            views: images,
            converted_percent: 0.0,
            durations: BTreeMap::new(),
        }
    }

    fn bill(images: u64, month: Month) -> Vec<Charge> {
        let prices = Prices::of("us-east-1").unwrap();
        of(&workload(images), &Stack::read().unwrap(), &prices, month)
    }

    fn service(charges: &[Charge], name: &str) -> f64 {
        by_service(charges)
            .iter()
            .find(|(service, _)| *service == name)
            .unwrap()
            .1
    }

    /// The numbers that the project's costs were estimated with by hand.
    #[test]
    fn a_million_pictures_cost_what_was_estimated_by_hand() {
        let charges = bill(1_000_000, Month::First);
        assert!((service(&charges, "Rekognition") - 1000.0).abs() < 1e-6);
        // Five transitions each, of which 4,000 are free.
        assert!((service(&charges, "Step Functions") - (5_000_000.0 - 4000.0) * 0.000_025).abs() < 1e-6);
        let writes = charges
            .iter()
            .find(|charge| charge.meter == Meter::WriteUnits)
            .unwrap();
        assert!((30.0..45.0).contains(&writes.dollars), "{writes:?}");
    }

    #[test]
    fn no_pictures_and_nobody_cost_only_the_alarms() {
        let charges = bill(0, Month::Idle);
        let charged: Vec<_> = charges.iter().filter(|charge| charge.dollars > 0.0).collect();
        assert!(
            matches!(charged[..], [charge] if charge.meter == Meter::Alarms),
            "{charged:?}"
        );
    }

    #[test]
    fn an_idle_month_costs_only_storage_and_alarms() {
        let charges = bill(1_000_000, Month::Idle);
        let charged: Vec<_> = charges
            .iter()
            .filter(|charge| charge.dollars > 0.0)
            .map(|charge| charge.meter)
            .collect();
        assert_eq!(charged, [Meter::TableBackup, Meter::S3Storage, Meter::Alarms]);
    }

    #[test]
    fn months_are_ordered_by_price_and_a_trillion_pictures_do_not_overflow() {
        for images in [1, 1000, 1_000_000, 1_000_000_000_000] {
            let months = [Month::First, Month::Later, Month::Idle].map(|month| total(&bill(images, month)));
            assert!(months.iter().all(|dollars| dollars.is_finite()), "{images}");
            assert!(
                months[0] >= months[1] && months[1] >= months[2],
                "{images}: {months:?}"
            );
        }
        assert!(total(&bill(1_000_000_000_000, Month::First)) > 1e8);
    }

    #[test]
    fn a_converted_picture_costs_two_more_transitions_and_one_more_object() {
        let stack = Stack::read().unwrap();
        let mut all = workload(1000);
        all.converted_percent = 100.0;
        let quantity = |workload: &Workload, meter| -> f64 {
            let lines = usage::of(workload, &stack, Month::First);
            lines
                .iter()
                .filter(|line| line.meter == meter)
                .map(|line| line.quantity)
                .sum()
        };
        for (meter, more) in [
            (Meter::StateTransitions, 2000.0),
            (Meter::S3Writes, 1000.0),
            (Meter::DetectLabels, 0.0),
        ] {
            assert_eq!(
                quantity(&all, meter) - quantity(&workload(1000), meter),
                more,
                "{meter:?}"
            );
        }
    }
}
