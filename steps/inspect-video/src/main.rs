//! The Lambda function of the `inspect-video` step.

use domain::metric::Function;
use inspect_video::{InspectVideo, handle};
use lambda::{Environment, Error};
use picture_process::{PictureProcess, run_if_child};
use records::{Records, VideoQuotas};

fn main() -> Result<(), Error> {
    run(run_if_child())
}

#[tokio::main(flavor = "current_thread")]
async fn run(process: PictureProcess) -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let seconds: u32 = environment.parse("VIDEO_FRAME_INTERVAL", "a whole number of seconds")?;
    let step = InspectVideo {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        process,
        bucket: environment.text("BUCKET_NAME")?,
        default_policy: environment.default_policy()?,
        decode_hevc: environment.parse("DECODE_HEIC", "true or false")?,
        labels: environment.parse("VIDEO_LABELS", "FRAMES or REKOGNITION")?,
        interval_ms: u64::from(seconds.max(1)) * 1000,
        quotas: VideoQuotas {
            minutes_per_day: environment.parse("VIDEO_MINUTES_PER_DAY", "a whole number")?,
            total_minutes_per_day: environment.parse("TOTAL_VIDEO_MINUTES_PER_DAY", "a whole number")?,
        },
    };
    lambda::run(Function::InspectVideo, async |input| handle(&step, input).await).await
}
