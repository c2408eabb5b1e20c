//! The Lambda function of the `collect-labels` step.

use collect_labels::{CollectLabels, handle};
use domain::metric::Function;
use lambda::{Environment, Error};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let seconds: u32 = environment.parse("VIDEO_SEGMENT_GAP", "a whole number of seconds")?;
    let step = CollectLabels {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        gap_ms: u64::from(seconds) * 1000,
    };
    lambda::run(Function::CollectLabels, async |input| handle(&step, input).await).await
}
