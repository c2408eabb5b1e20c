//! Wires the HTTP API to Lambda.

use api::{App, Quotas, router};
use events::EventBus;
use lambda::{Environment, Error};
use records::Records;

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<(), Error> {
    lambda::init_logs();
    let environment = Environment::process();
    let config = aws::api_config().await;
    let app = App {
        s3: aws_sdk_s3::Client::new(&config),
        records: Records::new(
            aws_sdk_dynamodb::Client::new(&config),
            environment.text("TABLE_NAME")?,
        ),
        sfn: aws_sdk_sfn::Client::new(&config),
        bucket: environment.text("BUCKET_NAME")?,
        default_policy: environment.default_policy()?,
        quotas: Quotas {
            images_per_day: environment.parse("IMAGES_PER_DAY", "a whole number")?,
            total_images_per_day: environment.parse("TOTAL_IMAGES_PER_DAY", "a whole number")?,
        },
        state_machine_arn: environment.text("STATE_MACHINE_ARN")?,
        jobs_state_machine_arn: environment.text("JOBS_STATE_MACHINE_ARN")?,
        bus: EventBus {
            eventbridge: aws_sdk_eventbridge::Client::new(&config),
            name: environment.text("EVENT_BUS_NAME")?,
        },
    };
    lambda_http::run(router(app)).await
}
