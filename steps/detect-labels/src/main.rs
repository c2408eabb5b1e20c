//! The Lambda function of the `detect-labels` step.

use detect_labels::{DetectLabels, handle};
use domain::metric::Function;
use lambda::{Environment, Error};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let detect_labels = DetectLabels {
        rekognition: aws_sdk_rekognition::Client::new(&aws::for_paid_calls(&config)),
        s3: aws_sdk_s3::Client::new(&config),
        min_stored_confidence: environment.percent("MIN_STORED_CONFIDENCE")?,
    };
    lambda::run(Function::DetectLabels, async |input| {
        handle(&detect_labels, input).await
    })
    .await
}
