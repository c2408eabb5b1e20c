//! `GET /timeline`: the months of an owner's images.
//!
//! Each month costs one query for the latest image before it, so a request reads as many keys as it returns months,
//! whatever the number of images.

use crate::app::App;
use crate::http::cursor;
use crate::http::owner::Caller;
use crate::http::problem::Problem;
use crate::http::query::RawParameters;
use crate::http::responses::BadRequest;
use axum::Json;
use axum::extract::State;
use records::Range;
use serde::Serialize;
use std::sync::Arc;
use utoipa::{IntoParams, ToSchema};

const CURSOR: (&str, &str) = ("cursor", "the nextCursor of a response to the same query");

/// The maximum number of months in a response.
const MAX_MONTHS: usize = 50;
/// What the cursors of this route are for.
const IDENTITY: &str = "timeline";
/// Sorts after all times.
const END: &str = "~";

/// Query parameters, for the description only.
#[derive(IntoParams)]
#[into_params(parameter_in = Query)]
#[expect(dead_code, reason = "only utoipa reads it")]
pub(crate) struct TimelineQuery {
    /// The `nextCursor` of the previous response.
    #[param(min_length = 1)]
    cursor: Option<String>,
}

/// Months in which images were taken, or uploaded if it is not known when they were taken.
#[derive(Debug, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
struct Timeline {
    /// Latest first, such as `2015-07`.
    months: Vec<String>,
    /// The `cursor` of the next months. Null if there are no more.
    #[schema(required)]
    next_cursor: Option<String>,
}

/// Returns the months of the owner's images.
#[utoipa::path(
    get,
    path = "/timeline",
    tag = "images",
    operation_id = "listMonths",
    summary = "List the months of your images",
    description = "The months in which at least one image has its `time`, latest first, at most 50 per response. To list \
        the images of a month and before, call `GET /images` with `to`.",
    params(TimelineQuery),
    responses((status = 200, description = "The months", body = Timeline), BadRequest),
)]
pub(crate) async fn list(
    State(app): State<Arc<App>>,
    Caller(owner): Caller,
    parameters: RawParameters,
) -> Result<Json<impl Serialize>, Problem> {
    let parameters = parameters.known(&[CURSOR.0])?;
    let after = parameters.one(CURSOR, |text| cursor::decode(&owner, IDENTITY, text, month))?;
    let mut high = after.unwrap_or_else(|| END.to_owned());
    let mut months = vec![];
    while months.len() < MAX_MONTHS {
        // All times sort after "0". A time of a month sorts after the month.
        let range = Range {
            low: "0",
            high: &high,
            limit: 1,
        };
        let latest = app.records.history(&owner, range).await?.items.pop();
        let Some(earlier) = latest.as_deref().and_then(month) else {
            return Ok(Json(Timeline {
                months,
                next_cursor: None,
            }));
        };
        high.clone_from(&earlier);
        months.push(earlier);
    }
    Ok(Json(Timeline {
        next_cursor: Some(cursor::encode(&owner, IDENTITY, &high)),
        months,
    }))
}

/// The month at the start of a place in the history.
fn month(place: &str) -> Option<String> {
    const MONTH: usize = "2015-07".len();
    let month = place.get(..MONTH)?;
    let fits = |(index, character): (usize, u8)| match index {
        4 => character == b'-',
        _ => character.is_ascii_digit(),
    };
    month.bytes().enumerate().all(fits).then(|| month.to_owned())
}
