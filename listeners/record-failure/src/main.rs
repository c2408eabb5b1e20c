//! The Lambda function of the `record-failure` listener.

use domain::metric::Function;
use events::EventBus;
use lambda::{Environment, Error};
use notify::Notify;
use record_failure::{RecordFailure, handle};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::step_config().await;
    let record_failure = RecordFailure {
        sfn: aws_sdk_sfn::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        bucket: environment.text("BUCKET_NAME")?,
        notify: Notify {
            bus: EventBus {
                eventbridge: aws_sdk_eventbridge::Client::new(&config),
                name: environment.text("EVENT_BUS_NAME")?,
            },
        },
    };
    lambda::run(Function::RecordFailure, async |input| {
        handle(&record_failure, input).await
    })
    .await
}
