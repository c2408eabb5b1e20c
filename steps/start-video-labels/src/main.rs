//! The Lambda function of the `start-video-labels` step.

use domain::metric::Function;
use lambda::{Environment, Error};
use records::Records;
use start_video_labels::{StartVideoLabels, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = StartVideoLabels {
        rekognition: aws_sdk_rekognition::Client::new(&config),
        s3: aws_sdk_s3::Client::new(&config),
        sfn: aws_sdk_sfn::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        topic_arn: environment.text("TOPIC_ARN")?,
        topic_role_arn: environment.text("TOPIC_ROLE_ARN")?,
        min_stored_confidence: environment.percent("MIN_STORED_CONFIDENCE")?,
        jobs_per_owner: environment.parse("VIDEO_JOBS_PER_OWNER", "a whole number of at least 1")?,
    };
    lambda::run(Function::StartVideoLabels, async |input| {
        handle(&step, input).await
    })
    .await
}
