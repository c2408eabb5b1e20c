//! The Lambda function of the `reconcile` listener.

use domain::metric::Function;
use events::EventBus;
use lambda::{Environment, Error};
use notify::Notify;
use reconcile::{Reconcile, handle};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    // Failed calls are retried immediately: a run makes many calls, and the next one starts an hour later.
    let config = aws::api_config().await;
    let reconcile = Reconcile {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        sfn: aws_sdk_sfn::Client::new(&config),
        notify: Notify {
            bus: EventBus {
                eventbridge: aws_sdk_eventbridge::Client::new(&config),
                name: environment.text("EVENT_BUS_NAME")?,
            },
        },
        bucket: environment.text("BUCKET_NAME")?,
        state_machine_arn: environment.text("STATE_MACHINE_ARN")?,
        video_state_machine_arn: environment.text("VIDEO_STATE_MACHINE_ARN")?,
        images_per_second: environment.parse("BULK_IMAGES_PER_SECOND", "a positive whole number")?,
        days: environment.parse("RECONCILE_DAYS", "a whole number of days")?,
    };
    lambda::run(Function::Reconcile, async |input| handle(&reconcile, input).await).await
}
