//! Rekognition's JSON 1.1 protocol over HTTP.

use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, header::CONTENT_TYPE};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use serde_json::json;
use tokio::sync::Semaphore;
use uuid::Uuid;

use crate::analysis::Analyzer;
use crate::error::{ApiError, ErrorKind, MEDIA_TYPE};
use crate::object::ObjectStore;
use crate::picture::{self, Picture};
use crate::properties::PropertiesOf;
use crate::request::{DetectLabels, ImageSource, MAX_INLINE_BYTES};
use crate::response::{DetectLabelsResponse, LABEL_MODEL_VERSION};
use crate::throttle::Throttle;

/// Which operation a request is for.
const TARGET: &str = "x-amz-target";
const DETECT_LABELS: &str = "RekognitionService.DetectLabels";
/// The largest inline image in base64, and room for the other parameters.
const MAX_BODY_BYTES: usize = MAX_INLINE_BYTES / 3 * 4 + 256 * 1024;
/// A body that is too large is still read up to here, and thrown away: clients that cannot finish sending see a
/// broken connection, not the answer.
const MAX_DISCARDED_BYTES: usize = 128 * 1024 * 1024;
/// A client that sends its request slower than this is not waited for.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// So many requests may have their image in memory, 15 MB at most each; the others wait.
const LOADED_REQUESTS: usize = 3;
/// So many megapixels may be decoded at a time: one photograph of 12 and several small ones. A pixel takes 3 bytes,
/// and 9 while a progressive JPEG is decoded. A picture with more than this has all of it for itself.
const DECODED_MEGAPIXELS: u32 = 20;

/// What requests are served with.
pub struct Service {
    analyzer: Analyzer,
    objects: ObjectStore,
    throttle: Option<Throttle>,
    loaded: Arc<Semaphore>,
    megapixels: Arc<Semaphore>,
}

impl Service {
    /// Labels pictures by `analyzer`, those in S3 from `objects`, at the rate that `throttle` allows.
    pub fn new(analyzer: Analyzer, objects: ObjectStore, throttle: Option<Throttle>) -> Self {
        Self {
            analyzer,
            objects,
            throttle,
            loaded: Arc::new(Semaphore::new(LOADED_REQUESTS)),
            megapixels: Arc::new(Semaphore::new(DECODED_MEGAPIXELS as usize)),
        }
    }

    async fn detect_labels(self: Arc<Self>, body: Body) -> Result<Response, ApiError> {
        let closed = |_| ApiError::internal();
        // Before the body is read: what waits here has no image in memory yet.
        let loaded = Arc::clone(&self.loaded).acquire_owned().await.map_err(closed)?;
        let body = read(body).await?;
        let mut request = DetectLabels::parse(&body)?;
        drop(body);
        let bytes = match &mut request.image {
            ImageSource::Bytes(bytes) => std::mem::take(bytes),
            ImageSource::Object(object) => self.objects.fetch(object).await?,
        };
        let pixels = picture::announced_pixels(&bytes)?;
        let megapixels = u32::try_from(pixels.div_ceil(1_000_000))
            .unwrap_or(u32::MAX)
            .min(DECODED_MEGAPIXELS);
        let decoded = Arc::clone(&self.megapixels)
            .acquire_many_owned(megapixels)
            .await
            .map_err(closed)?;
        let work = move || {
            // Held until the work is done, also where the client has gone and nobody waits for the answer.
            let _permits = (loaded, decoded);
            self.label(&request, bytes)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "labeling a picture panicked");
            ApiError::internal()
        })?
    }

    /// The part that takes processor time.
    fn label(&self, request: &DetectLabels, bytes: Vec<u8>) -> Result<Response, ApiError> {
        let started = Instant::now();
        let picture = Picture::decode(&bytes)?;
        drop(bytes);
        let decoded = Instant::now();
        let labels = self.analyzer.labels(&picture)?;
        let properties = request.dominant_colors.map(|_| PropertiesOf::picture(&picture));
        let response =
            DetectLabelsResponse::new(request, self.analyzer.taxonomy(), &labels, properties.as_ref());
        tracing::info!(
            width = picture.width(),
            height = picture.height(),
            decode_ms = (decoded - started).as_millis(),
            analyze_ms = decoded.elapsed().as_millis(),
            "labeled a picture"
        );
        Ok((
            [(CONTENT_TYPE, MEDIA_TYPE)],
            axum::Json(response).into_response().into_body(),
        )
            .into_response())
    }
}

/// The server's routes.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", post(operation))
        .route("/health", get(health))
        .fallback(|| async { unknown_operation("there is nothing at this path; operations are POST /") })
        .with_state(service)
}

async fn health() -> Response {
    axum::Json(json!({ "status": "ok", "labelModelVersion": LABEL_MODEL_VERSION })).into_response()
}

async fn operation(State(service): State<Arc<Service>>, headers: HeaderMap, request: Request) -> Response {
    let request_id = Uuid::new_v4().to_string();
    let mut response = match dispatch(service, &headers, request).await {
        Ok(response) => response,
        Err(error) => {
            tracing::info!(
                request_id,
                error = error.kind.name(),
                message = error.message,
                "refused a request"
            );
            error.into_response()
        }
    };
    if let Ok(value) = HeaderValue::from_str(&request_id) {
        response.headers_mut().insert("x-amzn-requestid", value);
    }
    response
}

async fn dispatch(
    service: Arc<Service>,
    headers: &HeaderMap,
    request: Request,
) -> Result<Response, ApiError> {
    // Web pages of other origins cannot send this header unasked, so none of them can use the server.
    match headers.get(TARGET).and_then(|target| target.to_str().ok()) {
        Some(DETECT_LABELS) => {}
        Some(other) => {
            let name: String = other.chars().take(100).collect();
            return Err(unknown_operation(&format!(
                "{name} is not served here, only {DETECT_LABELS}"
            )));
        }
        None => return Err(unknown_operation(&format!("the header {TARGET} is missing"))),
    }
    if service
        .throttle
        .as_ref()
        .is_some_and(|throttle| !throttle.try_pass(Instant::now()))
    {
        return Err(ApiError::new(
            ErrorKind::ProvisionedThroughputExceededException,
            "Provisioned rate exceeded; try again later",
        ));
    }
    service.detect_labels(request.into_body()).await
}

fn unknown_operation(message: &str) -> ApiError {
    ApiError::new(ErrorKind::UnknownOperationException, message)
}

async fn read(body: Body) -> Result<Vec<u8>, ApiError> {
    tokio::time::timeout(BODY_TIMEOUT, read_all(body))
        .await
        .unwrap_or_else(|_| {
            Err(ApiError::new(
                ErrorKind::SerializationException,
                "the request's body did not arrive in time",
            ))
        })
}

async fn read_all(mut body: Body) -> Result<Vec<u8>, ApiError> {
    let mut bytes = Vec::new();
    let mut length = 0;
    while let Some(frame) = body.frame().await {
        let frame = frame
            .map_err(|_| ApiError::new(ErrorKind::SerializationException, "the request's body broke off"))?;
        let Some(data) = frame.data_ref() else { continue };
        length += data.len();
        if length <= MAX_BODY_BYTES {
            bytes.extend_from_slice(data);
        } else if length > MAX_DISCARDED_BYTES {
            break;
        } else {
            bytes = Vec::new();
        }
    }
    if length > MAX_BODY_BYTES {
        return Err(ApiError::new(
            ErrorKind::ImageTooLargeException,
            format!("the request is larger than any with an image of {MAX_INLINE_BYTES} bytes; use S3"),
        ));
    }
    Ok(bytes)
}
