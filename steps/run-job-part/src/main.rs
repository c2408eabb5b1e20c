//! The Lambda function of the `run-job-part` step.

use domain::metric::Function;
use events::EventBus;
use lambda::{Environment, Error};
use records::{Quotas, Records, VideoQuotas};
use run_job_part::{RunJobPart, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = RunJobPart {
        s3: aws_sdk_s3::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        default_policy: environment.default_policy()?,
        sfn: aws_sdk_sfn::Client::new(&config),
        state_machine_arn: environment.text("STATE_MACHINE_ARN")?,
        video_state_machine_arn: environment.text("VIDEO_STATE_MACHINE_ARN")?,
        jobs_state_machine_arn: environment.text("JOBS_STATE_MACHINE_ARN")?,
        quotas: Quotas {
            images_per_day: environment.parse("IMAGES_PER_DAY", "a whole number")?,
            total_images_per_day: environment.parse("TOTAL_IMAGES_PER_DAY", "a whole number")?,
        },
        video_quotas: VideoQuotas {
            minutes_per_day: environment.parse("VIDEO_MINUTES_PER_DAY", "a whole number")?,
            total_minutes_per_day: environment.parse("TOTAL_VIDEO_MINUTES_PER_DAY", "a whole number")?,
        },
        images_per_second: environment.parse("BULK_IMAGES_PER_SECOND", "a whole number of at least 1")?,
        bus: EventBus {
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            name: environment.text("EVENT_BUS_NAME")?,
        },
    };
    lambda::run(Function::RunJobPart, async |progress| {
        handle(&step, progress).await
    })
    .await
}
