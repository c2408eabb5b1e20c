//! Error responses in the API's description.

use crate::http::problem::Problem;
use utoipa::IntoResponses;

/// `invalid-field`: a field or parameter is missing or out of range. `unknown-field`, `unknown-parameter`: the route
/// doesn't have this field or parameter. `invalid-body`: the body is not a JSON object.
#[derive(IntoResponses)]
#[response(status = 400, content_type = "application/problem+json")]
pub(crate) struct BadRequest(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `no-such-image`: you have no image with this ID. The same for deleted images and images of other users.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NoSuchImage(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `no-such-image`: you have no image with this ID. `no-execution`: no execution has started for the image, or it ended
/// more than 90 days ago.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NoExecution(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `no-such-image`: you have no image with this ID. `no-timeline`: the image is not a labeled video.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NoTimeline(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `no-such-job`: you have no job with this ID. Jobs are kept for 30 days, imports for 60 days after their last progress.
#[derive(IntoResponses)]
#[response(status = 404, content_type = "application/problem+json")]
pub(crate) struct NoSuchJob(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `not-labeled`: the image has no labels, because it was rejected, has failed or was not uploaded.
/// `too-many-corrections`: the image would have more than 50 added or 100 removed labels.
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct CannotCorrect(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `too-many-exports`: you already have three exports in progress. `too-many-jobs`: you already have a relabeling, a
/// deletion, three corrections, or three jobs that undo corrections in progress. `job-running`: the job to undo is still in
/// progress.
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct TooManyJobs(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `cannot-resume`: the job has succeeded or was undone, or it is not a relabeling, correction or deletion. `too-many-jobs`: you
/// already have a relabeling, a deletion, or three corrections in progress.
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct CannotResume(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `job-running`: the job to undo is still in progress.
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct JobRunning(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `settings-changed`: the settings have a different `version` than the request names. Get them again, repeat your change, and
/// send it with their `version`.
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct SettingsChanged(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `being-labeled`: an execution is processing the image. `nothing-uploaded`: no file has been uploaded yet.
#[derive(IntoResponses)]
#[response(status = 409, content_type = "application/problem+json")]
pub(crate) struct CannotRelabel(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `too-many-images`: you've reached your daily limit. `too-many-images-in-total`: all users together have reached the
/// daily limit. Uploads and relabeled images count. `too-many-video-minutes`, `too-many-video-minutes-in-total`: the same
/// with minutes of video. Limits reset at midnight UTC, after `retry-after` seconds.
#[derive(IntoResponses)]
#[response(
    status = 429,
    content_type = "application/problem+json",
    headers(("retry-after" = i32, description = "Seconds")),
)]
pub(crate) struct TooManyImages(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `upload-expired`: the multipart upload was not completed within 24 hours. Create a new one.
#[derive(IntoResponses)]
#[response(status = 410, content_type = "application/problem+json")]
pub(crate) struct UploadExpired(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `body-too-large`: the body exceeds 512 KiB.
#[derive(IntoResponses)]
#[response(status = 413, content_type = "application/problem+json")]
pub(crate) struct BodyTooLarge(#[expect(dead_code, reason = "only utoipa reads it")] Problem);

/// `invalid-body-type`: the `content-type` header is not `application/json`.
#[derive(IntoResponses)]
#[response(status = 415, content_type = "application/problem+json")]
pub(crate) struct InvalidBodyType(#[expect(dead_code, reason = "only utoipa reads it")] Problem);
