//! The Lambda function of the `label-frames` step.

use domain::metric::Function;
use label_frames::{LabelFrames, handle};
use lambda::{Environment, Error};
use picture_process::{PictureProcess, run_if_child};
use records::Records;

fn main() -> Result<(), Error> {
    run(run_if_child())
}

#[tokio::main(flavor = "current_thread")]
async fn run(process: PictureProcess) -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let step = LabelFrames {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        rekognition: aws_sdk_rekognition::Client::new(&aws::for_paid_calls(&config)),
        process,
        min_stored_confidence: environment.percent("MIN_STORED_CONFIDENCE")?,
        per_second: environment.parse("BULK_IMAGES_PER_SECOND", "a whole number of at least 1")?,
    };
    lambda::run(Function::LabelFrames, async |input| handle(&step, input).await).await
}
