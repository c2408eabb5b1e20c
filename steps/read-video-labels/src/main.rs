//! The Lambda function of the `read-video-labels` step.

use domain::metric::Function;
use lambda::{Environment, Error};
use read_video_labels::{ReadVideoLabels, handle};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = ReadVideoLabels {
        rekognition: aws_sdk_rekognition::Client::new(&config),
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
    };
    lambda::run(Function::ReadVideoLabels, async |input| {
        handle(&step, input).await
    })
    .await
}
