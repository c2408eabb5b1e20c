//! Labels images again, at the pace of bulk work and within the part of the daily quotas that jobs may use. A video counts as an
//! image, and with its minutes.
//!
//! A part can end at any moment, and is then repeated. No image is labeled twice by a job, and none is counted twice:
//!
//! - Before an execution is started, the job's record names its image as `pending`, together with the progress before it. A
//!   repeated part continues there, and not where its input says.
//! - The execution's name consists of the job and the image. Step Functions accepts each name once in 90 days, whether the
//!   first execution is running or has ended ([StartExecution]). The name that a single relabeling has
//!   ([`executions::relabel`]) would not do: it is derived from the state of the record, which the first execution changes.
//! - If the execution of the pending image exists, its image is counted as changed, and nothing else happens: the quota was
//!   taken before it was started. If another attempt of the part starts it at the same moment, the quota is returned.
//!
//! If a part ends after it has taken the quota of an image and before it has started the execution, that image counts twice
//! toward the quotas: they are never exceeded.
//!
//! [StartExecution]: https://docs.aws.amazon.com/step-functions/latest/apireference/API_StartExecution.html

use crate::{BUDGET, RunJobPart, RunJobPartError, page, stop_counted, store};
use aws::ServiceError;
use domain::{ImageId, ImageRecord, JobId, JobProgress, Relabel};
use executions::State as Execution;
use executions::relabel;
use jiff::{SignedDuration, Timestamp};
use std::time::{Duration, Instant};

/// How long a job waits if the next free slot is later than the end of its part, because many jobs run.
const BUSY_WAIT: SignedDuration = SignedDuration::from_secs(60);

/// What became of an image.
enum Outcome {
    /// It is not in the selection, is being labeled, or does not exist.
    Skipped,
    /// Its execution has started.
    Started,
    /// There is no free slot in this part.
    Busy,
    /// A daily limit is reached until then.
    Exhausted(Timestamp),
    /// The job is not running.
    Stopped,
}

/// Starts to label images until `until`, until a daily limit is reached, or until all are processed. `pending` is the image
/// that the last attempt was about to label.
pub(crate) async fn run(
    step: &RunJobPart,
    job: &Relabel,
    mut progress: JobProgress,
    pending: &[ImageId],
    until: Instant,
) -> Result<JobProgress, RunJobPartError> {
    for id in pending {
        if is_started(step, progress.job_id, *id).await? {
            count(&mut progress, *id, true);
        }
    }
    loop {
        let page = page::read(step, &job.selection, &progress).await?;
        for (id, image) in page.images {
            if Instant::now() >= until {
                return end(step, progress).await;
            }
            match process(step, job, &progress, image, until).await? {
                Outcome::Skipped => count(&mut progress, id, false),
                Outcome::Started => count(&mut progress, id, true),
                Outcome::Busy => {
                    // Near the end of a part, the next slot is usually in the next part.
                    if until.saturating_duration_since(Instant::now()) > BUDGET / 2 {
                        progress.waits_until = Some(format!("{:.0}", Timestamp::now() + BUSY_WAIT));
                    }
                    return end(step, progress).await;
                }
                Outcome::Exhausted(until) => {
                    progress.waits_until = Some(until.to_string());
                    let is_running = step.records.pause_job(&progress, until).await?;
                    return if is_running {
                        Ok(progress)
                    } else {
                        stop_counted(step, progress).await
                    };
                }
                Outcome::Stopped => return stop_counted(step, progress).await,
            }
        }
        progress.after = page.last.or(progress.after);
        progress.done = page.last.is_none();
        if progress.done || Instant::now() >= until {
            return end(step, progress).await;
        }
        if !store(step, &progress).await? {
            return stop_counted(step, progress).await;
        }
    }
}

fn count(progress: &mut JobProgress, id: ImageId, is_changed: bool) {
    progress.processed += 1;
    progress.changed += u64::from(is_changed);
    progress.after = Some(id);
}

async fn end(step: &RunJobPart, progress: JobProgress) -> Result<JobProgress, RunJobPartError> {
    if store(step, &progress).await? {
        Ok(progress)
    } else {
        stop_counted(step, progress).await
    }
}

async fn process(
    step: &RunJobPart,
    job: &Relabel,
    progress: &JobProgress,
    listed: Option<ImageRecord>,
    until: Instant,
) -> Result<Outcome, RunJobPartError> {
    let (records, owner) = (&step.records, &progress.owner);
    let video_quotas = step.video_quotas.for_jobs();
    let selects = |image: &ImageRecord| job.selects(image, video_quotas.max_minutes());
    let Some(listed) = listed.filter(selects) else {
        return Ok(Outcome::Skipped);
    };
    let time_left = until.saturating_duration_since(Instant::now());
    let Some(wait) = records.take_slots(1, step.images_per_second, time_left).await? else {
        return Ok(Outcome::Busy);
    };
    if wait > Duration::ZERO {
        tokio::time::sleep(wait).await;
    }
    // The page can have been read long ago.
    let id = listed.image_id;
    let now = Timestamp::now();
    let newest = records.image(owner, id).await?.filter(selects);
    let Some(image) = newest else {
        return Ok(Outcome::Skipped);
    };
    let minutes = image.video_minutes();
    // A file that turns out to be a video counts its minutes itself.
    let Some(event) = relabel::event(&image, minutes.unwrap_or_default(), now) else {
        return Ok(Outcome::Skipped);
    };
    let name = name(progress.job_id, id);
    if image.execution_arn.as_ref() == Some(&executions::arn(&step.state_machine_arn, &name)) {
        return Ok(Outcome::Started);
    }
    if relabel::is_being_labeled(&step.sfn, &step.video_state_machine_arn, &image).await? {
        return Ok(Outcome::Skipped);
    }
    if !records.begin_images(progress, &[id]).await? {
        return Ok(Outcome::Stopped);
    }
    let counted = match records.count_image(owner, step.quotas.for_jobs(), now).await? {
        Ok(counted) => counted,
        Err(exhausted) => return Ok(Outcome::Exhausted(exhausted.until)),
    };
    if let Some(minutes) = minutes {
        let counted_minutes = records
            .count_video_minutes(owner, minutes, video_quotas, now)
            .await?;
        if let Err(exhausted) = counted_minutes {
            records.uncount_image(counted).await?;
            return Ok(Outcome::Exhausted(exhausted.until));
        }
    }
    let uncount_minutes = async || match minutes {
        Some(minutes) => records.uncount_video_minutes(owner, minutes, now).await,
        None => Ok(()),
    };
    match executions::start(&step.sfn, &step.state_machine_arn, &name, event.to_string()).await {
        Ok(Some(_)) => Ok(Outcome::Started),
        Ok(None) => {
            records.uncount_image(counted).await?;
            uncount_minutes().await?;
            Ok(Outcome::Started)
        }
        Err(error) => {
            records.uncount_image_after(counted, &error).await?;
            if !matches!(error, ServiceError::ServiceUnavailable(_)) {
                uncount_minutes().await?;
            }
            Err(error.into())
        }
    }
}

async fn is_started(step: &RunJobPart, job_id: JobId, id: ImageId) -> Result<bool, RunJobPartError> {
    let execution = executions::arn(&step.state_machine_arn, &name(job_id, id));
    Ok(executions::state(&step.sfn, &execution).await? != Execution::Unknown)
}

/// The name of the execution that labels an image for a job. At most 80 characters, Step Functions' limit.
fn name(job_id: JobId, id: ImageId) -> String {
    format!("job-{job_id}-{id}")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Source: the name's limit and its allowed characters in StartExecution's documentation.
    #[test]
    fn the_name_is_valid_in_step_functions() {
        let name = name(JobId::new(), ImageId::new());
        assert!(name.len() <= 80, "{name}");
        assert!(
            name.chars()
                .all(|character| character.is_ascii_alphanumeric() || character == '-')
        );
    }
}
