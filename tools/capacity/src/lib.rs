//! What a number of pictures costs, how long it takes, and which limit is reached first.
//!
//! Quantities come from the definitions that are deployed: functions from `template.yaml`, state transitions from
//! `statemachine/label-image.asl.json`, limits from `domain`. What no definition says, such as the duration of a
//! function, is in [`assumptions`]. Prices are in `prices.json`, quotas in [`limits`].

pub mod assumptions;
pub mod bill;
pub mod cost;
pub mod documents;
pub mod items;
pub mod limits;
pub mod numbers;
pub mod prices;
pub mod scale;
pub mod stack;
pub mod table;
pub mod usage;
