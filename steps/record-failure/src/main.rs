//! Wires the `record-failure` step to Lambda.

use lambda::{Environment, Error};
use notify::Notify;
use record_failure::{RecordFailure, handle};

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = lambda::aws::step_config().await;
    let record_failure = RecordFailure {
        sfn: aws_sdk_sfn::Client::new(&config),
        dynamodb: aws_sdk_dynamodb::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        table: environment.text("TABLE_NAME")?,
        notify: Notify {
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            event_bus: environment.text("EVENT_BUS_NAME")?,
        },
    };
    lambda::run(async |input| handle(&record_failure, input).await).await
}
