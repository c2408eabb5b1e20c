//! Rekognition's JSON 1.1 protocol over HTTP.

use crate::error::{ApiError, ErrorKind, MEDIA_TYPE};
use crate::object::ObjectStore;
use crate::picture;
use crate::properties::SmallCopy;
use crate::request::{DetectLabels, ImageSource, MAX_INLINE_BYTES};
use crate::response::{self, DetectLabelsResponse, ResponseLabel};
use crate::throttle::Throttle;
use crate::video::{GetLabelDetection, Jobs, Notifier, StartLabelDetection, Worker};
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::header::CONTENT_TYPE;
use axum::http::{HeaderMap, HeaderValue};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use http_body_util::BodyExt;
use image::RgbImage;
use label_model::analysis::Analyzer;
use picture_process::{Limits, PictureProcess};
use serde::Serialize;
use serde_json::json;
use std::sync::Arc;
use std::time::{Duration, Instant};
use tokio::sync::Semaphore;
use uuid::Uuid;

/// The header with the operation's name.
const TARGET: &str = "x-amz-target";
const DETECT_LABELS: &str = "RekognitionService.DetectLabels";
const START_LABEL_DETECTION: &str = "RekognitionService.StartLabelDetection";
const GET_LABEL_DETECTION: &str = "RekognitionService.GetLabelDetection";
/// Maximum size of a body that is parsed: the largest image in base64, and space for the other parameters.
const MAX_BODY_BYTES: usize = MAX_INLINE_BYTES / 3 * 4 + 256 * 1024;
/// Larger bodies are read up to this size and discarded: a client that cannot finish sending sees a broken connection and
/// not the response.
const MAX_DISCARDED_BYTES: usize = 128 * 1024 * 1024;
/// Maximum time to receive a body.
const BODY_TIMEOUT: Duration = Duration::from_secs(20);
/// Maximum number of requests with their image in memory, at most 15 MB each. Others wait.
const LOADED_REQUESTS: usize = 3;
/// Maximum number of megapixels that are decoded at the same time: one photograph of 12 and several small ones. A pixel
/// takes 3 bytes, and up to 12 during decoding. A picture with more megapixels than this is decoded alone.
const DECODED_MEGAPIXELS: u32 = 20;
/// For pictures of at most 15 MB and 100 megapixels. The CPU time is below the clients' timeout (`aws::PAID_CALL_TIMEOUT`),
/// so that they get an error instead of none. The wall time is longer, because a busy machine runs the process slowly; it ends
/// if the client disconnects.
const LIMITS: Limits = Limits {
    memory: 1_536 * 1024 * 1024,
    cpu_seconds: 6,
    wall_time: Duration::from_secs(60),
};

/// Everything that requests need.
pub struct Service {
    analyzer: Analyzer,
    objects: ObjectStore,
    throttle: Option<Throttle>,
    process: PictureProcess,
    jobs: Jobs,
    notifier: Notifier,
    loaded: Arc<Semaphore>,
    megapixels: Arc<Semaphore>,
}

impl Service {
    /// Combines the model, the objects in S3, the process that decodes pictures, the topics in SNS, the maximum number of
    /// jobs at a time, and the rate limiter, if there is one.
    pub fn new(
        analyzer: Analyzer,
        objects: ObjectStore,
        process: PictureProcess,
        notifier: Notifier,
        max_jobs: usize,
        throttle: Option<Throttle>,
    ) -> Self {
        Self {
            process: process.with_limits(LIMITS),
            jobs: Jobs::new(max_jobs),
            notifier,
            analyzer,
            objects,
            throttle,
            loaded: Arc::new(Semaphore::new(LOADED_REQUESTS)),
            megapixels: Arc::new(Semaphore::new(DECODED_MEGAPIXELS as usize)),
        }
    }

    async fn detect_labels(self: Arc<Self>, body: Body) -> Result<Response, ApiError> {
        let closed = |_| ApiError::internal();
        // Before the body is read, so that waiting requests have no image in memory.
        let loaded = Arc::clone(&self.loaded).acquire_owned().await.map_err(closed)?;
        let body = read(body).await?;
        let mut request = DetectLabels::parse(&body)?;
        drop(body);
        let bytes = match &mut request.image {
            ImageSource::Bytes(bytes) => std::mem::take(bytes),
            ImageSource::Object(object) => self.objects.fetch(object).await?,
        };
        let header = picture::header(&bytes)?;
        // At most 10,000 x 10,000.
        let megapixels = (header.width * header.height).div_ceil(1_000_000);
        let decoded = Arc::clone(&self.megapixels)
            .acquire_many_owned(megapixels.min(DECODED_MEGAPIXELS))
            .await
            .map_err(closed)?;
        let started = Instant::now();
        // If the client disconnects, the child ends.
        let picture = picture::decode(&self.process, bytes, &header).await?;
        let decode_time = started.elapsed();
        let work = move || {
            // Held until the work is done, even if the client disconnects and nobody waits for the response.
            let _permits = (loaded, decoded);
            self.label(&request, picture, decode_time)
        };
        tokio::task::spawn_blocking(work).await.map_err(|error| {
            tracing::error!(%error, "labeling a picture panicked");
            ApiError::internal()
        })?
    }

    /// Starts a job, which continues after the response.
    async fn start_label_detection(self: Arc<Self>, body: Body) -> Result<Response, ApiError> {
        let request = StartLabelDetection::parse(&read(body).await?)?;
        let started = match self.jobs.repeated(&request, Instant::now())? {
            Some(id) => id,
            None => {
                let length = self.objects.length(&request.video).await?;
                request.check_length(length)?;
                let (id, is_new) = self.jobs.start(&request, Instant::now())?;
                if is_new {
                    tokio::spawn(Arc::clone(&self).run(id.clone(), request, length));
                }
                id
            }
        };
        Ok(json_response(&json!({ "JobId": started })))
    }

    async fn run(self: Arc<Self>, id: String, request: StartLabelDetection, length: u64) {
        let worker = Worker {
            objects: &self.objects,
            process: &self.process,
        };
        let service = Arc::clone(&self);
        let selected = Arc::new(request.clone());
        let label = move |picture: RgbImage| {
            let (service, request) = (Arc::clone(&service), Arc::clone(&selected));
            async move {
                let work = move || -> Result<Vec<ResponseLabel>, ApiError> {
                    let labels = service.analyzer.labels(&picture)?;
                    Ok(response::selected(
                        &request.selection(),
                        service.analyzer.taxonomy(),
                        &labels,
                        None,
                    ))
                };
                tokio::task::spawn_blocking(work).await.unwrap_or_else(|error| {
                    tracing::error!(%error, "labeling a frame panicked");
                    Err(ApiError::internal())
                })
            }
        };
        let outcome = self.jobs.alone(worker.run(&request, length, label)).await;
        if let Err(reason) = &outcome {
            tracing::info!(job = id, reason, "labeling a video failed");
        }
        let status = if outcome.is_ok() { "SUCCEEDED" } else { "FAILED" };
        self.jobs.finish(&id, outcome, Instant::now());
        if let Some(channel) = &request.channel {
            self.notifier.notify(channel, &id, status, &request).await;
        }
    }

    async fn get_label_detection(self: Arc<Self>, body: Body) -> Result<Response, ApiError> {
        let request = GetLabelDetection::parse(&read(body).await?)?;
        self.jobs
            .page(&request, Instant::now())
            .map(|page| json_response(&page))
    }

    /// The CPU-intensive part.
    fn label(
        &self,
        request: &DetectLabels,
        picture: RgbImage,
        decode_time: Duration,
    ) -> Result<Response, ApiError> {
        let started = Instant::now();
        let (width, height) = picture.dimensions();
        let labels = self.analyzer.labels(&picture)?;
        let copy = request.dominant_colors.map(|_| SmallCopy::of(picture));
        let response = DetectLabelsResponse::new(request, self.analyzer.taxonomy(), &labels, copy.as_ref());
        tracing::info!(
            width,
            height,
            decode_ms = decode_time.as_millis(),
            analyze_ms = started.elapsed().as_millis(),
            "labeled a picture"
        );
        Ok(json_response(&response))
    }
}

fn json_response(content: &impl Serialize) -> Response {
    (
        [(CONTENT_TYPE, MEDIA_TYPE)],
        axum::Json(content).into_response().into_body(),
    )
        .into_response()
}

/// All routes of the server.
pub fn router(service: Arc<Service>) -> Router {
    Router::new()
        .route("/", post(operation))
        .route("/health", get(health))
        .fallback(|| async { unknown_operation("no operation at this path; send operations with POST /") })
        .with_state(service)
}

async fn health() -> Response {
    axum::Json(json!({ "status": "ok", "labelModelVersion": label_model::VERSION })).into_response()
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
                "rejected a request"
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
    let target = headers.get(TARGET).and_then(|target| target.to_str().ok());
    match target {
        Some(DETECT_LABELS | START_LABEL_DETECTION | GET_LABEL_DETECTION) => {}
        Some(other) => {
            let name: String = other.chars().take(100).collect();
            return Err(unknown_operation(&format!(
                "{name} is not supported, only {DETECT_LABELS}, {START_LABEL_DETECTION} and {GET_LABEL_DETECTION}"
            )));
        }
        None => return Err(unknown_operation(&format!("the header {TARGET} is missing"))),
    }
    if service
        .throttle
        .as_ref()
        .is_some_and(|throttle| !throttle.try_accept(Instant::now()))
    {
        return Err(ApiError::new(
            ErrorKind::ProvisionedThroughputExceededException,
            "Provisioned rate exceeded; try again later",
        ));
    }
    let body = request.into_body();
    match target {
        Some(START_LABEL_DETECTION) => service.start_label_detection(body).await,
        Some(GET_LABEL_DETECTION) => service.get_label_detection(body).await,
        _ => service.detect_labels(body).await,
    }
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
        let frame = frame.map_err(|_| {
            ApiError::new(
                ErrorKind::SerializationException,
                "the request's body is incomplete",
            )
        })?;
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
            format!(
                "the request is too large for an image of at most {MAX_INLINE_BYTES} bytes; use S3 for larger images"
            ),
        ));
    }
    Ok(bytes)
}
